"""JSON of any form, made fit to be stored and shown: bounded in depth, size and numbers, its texts clean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from rapi.text import CUT_MARK, clean_text

#: the greatest number that 64 bits hold
BIGGEST = 2**63 - 1

_DEEPEST = 20
_MOST_VALUES = 5_000
_LONGEST_TEXT = 20_000
_LONGEST_KEY = 255
_CLEAN_AS_THEY_ARE = frozenset({bool, type(None)})


_clean_ones: ContextVar[dict[int, Mapping[str, Any]] | None] = ContextVar("clean_ones", default=None)


def clean_json(value: Any) -> Any:
    """A copy in which every text is clean, NaN is null, numbers fit into 64 bits, and nothing is too deep or too much.

    What is cut off is replaced by "…".
    """
    return _clean(value, _DEEPEST, [_MOST_VALUES])


def clean_table(value: Any) -> dict[str, Any]:
    """The same for a dictionary; anything else is an empty one."""
    if not value or not isinstance(value, Mapping):
        return {}
    known = _clean_ones.get()
    if known is None:
        cleaned: dict[str, Any] = clean_json(value)
    elif known.get(len(value)) == value:
        cleaned = dict(value)
    else:
        cleaned = clean_json(value)
        if cleaned == value:
            known[len(value)] = value
    return cleaned


@contextmanager
def alike() -> Iterator[None]:
    """While many records are read: a table that equals one that was found clean is not looked through again.

    Most machines have the same sixty parameters, and to compare them takes a tenth of the time. What is equal is
    equally clean, so nothing passes that would not otherwise; and nothing is remembered longer than this lasts.
    """
    before = _clean_ones.set({})
    try:
        yield
    finally:
        _clean_ones.reset(before)


def _clean(value: Any, depth: int, room: list[int]) -> Any:
    kind = value.__class__
    if kind is not list and kind is not dict:
        if kind in _CLEAN_AS_THEY_ARE:
            return value
        if kind is str:
            return clean_text(value, _LONGEST_TEXT, keep_lines=True)
        if kind is int:
            return value if -BIGGEST <= value <= BIGGEST else BIGGEST if value > 0 else -BIGGEST
        if kind is float:
            # PostgreSQL keeps 1e300 as a number of 301 digits
            return value if -BIGGEST <= value <= BIGGEST else None
    if depth == 0:
        return CUT_MARK
    depth -= 1
    # Nearly every value is clean as it is; to see that of each here, without a call, takes half of the time.
    if kind is list or isinstance(value, list | tuple):
        return [
            each
            if (kind := each.__class__) in _CLEAN_AS_THEY_ARE
            or (kind is str and len(each) <= _LONGEST_TEXT and each.isprintable())
            or (kind is int and -BIGGEST <= each <= BIGGEST)
            else _clean(each, depth, room)
            for each in _take(value, len(value), room)
        ]
    if isinstance(value, Mapping):
        return {
            key
            if key.__class__ is str and len(key) <= _LONGEST_KEY and key.isprintable()
            else clean_text(str(key), _LONGEST_KEY): each
            if (kind := each.__class__) in _CLEAN_AS_THEY_ARE
            or (kind is str and len(each) <= _LONGEST_TEXT and each.isprintable())
            or (kind is int and -BIGGEST <= each <= BIGGEST)
            else _clean(each, depth, room)
            for key, each in _take(value.items(), len(value), room)
        }
    return None


def _take(values: Any, count: int, room: list[int]) -> Any:
    """As many of the values as there is room for."""
    if count <= room[0]:
        room[0] -= count
        return values
    left, room[0] = room[0], 0
    return list(values)[:left]
