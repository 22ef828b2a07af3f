"""Pages of clusters that count machines too: the list, and the overview of one. And one node's overview."""

from collections import Counter
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clusters.selectors import get_cluster, get_node, list_clusters, list_networks
from clusters.views.frame import cluster_page, node_page
from clusters.views.stored import moment_of, texts_of
from gwm.cluster_list import CLUSTER_GROUPS, CLUSTER_TABLE, CLUSTERS
from gwm.selectors import summarize_clusters
from permissions.policy import can
from permissions.selectors import choice_of
from permissions.signed_in import person_of
from ui.filtering import Wanted
from ui.tables import show
from virtualmachines.selectors import list_vms, sum_on_node


@require_safe
def cluster_list(request: HttpRequest) -> HttpResponseBase:
    """The clusters."""
    user = person_of(request)
    shown = show(request, CLUSTER_TABLE, choice_of(user, CLUSTER_TABLE.name))
    wanted = Wanted.parse(CLUSTERS, request.GET)
    # Those of every state, since their numbers stand beside the states.
    found = summarize_clusters(user, list_clusters(user).filter(wanted.without("status").asked.condition))
    counts = Counter(each.status for each in found)
    states = wanted.values_of("status")
    sums = [each for each in found if all(each.status == state.lower() for state in states)]
    file = shown.export(request, sums)
    if file is not None:
        return file
    listing = shown.page(request, sums)
    groups = [("", _("All"), len(found)), *((name, each[0], counts[name]) for name, each in CLUSTER_GROUPS.items())]
    context = {
        **shown.as_context(listing, wanted, groups=groups, always=("reachable",)),
        "may_add": bool(can(user, "add_cluster")),
        "down": [each.cluster for each in sums if each.cluster.unreachable_since is not None],
        "nothing_matches": wanted.explain(
            _("None of the clusters you may see matches. Leave out a word, or look at all.")
        ),
    }
    return render(request, "gwm/clusters.html", context)


@require_safe
def cluster_overview(request: HttpRequest, slug: str) -> HttpResponse:
    """What a cluster is, what it has, and how the updates of it go."""
    user = person_of(request)
    cluster = get_cluster(user, slug)
    found = summarize_clusters(user, list_clusters(user).filter(pk=cluster.pk))
    if not found:
        raise Http404  # removed since, or no longer seen
    info: dict[str, Any] = cluster.info if isinstance(cluster.info, dict) else {}
    context = {
        **cluster_page(user, cluster, "overview"),
        "sums": found[0],
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
    """What a node is, and what of it is allocated and used."""
    user = person_of(request)
    node = get_node(user, slug, name)
    allocated = sum_on_node(list_vms(user), node)
    context = {
        **node_page(user, node, "overview"),
        **allocated,
        "memory_used": _used(node.memory_total_mib, node.memory_free_mib),
        "disk_used": _used(node.disk_total_mib, node.disk_free_mib),
        "disk_allocated_all": allocated["disk_allocated"] + allocated["disk_mirrored"],
    }
    return render(request, "gwm/node.html", context)


def _used(total: int | None, free: int | None) -> int | None:
    return total - free if total is not None and free is not None else None
