"""Changing what we know about a cluster, its parameters as Ganeti has them, and what is done from its buttons."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from clusters.forms.cluster import EditForm, describe_cluster
from clusters.operations.actors import actor_on_web
from clusters.operations.base import Forbidden, Refusal, run
from clusters.operations.cluster import EditCluster
from clusters.selectors import get_cluster
from clusters.views.frame import CONFIRMED, cluster_page
from clusters.views.operate import OperateView
from permissions.policy import Denied, can
from permissions.signed_in import person_of


@require_http_methods(["GET", "HEAD", "POST"])
def cluster_edit(request: HttpRequest, slug: str) -> HttpResponse:
    """The form, and taking it."""
    user = person_of(request)
    cluster = get_cluster(user, slug)
    verdict = can(user, EditCluster.needs, cluster)
    if isinstance(verdict, Denied):
        raise PermissionDenied(verdict.reason)
    context: dict[str, Any] = {"cluster": cluster, "has_password": bool(cluster.username)}
    if request.method != "POST":
        form = EditForm(initial=describe_cluster(cluster))
        return render(request, "clusters/edit.html", {**context, "form": form})
    form = EditForm(request.POST)
    if not form.is_valid():
        return render(request, "clusters/edit.html", {**context, "form": form}, status=422)
    wanted = form.settings()
    try:
        wanted.check()
        run(EditCluster(), actor_on_web(user), cluster, wanted)
    except Forbidden as forbidden:
        raise PermissionDenied(str(forbidden)) from forbidden
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return render(request, "clusters/edit.html", {**context, "form": form}, status=409)
    messages.success(request, _("Cluster %s changed. An update with the new settings is in progress.") % wanted.slug)
    return redirect("cluster", wanted.slug)


class OperateCluster(OperateView):
    """Refreshing and removing."""

    operations = CONFIRMED
    typed_name_for = frozenset({"remove-cluster"})

    def find_target(self, request: HttpRequest, **where: Any) -> Any:
        return get_cluster(person_of(request), where["slug"])

    def url_of(self, target: Any) -> str:
        return reverse("cluster", args=[target.slug])

    def url_after(self, operation: Any, target: Any) -> str:
        return reverse("clusters") if operation.name == "remove-cluster" else self.url_of(target)

    def crumbs_of(self, target: Any) -> list[tuple[str, str]]:
        return [("Clusters", reverse("clusters")), (target.slug, self.url_of(target))]


@require_safe
def cluster_parameters(request: HttpRequest, slug: str) -> HttpResponse:
    """The defaults that the cluster gives its machines, and its own settings."""
    user = person_of(request)
    cluster = get_cluster(user, slug)
    sections = describe_settings(cluster.info if isinstance(cluster.info, dict) else {}, cluster.enabled_hypervisors)
    return render(
        request, "clusters/parameters.html", {**cluster_page(user, cluster, "parameters"), "sections": sections}
    )


def describe_settings(info: dict[str, Any], hypervisors: list[str]) -> list[dict[str, Any]]:
    """What /2/info says, in groups: single values, then each table of parameters."""
    tables: list[tuple[str, Any]] = [
        ("Defaults for machines", (info.get("beparams") or {}).get("default")),
        ("Defaults for network cards", (info.get("nicparams") or {}).get("default")),
        *((f"Hypervisor {name}", (info.get("hvparams") or {}).get(name)) for name in hypervisors),
        ("Nodes", info.get("ndparams")),
        *((f"Disk template {name}", values) for name, values in sorted((info.get("diskparams") or {}).items())),
        ("Policy for machines", _flatten(info.get("ipolicy") or {})),
    ]
    plain = {name: value for name, value in info.items() if not isinstance(value, dict)}
    tables.insert(0, ("Cluster", {**plain, "candidate_pool_size": info.get("candidate_pool_size")} if plain else None))
    return [
        {"title": title, "values": [(name, _shown(name, value)) for name, value in sorted(table.items())]}
        for title, table in tables
        if isinstance(table, dict) and table
    ]


def _shown(name: str, value: Any) -> Any:
    if name in ("ctime", "mtime") and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return ", ".join(str(each) for each in value) if isinstance(value, list) else value


def _flatten(value: Any, path: str = "") -> dict[str, Any]:
    """Nested tables and lists of tables as one table with paths."""
    if isinstance(value, dict):
        return {
            name: each
            for key, inner in value.items()
            for name, each in _flatten(inner, f"{path}.{key}" if path else str(key)).items()
        }
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return {
            name: each for index, inner in enumerate(value) for name, each in _flatten(inner, f"{path}.{index}").items()
        }
    return {path: value}
