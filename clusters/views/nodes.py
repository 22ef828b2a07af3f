"""Nodes: of all clusters, of one, and one by itself."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Value
from django.db.models.functions import NullIf
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from clusters.selectors import get_cluster, get_node, jobs_about, list_job_rows, list_nodes
from clusters.views.frame import cluster_page, node_page
from clusters.views.jobs import answer_with_jobs
from permissions.signed_in import person_of
from ui.exporting import Cells, export
from ui.filtering import LONGEST, Language, of_choices, of_number, of_size, of_text, parse
from ui.listing import ages_of, list_page, order_rows, read_sort

COLUMNS: dict[str, tuple[Any, ...]] = {
    "name": ("name",),
    "status": ("offline", "answers", "drained", "name"),
    "cluster": ("cluster__slug", "name"),
    "group": ("group__name", "name"),
    "role": ("role", "name"),
    "machines": ("primary_count", "name"),
    "cpus": ("cpu_total", "name"),
    "memory": ("memory_share", "name"),
    "disk": ("disk_share", "name"),
}
GROUPS: dict[str, tuple[Any, Q]] = {
    "online": (_("Online"), Q(offline=False, answers=True, missing_since__isnull=True)),
    "drained": (_("Drained"), Q(drained=True, missing_since__isnull=True)),
    "offline": (_("Offline"), Q(offline=True, missing_since__isnull=True)),
    "unresponsive": (_("Unresponsive"), Q(offline=False, answers=False, missing_since__isnull=True)),
    "missing": (_("Missing"), Q(missing_since__isnull=False)),
}


NODES = Language(
    keys={
        "name": of_text(
            _("name"), "name:node1", lambda value: Q(name__icontains=value), equals=lambda value: Q(name__iexact=value)
        ),
        "cluster": of_text(_("cluster"), "cluster:prod", lambda value: Q(cluster__slug=value.lower())),
        "status": of_choices(
            _("state"), "status:drained", {name: condition for name, (__, condition) in GROUPS.items()}
        ),
        "group": of_text(_("group"), "group:default", lambda value: Q(group__name__iexact=value)),
        "ip": of_text(_("address"), "ip:192.0.2.", lambda value: Q(primary_ip__startswith=value)),
        "machines": of_number(_("machines"), "machines>20", "primary_count"),
        "cpus": of_number(_("CPUs"), "cpus>=16", "cpu_total"),
        "mem": of_size(_("memory"), "mem>64G", "memory_total_mib"),
        "free": of_size(_("free memory"), "free<8G", "memory_free_mib"),
        "disk": of_size(_("disk"), "disk>1T", "disk_total_mib"),
    },
    word=lambda value: Q(name__icontains=value) | Q(primary_ip__startswith=value) | Q(group__name__iexact=value),
)


CELLS: Cells = {
    "name": lambda node: node.name,
    "cluster": lambda node: node.cluster.slug,
    "group": lambda node: node.group.name if node.group is not None else None,
    "role": lambda node: node.role,
    "offline": lambda node: node.offline,
    "drained": lambda node: node.drained,
    "answers": lambda node: node.answers,
    "missing_since": lambda node: node.missing_since,
    "primary_machines": lambda node: node.primary_count,
    "secondary_machines": lambda node: node.secondary_count,
    "cpus": lambda node: node.cpu_total,
    "memory_total_mib": lambda node: node.memory_total_mib,
    "memory_free_mib": lambda node: node.memory_free_mib,
    "disk_total_mib": lambda node: node.disk_total_mib,
    "disk_free_mib": lambda node: node.disk_free_mib,
    "uuid": lambda node: node.uuid,
}


def _answer(request: HttpRequest, nodes: QuerySet[Any], template: str, context: Mapping[str, Any]) -> HttpResponse:
    """A page of `nodes` as the address asks for it, or a file of all that match."""
    group = request.GET.get("status", "")
    text = request.GET.get("q", "").strip()[:LONGEST]
    asked = NODES.read(parse(text))
    nodes = nodes.filter(asked.condition)
    counts = nodes.order_by().aggregate(
        all=Count("*"), **{f"in_{name}": Count("pk", filter=condition) for name, (__, condition) in GROUPS.items()}
    )
    if group in GROUPS:
        nodes = nodes.filter(GROUPS[group][1])
    nodes = nodes.defer("raw", "cluster__info", "cluster__tls_ca_pem", "group__raw").annotate(
        memory_used=F("memory_total_mib") - F("memory_free_mib"),
        disk_used=F("disk_total_mib") - F("disk_free_mib"),
        memory_share=(F("memory_total_mib") - F("memory_free_mib")) * 1000 / NullIf(F("memory_total_mib"), Value(0)),
        disk_share=(F("disk_total_mib") - F("disk_free_mib")) * 1000 / NullIf(F("disk_total_mib"), Value(0)),
    )
    file = export(request, "nodes", order_rows(nodes, COLUMNS, read_sort(request, COLUMNS, "name")), CELLS)
    if file is not None:
        return file
    total = counts[f"in_{group}"] if group in GROUPS else counts["all"]
    listing = list_page(request, nodes, COLUMNS, "name", total=total)
    shown = {
        **listing.as_context(),
        **ages_of(listing.page.object_list),
        "groups": [("", _("All"), counts["all"])]
        + [
            (name, label, counts[f"in_{name}"])
            for name, (label, __) in GROUPS.items()
            if counts[f"in_{name}"] or name == "online"
        ],
        "group": group if group in GROUPS else "",
        "text": text,
        "filter_help": NODES.help(),
        "nothing_matches": asked.explain(
            NODES, str(_("None of the nodes you may see matches. Leave out a word, or look at all."))
        ),
        "is_filtered": bool(group or text),
    }
    return render(request, template, {**context, **shown})


@require_safe
def node_list(request: HttpRequest) -> HttpResponse:
    """The nodes of all clusters."""
    return _answer(request, list_nodes(person_of(request)), "clusters/nodes.html", {"shows_cluster": True})


@require_safe
def cluster_nodes(request: HttpRequest, slug: str) -> HttpResponse:
    """The nodes of one cluster."""
    user = person_of(request)
    cluster = get_cluster(user, slug)
    nodes = list_nodes(user).filter(cluster=cluster)
    return _answer(request, nodes, "clusters/cluster_nodes.html", cluster_page(user, cluster, "nodes"))


@require_safe
def node_jobs(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """The jobs that work on one node."""
    user = person_of(request)
    node = get_node(user, slug, name)
    jobs = jobs_about(list_job_rows(user), "node", node.pk)
    return answer_with_jobs(request, jobs, "clusters/node_jobs.html", node_page(user, node, "jobs"))
