"""The settings of one machine for another: what is its own alone is left behind."""

from collections.abc import Iterator
from dataclasses import replace

from clusters.catalogue import BACKEND, DISK, Table, of_hypervisor
from virtualmachines.spec.machine import DiskSpec, NicSpec, Params, Placement, VMSpec
from virtualmachines.tags import of_people


def as_settings(spec: VMSpec) -> VMSpec:
    """Without name, place, addresses and identities; an address of a network becomes a free one of it."""
    return replace(
        spec,
        name="",
        tags=of_people(spec.tags),
        placement=Placement(),
        disks=tuple(DiskSpec(disk.size_mib, spindles=disk.spindles) for disk in spec.disks),
        nics=tuple(_as_settings_of_nic(nic) for nic in spec.nics),
    )


def _as_settings_of_nic(nic: NicSpec) -> NicSpec:
    return replace(nic, mac="auto", ip="pool" if nic.network and nic.ip else "", uuid="")


def as_template(spec: VMSpec) -> VMSpec:
    """What a creation says, without what only one machine can have: name, addresses, secrets, an export, old disks."""
    return replace(
        spec,
        name="",
        tags=of_people(spec.tags),
        source=None,
        osparams_private={},
        osparams_secret={},
        disks=tuple(replace(disk, adopt="", uuid="") for disk in spec.disks),
        nics=tuple(_as_settings_of_nic(nic) for nic in spec.nics),
    )


def numbered(spec: VMSpec) -> VMSpec:
    """With numbers as uuids, by which a form knows again the parts of what is no machine."""
    return replace(
        spec,
        disks=tuple(replace(disk, uuid=str(number)) for number, disk in enumerate(spec.disks)),
        nics=tuple(replace(nic, uuid=str(number)) for number, nic in enumerate(spec.nics)),
    )


def without_numbers(spec: VMSpec) -> VMSpec:
    """The same without them."""
    return replace(
        spec,
        disks=tuple(replace(disk, uuid="") for disk in spec.disks),
        nics=tuple(replace(nic, uuid="") for nic in spec.nics),
    )


def without_guarded(spec: VMSpec) -> tuple[VMSpec, list[str]]:
    """What everybody may set and see, and the names of the parameters that were left out of it."""
    left_out = [
        *_guarded(spec.beparams, BACKEND),
        *_guarded(spec.hvparams, of_hypervisor(spec.hypervisor)),
    ]
    has_spindles = any(disk.spindles is not None for disk in spec.disks)
    kept = replace(
        spec,
        beparams={name: value for name, value in spec.beparams.items() if name not in left_out},
        hvparams={name: value for name, value in spec.hvparams.items() if name not in left_out},
        disks=tuple(replace(disk, spindles=None) for disk in spec.disks),
    )
    return kept, [*left_out, *(["spindles"] if has_spindles and DISK["spindles"].is_for_admins else [])]


def _guarded(params: Params, table: Table) -> Iterator[str]:
    for name in params:
        if name not in table or table[name].is_for_admins:
            yield name
