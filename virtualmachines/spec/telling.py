"""A difference in words: before and after of each field, as confirmation, journal and API tell it."""

from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from itertools import zip_longest
from typing import Any, Literal

from django.utils.translation import gettext_noop

from clusters.catalogue import BACKEND, DISK, NIC, Kind, Level, Parameter, of_hypervisor
from objectlog.changes import Change
from objectlog.messages import Message, as_data, read
from objectlog.words import joined, mib
from virtualmachines.spec.difference import (
    TABLES,
    Changed,
    ParameterChanged,
    PartAdded,
    PartChanged,
    PartRemoved,
    TagsChanged,
    ValueChanged,
)
from virtualmachines.spec.machine import DiskSpec, NicSpec, VMSpec

_VALUES = {
    "name": gettext_noop("name"),
    "os": gettext_noop("OS"),
    "hypervisor": gettext_noop("hypervisor"),
    "disk_template": gettext_noop("kind of disks"),
    "primary": gettext_noop("primary node"),
    "secondary": gettext_noop("secondary node"),
}
_PLACES = {
    "placement.primary": gettext_noop("primary node"),
    "placement.secondary": gettext_noop("secondary node"),
    "placement.group": gettext_noop("node group"),
    "placement.allocator": gettext_noop("allocator"),
}
OPTIONS = {
    "start": gettext_noop("started once it is there"),
    "no_install": gettext_noop("nothing is installed"),
    "name_check": gettext_noop("name looked up"),
    "ip_check": gettext_noop("nobody else at its address"),
}


def parameter_of(change: Changed, hypervisor: str) -> Parameter | None:
    """What the catalogue says of a changed field; None if it is no parameter, or not known."""
    if isinstance(change, ParameterChanged):
        return {"beparams": BACKEND, "hvparams": of_hypervisor(hypervisor)}.get(change.table, {}).get(change.name)
    if isinstance(change, PartChanged):
        table, name = (DISK, change.field) if isinstance(change.part, DiskSpec) else (NIC, change.field)
        return table.get("size" if name == "size_mib" else name)
    return None


def path_of(change: Changed) -> str:
    """The field of the spec that a change is about: hvparams.boot_order, disks.0.mode, nics."""
    match change:
        case ValueChanged():
            return change.field
        case ParameterChanged():
            return f"{change.table}.{change.name}"
        case TagsChanged():
            return "tags"
        case PartAdded():
            return _place(change.part)
        case PartRemoved():
            return f"{_place(change.part)}.{change.index}"
        case PartChanged():
            return f"{_place(change.part)}.{change.index}.{change.field}"


def tell_changes(changes: Iterable[Changed], hypervisor: str, *, sees_host: bool = True) -> list[Change]:
    """Of what concerns the node itself, who does not administer the cluster learns only that it was changed."""
    return [told for change in changes for told in _tell(change, hypervisor, sees_host=sees_host)]


def _tell(change: Changed, hypervisor: str, *, sees_host: bool) -> Iterator[Change]:
    path, parameter = path_of(change), parameter_of(change, hypervisor)
    is_hidden = not sees_host and parameter is not None and parameter.level is Level.HOST
    match change:
        case ValueChanged():
            yield Change(path, _VALUES[change.field], change.before, change.after)
        case ParameterChanged():
            label = parameter.plain_label if parameter is not None else change.name
            before, after = _shown(parameter, change.before), _shown(parameter, change.after)
            if change.is_reset:
                after = Message(gettext_noop("%(value)s (as the cluster)"), {"value": after})
            yield Change(path, label, before, after, is_hidden=is_hidden)
        case TagsChanged():
            yield Change(path, gettext_noop("tags"), sorted(change.removed), sorted(change.added))
        case PartAdded():
            yield Change(path, _new(change.part), Message(gettext_noop("none")), _describe(change.part))
        case PartRemoved():
            gone = Message(gettext_noop("removed"))
            yield Change(path, _called(change.part, change.index), _describe(change.part), gone)
        case PartChanged():
            label = parameter.plain_label if parameter is not None else change.field
            before, after = _shown(parameter, change.before), _shown(parameter, change.after)
            words = {"part": _called(change.part, change.index), "field": Message(label)}
            yield Change(path, Message(gettext_noop("%(part)s: %(field)s"), words), before, after, is_hidden=is_hidden)


