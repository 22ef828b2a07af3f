"""What of a machine was changed past this program, in words."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.utils.translation import gettext_noop

from clusters.catalogue import BACKEND, Level, of_hypervisor
from clusters.drifting import Field, tell_drift
from objectlog.changes import Change
from objectlog.words import mib
from virtualmachines.models import VirtualMachine
from virtualmachines.tags import show_told

_FIELDS: Mapping[str, Field] = {
    "name": Field(gettext_noop("name")),
    "primary_node": Field(gettext_noop("primary node")),
    "secondary_node": Field(gettext_noop("secondary node")),
    "vcpus": Field(gettext_noop("vCPUs")),
    "memory_mib": Field(gettext_noop("memory"), mib),
    "memory_min_mib": Field(gettext_noop("least memory"), mib),
    "disk_mib": Field(gettext_noop("disk"), mib),
    "disk_template": Field(gettext_noop("kind of disks")),
    "os": Field(gettext_noop("OS")),
    "hypervisor": Field(gettext_noop("hypervisor")),
    "nics": Field(gettext_noop("network cards"), lambda nics: "; ".join(map(_describe_nic, nics))),
    "tags": Field(gettext_noop("tags"), ", ".join),
    "owner_tag": Field(gettext_noop("owner tag"), show_told),
}
_PARAMETERS = {"beparams": "custom_beparams", "hvparams": "custom_hvparams"}
#: What has a filter of its own on the page, by the fields that it is about.
PARTS: Mapping[str, tuple[str, ...]] = {
    "moved": ("primary_node", "secondary_node"),
    "resized": ("vcpus", "memory_mib", "memory_min_mib", "disk_mib"),
    "renamed": ("name",),
}


def tell_drift_of(vm: VirtualMachine, *, sees_host: bool) -> list[Change]:
    """Before and after of each. Of what concerns the node itself the journal keeps only that it was changed."""
    return tell_drift(vm, _FIELDS, partial(_parameter, vm), sees_all=sees_host)


def _parameter(vm: VirtualMachine, path: str) -> tuple[Field, Any]:
    table, _dot, name = path.partition(".")
    now = vm.raw.get(_PARAMETERS.get(table, ""))
    known = {"beparams": BACKEND, "hvparams": of_hypervisor(vm.hypervisor)}.get(table, {}).get(name)
    value = now.get(name) if isinstance(now, dict) else None
    if known is None:
        return Field(name, _of_cluster), value
    return Field(known.plain_label, _of_cluster, is_hidden=known.level is Level.HOST), value


def _of_cluster(value: Any) -> Any:
    return value if isinstance(value, bool) else str(value)


def _describe_nic(nic: Any) -> str:
    if not isinstance(nic, dict):
        return str(nic)
    words = (nic.get("mac"), nic.get("ip"), nic.get("network") or nic.get("mode"), nic.get("link"))
    return " ".join(str(word) for word in words if word)
