"""How batches are drawn."""

from typing import Any

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from ui.templatetags.parts import state

register = template.Library()


@register.simple_tag
def batch_state(batch: Any, failed: int) -> SafeString:
    """The state of a batch of which so many items have failed."""
    kind, word = {
        "running": ("busy", _("in progress")),
        "stopped": ("off", pgettext("batch", "stopped")),
        "planned": ("off", _("planned")),
    }.get(batch.state, ("bad", _("ended, some failed")) if failed else ("ok", _("ended")))
    return state(batch.state, kind=kind, word=word)
