"""Names of several machines, written as one: web{1..5}.example.org, web{01..12}, {blue,green}.example.org."""

import re
from collections.abc import Iterator

from objectlog.words import gettext as _

MOST = 500
_PART = re.compile(r"\{(?:(?P<first>\d{1,9})\.\.(?P<last>\d{1,9})|(?P<words>[^{},]+(?:,[^{},]+)+))\}")


class BadPattern(ValueError):
    """No names can be made of it; the text says why."""


def is_pattern(text: str) -> bool:
    """Whether it is meant to be several names."""
    return "{" in text or "}" in text


def expand(pattern: str) -> list[str]:
    """The names, in their order. A number that begins with 0 gives all as many digits."""
    names = [""]
    for part in _parts(pattern):
        if len(names) * len(part) > MOST:
            raise BadPattern(_("That is more than %d machines. Make it fewer.") % MOST)
        names = [name + each for name in names for each in part]
    if len(set(names)) != len(names):
        raise BadPattern(_("This makes the same name twice."))
    return names


def _parts(pattern: str) -> Iterator[list[str]]:
    at = 0
    for found in _PART.finditer(pattern):
        yield [_plain(pattern[at : found.start()])]
        yield found["words"].split(",") if found["words"] else _numbers(found["first"], found["last"])
        at = found.end()
    yield [_plain(pattern[at:])]


def _plain(text: str) -> str:
    if is_pattern(text):
        raise BadPattern(_("Write several names as web{1..5}.example.org or {blue,green}.example.org."))
    return text


def _numbers(first: str, last: str) -> list[str]:
    low, high = int(first), int(last)
    if low > high:
        raise BadPattern(_("The first number is the smaller one."))
    if high - low >= MOST:
        raise BadPattern(_("That is more than %d machines. Make it fewer.") % MOST)
    width = len(first) if first.startswith("0") else 0
    return [str(number).zfill(width) for number in range(low, high + 1)]
