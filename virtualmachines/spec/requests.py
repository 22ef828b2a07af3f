"""From a spec, or the difference of two, to what is asked of Ganeti."""

from dataclasses import dataclass
from typing import Any, cast

from objectlog.words import gettext as _
from rapi.resources.lifecycle import DeviceChange, DiskTemplate, InstanceChanges, InstanceSpec
from virtualmachines.spec.difference import (
    Changed,
    Difference,
    ParameterChanged,
    PartAdded,
    PartChanged,
    PartRemoved,
    TagsChanged,
    ValueChanged,
)
from virtualmachines.spec.machine import DISKLESS, Defaults, DiskSpec, NicSpec, VMSpec

#: Ganeti's words for "follow the cluster again" and "none"
_DEFAULT = "default"
_NONE = "none"
#: fields of a network card that follow the cluster, and those that are simply absent, when they are empty
_FOLLOWING = frozenset({"mode", "link", "vlan"})


class CannotChange(ValueError):
    """Ganeti can't make this change to a machine that exists. Its text is a sentence for people."""


@dataclass(frozen=True)
class Requests:
    """What is asked of Ganeti for a difference, in the order in which it can be asked.

    `grow` has the number and the new size of disks. Removals come last, so that these numbers hold.
    """

    modify: InstanceChanges | None = None
    grow: tuple[tuple[int, int], ...] = ()
    new_name: str = ""
    tags_added: tuple[str, ...] = ()
    tags_removed: tuple[str, ...] = ()


def creation_of(spec: VMSpec, defaults: Defaults) -> InstanceSpec:
    """The request that creates it: only what differs from the cluster's defaults is sent.

    Of an export Ganeti takes the OS, whatever is said; and 3.0 fails at the private parameters of one if none are said.
    """
    own, options, source = spec.trimmed(defaults), spec.options, spec.source
    template = own.disk_template or DISKLESS
    return InstanceSpec(
        name=own.name,
        mode="import" if source else "create",
        disk_template=template,
        disks=[_disk(each) for each in own.disks],
        nics=[_nic(each) for each in own.nics],
        os=None if source else own.os or None,
        hypervisor=own.hypervisor or None,
        hvparams=own.hvparams or None,
        beparams=own.beparams or None,
        osparams=own.osparams or None,
        osparams_private=own.osparams_private if source else own.osparams_private or None,
        osparams_secret=own.osparams_secret or None,
        pnode=own.placement.primary or None,
        snode=own.placement.secondary or None,
        iallocator=own.placement.allocator or None,
        group_name=own.placement.group or None,
        start=options.start,
        no_install=options.no_install or None,
        wait_for_sync=options.wait_for_sync,
        name_check=options.name_check,
        ip_check=options.ip_check,
        conflicts_check=options.conflicts_check,
        file_driver=options.file_driver,
        file_storage_dir=options.file_storage_dir or None,
        identify_defaults=options.identify_defaults,
        ignore_ipolicy=options.ignore_ipolicy,
        opportunistic_locking=options.opportunistic_locking,
        force_variant=options.force_variant,
        forthcoming=options.forthcoming or None,
        commit=options.commit or None,
        instance_communication=options.instance_communication or None,
        tags=sorted(own.tags),
        src_node=source.node if source else None,
        src_path=(source.path or None) if source else None,
        compress=(source.compress or None) if source else None,
    )


