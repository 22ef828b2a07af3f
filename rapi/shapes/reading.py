"""Reading a list of records so that a bad one costs itself and no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from rapi.paths import job_number
from rapi.shapes.fields import NAME_LENGTH, BadRecord, Uuid
from rapi.shapes.json import alike
from rapi.text import clean_text
from rapi.words import words as _

T = TypeVar("T")


@dataclass(frozen=True)
class Unreadable:
    """A record that can't be read, and why. ``key`` is its uuid or number; empty if it has none that could be one."""

    kind: str
    key: str
    name: str
    why: str


@dataclass(frozen=True)
class Records(Generic[T]):
    """What could be read, by uuid or number, and what could not.

    ``left_out`` are fields that Ganeti could not answer for, by record: what was known of them still holds.
    """

    good: Mapping[str, T]
    bad: tuple[Unreadable, ...] = ()
    left_out: Mapping[str, frozenset[str]] = field(default_factory=dict)


@alike()
def read_records(kind: str, parse: Callable[[Any], T], records: Iterable[Any]) -> Records[T]:
    """Read each by itself. Records that claim the same identity, or the same name, are all refused: which is it?"""
    good: dict[str, T] = {}
    bad: list[Unreadable] = []
    names: dict[str, str] = {}
    claimed: dict[str, str] = {}  # by identity, why it can't be told whose it is
    for record in records:
        try:
            shape = parse(record)
        except BadRecord as error:
            key = _key_of(record)
            bad.append(Unreadable(kind, key, clean_text(_name_of(record), NAME_LENGTH), error.message))
            if key:
                claimed[key] = error.message
            continue
        key, name = _identity(shape)
        if key in good:
            claimed[key] = _("Ganeti lists more than one record with the identity %(key)s.", key=key)
        good[key] = shape
        if name and names.setdefault(name, key) != key:
            twice = _("Ganeti lists more than one record with the name %(name)s.", name=name)
            claimed |= {key: twice, names[name]: twice}
    for key, why in claimed.items():
        if good.pop(key, None) is not None:
            name = next((name for name, named in names.items() if named == key), "")
            bad.append(Unreadable(kind, key, name, why))
    return Records(good, tuple(bad))


def _identity(shape: Any) -> tuple[str, str]:
    """Its uuid or number, and its name."""
    try:
        return shape.uuid, shape.name
    except AttributeError:
        return (str(shape.id), "") if hasattr(shape, "id") else (shape.name, shape.name)


def _key_of(record: Any) -> str:
    if not isinstance(record, Mapping):
        return ""
    if "uuid" not in record:
        number = job_number(record.get("id"))
        return str(number) if number is not None else _name_of(record)
    try:
        return Uuid().read(record["uuid"])
    except ValueError:
        return ""


def _name_of(record: Any) -> str:
    name = record.get("name") if isinstance(record, Mapping) else None
    return name if isinstance(name, str) else ""
