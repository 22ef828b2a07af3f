"""The list of clusters: its columns, and what it can be asked for. Its rows are `gwm.selectors.ClusterSums`."""

from typing import Any

from django.db.models import Q
from django.template import Context
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from clusters.filters import as_tag
from clusters.templatetags.clusters import cluster_state
from ui.columns import Column, ago, code, number, text
from ui.filtering import Language, of_choices, of_moment, of_text
from ui.places import page_of
from ui.said import voice
from ui.tables import Table, declare
from ui.templatetags.parts import draw, meter
from ui.templatetags.times import since
from ui.templatetags.units import DASH, count_of

CLUSTER_GROUPS: dict[str, tuple[Any, Q]] = {
    "reachable": (_("Reachable"), Q(unreachable_since__isnull=True, last_error="", schedule__synced_at__isnull=False)),
    "failed": (_("Update failed"), Q(unreachable_since__isnull=True) & ~Q(last_error="")),
    "unreachable": (_("Not reachable"), Q(unreachable_since__isnull=False)),
    "new": (
        _("First update in progress"),
        Q(unreachable_since__isnull=True, last_error="", schedule__synced_at__isnull=True),
    ),
}


def group_of(cluster: Any) -> str:
    """The group of a cluster: the same as `CLUSTER_GROUPS` says to the database."""
    if cluster.unreachable_since is not None:
        return "unreachable"
    if cluster.last_error:
        return "failed"
    return "new" if cluster.synced_at is None else "reachable"


def _word(value: str) -> Q:
    return Q(slug__icontains=value) | Q(description__icontains=value) | Q(name__icontains=value)


def _with_tag(value: str) -> Q:
    """The second half says of those without any that they have none, where the first says that it does not know."""
    return Q(info__tags__icontains=as_tag(value)) & Q(info__has_key="tags")


CLUSTERS = Language(
    keys={
        "name": of_text(
            _("name"), "name:prod", lambda value: Q(slug__icontains=value), equals=lambda value: Q(slug__iexact=value)
        ),
        "status": of_choices(
            _("state"), "status:unreachable", {name: condition for name, (__, condition) in CLUSTER_GROUPS.items()}
        ),
        "ganeti": of_text(_("release of Ganeti"), "ganeti:3.0", lambda value: Q(software_version__startswith=value)),
        "hypervisor": of_text(
            _("default hypervisor"), "hypervisor:kvm", lambda value: Q(default_hypervisor__iexact=value)
        ),
        "master": of_text(_("master"), "master:node1", lambda value: Q(master__istartswith=value)),
        "host": of_text(_("address"), "host:gnt.example.org", lambda value: Q(host__icontains=value)),
        "tag": of_text(_("tag"), "tag:site-a", _with_tag),
        "uuid": of_text(_("beginning of the uuid"), "uuid:3f2a", lambda value: Q(uuid__istartswith=value)),
        "updated": of_moment(_("when it was last updated"), "updated<2026-11-01", "schedule__synced_at"),
        "since": of_moment(_("when it was added"), "since>2026-11-01", "created_at"),
    },
    word=_word,
    says=_("name, description, or status: ganeti: master:"),
)


def _name(row: Any, _context: Context) -> SafeString:
    cluster = row.cluster
    chips = [gettext("demo")] if cluster.is_demo else []
    chips += [gettext("read only")] if cluster.is_read_only else []
    return draw(
        '<a href="{}"><span class="strong">{}</span></a>{}{}',
        page_of("cluster", cluster.slug),
        cluster.slug,
        draw('<span class="chip">{}</span>' * len(chips), *chips),
        draw('<span class="sub">{}</span>', cluster.description) if cluster.description else "",
    )


def _nodes(row: Any, _context: Context) -> object:
    return count_of(row.nodes_online, row.nodes) if row.nodes else DASH


def _memory(row: Any, _context: Context) -> object:
    if not row.memory_total:
        return DASH
    here = voice()
    name = here.said(gettext_noop("Memory of %(name)s")) % {"name": row.cluster.slug}
    return meter(row.memory_used, row.memory_total, held=row.memory_unused, say=name, here=here)


def _disk(row: Any, _context: Context) -> object:
    if not row.disk_total:
        return DASH
    here = voice()
    name = here.said(gettext_noop("Disk of %(name)s")) % {"name": row.cluster.slug}
    return meter(row.disk_used, row.disk_total, held=row.disk_unused, say=name, here=here)


