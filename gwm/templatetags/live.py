"""The note that a page carries, so that it can be kept true."""

from typing import Any

from django import template

from gwm.live.pages import note_for
from permissions.signed_in import find_person

register = template.Library()


@register.simple_tag(takes_context=True)
def live_note(context: template.Context) -> str:
    """What the page shows, sealed; empty for strangers."""
    request: Any = context.get("request")
    person = find_person(request) if request is not None else None
    if person is None:
        return ""
    shown: dict[str, Any] = {str(name): value for name, value in context.flatten().items()}
    return note_for(request, person, shown).seal()
