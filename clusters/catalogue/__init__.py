"""The catalogue of Ganeti's parameters: one table for each hypervisor, disk template and kind of device.

Data only. What a form or page shows is the catalogue filtered by what the cluster reports; a parameter that is reported
and not known here is shown by its name. tests/catalogue compares it with Ganeti, name by name.
"""

from collections.abc import Mapping

from clusters.catalogue.containers import CHROOT, FAKE, LXC
from clusters.catalogue.devices import BACKEND, DISK, NIC, NIC_DEFAULTS
from clusters.catalogue.kvm import BOOT, CPU, DISKS, MIGRATION, NETWORK, SECURITY
from clusters.catalogue.kvm_display import SCREEN, SPICE, VNC
from clusters.catalogue.parameter import Choice, Group, Kind, Level, Parameter, Release
from clusters.catalogue.templates import OF_TEMPLATES
from clusters.catalogue.xen import HVM, PVM

Table = Mapping[str, Parameter]

OF_HYPERVISORS: Mapping[str, Table] = {
    "kvm": {**BOOT, **SCREEN, **VNC, **SPICE, **CPU, **DISKS, **NETWORK, **MIGRATION, **SECURITY},
    "xen-pvm": PVM,
    "xen-hvm": HVM,
    "lxc": LXC,
    "chroot": CHROOT,
    "fake": FAKE,
}
_NOTHING: Table = {}


def of_hypervisor(name: str) -> Table:
    """The parameters of a hypervisor; none, if it is not known."""
    return OF_HYPERVISORS.get(name, _NOTHING)


def of_template(name: str) -> Table:
    """The parameters of a disk template; none, if it is not known."""
    return OF_TEMPLATES.get(name, _NOTHING)


__all__ = [
    "BACKEND",
    "DISK",
    "NIC",
    "NIC_DEFAULTS",
    "OF_HYPERVISORS",
    "OF_TEMPLATES",
    "Choice",
    "Group",
    "Kind",
    "Level",
    "Parameter",
    "Release",
    "Table",
    "of_hypervisor",
    "of_template",
]
