"""What an export holds, as far as Ganeti tells: when it checks a creation of one, it fills in the job's opcode from it.

There is no call that reads an export. Measured on Ganeti 3.0.2: the opcode then says OS, disks, network cards, tags
and parameters, also where the check failed later on. Private parameters of the OS it never says.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from rapi.shapes.fields import listing, mapping, whole
from virtualmachines.spec.machine import DISKLESS, DiskSpec, NicSpec, Params, VMSpec
from virtualmachines.tags import of_people

_MOST_PARTS = 16
_OF_NIC = ("ip", "mode", "link", "vlan", "network", "name")


def read_told(opcode: Any) -> VMSpec | None:
    """What the opcode of a creation says; None if Ganeti has not read the export for it, as it then names no OS."""
    op = mapping(opcode)
    if op.get("OP_ID") != "OP_INSTANCE_CREATE" or op.get("mode") != "import" or not _text(op.get("os_type")):
        return None
    sizes = [(whole(mapping(each).get("size")), _text(mapping(each).get("name"))) for each in listing(op.get("disks"))]
    disks = tuple(DiskSpec(size, name=name) for size, name in sizes if size is not None and size > 0)
    nics = tuple(_nic(mapping(each)) for each in listing(op.get("nics"))[:_MOST_PARTS])
    template = _text(op.get("disk_template"))
    return VMSpec(
        "",
        os=_text(op["os_type"]),
        hypervisor=_text(op.get("hypervisor")),
        disk_template=cast(Any, template if template != DISKLESS else ""),
        disks=disks[:_MOST_PARTS],
        nics=nics,
        beparams=_params(op.get("beparams")),
        hvparams=_params(op.get("hvparams")),
        osparams=_params(op.get("osparams")),
        tags=of_people(each for each in listing(op.get("tags")) if isinstance(each, str)),
    )


def with_told(asked: VMSpec, told: VMSpec) -> VMSpec:
    """`asked` with what the export says where it says nothing; the OS is always that of the export."""
    return replace(
        asked,
        os=told.os,
        hypervisor=asked.hypervisor or told.hypervisor,
        disk_template=asked.disk_template or told.disk_template,
        disks=asked.disks or told.disks,
        nics=asked.nics or told.nics,
        beparams={**told.beparams, **asked.beparams},
        hvparams={**told.hvparams, **asked.hvparams},
        osparams={**told.osparams, **asked.osparams},
        tags=asked.tags or told.tags,
    )


def _nic(given: Mapping[str, Any]) -> NicSpec:
    """Without its MAC: a machine that is called as the exported one was gets that by itself."""
    values = {name: _text(given.get(name)) for name in _OF_NIC}
    if values["network"]:
        values |= {"mode": "", "link": "", "vlan": ""}
    return NicSpec(**values)


def _params(given: Any) -> Params:
    return {name: value for name, value in mapping(given).items() if isinstance(value, str | int | float | bool)}


def _text(value: Any) -> str:
    return value if isinstance(value, str) and value != "None" else ""
