"""What a template says, for its page."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from django.utils.translation import gettext as _

from clusters.catalogue import BACKEND, DISK, NIC, of_hypervisor
from clusters.described import Described, Section, describe_table, grouped
from ui.templatetags.units import mib
from virtualmachines.spec import DiskSpec, NicSpec, Options, VMSpec
from virtualmachines.spec.telling import OPTIONS


def describe_template(spec: VMSpec) -> list[Section]:
    """Its parameters in groups, then those of the operating system."""
    backend = describe_table(spec.beparams, BACKEND)
    hypervisor = describe_table(spec.hvparams, of_hypervisor(spec.hypervisor))
    return [*grouped([*backend, *hypervisor]), Section(_("Operating system"), describe_table(spec.osparams, {}))]


def describe_parts(spec: VMSpec) -> Mapping[str, Any]:
    """Disks and network cards, each as labels with values; where it runs, and how it is made."""
    return {
        "disks": [_of_part(disk) for disk in spec.disks],
        "nics": [_of_part(nic) for nic in spec.nics],
        "placement": [
            (label, value)
            for label, value in (
                (_("Node group"), spec.placement.group),
                (_("Node"), spec.placement.primary),
                (_("Secondary node"), spec.placement.secondary),
                (_("Allocator"), spec.placement.allocator),
            )
            if value
        ],
        "options": [
            (str(_(OPTIONS.get(each.name, each.name))), getattr(spec.options, each.name))
            for each in fields(Options)
            if each.name == "start" or getattr(spec.options, each.name) != getattr(Options(), each.name)
        ],
    }


def _of_part(part: DiskSpec | NicSpec) -> list[tuple[str, str]]:
    """Only what it says: the rest is the cluster's."""
    table = DISK if isinstance(part, DiskSpec) else NIC
    blank: Any = DiskSpec(0) if isinstance(part, DiskSpec) else NicSpec()
    said = []
    for each in fields(part):
        value, parameter = getattr(part, each.name), table.get("size" if each.name == "size_mib" else each.name)
        if not each.compare or value == getattr(blank, each.name):
            continue
        label = str(parameter.label) if parameter is not None else each.name
        text = mib(value) if each.name == "size_mib" else Described(each.name, parameter, value).shown
        said.append((label, text))
    return said
