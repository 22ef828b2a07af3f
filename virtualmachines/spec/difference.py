"""What differs between two specs of a machine, as typed changes with before and after."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal

from virtualmachines.spec.machine import Defaults, DiskSpec, NicSpec, Params, Value, VMSpec, told_fields

Table = Literal["beparams", "hvparams", "osparams"]
Part = DiskSpec | NicSpec
TABLES: tuple[Table, ...] = ("beparams", "hvparams", "osparams")


@dataclass(frozen=True)
class ValueChanged:
    """One value of the machine itself, such as its name or OS."""

    field: Literal["name", "os", "hypervisor", "disk_template", "primary", "secondary"]
    before: str
    after: str


@dataclass(frozen=True)
class ParameterChanged:
    """A parameter. `before` and `after` are the values in force; `is_reset`: it follows the cluster again."""

    table: Table
    name: str
    before: Value | None
    after: Value | None
    is_reset: bool


@dataclass(frozen=True)
class TagsChanged:
    """Tags that come and go."""

    added: frozenset[str]
    removed: frozenset[str]


@dataclass(frozen=True)
class PartAdded:
    """A disk or network card that is new; they come after all others."""

    part: Part


@dataclass(frozen=True)
class PartRemoved:
    """A disk or network card that goes, with its number before."""

    index: int
    part: Part


@dataclass(frozen=True)
class PartChanged:
    """One value of a disk or network card, with its number before."""

    index: int
    part: Part
    field: str
    before: Value | None
    after: Value | None


Changed = ValueChanged | ParameterChanged | TagsChanged | PartAdded | PartRemoved | PartChanged


@dataclass(frozen=True)
class Difference:
    """All changes from one spec to another; false if there are none."""

    changes: tuple[Changed, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes)


def difference(before: VMSpec, after: VMSpec, defaults: Defaults) -> Difference:
    """From `before` to `after`, as far as Ganeti tells it of a machine: options of a creation are no part of it.

    Disks and network cards are the same ones if their uuids are; where no part has one (two templates), if their
    places are. A value that equals the cluster's default is the same as none.
    """
    old, new = before.trimmed(defaults), after.trimmed(defaults)
    return Difference((*_values(old, new), *_parameters(old, new, defaults), *_tags(old, new), *_parts(old, new)))


def _values(old: VMSpec, new: VMSpec) -> Iterator[ValueChanged]:
    if old.name != new.name:
        yield ValueChanged("name", old.name, new.name)
    if old.os != new.os:
        yield ValueChanged("os", old.os, new.os)
    if old.hypervisor != new.hypervisor:
        yield ValueChanged("hypervisor", old.hypervisor, new.hypervisor)
    if old.disk_template != new.disk_template and new.disks:
        yield ValueChanged("disk_template", old.disk_template, new.disk_template)
    if old.placement.primary != new.placement.primary:
        yield ValueChanged("primary", old.placement.primary, new.placement.primary)
    if old.placement.secondary != new.placement.secondary:
        yield ValueChanged("secondary", old.placement.secondary, new.placement.secondary)


def _parameters(old: VMSpec, new: VMSpec, defaults: Defaults) -> Iterator[ParameterChanged]:
    in_force: Mapping[Table, tuple[Params, Params]] = {
        "beparams": (defaults.beparams, defaults.beparams),
        "hvparams": (defaults.hvparams_of(old.hypervisor, old.os), defaults.hvparams_of(new.hypervisor, new.os)),
        "osparams": (defaults.osparams_of(old.os), defaults.osparams_of(new.os)),
    }
    for table in TABLES:
        was: Params = getattr(old, table)
        will: Params = getattr(new, table)
        default_was, default_will = in_force[table]
        for name in sorted(was.keys() | will.keys()):
            values = was.get(name, default_was.get(name)), will.get(name, default_will.get(name))
            if type(values[0]) is not type(values[1]) or values[0] != values[1]:
                yield ParameterChanged(table, name, *values, is_reset=name not in will)


def _tags(old: VMSpec, new: VMSpec) -> Iterator[TagsChanged]:
    if old.tags != new.tags:
        yield TagsChanged(new.tags - old.tags, old.tags - new.tags)


def _parts(old: VMSpec, new: VMSpec) -> Iterator[Changed]:
    yield from _changes_of(old.disks, new.disks)
    yield from _changes_of(old.nics, new.nics)


def _changes_of(old: Sequence[Part], new: Sequence[Part]) -> Iterator[Changed]:
    pairs = _pairs(old, new)
    for index, part in enumerate(old):
        if index not in pairs:
            yield PartRemoved(index, part)
    for index, partner in sorted(pairs.items()):
        for field in _compared(old[index]):
            before, after = getattr(old[index], field), getattr(partner, field)
            if before != after and not (field == "mode" and not after):
                yield PartChanged(index, old[index], field, before, after)
    kept = [id(part) for part in pairs.values()]
    for part in new:
        if id(part) not in kept:
            yield PartAdded(part)


def _pairs(old: Sequence[Part], new: Sequence[Part]) -> dict[int, Part]:
    """For each old part that stays, by its number, what becomes of it."""
    if not any(part.uuid for part in (*old, *new)):
        return dict(enumerate(new[: len(old)]))
    by_uuid = {part.uuid: part for part in new if part.uuid}
    return {index: by_uuid[part.uuid] for index, part in enumerate(old) if part.uuid in by_uuid}


def _compared(part: Part) -> list[str]:
    """What can be seen of it, and a disk's mode, which can be set without being seen."""
    seen = told_fields(type(part)) | {"mode"}
    return [each.name for each in fields(part) if each.name in seen and each.compare]
