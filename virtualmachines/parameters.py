"""The parameters of a machine as its page lists them: in groups, each beside the cluster's default."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from virtualmachines.models import VirtualMachine

# Where a hypervisor parameter belongs, by how its name begins (source: src/Ganeti/Constants.hs, hvsParameterTypes).
_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Boot", ("boot", "kernel", "initrd", "root_path", "bootloader", "use_bootloader", "floppy", "cdrom", "pxe")),
    ("Display and console", ("vnc", "spice", "vga", "serial", "keymap", "soundhw", "use_localtime")),
    ("CPU and memory", ("cpu", "mem", "acpi", "pae", "nested", "vhost", "device_model", "machine_version", "numa")),
    ("Disks", ("disk", "cdrom_disk", "blockdev", "virtio_blk", "scsi")),
    ("Network", ("nic", "vif", "virtio_net", "vnet")),
    ("Migration", ("migration",)),
    ("Security", ("security", "chroot", "use_chroot", "passthrough", "pci_pass", "usb")),
)
OTHER = "Other"


@dataclass(frozen=True)
class Parameter:
    """One parameter. `default` is what the cluster gives; `differs` whether the machine has another value."""

    name: str
    value: Any
    default: Any
    differs: bool

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return self.value in (None, "")


@dataclass(frozen=True)
class Section:
    """Parameters that belong together."""

    title: str
    parameters: list[Parameter]

    @property
    def differing(self) -> int:
        """How many differ from the cluster's defaults."""
        return sum(parameter.differs for parameter in self.parameters)


def describe_parameters(vm: VirtualMachine) -> list[Section]:
    """Backend parameters, then the hypervisor's in groups, then those of the operating system."""
    info = vm.cluster.info if isinstance(vm.cluster.info, dict) else {}
    hypervisor_defaults = _mapping(_mapping(info.get("hvparams")).get(vm.hypervisor))
    of_os = _mapping(_mapping(_mapping(info.get("os_hvp")).get(vm.os)).get(vm.hypervisor))
    backend_defaults = _mapping(_mapping(info.get("beparams")).get("default"))
    sections = [Section("Resources", _compare(vm.beparams, backend_defaults))]
    by_group: dict[str, list[Parameter]] = {}
    for parameter in _compare(vm.hvparams, {**hypervisor_defaults, **of_os}):
        by_group.setdefault(_group_of(parameter.name), []).append(parameter)
    titles = [*(title for title, _ in _GROUPS), OTHER]
    sections += [Section(title, by_group[title]) for title in titles if title in by_group]
    sections.append(Section("Operating system", _compare(_mapping(vm.raw.get("osparams")), {})))
    return [section for section in sections if section.parameters]


def _compare(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[Parameter]:
    return [
        Parameter(name, values[name], defaults.get(name), name in defaults and defaults[name] != values[name])
        for name in sorted(values)
    ]


def _group_of(name: str) -> str:
    return next((title for title, beginnings in _GROUPS if name.startswith(beginnings)), OTHER)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
