"""Specs of any kind that a cluster of the simulator takes, and how two of them can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from clusters.catalogue import BACKEND, OF_HYPERVISORS, OF_TEMPLATES, Kind, of_hypervisor
from clusters.catalogue.parameter import Parameter
from rapi.resources.lifecycle import DiskTemplate
from virtualmachines.spec import Defaults, DiskSpec, NicSpec, Options, Placement, VMSpec

RELEASE = (3, 0)
#: what a cluster of the simulator has by itself
ITS_HYPERVISORS, ITS_TEMPLATES = ("kvm", "fake"), ("file", "sharedfile")
#: all that there are; without disks a machine is diskless
HYPERVISORS, TEMPLATES = tuple(OF_HYPERVISORS), tuple(sorted(OF_TEMPLATES.keys() - {"diskless"}))
#: what a disk can be given beside its size, name and mode, by the template of its machine
_OF_DISKS: dict[str, dict[str, Any]] = {
    "plain": {"vg": "fast"},
    "drbd": {"vg": "fast", "metavg": "meta"},
    "rbd": {"access": "userspace"},
    "gluster": {"access": "userspace"},
    "ext": {"provider": "filer", "provider_params": {"tier": "gold"}},
    "blockdev": {"adopt": "/dev/disk/by-id/one"},
}
words = st.text("abcdefghij-", min_size=1, max_size=8)
sizes = st.integers(16, 4096)


def values_of(parameter: Parameter) -> st.SearchStrategy[Any]:
    if parameter.kind is Kind.SWITCH:
        return st.booleans()
    if parameter.kind is Kind.CHOICE:
        return st.sampled_from(parameter.options_in(RELEASE))
    if parameter.kind is Kind.INTEGER:
        return st.integers(parameter.least or 0, min(parameter.most or 9, 9))
    if parameter.kind is Kind.CPUS:
        return st.sampled_from(["all", "0", "0-1:2"])
    if parameter.kind is Kind.TEXT and not parameter.pattern:
        return words
    return st.just("/srv/some/file") if parameter.kind in (Kind.PATH, Kind.PATH_OR_URL) else st.just("de")


def hvparams(hypervisor: str) -> st.SearchStrategy[dict[str, Any]]:
    table = of_hypervisor(hypervisor)
    known = sorted(name for name, parameter in table.items() if parameter.exists_in(RELEASE))
    return st.fixed_dictionaries({}, optional={name: values_of(table[name]) for name in known})


backend = st.fixed_dictionaries(
    {"maxmem": st.integers(512, 1024), "minmem": st.integers(16, 512)},
    optional={name: values_of(BACKEND[name]) for name in ("auto_balance", "always_failover")}
    | {"vcpus": st.integers(1, 8)},
)
disks = st.builds(DiskSpec, size_mib=sizes, name=st.just("") | words, mode=st.sampled_from(["", "rw", "ro"]))
nics = st.builds(
    NicSpec,
    mac=st.sampled_from(["auto", "aa:00:00:12:34:56"]),
    ip=st.sampled_from(["", "192.0.2.7"]),
    mode=st.sampled_from(["", "bridged"]),
    link=st.sampled_from(["", "br0", "br1"]),
    vlan=st.sampled_from(["", ".10"]),
    name=st.just("") | words,
)


@st.composite
def machines(
    draw: st.DrawFn,
    name: str = "new.example.org",
    node: str = "node1.example.org",
    *,
    hypervisors: Sequence[str] = ITS_HYPERVISORS,
    templates: Sequence[DiskTemplate] = ITS_TEMPLATES,
    second: str = "",
) -> VMSpec:
    """`second`: where mirrored disks are mirrored to."""
    hypervisor = draw(st.sampled_from(["", *hypervisors]))
    template = draw(st.sampled_from(["", *templates]))
    of_disks = _OF_DISKS.get(template, {})
    drives = [replace(disk, **of_disks) if draw(st.booleans()) else disk for disk in draw(st.lists(disks, max_size=3))]
    return VMSpec(
        name=name,
        os=draw(st.sampled_from(["", "noop"])),
        hypervisor=hypervisor,
        disk_template=template,
        disks=tuple(drives),
        nics=tuple(draw(st.lists(nics, min_size=1, max_size=3))),
        beparams=draw(backend),
        hvparams=draw(hvparams(hypervisor or "kvm")),
        osparams=draw(st.dictionaries(words, words, max_size=2)),
        tags=frozenset(draw(st.lists(words, max_size=3))),
        placement=Placement(node, second if template == "drbd" and drives else ""),
        options=Options(start=False, no_install=True),
    )


def settled(spec: VMSpec, defaults: Defaults, decided: VMSpec) -> VMSpec:
    """What Ganeti must tell of a spec: uuids, and addresses that were left to it, are as it decided."""
    trimmed = spec.trimmed(defaults).as_told()
    drives = [replace(disk, uuid=other.uuid) for disk, other in zip(trimmed.disks, decided.disks, strict=True)]
    cards = [
        replace(nic, mac=other.mac if nic.mac == "auto" else nic.mac, uuid=other.uuid)
        for nic, other in zip(trimmed.nics, decided.nics, strict=True)
    ]
    return replace(trimmed, disks=tuple(drives), nics=tuple(cards))
