"""The edge: every value that a cluster sends becomes one of these kinds, bounded, typed and clean, or is refused.

A shape says of each of its fields what kind it is, ``memory: Annotated[int | None, Mib("mtotal")]``; `read_fields` does
the rest. Nothing of what comes out is more than a column takes, more than a hundred thousand rows of it add up to in
64 bits, or anything that PostgreSQL, SQLite or a page answers with an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from ipaddress import ip_address
from typing import Any, get_type_hints

from rapi.errors import Garbled
from rapi.paths import job_number
from rapi.shapes.json import clean_json, clean_table
from rapi.text import clean_text
from rapi.words import words as _

#: what a column of four bytes holds; in MiB it is 2 PiB, and page queries add up sizes as four bytes
MOST = 2**31 - 1
#: seconds since 1970, to the end of the year 2099
LAST_SECOND = 4_102_444_799.0

NAME_LENGTH = 255
UUID_LENGTH = 36
TAG_LENGTH = 128
WORD_LENGTH = 20

# what stands in a RAPI path (see rapi.paths) and in an address of ours without being escaped
_NAME = re.compile(r"(?!\.{1,2}\Z)[\w.\-]{1,255}", re.ASCII)
_UUID = re.compile(r"(?!\.{1,2}\Z)[\w.\-]{1,36}", re.ASCII)


class BadRecord(Garbled):
    """A record that can't be kept: something that must be there is missing or can't be what it should be."""


@dataclass(frozen=True)
class Kind:
    """How one field is read. ``key`` is its name at Ganeti's, if it differs from ours."""

    key: str = ""

    def read(self, value: Any) -> Any:
        """The value, made fit; raises ValueError, with what is wrong in words, if the record can't do without it."""
        raise NotImplementedError


@dataclass(frozen=True)
class Text(Kind):
    """A text of one line, cut at ``limit``; empty if it is none."""

    limit: int = NAME_LENGTH

    def read(self, value: Any) -> str:
        return clean_text(value, self.limit) if isinstance(value, str) else ""


@dataclass(frozen=True)
class OptionalText(Kind):
    """The same, but None if it is no text."""

    limit: int = NAME_LENGTH

    def read(self, value: Any) -> str | None:
        return clean_text(value, self.limit) if isinstance(value, str) else None


@dataclass(frozen=True)
class Word(Kind):
    """A short text that must be there."""

    limit: int = WORD_LENGTH

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or not value:
            raise ValueError(_("is missing"))
        return clean_text(value, self.limit)


@dataclass(frozen=True)
class OneOf(Kind):
    """One of these words."""

    words: frozenset[str] = frozenset()

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or not value:
            raise ValueError(_("is missing"))
        if value not in self.words:
            raise ValueError(
                _("is “%(value)s”, which this release of Ganeti Web Manager does not know", value=clean_text(value, 40))
            )
        return value


@dataclass(frozen=True)
class Name(Kind):
    """A name by which a thing is addressed, at Ganeti and here: letters, digits and ``._-``."""

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or not value:
            raise ValueError(_("is missing"))
        if not _NAME.fullmatch(value):
            raise ValueError(
                _(
                    "is “%(value)s”; only letters, digits, dots, - and _ can be part of an address, at most %(limit)s. "
                    "Rename it in Ganeti",
                    value=clean_text(value, 60),
                    limit=NAME_LENGTH,
                )
            )
        return value


@dataclass(frozen=True)
class Label(Kind):
    """A name as node groups and networks may have it: any text that is fit as it is, and no path."""

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise ValueError(_("is missing"))
        if clean_text(value, NAME_LENGTH) != value or "/" in value or value in (".", ".."):
            raise ValueError(
                _(
                    "is “%(value)s”, which can't be part of an address: control characters and / can't, nor can more "
                    "than %(limit)s characters. Rename it in Ganeti",
                    value=clean_text(value, 60),
                    limit=NAME_LENGTH,
                )
            )
        return value


@dataclass(frozen=True)
class Uuid(Kind):
    """Ganeti's identity of a thing."""

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or not _UUID.fullmatch(value):
            raise ValueError(_("is missing") if value in (None, "") else _("is not a uuid"))
        return value


@dataclass(frozen=True)
class Count(Kind):
    """A whole number from 0 to ``most``, else ``default``. Floats without a fraction count; booleans don't."""

    most: int = MOST
    default: int | None = None

    def read(self, value: Any) -> int | None:
        number = whole(value)
        return number if number is not None and 0 <= number <= self.most else self.default


class Mib(Count):
    """A size in MiB."""


@dataclass(frozen=True)
class Level(Kind):
    """A whole number of either sign."""

    def read(self, value: Any) -> int | None:
        number = whole(value)
        return number if number is not None and -MOST <= number <= MOST else None


@dataclass(frozen=True)
class JobNumber(Kind):
    """The number of a job: positive, 63 bits. Old releases give it as digits."""

    def read(self, value: Any) -> int:
        number = job_number(value)
        if number is None:
            raise ValueError(_("is not the number of a job"))
        return number


