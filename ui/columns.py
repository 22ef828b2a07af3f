"""Columns of lists, declared once: head, cells, order and files of a list come from them. Knows no model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.template import Context
from django.utils.functional import Promise

from ui.templatetags.parts import draw
from ui.templatetags.times import moment, since
from ui.templatetags.units import DASH, count, mib, yes_no

Words = str | Promise
# What a file says, by the names that programs know it by.
Values = Mapping[str, Callable[[Any], Any]]
# Draws the inside of a cell, of a row and what else the page knows; what is no markup of ours is escaped.
Cell = Callable[[Any, Context], object]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a list.

    `name` is what URLs, files and kept choices call it; `about` explains it to who chooses columns. `fields` are what
    its cell and its values read of a row, so that a list loads no more; `sort` the fields or expressions by which it
    puts rows in order; empty: it does not.

    `css`: `num` for numbers on the right; p3, p2, p1 give way, in this order, as a table narrows that nobody has made
    their own. `stands` is "state" or "name" for what leads a row when rows are stacked, and "menu" for what ends it;
    `short` stands beside the value then. `width` is about how many pixels it takes. An `is_fixed` one is always there,
    an `is_extra` one only if
    chosen.
    """

    name: str
    label: Words
    cell: Cell
    values: Values
    about: Words = ""
    short: Words = ""
    fields: tuple[str, ...] = ()
    sort: tuple[Any, ...] = ()
    biggest_first: bool = False
    css: str = ""
    stands: str = ""
    width: int = 110
    is_fixed: bool = False
    is_extra: bool = False


def reads(path: str) -> Callable[[Any], Any]:
    """What a row has at `path`, as in `primary_node__name`; None where something on the way is missing."""
    steps = path.split("__")

    def read(row: Any) -> Any:
        for step in steps:
            row = getattr(row, step, None)
        return row

    return read


def _of(path: str, drawn: Callable[[Any], object], more: dict[str, Any]) -> dict[str, Any]:
    """What columns of one field have in common; `more` is what the declaration says otherwise.

    The key of a row breaks ties of the order by itself.
    """
    read = reads(path)
    name = more["name"]
    return {
        "cell": lambda row, _context: drawn(read(row)),
        "values": {name: read},
        "fields": (path,),
        "sort": (path,),
        **more,
    }


def text(path: str, **more: Any) -> Column:
    """A column of words; a dash where there are none."""
    return Column(**_of(path, lambda value: DASH if value in (None, "") else value, more))


def code(path: str, **more: Any) -> Column:
    """A column of something that is copied rather than read."""
    return Column(**_of(path, lambda value: draw("<code>{}</code>", value) if value else DASH, {"width": 300, **more}))


def words(path: str, **more: Any) -> Column:
    """A column of several words, kept as a list; it has no order."""
    return Column(**_of(path, lambda value: ", ".join(map(str, value or ())) or DASH, {"sort": (), **more}))


def number(path: str, **more: Any) -> Column:
    """A column of a whole number."""
    return Column(**_of(path, count, {"css": "num", "biggest_first": True, "width": 90, **more}))


def size(path: str, **more: Any) -> Column:
    """A column of a size in MiB."""
    return Column(**_of(path, mib, {"css": "num", "biggest_first": True, **more}))


def yes(path: str, **more: Any) -> Column:
    """A column of yes or no."""
    return Column(**_of(path, yes_no, {"width": 90, **more}))


def ago(path: str, **more: Any) -> Column:
    """A column of how long ago something was; a dash if it never was."""
    return Column(**_of(path, _ago, {"css": "num dim", "biggest_first": True, **more}))


def _ago(when: datetime | None) -> object:
    return DASH if when is None else since(when)


def timestamp(path: str, **more: Any) -> Column:
    """A column of a point in time that is kept in seconds since 1970."""

    def read(row: Any) -> datetime | None:
        return _as_moment(reads(path)(row))

    own = {"css": "num dim", "biggest_first": True, "width": 160, "values": {more["name"]: read}}
    return Column(**{**_of(path, str, {**own, **more}), "cell": lambda row, _context: moment(read(row))})


def _as_moment(seconds: float | None) -> datetime | None:
    """None for what no calendar has."""
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (ValueError, OverflowError, OSError):
        return None
