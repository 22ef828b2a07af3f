"""The parameters of a machine as its page lists them: in groups, each beside the cluster's default."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from clusters.catalogue import BACKEND, Level, of_hypervisor
from clusters.described import Described, Section, describe_table, grouped
from rapi.shapes.fields import mapping
from virtualmachines.models import VirtualMachine


def describe_parameters(vm: VirtualMachine) -> list[Section]:
    """Backend and hypervisor parameters in groups, then those of the operating system."""
    info = mapping(vm.cluster.info)
    backend = describe_table(vm.beparams, BACKEND, mapping(mapping(info.get("beparams")).get("default")))
    hypervisor = describe_table(vm.hvparams, of_hypervisor(vm.hypervisor), defaults_of_hypervisor(info, vm))
    system = describe_table(mapping(vm.raw.get("osparams")), {})
    return [*grouped([*backend, *hypervisor]), Section(_("Operating system"), system)]


def defaults_of_hypervisor(info: Mapping[str, Any], vm: VirtualMachine) -> dict[str, Any]:
    """What the hypervisor's parameters are for a machine that says nothing: the cluster's, or those of its OS."""
    of_cluster = mapping(mapping(info.get("hvparams")).get(vm.hypervisor))
    of_os = mapping(mapping(mapping(info.get("os_hvp")).get(vm.os)).get(vm.hypervisor))
    return {**of_cluster, **of_os}


def describe_waiting(vm: VirtualMachine, *, sees_host: bool) -> list[tuple[str, str, str]]:
    """What waits for a restart: its label, what the guest runs with, and what it will have."""
    rows = []
    for path, runs_with in sorted(vm.waiting.items()):
        table, _dot, name = path.partition(".")
        if not name:
            rows.append((_("Disks") if table == "disks" else _("Network cards"), "", _("changed")))
            continue
        in_force, catalogue = (
            (vm.beparams, BACKEND) if table == "beparams" else (vm.hvparams, of_hypervisor(vm.hypervisor))
        )
        parameter = catalogue.get(name)
        label = str(parameter.label) if parameter is not None else name
        if not sees_host and (parameter is None or parameter.level is Level.HOST):
            rows.append((label, "", _("changed")))
            continue
        before, after = (Described(name, parameter, value).shown for value in (runs_with, in_force.get(name)))
        rows.append((label, before, after))
    return rows