@dataclass(frozen=True)
class Seconds(Kind):
    """A time as seconds since 1970, or None if it is not before 2100."""

    def read(self, value: Any) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if 0 <= value <= LAST_SECOND else None


_SECONDS = Seconds()
_MICROSECONDS = Count(most=10**6)


@dataclass(frozen=True)
class Moment(Kind):
    """The same from Ganeti's [seconds, microseconds]."""

    def read(self, value: Any) -> float | None:
        parts = listing(value)
        if len(parts) != 2:
            return None
        seconds, micros = _SECONDS.read(parts[0]), _MICROSECONDS.read(parts[1])
        return None if seconds is None or micros is None else min(seconds + micros / 1_000_000, LAST_SECOND)


@dataclass(frozen=True)
class Flag(Kind):
    """Yes or no, else ``default``."""

    default: bool | None = False

    def read(self, value: Any) -> bool | None:
        return value if isinstance(value, bool) else self.default


@dataclass(frozen=True)
class Address(Kind):
    """An IP address, else empty: what isn't one is nowhere to be dialled."""

    def read(self, value: Any) -> str:
        try:
            return str(ip_address(value)) if isinstance(value, str) and len(value) <= 45 and "%" not in value else ""
        except ValueError:
            return ""


@dataclass(frozen=True)
class Texts(Kind):
    """The texts in a list, the first ``most`` of them."""

    limit: int = NAME_LENGTH
    most: int = 20_000

    def read(self, value: Any) -> tuple[str, ...]:
        if not value:
            return ()
        limit = self.limit
        return tuple([clean_text(each, limit) for each in listing(value)[: self.most] if isinstance(each, str)])


@dataclass(frozen=True)
class Tags(Texts):
    """Tags."""

    limit: int = TAG_LENGTH
    most: int = 1000


@dataclass(frozen=True)
class Table(Kind):
    """A dictionary of anything, clean at any depth; empty if it is none."""

    def read(self, value: Any) -> dict[str, Any]:
        return clean_table(value)


@dataclass(frozen=True)
class Tables(Kind):
    """A dictionary of dictionaries."""

    def read(self, value: Any) -> dict[str, dict[str, Any]]:
        return {key: each for key, each in clean_table(value).items() if isinstance(each, dict)}


@dataclass(frozen=True)
class ListOfTables(Kind):
    """A list of dictionaries; what isn't one is empty, so that places stay."""

    def read(self, value: Any) -> tuple[dict[str, Any], ...]:
        return tuple([clean_table(each) for each in listing(value)[:1000]])


@dataclass(frozen=True)
class Anything(Kind):
    """Whatever it is, clean at any depth."""

    def read(self, value: Any) -> Any:
        return clean_json(value)


@cache
def kinds_of(shape: type[object]) -> dict[str, Kind]:
    """The kind of each field of a shape, by the name of the field."""
    hints = get_type_hints(shape, include_extras=True)
    found = {}
    for each in fields(shape):  # type: ignore[arg-type]
        kind = next((extra for extra in getattr(hints[each.name], "__metadata__", ()) if isinstance(extra, Kind)), None)
        if kind is not None:
            found[each.name] = kind
    return found


@cache
def _plan(shape: type[object]) -> tuple[tuple[str, str, Any], ...]:
    return tuple((name, kind.key or name, kind.read) for name, kind in kinds_of(shape).items())  # type: ignore[arg-type]


@cache
def _names(shape: type[object]) -> dict[str, str]:
    """Our name of each field, by Ganeti's."""
    return {key: name for name, key, _ in _plan(shape)}  # type: ignore[arg-type]


def read_fields(shape: type[object], record: Any, what: str) -> dict[str, Any]:
    """The values of all fields of a shape that say their kind. Raises BadRecord."""
    if not isinstance(record, Mapping):
        raise BadRecord(_("A %(what)s is not an object.", what=what))
    found = {}
    key, get = "", record.get
    try:
        for name, key, read in _plan(shape):  # type: ignore[arg-type]
            found[name] = read(get(key))
    except ValueError as error:
        raise BadRecord(_("The %(key)s of a %(what)s %(error)s.", key=key, what=what, error=error.args[0])) from error
    return found


def keep_record(shape: type[object], record: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The whole record to be stored: a field that the shape knows as it was read, any other cleaned as it is."""
    names = _names(shape)  # type: ignore[arg-type]
    kept = {}
    for key, value in record.items():
        if value is not None and key in names:
            fit = values[names[key]]
            kept[key] = list(fit) if fit.__class__ is tuple else fit
        else:
            kept[clean_text(str(key), NAME_LENGTH)] = clean_json(value) if value else value
    return kept


def whole(value: Any) -> int | None:
    """A whole number, or None. Floats without a fraction count; booleans don't."""
    if value is None or value.__class__ is int:
        return value
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, float) and value.is_integer() else None


def listing(value: Any) -> Sequence[Any]:
    """The value if it is a list, else an empty one."""
    if value.__class__ is list:  # a question to Sequence takes ten times as long
        return value
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []


def mapping(value: Any) -> dict[str, Any]:
    """The value if it is a dictionary, else an empty one."""
    return dict(value) if isinstance(value, Mapping) else {}
