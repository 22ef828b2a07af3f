"""What templates can be asked for, and the columns of their list."""

from typing import Any

from django.db.models import Q
from django.template import Context
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ui.columns import Column, ago, number, size, text
from ui.filtering import Language, of_moment, of_number, of_size, of_text
from ui.groups import Through
from ui.tables import Table, declare
from ui.templatetags.parts import draw, linked
from ui.templatetags.places import page
from ui.templatetags.units import DASH
from virtualmachines.template_selectors import place_of_template
from virtualmachines.templatetags.machines import os_name


def _for_cluster(slug: str) -> Q:
    """Those that can be used there: one for any cluster can, too."""
    return Q(cluster__slug=slug.lower()) | Q(cluster__isnull=True)


def _owned_by(name: str) -> Q:
    """Of a person or a team; with @ of a team alone."""
    of_team = Q(owner__group__name__iexact=name.removeprefix("@"))
    return of_team if name.startswith("@") else of_team | Q(owner__user__username__iexact=name)


TEMPLATES = Language(
    keys={
        "name": of_text(
            _("name"), "name:web", lambda value: Q(name__icontains=value), equals=lambda value: Q(name__iexact=value)
        ),
        "cluster": of_text(_("cluster on which it can be used"), "cluster:prod", _for_cluster),
        "owner": of_text(_("owner"), "owner:alice", _owned_by),
        "os": of_text(_("operating system"), "os:debian", lambda value: Q(os__icontains=value)),
        "hypervisor": of_text(_("hypervisor"), "hypervisor:kvm", lambda value: Q(hypervisor=value.lower())),
        "mem": of_size(_("memory"), "mem>4G", "memory_mib"),
        "vcpus": of_number(_("vCPUs"), "vcpus>=2", "vcpus"),
        "disk": of_size(_("disk"), "disk<50G", "disk_mib"),
        "created": of_moment(_("when it was created"), "created>2026-11-01", "created_at"),
        "changed": of_moment(_("when it was last changed"), "changed:today", "changed_at"),
    },
    word=lambda value: Q(name__icontains=value) | Q(description__icontains=value) | Q(os__icontains=value),
    says=_("name, description, OS, or cluster: owner: mem: vcpus:"),
)


def _name(template: Any, _context: Context) -> SafeString:
    name = linked(page("template", *place_of_template(template)), template.name)
    if not template.description:
        return draw("<div>{}</div>", name)
    return draw('<div>{} <span class="dim">{}</span></div>', name, template.description)


def _cluster(template: Any, context: Context) -> object:
    if template.cluster is None:
        return draw('<span class="dim">{}</span>', gettext("any"))
    slug = template.cluster.slug
    return linked(page("cluster", slug), slug) if template.cluster_id in context["linked_clusters"] else slug


def _os(template: Any, _context: Context) -> object:
    return draw('<span title="{}">{}</span>', template.os, os_name(template.os)) if template.os else DASH


TEMPLATE_TABLE = declare(
    Table(
        name="templates",
        title=_("Templates"),
        kind="template",
        language=TEMPLATES,
        order="name",
        fields=("name", "cluster__slug"),
        columns=(
            Column(
                name="name",
                label=_("Name"),
                cell=_name,
                values={"name": lambda row: row.name, "description": lambda row: row.description},
                fields=("description",),
                sort=("name",),
                stands="name",
                width=320,
                is_fixed=True,
            ),
            Column(
                name="cluster",
                label=_("Cluster"),
                cell=_cluster,
                values={"cluster": lambda row: row.cluster.slug if row.cluster is not None else None},
                sort=(Through("cluster", "slug"), "name"),
            ),
            Column(
                name="owner",
                label=_("Owner"),
                cell=lambda row, _context: row.owner.name if row.owner is not None else DASH,
                values={"owner": lambda row: row.owner.name if row.owner is not None else None},
                fields=("owner__user__username", "owner__group__name"),
                sort=(Through("owner", "user__username", "group__name"), "name"),
                css="p1",
            ),
            Column(
                name="os",
                label=_("Operating system"),
                short=_("OS"),
                cell=_os,
                values={"os": lambda row: row.os},
                fields=("os",),
                sort=("os", "name"),
                width=140,
            ),
            number("vcpus", name="vcpus", label=_("vCPUs"), sort=("vcpus", "name")),
            size("memory_mib", name="memory", label=_("Memory"), sort=("memory_mib", "name")),
            size(
                "disk_mib",
                name="disk",
                label=_("Disk"),
                about=_("All of its disks together"),
                sort=("disk_mib", "name"),
            ),
            text("hypervisor", name="hypervisor", label=_("Hypervisor"), sort=("hypervisor", "name"), is_extra=True),
            ago("created_at", name="created", label=_("Created"), is_extra=True),
            ago("changed_at", name="changed", label=_("Changed"), css="num dim p2"),
        ),
    )
)
