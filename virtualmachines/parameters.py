"""The parameters of a machine as its page lists them: in groups, each beside the cluster's default."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from clusters.catalogue import BACKEND, of_hypervisor
from clusters.described import Section, describe_table, grouped
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