CLUSTER_TABLE = declare(
    Table(
        name="clusters",
        title=_("Clusters"),
        kind="cluster",
        language=CLUSTERS,
        order="name",
        key=lambda row: row.cluster.pk,
        row_css=lambda row: "is-dimmed" if row.cluster.unreachable_since else "",
        columns=(
            Column(
                name="status",
                label=_("State"),
                cell=lambda row, context: cluster_state(context, row.cluster),
                values={
                    "status": lambda row: group_of(row.cluster),
                    "unreachable_since": lambda row: row.cluster.unreachable_since,
                },
                sort=("status", "cluster__slug"),
                stands="state",
                is_fixed=True,
            ),
            Column(
                name="name",
                label=_("Cluster"),
                cell=_name,
                values={"name": lambda row: row.cluster.slug, "description": lambda row: row.cluster.description},
                sort=("cluster__slug",),
                stands="name",
                width=240,
                is_fixed=True,
            ),
            text(
                "cluster__software_version",
                name="ganeti",
                label="Ganeti",
                sort=("cluster__software_version", "cluster__slug"),
                css="p3 dim",
            ),
            text(
                "cluster__default_hypervisor",
                name="hypervisor",
                label=_("Hypervisor"),
                about=_("The one that new machines get"),
                sort=("cluster__default_hypervisor", "cluster__slug"),
                css="p3",
            ),
            text(
                "cluster__master",
                name="master",
                label=_("Master"),
                sort=("cluster__master", "cluster__slug"),
                css="p3",
                width=180,
            ),
            Column(
                name="nodes",
                label=_("Nodes online"),
                short=_("Nodes"),
                cell=_nodes,
                values={"nodes": lambda row: row.nodes, "nodes_online": lambda row: row.nodes_online},
                sort=("nodes", "cluster__slug"),
                biggest_first=True,
                css="num",
            ),
            Column(
                name="running",
                label=_("Running"),
                about=_("Machines that run, of all"),
                cell=lambda row, _context: count_of(row.running, row.machines),
                values={"machines": lambda row: row.machines, "running": lambda row: row.running},
                sort=("running", "cluster__slug"),
                biggest_first=True,
                css="num",
            ),
            Column(
                name="memory",
                label=_("Memory in use"),
                short=_("Memory"),
                cell=_memory,
                values={
                    "memory_total_mib": lambda row: row.memory_total,
                    "memory_used_mib": lambda row: row.memory_used,
                },
                sort=("memory_share", "cluster__slug"),
                biggest_first=True,
                width=210,
            ),
            Column(
                name="disk",
                label=_("Disk in use"),
                short=_("Disk"),
                cell=_disk,
                values={"disk_total_mib": lambda row: row.disk_total, "disk_used_mib": lambda row: row.disk_used},
                sort=("disk_share", "cluster__slug"),
                biggest_first=True,
                width=210,
            ),
            number("cpus", name="cpus", label=_("CPUs"), sort=("cpus", "cluster__slug"), is_extra=True),
            number(
                "vcpus",
                name="vcpus",
                label=_("vCPUs allocated"),
                sort=("vcpus", "cluster__slug"),
                width=130,
                is_extra=True,
            ),
            ago(
                "cluster__synced_at",
                name="updated",
                label=_("Updated"),
                cell=lambda row, _context: since(row.cluster.synced_at, stamp="synced", of=row.cluster.pk),
                values={"synced_at": lambda row: row.cluster.synced_at},
                sort=("cluster__synced_at", "cluster__slug"),
                css="num dim p2",
            ),
            text(
                "cluster__host",
                name="host",
                label=_("Address"),
                cell=lambda row, _context: f"{row.cluster.host}:{row.cluster.port}",
                values={"host": lambda row: row.cluster.host, "port": lambda row: row.cluster.port},
                sort=("cluster__host", "cluster__slug"),
                width=200,
                is_extra=True,
            ),
            ago(
                "cluster__created_at",
                name="added",
                label=_("Added"),
                values={"added_at": lambda row: row.cluster.created_at},
                sort=("cluster__created_at", "cluster__slug"),
                is_extra=True,
            ),
            code("cluster__uuid", name="uuid", label=_("UUID"), sort=("cluster__uuid",), is_extra=True),
        ),
    )
)
