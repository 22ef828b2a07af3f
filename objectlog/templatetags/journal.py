"""How entries of the journal are drawn."""

from typing import Any

from django import template

from objectlog.sentences import describe

register = template.Library()


@register.filter
def sentence(entry: Any) -> str:
    """What an entry of the journal says was done; a verb without a sentence stands for itself."""
    try:
        return describe(entry.verb, entry.target_name)
    except KeyError:
        return f"{entry.verb} {entry.target_name}"