def requests_for(wanted: Difference) -> Requests:
    """What edits a machine so. Raises CannotChange for what an edit can't: moving, shrinking, another hypervisor."""
    tables: dict[str, dict[str, Any]] = {"beparams": {}, "hvparams": {}, "osparams": {}}
    simple: dict[str, str] = {}
    grow: list[tuple[int, int]] = []
    parts: list[Changed] = []
    tags = TagsChanged(frozenset(), frozenset())
    for change in wanted.changes:
        match change:
            case ParameterChanged():
                tables[change.table][change.name] = _DEFAULT if change.is_reset else change.after
            case ValueChanged():
                simple[change.field] = _changeable(change)
            case TagsChanged():
                tags = change
            case PartChanged(part=DiskSpec(), field="size_mib"):
                grow.append((change.index, _grown(change)))
            case _:
                parts.append(change)
    changes = InstanceChanges(
        beparams=tables["beparams"] or None,
        hvparams=tables["hvparams"] or None,
        osparams=tables["osparams"] or None,
        os_name=simple.get("os") or None,
        disk_template=cast(DiskTemplate | None, simple.get("disk_template") or None),
        disks=_device_changes(parts, DiskSpec) or None,
        nics=_device_changes(parts, NicSpec) or None,
    )
    return Requests(
        modify=changes if changes.body() else None,
        grow=tuple(grow),
        new_name=simple.get("name", ""),
        tags_added=tuple(sorted(tags.added)),
        tags_removed=tuple(sorted(tags.removed)),
    )


def _changeable(change: ValueChanged) -> str:
    if change.field == "hypervisor":
        raise CannotChange(_("The hypervisor of a machine can't be changed."))
    if change.field in ("primary", "secondary"):
        raise CannotChange(_("A machine is moved by migrating it or by failover, not by an edit."))
    if change.field == "disk_template" and change.before == DISKLESS:
        raise CannotChange(_("A machine that was created without disks can't be given one."))
    if change.field == "os" and not change.after:
        raise CannotChange(_("A machine that has an OS can't be left without one."))
    return change.after


def _grown(change: PartChanged) -> int:
    before, after = cast(int, change.before), cast(int, change.after)
    if after < before:
        raise CannotChange(_("Disk %(index)s can't shrink.") % {"index": change.index})
    return after


def _device_changes(changes: list[Changed], kind: type) -> list[DeviceChange]:
    """Changes, then additions at the end, then removals from the end, so that every number holds.

    What has a uuid is called by it: a number may mean another part by the time Ganeti reads it. In one list all parts
    are called by numbers or all by texts (SetParamsMods in Ganeti's src/Ganeti/OpParams.hs); "-1" is the end as well.
    """
    changed: dict[int | str, dict[str, Any]] = {}
    added: list[DeviceChange] = []
    removed: list[DeviceChange] = []
    for change in changes:
        if isinstance(change, TagsChanged | ValueChanged | ParameterChanged) or not isinstance(change.part, kind):
            continue
        match change:
            case PartChanged():
                changed.setdefault(change.part.uuid or change.index, {})[change.field] = _emptied(change)
            case PartRemoved():
                removed.insert(0, ("remove", change.part.uuid or change.index, {}))
            case PartAdded(part=DiskSpec() as disk):
                added.append(("add", -1, _disk(disk)))
            case PartAdded(part=NicSpec() as nic):
                added.append(("add", -1, _nic(nic)))
    found = [*(("modify", which, values) for which, values in changed.items()), *added, *removed]
    if any(isinstance(which, str) for _action, which, _values in found):
        return [(action, str(which), values) for action, which, values in found]
    return found


def _emptied(change: PartChanged) -> Any:
    if change.field == "spindles":
        raise CannotChange(_("The spindles of a disk can't be changed."))
    if change.after:
        return change.after
    return _DEFAULT if change.field in _FOLLOWING else _NONE


def _disk(disk: DiskSpec) -> dict[str, Any]:
    values: dict[str, Any] = {"size": disk.size_mib, **disk.provider_params}
    if disk.spindles is not None:
        values["spindles"] = disk.spindles
    return values | _given(disk, ("name", "mode", "vg", "metavg", "access", "adopt", "provider"))


def _nic(nic: NicSpec) -> dict[str, Any]:
    """Without an address of its own if it says so: "auto" is what Ganeti does by itself."""
    values = _given(nic, ("mac", "ip", "mode", "link", "vlan", "network", "name"))
    if values.get("mac") == "auto":
        del values["mac"]
    return values


def _given(part: DiskSpec | NicSpec, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(part, name) for name in names if getattr(part, name)}
