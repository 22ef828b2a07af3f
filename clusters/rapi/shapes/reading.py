"""Careful reading of Ganeti's dictionaries: strict about what must be there, tolerant about the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clusters.rapi.errors import Garbled

Record = Mapping[str, Any]


def as_record(value: Any, what: str) -> Record:
    """The value, if it is a dictionary with string keys. Raises Garbled."""
    if not isinstance(value, Mapping):
        raise Garbled(f"A {what} is not an object.")
    return value


def require_text(record: Record, key: str, what: str) -> str:
    """A text that must be there and not be empty. Raises Garbled."""
    value = record.get(key)
    if not isinstance(value, str) or not value:
        raise Garbled(f"A {what} has no {key}.")
    return value


def require_number(record: Record, key: str, what: str) -> int:
    """A whole number that must be there. Raises Garbled."""
    value = whole(record.get(key))
    if value is None:
        raise Garbled(f"A {what} has no {key}.")
    return value


def text(value: Any) -> str:
    """The value if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def optional_text(value: Any) -> str | None:
    """The value if it is a text, else None."""
    return value if isinstance(value, str) else None


def whole(value: Any) -> int | None:
    """A whole number, or None. Floats without a fraction count; booleans don't."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None


def number(value: Any) -> float | None:
    """A finite number as float, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        result = float(value)
    except OverflowError:
        return None
    return result if result - result == 0 else None


def truth(value: Any) -> bool | None:
    """The value if it is a boolean, else None."""
    return value if isinstance(value, bool) else None


def texts(value: Any) -> tuple[str, ...]:
    """The texts in a list; nothing if it is no list."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ()
    return tuple(each for each in value if isinstance(each, str))


def listing(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []


def mapping(value: Any) -> dict[str, Any]:
    """The value if it is a dictionary, else an empty one."""
    return dict(value) if isinstance(value, Mapping) else {}


def timestamp(value: Any) -> float | None:
    """Seconds since 1970 from Ganeti's [seconds, microseconds], or None."""
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        return None
    seconds, micros = number(value[0]), number(value[1])
    if seconds is None or micros is None:
        return None
    return seconds + micros / 1_000_000
