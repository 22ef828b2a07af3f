"""The columns of lists of machines."""

from functools import lru_cache
from typing import Any

from django.template import Context
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext_lazy as _

from ui.columns import Column, code, number, size, text, timestamp, words
from ui.groups import Through
from ui.places import list_of
from ui.said import said
from ui.tables import Table, declare
from ui.tags import look_of_tag
from ui.templatetags.parts import draw, hostname, linked, short_host
from ui.templatetags.places import page
from ui.templatetags.units import DASH
from virtualmachines.filters import MACHINES
from virtualmachines.templatetags.machines import os_name, vm_addresses, vm_state

_TAGS_BESIDE_NAME = 3


def _name(vm: Any, _context: Context) -> SafeString:
    name = linked(page("vm", vm.cluster.slug, vm.address), hostname(vm.name))
    waits = draw('<span class="chip">{}</span>', said(gettext_noop("restart needed"))) if vm.waiting_since else ""
    screen = draw(" data-has-screen") if vm.is_running else ""
    return draw("<div{}>{}{}{}</div>", screen, name, waits, _chips(vm.tags[:_TAGS_BESIDE_NAME]))


def _chips(tags: list[str]) -> SafeString:
    language, there = get_language(), list_of("vm")
    return SafeString("".join(_chip(language, there, tag) for tag in tags))


# The same few are drawn on every row of a list.
@lru_cache(maxsize=1024)
def _chip(language: str | None, there: str, tag: str) -> SafeString:
    del language  # what is cut off is told in it
    return draw(
        '<a class="chip is-tag {}" href="{}?{}">{}</a>',
        look_of_tag(tag),
        there,
        urlencode({"tag": tag}),
        Truncator(tag).chars(24),
    )


def _menu(vm: Any, _context: Context) -> SafeString:
    """A link to all that can be done to it, which a script opens as a dialog."""
    there = f"{page('vm', vm.cluster.slug, vm.lasting_address)}actions/"
    return draw(
        '<a class="row-menu" href="{}" aria-label="{}"></a>', there, said(gettext_noop("Actions on %s")) % vm.name
    )


def _cluster(vm: Any, context: Context) -> object:
    if vm.cluster_id in context["linked_clusters"]:
        return linked(page("cluster", vm.cluster.slug), vm.cluster.slug)
    return vm.cluster.slug


def _owner(vm: Any, _context: Context) -> object:
    if vm.owner is not None:
        return vm.owner.name
    return draw(
        '<span class="dim is-blank"><span aria-hidden="true">{}</span><span class="visually-hidden">{}</span></span>',
        DASH,
        said(gettext_noop("No owner")),
    )


def _node(vm: Any, context: Context, node: Any) -> object:
    if node is None:
        return DASH
    if vm.cluster_id in context["linked_nodes"]:
        return short_host(node.name, page("node", vm.cluster.slug, node.name))
    return short_host(node.name)


def _os(vm: Any, _context: Context) -> object:
    return _draw_os(vm.os) if vm.os else DASH


@lru_cache(maxsize=256)
def _draw_os(name: str) -> SafeString:
    return draw('<span title="{}">{}</span>', name, os_name(name))


def _addresses_of(vm: Any) -> list[str]:
    return [nic["ip"] for nic in vm.nics if isinstance(nic, dict) and nic.get("ip")]


def _macs_of(vm: Any) -> list[str]:
    return [nic["mac"] for nic in vm.nics if isinstance(nic, dict) and nic.get("mac")]


