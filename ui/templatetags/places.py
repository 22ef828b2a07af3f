"""Links to objects, whichever app shows them: {% page "vm" slug address %}, {% list_page "cluster" %}."""

from collections.abc import Sequence
from typing import Any

from django import template
from django.urls import NoReverseMatch

from ui.places import list_of, page_of

register = template.Library()


@register.simple_tag
def page(kind: str, *where: Any) -> str:
    """The URL of an object's page; empty if it has none, like a machine of which only the name is known."""
    try:
        return page_of(kind, *where)
    except NoReverseMatch:
        return ""


@register.simple_tag
def page_at(kind: str, place: Sequence[Any] | None) -> str:
    """The same from all arguments of its URL at once; empty without any, and where one is not known."""
    return page(kind, *place) if place and None not in place else ""


@register.simple_tag
def list_page(kind: str) -> str:
    """The URL of the list of all objects of a kind."""
    return list_of(kind)
