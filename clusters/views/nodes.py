"""Nodes: of all clusters, of one, and one by itself."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from clusters.columns import NODE_TABLE
from clusters.filters import NODE_GROUPS, NODES
from clusters.selectors import get_cluster, get_node, jobs_about, list_job_rows, list_nodes
from clusters.views.frame import cluster_page, node_page
from clusters.views.jobs import answer_with_jobs
from permissions.selectors import choice_of
from permissions.signed_in import person_of
from ui.filtering import Wanted
from ui.listing import ages_of
from ui.tables import show


def _answer(
    request: HttpRequest, nodes: QuerySet[Any], template: str, context: Mapping[str, Any], without: tuple[str, ...] = ()
) -> HttpResponseBase:
    """A page of `nodes` as the URL asks for it, or a file of all that match; `without` columns that say the same."""
    shown = show(request, NODE_TABLE, choice_of(person_of(request), NODE_TABLE.name), without)
    wanted = Wanted.parse(NODES, request.GET)
    rows = shown.load(nodes.filter(wanted.asked.condition))
    file = shown.export(request, rows)
    if file is not None:
        return file
    counts = (
        nodes.filter(wanted.without("status").asked.condition)
        .order_by()
        .aggregate(
            all=Count("*"), **{f"in_{name}": Count("pk", filter=each) for name, (__, each) in NODE_GROUPS.items()}
        )
    )
    states = wanted.values_of("status")
    total = counts.get(f"in_{states[0]}") if len(states) == 1 else None if states else counts["all"]
    listing = shown.page(request, rows, total)
    groups = [("", _("All"), counts["all"])]
    groups += [(name, label, counts[f"in_{name}"]) for name, (label, __) in NODE_GROUPS.items()]
    drawn = {
        **shown.as_context(listing, wanted, groups=groups, always=("online",)),
        **ages_of(listing.page.object_list),
        "nothing_matches": wanted.explain(
            str(_("None of the nodes you may see matches. Leave out a word, or look at all."))
        ),
    }
    return render(request, template, {**context, **drawn})


@require_safe
def node_list(request: HttpRequest) -> HttpResponseBase:
    """The nodes of all clusters."""
    return _answer(request, list_nodes(person_of(request)), "clusters/nodes.html", {})


@require_safe
def cluster_nodes(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The nodes of one cluster."""
    user = person_of(request)
    cluster = get_cluster(user, slug)
    nodes = list_nodes(user).filter(cluster=cluster)
    return _answer(request, nodes, "clusters/cluster_nodes.html", cluster_page(user, cluster, "nodes"), ("cluster",))


@require_safe
def node_jobs(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    """The jobs that work on one node."""
    user = person_of(request)
    node = get_node(user, slug, name)
    jobs = jobs_about(list_job_rows(user), "node", node.pk)
    return answer_with_jobs(request, jobs, "clusters/node_jobs.html", node_page(user, node, "jobs"), ("cluster",))
