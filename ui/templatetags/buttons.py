"""What one can do with an object, as buttons and as items of a menu: drawn here and not in a template, for a machine's
page has thirty of them.

A button has label, url, icon, style ("", "primary", "danger"), allowed, reason, name, and `is_page`: it leads to a page
of its own, not to a confirmation, which a script opens as a dialog. What can't be done now stays where it is and says
why. `place` is a word, where a page has the same button twice.
"""

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.safestring import SafeString

from ui.templatetags.parts import draw, icon

register = template.Library()

_AS_DIALOG = ' hx-get="{}" hx-select="#confirm" hx-target="#dialog" hx-swap="innerHTML" hx-push-url="false"'


def _link(button: Any, place: str, css: str, sign: str) -> SafeString:
    return draw(
        '<a id="{}do-{}"{} href="{}"{}>{}{}</a>',
        place,
        button.name,
        draw(' class="{}"', css) if css else "",
        button.url,
        "" if button.is_page else draw(_AS_DIALOG, button.url),
        icon(sign) if sign else "",
        button.label,
    )


@register.simple_tag
def action(button: Any, place: str = "") -> SafeString:
    """A button."""
    if button.allowed:
        return _link(button, place, f"btn is-{button.style}" if button.style else "btn", button.icon)
    return draw(
        '<span class="why"><button id="{0}do-{1}" type="button" class="btn" aria-disabled="true"'
        ' aria-describedby="why-{0}{1}">{2}{3}</button>'
        '<span class="reason" role="tooltip" id="why-{0}{1}">{4}</span></span>',
        place,
        button.name,
        icon(button.icon) if button.icon else "",
        button.label,
        button.reason,
    )


def small_action(url: str, label: str, about: str) -> SafeString:
    """A small button in a row of a list, which asks first; `about` names the row."""
    return draw(
        '<a class="btn is-small" href="{}"{} aria-label="{}">{}</a>',
        url,
        draw(_AS_DIALOG, url),
        f"{label}: {about}",
        label,
    )


@register.simple_tag
def menu_item(button: Any, place: str = "") -> SafeString:
    """The same inside a menu: a refused one shows its reason below its name."""
    sign = button.icon or "right"
    if button.allowed:
        return _link(button, place, f"is-{button.style}" if button.style else "", sign)
    return draw(
        '<button id="{}do-{}" type="button" aria-disabled="true">{}{}<span class="reason">{}</span></button>',
        place,
        button.name,
        icon(sign),
        button.label,
        button.reason,
    )


@register.simple_tag
def menu_sections(menu: Iterable[Any], place: str = "") -> SafeString:
    """What one can do, in groups with headings: sections, which have label and buttons."""
    sections = SafeString("".join(_section(number, each, place) for number, each in enumerate(menu, 1)))
    return draw('<div class="menu-sections">{}</div>', sections)


def _section(number: int, section: Any, place: str) -> SafeString:
    items = SafeString("".join(menu_item(button, place) for button in section.buttons))
    if not section.label:
        return draw('<div class="menu-section" role="group">{}</div>', items)
    return draw(
        '<div class="menu-section" role="group" aria-labelledby="{0}section-{1}">'
        '<p class="menu-title" id="{0}section-{1}">{2}</p>{3}</div>',
        place,
        number,
        section.label,
        items,
    )
