"""JSON from a cluster into Python's values, weighed before it is unfolded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from rapi.words import words as _

#: what an answer may take in memory when parsed, by a rough count: 10,000 instances in full count as 235 MiB
MAX_PARSED_BYTES = 512 * 1024 * 1024
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
# some of an answer, ending between two texts: taking the texts out of all of it at once would need much memory
_STRETCH = re.compile(rb'(?:[^"]++|"(?:[^"\\]++|\\.)*+"?){1,50000}+', re.DOTALL)


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
        raise TooMuch(_("it is nested too deeply")) from error


def _weigh(raw: bytes | bytearray) -> None:
    """Raise TooMuch for what would not fit. Commas and brackets inside of texts count as well."""
    if parsed_bytes(raw) > MAX_PARSED_BYTES:
        raise TooMuch(_("it would take too much memory"))
    # brackets inside of texts need not be in pairs; only then are the texts taken out, which takes longer
    if _is_deep(_brackets(raw)) and _is_deep(b"".join(_brackets(_TEXT.sub(b"", each)) for each in _stretches(raw))):
        raise TooMuch(_("it is nested too deeply"))


def parsed_bytes(raw: bytes | bytearray) -> int:
    """What the answer takes in memory, roughly and rather too much."""
    characters = len(raw) * (1 if raw.isascii() and b"\\u" not in raw else 4)
    lists, objects = raw.count(b"["), raw.count(b"{")
    values = raw.count(b",") + lists + objects + raw.count(b":")
    return 2 * characters + _PER_VALUE * values + _PER_LIST * lists + _PER_OBJECT * objects


def _brackets(raw: bytes | bytearray) -> bytes:
    return bytes(raw.translate(None, _ALL_BUT_BRACKETS))


def _is_deep(brackets: bytes) -> bool:
    """Take away the innermost pairs again and again: what is left after so many times is deeper than that."""
    for _round in range(MAX_DEPTH):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return bool(brackets)


def _stretches(raw: bytes | bytearray) -> Iterator[bytes]:
    position = 0
    while found := _STRETCH.match(raw, position):
        position = found.end()
        yield found[0]


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
