"""Tables of lists as they are declared (ui.tables): head and rows; and the parts of a filter.

What there is much of is drawn here and not in a template: cells, keys of a filter, columns to choose from.
"""

import html
from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.template import Context
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from ui.columns import Column
from ui.filtering import Language
from ui.tables import Shown
from ui.templatetags.parts import draw, query, sort_header

register = template.Library()


@register.simple_tag(takes_context=True)
def table_head(context: Context, shown: Shown, picks: str = "") -> SafeString:
    """The headers of a list, which put it in order where they can. With `picks` a box ticks all rows, by a script."""
    return mark_safe("".join(_head(context, shown, column, picks) for column in shown.columns))  # noqa: S308 - drawn


def _head(context: Context, shown: Shown, column: Column, picks: str) -> SafeString:
    css = column.css.replace(" dim", "")
    box = draw(_BOX_OF_ALL, _("Select this page")) if picks and column.stands == "state" else ""
    if column.sort and not shown.is_plain:
        first = "desc" if column.biggest_first else "asc"
        return sort_header(context, column.name, str(column.label), css, first, before=box)
    if column.stands == "menu":
        return draw('<th scope="col" class="menu-col"><span class="visually-hidden">{}</span></th>', column.label)
    return draw('<th scope="col"{}>{}{}</th>', draw(' class="{}"', css) if css else "", box, column.label)


@register.simple_tag(takes_context=True)
def table_rows(context: Context, shown: Shown, rows: Iterable[Any], picks: str = "") -> SafeString:
    """The rows of a list. With `picks` each has a box to tick, which posts its key under that name."""
    cells = [(_opening(column), column.cell, picks and column.stands == "state") for column in shown.columns]
    drawn = []
    part_of, part = shown.part_of, ""
    for row in rows:
        if part_of is not None and (heading := part_of(row)) != part:
            part = heading
            drawn.append(draw(_PART, len(cells), part))
        key, css = shown.table.key(row), shown.table.row_css(row)
        drawn.append(draw('<tr id="{}-{}"{}>', shown.table.kind, key, draw(' class="{}"', css) if css else ""))
        for opening, cell, has_box in cells:
            value = cell(row, context)
            drawn.append(opening)
            if has_box:
                drawn.append(draw(_BOX, picks, key, row))
            drawn.append(value if isinstance(value, SafeString) else SafeString(html.escape(str(value))))
            drawn.append(_END)
        drawn.append(_END_ROW)
    return mark_safe("".join(drawn))  # noqa: S308 - every value was escaped


_BOX = '<input class="pick" type="checkbox" name="{}" value="{}" aria-label="{}">'
_BOX_OF_ALL = '<input class="picks-all js-only" type="checkbox" aria-label="{}">'
_PART = '<tr class="part"><th scope="colgroup" colspan="{}">{}</th></tr>'
_END, _END_ROW = SafeString("</td>"), SafeString("</tr>\n")
_LEADING = {"state": "state-col", "name": "name", "menu": "menu-col"}


def _opening(column: Column) -> SafeString:
    """How a cell of a column begins: with what stands beside its value where rows are stacked."""
    if column.stands:
        return draw('<td class="{}">', f"{_LEADING[column.stands]} {column.css}".strip())
    css = draw(' class="{}"', column.css) if column.css else ""
    return draw('<td{} data-label="{}">', css, column.short or column.label)


class Options:
    """Words of which one can be chosen. In a language they are always the same, so they are drawn once for each."""

    def __init__(self, words: Mapping[str, str | Promise]) -> None:
        self._words = words
        self._drawn: dict[str, str] = {}

    def draw(self, current: str) -> SafeString:
        """All of them; the `current` one, if there is such a one, is chosen."""
        language = get_language() or ""
        if language not in self._drawn:
            self._drawn[language] = "".join(draw(_OPTION, name, word) for name, word in self._words.items())
        drawn = self._drawn[language]
        if current in self._words:
            drawn = drawn.replace(draw(_OPTION_BEGINS, current), draw(_CHOSEN_BEGINS, current), 1)
        return mark_safe(drawn)  # noqa: S308 - drawn


_OPTION_BEGINS, _CHOSEN_BEGINS = '<option value="{}">', '<option value="{}" selected>'
_OPTION = _OPTION_BEGINS + "{}</option>"

_MOST_CHOICES = 8


@register.simple_tag(takes_context=True)
def filter_keys(context: Context, language: Language) -> SafeString:
    """What a list can be asked for: a sample of each key, its meaning, and its values if these are few."""
    drawn: list[str] = []
    for name, key in language.help():
        drawn.append(draw("<dt><code>{}</code></dt><dd>{}", key.sample, key.label))
        if 0 < len(key.choices) <= _MOST_CHOICES:
            chips = [draw(_CHOICE, with_filter(context, name, choice), choice) for choice in key.choices]
            drawn.append(draw("<span>{}</span>", SafeString("".join(chips))))
        drawn.append("</dd>")
    return mark_safe("".join(drawn))  # noqa: S308 - drawn parts


_CHOICE = '<a class="chip" href="{}"><code>{}</code></a>'


@register.simple_tag
def column_boxes(shown: Shown) -> SafeString:
    """The columns that a list can have, with a box each to tick."""
    drawn = [
        draw(
            _COLUMN,
            column.name,
            " checked" if is_shown else "",
            column.label,
            draw("<small>{}</small>", column.about) if column.about else "",
        )
        for column, is_shown in shown.choices
    ]
    return mark_safe("".join(drawn))  # noqa: S308 - drawn parts


_COLUMN = '<label class="item"><input type="checkbox" name="column" value="{}"{}><span>{}{}</span></label>'


@register.simple_tag(takes_context=True)
def with_filter(context: Context, key: str, value: str) -> str:
    """The query string of this page with a key asked to be `value` (empty: anything), back on the first page."""
    request: Any = context["request"]
    return query(request.GET, **{key: value or None, "page": None})


@register.simple_tag(takes_context=True)
def kept_parameters(context: Context) -> list[tuple[str, str]]:
    """What a form that filters takes along: everything but what it has fields for, and the page."""
    request: Any = context["request"]
    fields = {"q", "page", *(select["key"] for select in context.get("selects") or ())}
    return [(name, value) for name, values in request.GET.lists() if name not in fields for value in values]
