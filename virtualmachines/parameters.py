"""The parameters of a machine as its page lists them: in groups, each beside the cluster's default."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from virtualmachines.models import VirtualMachine

# Where a hypervisor parameter belongs, by how its name begins (source: src/Ganeti/Constants.hs, hvsParameterTypes).
_GROUPS: tuple[tuple[str | Promise, tuple[str, ...]], ...] = (
    (_("Boot"), ("boot", "kernel", "initrd", "root_path", "bootloader", "use_bootloader", "floppy", "cdrom", "pxe")),
    (_("Display and console"), ("vnc", "spice", "vga", "serial", "keymap", "soundhw", "use_localtime")),
    (_("CPU and memory"), ("cpu", "mem", "acpi", "pae", "nested", "vhost", "device_model", "machine_version", "numa")),
    (_("Disks"), ("disk", "cdrom_disk", "blockdev", "virtio_blk", "scsi")),
    (_("Network"), ("nic", "vif", "virtio_net", "vnet")),
    (_("Migration"), ("migration",)),
    (_("Security"), ("security", "chroot", "use_chroot", "passthrough", "pci_pass", "usb")),
)
OTHER = _("Other")


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

    title: str | Promise
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
    sections = [Section(_("Resources"), _compare(vm.beparams, backend_defaults))]
    by_group: dict[str | Promise, list[Parameter]] = {}
    for parameter in _compare(vm.hvparams, {**hypervisor_defaults, **of_os}):
        by_group.setdefault(_group_of(parameter.name), []).append(parameter)
    titles = [*(title for title, __ in _GROUPS), OTHER]
    sections += [Section(title, by_group[title]) for title in titles if title in by_group]
    sections.append(Section(_("Operating system"), _compare(_mapping(vm.raw.get("osparams")), {})))
    return [section for section in sections if section.parameters]


def _compare(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[Parameter]:
    return [
        Parameter(name, values[name], defaults.get(name), name in defaults and defaults[name] != values[name])
        for name in sorted(values)
    ]


def _group_of(name: str) -> str | Promise:
    return next((title for title, beginnings in _GROUPS if name.startswith(beginnings)), OTHER)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
