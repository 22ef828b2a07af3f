"""JSON from a cluster into Python's values, weighed before it is unfolded."""

from __future__ import annotations

import json
import re
from typing import Any

#: what an answer may take in memory when parsed: 10,000 instances with all their fields take about 250 MiB
MAX_PARSED_BYTES = 768 * 1024 * 1024
#: lists and objects within each other; Ganeti's deepest are jobs, at about ten
MAX_DEPTH = 64
#: what every database takes as a whole number
MAX_NUMBER = 2**63 - 1

# CPython's own sizes, rounded up
_PER_VALUE = 64
_PER_LIST = 88
_PER_OBJECT = 232

_BRACKETS = b"[]{}"
_ALL_BUT_BRACKETS = bytes(each for each in range(256) if each not in _BRACKETS)
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")
#: as many digits as the first number that is too large for a database has
_LONG_NUMBER = b"0" * len(str(MAX_NUMBER))
# possessive, and content with a text that never ends: the time is proportional to the length, whatever comes
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)


class TooMuch(ValueError):
    """This is or may be JSON, but would take more memory or be nested deeper than any sensible answer."""


def parse_json(raw: bytes | bytearray) -> Any:
    """The value. Numbers that no database takes, infinite ones and NaN become None.

    Raises TooMuch, or ValueError for what is not JSON in UTF-8.
    """
    _weigh(raw)
    try:
        return json.loads(
            raw.decode("utf-8"),
            parse_float=_finite,
            parse_constant=_nothing,
            # a function of ours for each number costs much, so only where there is a long one
            parse_int=_within_range if _LONG_NUMBER in raw.translate(_DIGITS_TO_ZERO) else None,
        )
    except RecursionError as error:
        raise TooMuch("it is nested too deeply") from error


def _weigh(raw: bytes | bytearray) -> None:
    """Raise TooMuch for what would not fit.

    Brackets and commas inside of texts count as well at first. Only if that seems too much are the texts taken
    out, which takes longer, and the rest is judged again.
    """
    if _excess(raw, len(raw)):
        what = _excess(_TEXT.sub(b"0", raw), len(raw))
        if what:
            raise TooMuch(what)


def _excess(raw: bytes | bytearray, length: int) -> str:
    """What is too much about it, or nothing."""
    characters = length * (1 if raw.isascii() and b"\\u" not in raw else 4)
    lists, objects = raw.count(b"["), raw.count(b"{")
    values = raw.count(b",") + lists + objects + raw.count(b":")
    if 2 * characters + _PER_VALUE * values + _PER_LIST * lists + _PER_OBJECT * objects > MAX_PARSED_BYTES:
        return "it would take too much memory"
    brackets = raw.translate(None, _ALL_BUT_BRACKETS)
    for _ in range(MAX_DEPTH):
        if not brackets:
            return ""
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return "it is nested too deeply" if brackets else ""


def _finite(text: str) -> float | None:
    value = float(text)
    return value if value - value == 0 else None


def _nothing(text: str) -> None:
    return None


def _within_range(text: str) -> int | None:
    if len(text) > len(str(-MAX_NUMBER)):
        return None  # Python itself refuses to read some thousand digits
    value = int(text)
    return value if -MAX_NUMBER <= value <= MAX_NUMBER else None
