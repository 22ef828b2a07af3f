"""Pages of clusters that count machines too: the list, and the overview of one. And one node's overview."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clusters.selectors import get_cluster, get_node, list_clusters, list_networks
from clusters.views.frame import cluster_page, node_page
from clusters.views.stored import moment_of, texts_of
from gwm.selectors import summarize_clusters
from permissions.policy import can
from permissions.signed_in import person_of
from ui.exporting import Cells, export
from virtualmachines.selectors import list_vms, sum_on_node

CELLS: Cells = {
    "name": lambda row: row.cluster.slug,
    "description": lambda row: row.cluster.description,
    "ganeti": lambda row: row.cluster.software_version,
    "hypervisor": lambda row: row.cluster.default_hypervisor,
    "master": lambda row: row.cluster.master,
    "nodes": lambda row: row.nodes,
    "nodes_online": lambda row: row.nodes_online,
    "machines": lambda row: row.machines,
    "running": lambda row: row.running,
    "memory_total_mib": lambda row: row.memory_total,
    "memory_used_mib": lambda row: row.memory_used,
    "disk_total_mib": lambda row: row.disk_total,
    "disk_used_mib": lambda row: row.disk_used,
    "synced_at": lambda row: row.cluster.synced_at,
    "unreachable_since": lambda row: row.cluster.unreachable_since,
}


@require_safe
def cluster_list(request: HttpRequest) -> HttpResponse:
    """The clusters."""
    user = person_of(request)
    sums = summarize_clusters(user, list_clusters(user))
    file = export(request, "clusters", sums, CELLS)
    if file is not None:
        return file
    context = {
        "sums": sums,
        "may_add": bool(can(user, "add_cluster")),
        "down": [each.cluster for each in sums if each.cluster.unreachable_since is not None],
    }
    return render(request, "gwm/clusters.html", context)


@require_safe
def cluster_overview(request: HttpRequest, slug: str) -> HttpResponse:
    """What a cluster is, what it has, and how the updates of it go."""
    user = person_of(request)
    cluster = get_cluster(user, slug)
    sums = summarize_clusters(user, list_clusters(user).filter(pk=cluster.pk))[0]
    info: dict[str, Any] = cluster.info if isinstance(cluster.info, dict) else {}
    context = {
        **cluster_page(user, cluster, "overview"),
        "sums": sums,
        "info": info,
        "architecture": " ".join(texts_of(info.get("architecture"))),
        "disk_templates": texts_of(info.get("enabled_disk_templates")),
        "created": moment_of(info.get("ctime")),
        "modified": moment_of(info.get("mtime")),
        "networks": list(list_networks(user).filter(cluster=cluster).defer("raw")[:50]),
    }
    return render(request, "gwm/cluster.html", context)


@require_safe
def node_overview(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """What a node is, and what of it is promised and used."""
    user = person_of(request)
    node = get_node(user, slug, name)
    promised = sum_on_node(list_vms(user), node)
    context = {
        **node_page(user, node, "overview"),
        **promised,
        "memory_used": _used(node.memory_total_mib, node.memory_free_mib),
        "disk_used": _used(node.disk_total_mib, node.disk_free_mib),
        "disk_promised_all": promised["disk_promised"] + promised["disk_mirrored"],
    }
    return render(request, "gwm/node.html", context)


def _used(total: int | None, free: int | None) -> int | None:
    return total - free if total is not None and free is not None else None