VM_TABLE = declare(
    Table(
        name="machines",
        title=_("Virtual machines"),
        kind="vm",
        language=MACHINES,
        order="name",
        # What the state, the address and the age of a row are told from.
        fields=(
            *("name", "uuid", "status", "missing_since", "busy_with", "busy_entry"),
            *("cluster__slug", "cluster__unreachable_since", "cluster__last_error"),
            *("cluster__schedule__synced_at", "cluster__schedule__live_at"),
        ),
        columns=(
            Column(
                name="status",
                label=_("State"),
                cell=lambda vm, _context: vm_state(vm),
                values={"status": lambda vm: vm.status, "missing_since": lambda vm: vm.missing_since},
                sort=("status", "name"),
                stands="state",
                is_fixed=True,
            ),
            Column(
                name="name",
                label=_("Name"),
                cell=_name,
                values={"name": lambda vm: vm.name},
                fields=("tags", "waiting_since"),
                sort=("name",),
                stands="name",
                width=320,
                is_fixed=True,
            ),
            Column(
                name="cluster",
                label=_("Cluster"),
                cell=_cluster,
                values={"cluster": lambda vm: vm.cluster.slug},
                sort=("cluster__slug", "name"),
            ),
            Column(
                name="owner",
                label=_("Owner"),
                about=_("The person or team whose quota it counts for"),
                cell=_owner,
                values={"owner": lambda vm: vm.owner.name if vm.owner is not None else None},
                fields=("owner__user__username", "owner__group__name"),
                sort=(Through("owner", "user__username", "group__name"), "name"),
                css="p1",
            ),
            Column(
                name="addresses",
                label=_("IP address"),
                about=_("The first; the others on hover"),
                cell=lambda vm, _context: vm_addresses(vm),
                values={"addresses": _addresses_of},
                fields=("nics",),
                css="p3",
                width=150,
            ),
            Column(
                name="node",
                label=_("Primary node"),
                short=_("Node"),
                cell=lambda vm, context: _node(vm, context, vm.primary_node),
                values={"primary_node": lambda vm: vm.primary_node.name if vm.primary_node is not None else None},
                fields=("primary_node__name",),
                sort=(Through("primary_node", "name"), "name"),
                css="p2",
            ),
            Column(
                name="secondary",
                label=_("Secondary node"),
                about=_("The node that mirrors its disks"),
                cell=lambda vm, context: _node(vm, context, vm.secondary_node),
                values={"secondary_node": lambda vm: vm.secondary_node.name if vm.secondary_node is not None else None},
                fields=("secondary_node__name",),
                sort=(Through("secondary_node", "name"), "name"),
                is_extra=True,
            ),
            text(
                "primary_node__group__name",
                name="group",
                label=_("Node group"),
                sort=(Through("primary_node", "group__name"), "name"),
                is_extra=True,
            ),
            Column(
                name="os",
                label=_("Operating system"),
                short=_("OS"),
                cell=_os,
                values={"os": lambda vm: vm.os},
                fields=("os",),
                sort=("os", "name"),
                css="p3",
                width=140,
            ),
            text("hypervisor", name="hypervisor", label=_("Hypervisor"), sort=("hypervisor", "name"), is_extra=True),
            number("vcpus", name="vcpus", label=_("vCPUs"), sort=("vcpus", "name"), css="num p2"),
            size(
                "memory_mib",
                name="memory",
                label=_("Memory"),
                values={"memory_mib": lambda vm: vm.memory_mib},
                sort=("memory_mib", "name"),
            ),
            size(
                "memory_min_mib",
                name="least_memory",
                label=_("Least memory"),
                about=_("What Ganeti may take it down to"),
                values={"memory_min_mib": lambda vm: vm.memory_min_mib},
                sort=("memory_min_mib", "name"),
                is_extra=True,
            ),
            size(
                "disk_mib",
                name="disk",
                label=_("Disk"),
                about=_("All of its disks together"),
                values={"disk_mib": lambda vm: vm.disk_mib},
                sort=("disk_mib", "name"),
            ),
            text(
                "disk_template",
                name="template",
                label=_("Disk template"),
                values={"disk_template": lambda vm: vm.disk_template},
                sort=("disk_template", "name"),
                is_extra=True,
            ),
            Column(
                name="tags",
                label=_("Tags"),
                about=_("All of them; the first ones stand beside the name anyway"),
                cell=lambda vm, _context: _chips(vm.tags) or DASH,
                values={"tags": lambda vm: vm.tags},
                fields=("tags",),
                width=220,
                is_extra=True,
            ),
            words(
                "nics",
                name="macs",
                label=_("MAC addresses"),
                cell=lambda vm, _context: ", ".join(map(str, _macs_of(vm))) or DASH,
                values={"macs": _macs_of},
                width=170,
                is_extra=True,
            ),
            text(
                "admin_state",
                name="desired",
                label=_("Desired state"),
                about=_("What Ganeti keeps it in: up, down or offline"),
                values={"desired_state": lambda vm: vm.admin_state},
                sort=("admin_state", "name"),
                is_extra=True,
            ),
            timestamp(
                "ctime",
                name="created",
                label=_("Created"),
                sort=("ctime", "name"),
                is_extra=True,
            ),
            timestamp(
                "mtime",
                name="changed",
                label=_("Changed"),
                about=_("When its configuration was last changed in Ganeti"),
                sort=("mtime", "name"),
                is_extra=True,
            ),
            code("uuid", name="uuid", label=_("UUID"), sort=("uuid",), is_extra=True),
            Column(name="menu", label=_("Actions"), cell=_menu, values={}, stands="menu", width=48, is_fixed=True),
        ),
    )
)
