"""Links to objects, whichever app shows them: {% page "vm" slug address %}, {% list_page "cluster" %}."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import template
from django.urls import NoReverseMatch
from django.utils.safestring import SafeString

from ui.places import list_of, page_of
from ui.templatetags.parts import draw
from ui.templatetags.units import count

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


@register.simple_tag(takes_context=True)
def in_head(context: template.Context) -> SafeString:
    """What the root of the product says in the head of each page, of all that its template was given."""
    say = context.get("say_in_head")
    return SafeString() if say is None else say(context.flatten())


@register.simple_tag
def tab_links(tabs: Iterable[Any]) -> SafeString:
    """Links of tabs, which have label, url, is_current and count."""
    return SafeString("".join(_tab(each) for each in tabs))


def _tab(tab: Any) -> SafeString:
    return draw(
        '<a href="{}"{}>{}{}</a>',
        tab.url,
        _CURRENT if tab.is_current else "",
        tab.label,
        "" if tab.count is None else draw('<span class="count">{}</span>', count(tab.count)),
    )


_CURRENT = SafeString(' aria-current="page"')
