"""A machine as Ganeti reports it, as a spec."""

from typing import cast

from rapi.resources.lifecycle import DiskTemplate
from rapi.shapes.instance import Disk, InstanceInfo, Nic
from virtualmachines.spec.machine import DiskSpec, NicSpec, Placement, VMSpec


def read_spec(info: InstanceInfo) -> VMSpec:
    """What Ganeti tells of a machine. Only its own parameters, not those that it has from the cluster."""
    custom = info.custom_nicparams
    return VMSpec(
        name=info.name,
        os=info.os,
        hypervisor=info.hypervisor,
        disk_template=cast(DiskTemplate, info.disk_template),
        disks=tuple(_disk(each) for each in info.disks),
        nics=tuple(_nic(each, custom[each.index] if each.index < len(custom) else {}) for each in info.nics),
        beparams=info.custom_beparams,
        hvparams=info.custom_hvparams,
        osparams=info.custom_osparams,
        tags=frozenset(info.tags),
        placement=Placement(info.primary_node or "", next(iter(info.secondary_nodes), "")),
    )


def _disk(disk: Disk) -> DiskSpec:
    return DiskSpec(disk.size_mib or 0, name=disk.name or "", spindles=disk.spindles, uuid=disk.uuid or "")


def _nic(nic: Nic, custom: dict[str, object]) -> NicSpec:
    """With a network its own parameters are copies of the network's."""
    network = nic.network_name or nic.network_uuid or ""
    own = {} if network else {name: str(custom.get(name) or "") for name in ("mode", "link", "vlan")}
    return NicSpec(mac=nic.mac, ip=nic.ip or "", network=network, name=nic.name or "", uuid=nic.uuid or "", **own)
