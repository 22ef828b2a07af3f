"""JSON of any form, made fit to be stored and shown: bounded in depth, size and numbers, its texts clean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rapi.text import CUT_MARK, clean_text

#: the greatest number that 64 bits hold
BIGGEST = 2**63 - 1

_DEEPEST = 20
_MOST_VALUES = 5_000
_LONGEST_TEXT = 20_000
_LONGEST_KEY = 255
_CLEAN_AS_THEY_ARE = frozenset({bool, type(None)})


def clean_json(value: Any) -> Any:
    """A copy in which every text is clean, NaN is null, numbers fit into 64 bits, and nothing is too deep or too much.

    What is cut off is replaced by "…".
    """
    return _clean(value, _DEEPEST, [_MOST_VALUES])


def clean_table(value: Any) -> dict[str, Any]:
    """The same for a dictionary; anything else is an empty one."""
    cleaned = clean_json(value) if isinstance(value, Mapping) else {}
    return cleaned if isinstance(cleaned, dict) else {}


def _clean(value: Any, depth: int, room: list[int]) -> Any:
    kind = value.__class__
    if kind in _CLEAN_AS_THEY_ARE:
        return value
    if kind is str:
        # what nearly every text is; asking here saves a call for each
        is_clean = len(value) <= _LONGEST_TEXT and value.isprintable()
        return value if is_clean else clean_text(value, _LONGEST_TEXT, keep_lines=True)
    if kind is int:
        return value if -BIGGEST <= value <= BIGGEST else BIGGEST if value > 0 else -BIGGEST
    if kind is float:
        # PostgreSQL keeps 1e300 as a number of 301 digits
        return value if -BIGGEST <= value <= BIGGEST else None
    if depth == 0:
        return CUT_MARK
    if isinstance(value, Mapping):
        depth -= 1
        kept = _take(value.items(), len(value), room)
        return {clean_text(str(key), _LONGEST_KEY): _clean(each, depth, room) for key, each in kept}
    if isinstance(value, list | tuple):
        depth -= 1
        return [_clean(each, depth, room) for each in _take(value, len(value), room)]
    return None


def _take(values: Any, count: int, room: list[int]) -> Any:
    """As many of the values as there is room for."""
    if count <= room[0]:
        room[0] -= count
        return values
    left, room[0] = room[0], 0
    return list(values)[:left]
