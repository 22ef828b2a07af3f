"""A difference in words: before and after of each field, as confirmation, journal and API tell it."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.utils.translation import gettext_noop, override

from clusters.catalogue import BACKEND, DISK, NIC, Kind, Level, Parameter, of_hypervisor
from clusters.catalogue.parameter import Words
from objectlog.changes import Change
from objectlog.messages import Message
from ui.templatetags.units import mib
from virtualmachines.spec.difference import (
    Changed,
    ParameterChanged,
    PartAdded,
    PartChanged,
    PartRemoved,
    TagsChanged,
    ValueChanged,
)
from virtualmachines.spec.machine import DiskSpec, NicSpec

_VALUES = {
    "name": gettext_noop("name"),
    "os": gettext_noop("OS"),
    "hypervisor": gettext_noop("hypervisor"),
    "disk_template": gettext_noop("kind of disks"),
    "primary": gettext_noop("primary node"),
    "secondary": gettext_noop("secondary node"),
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
            label = _plain(parameter.label) if parameter is not None else change.name
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
            label = _plain(parameter.label) if parameter is not None else change.field
            before, after = _shown(parameter, change.before), _shown(parameter, change.after)
            words = {"part": _called(change.part, change.index), "field": Message(label)}
            yield Change(path, Message(gettext_noop("%(part)s: %(field)s"), words), before, after, is_hidden=is_hidden)


def _plain(label: Words) -> str:
    """The words as they stand in the source, which a reader's language is looked up by."""
    with override(None):
        return str(label)


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
        return " ".join(word for word in (mib(part.size_mib), part.mode, part.name) if word)
    words = (part.mac, part.ip, part.network or part.mode, part.link, part.vlan and f"VLAN {part.vlan}", part.name)
    return " ".join(word for word in words if word)
