"""Reading a list of records so that a bad one costs itself and no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from clusters.rapi.paths import job_number
from clusters.rapi.shapes.fields import NAME_LENGTH, BadRecord, Uuid
from clusters.rapi.text import clean_text

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


def read_records(kind: str, parse: Callable[[Any], T], records: Iterable[Any]) -> Records[T]:
    """Read each by itself. Records that claim the same identity, or the same name, are all refused: which is it?"""
    given = list(records)
    bad: list[Unreadable] = []
    good: dict[str, T] = {}
    keys = Counter(map(_key_of, given))
    names = Counter(filter(None, map(_name_of, given)))
    for record in given:
        key, name = _key_of(record), _name_of(record)
        try:
            shape = parse(record)
            if keys[key] > 1:
                raise BadRecord(f"Ganeti lists {keys[key]} records with the identity {key}.")
            if name and names[name] > 1:
                raise BadRecord(f"Ganeti lists {names[name]} records with the name {name}.")
        except BadRecord as error:
            bad.append(Unreadable(kind, key, clean_text(name, NAME_LENGTH), error.message))
        else:
            good[key] = shape
    return Records(good, tuple(bad))


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
