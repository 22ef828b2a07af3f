"""How events of the journal are drawn."""

from django import template

from objectlog.models import Event
from objectlog.reading import Told, read_event

register = template.Library()


@register.filter
def told(event: Event) -> Told:
    """What a page says of an event: sentence, words, before and after."""
    return read_event(event)