def tell_all(before: VMSpec, after: VMSpec, *, sees_host: bool = True) -> list[Change]:
    """Everything that one says otherwise than the other, whether Ganeti would tell it of a machine or not."""
    changes = [
        *(ValueChanged(name, *both) for name in _OF_MACHINE if (both := _both(before, after, name))),
        *_parameters_between(before, after),
        *([TagsChanged(after.tags - before.tags, before.tags - after.tags)] if after.tags != before.tags else []),
        *_parts_between(before.disks, after.disks),
        *_parts_between(before.nics, after.nics),
    ]
    told = tell_changes(changes, after.hypervisor, sees_host=sees_host)
    for path, label in (*_PLACES.items(), *((f"options.{each.name}", each.name) for each in fields(after.options))):
        where, _dot, name = path.partition(".")
        if both := _both(getattr(before, where), getattr(after, where), name):
            told.append(Change(path, OPTIONS.get(label, label), *both))
    return told


def labels_of_lost(before: VMSpec, after: VMSpec) -> list[str]:
    """What one says and the other does not, or says otherwise: in the reader's words, each once."""
    told = tell_all(before if before.disks else replace(before, disk_template=after.disk_template), after)
    lost = [each for each in told if each.before not in ("", None, []) and not isinstance(each.before, Message)]
    labels = (read(as_data(each.label)) for each in lost)
    return list(dict.fromkeys(labels))


_OF_MACHINE: tuple[Literal["os", "hypervisor", "disk_template"], ...] = ("os", "hypervisor", "disk_template")


def _both(before: Any, after: Any, name: str) -> tuple[Any, Any] | None:
    """The two values, if they differ."""
    old, new = getattr(before, name), getattr(after, name)
    return None if (type(old), old) == (type(new), new) else (old, new)


def _parameters_between(before: VMSpec, after: VMSpec) -> Iterator[ParameterChanged]:
    for table in TABLES:
        old, new = getattr(before, table), getattr(after, table)
        for name in sorted({*old, *new}):
            if (type(old.get(name)), old.get(name)) != (type(new.get(name)), new.get(name)):
                yield ParameterChanged(table, name, old.get(name), new.get(name), is_reset=False)


def _parts_between(before: Iterable[Any], after: Iterable[Any]) -> Iterator[Changed]:
    for index, (old, new) in enumerate(zip_longest(before, after)):
        if old is None:
            yield PartAdded(new)
        elif new is None:
            yield PartRemoved(index, old)
        else:
            for each in fields(old):
                if each.compare and (both := _both(old, new, each.name)):
                    yield PartChanged(index, old, each.name, *both)


def _shown(parameter: Parameter | None, value: Any) -> Any:
    is_size = parameter is not None and parameter.kind is Kind.SIZE
    if is_size and isinstance(value, int):
        return mib(value)
    return "" if value is None else value


def _place(part: DiskSpec | NicSpec) -> str:
    return "disks" if isinstance(part, DiskSpec) else "nics"


def _new(part: DiskSpec | NicSpec) -> str:
    return gettext_noop("New disk") if isinstance(part, DiskSpec) else gettext_noop("New network card")


def _called(part: DiskSpec | NicSpec, index: int) -> Message:
    if isinstance(part, DiskSpec):
        return disk_called(index)
    return Message(gettext_noop("Network card %(number)s"), {"number": index})


def disk_called(index: int) -> Message:
    """What a disk is called by its number."""
    return Message(gettext_noop("Disk %(number)s"), {"number": index})


def _describe(part: DiskSpec | NicSpec) -> str:
    if isinstance(part, DiskSpec):
        return joined(" ", (mib(part.size_mib), part.mode or "", part.name or ""))
    words = (part.mac, part.ip, part.network or part.mode, part.link, part.vlan and f"VLAN {part.vlan}", part.name)
    return " ".join(word for word in words if word)
