"""What is otherwise in Ganeti than here, or belongs to nobody: of all clusters that one administers, and of one."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clusters.drifting import tell_drift_of_node
from clusters.operations import NODE_OPERATIONS
from clusters.selectors import get_cluster
from clusters.views.buttons import Button, button_of
from clusters.views.frame import cluster_page
from objectlog.changes import as_rows
from operations.offers import list_offers
from permissions.policy import access_of
from permissions.selectors import choice_of
from permissions.signed_in import person_of
from ui.listing import ages_of
from ui.tables import show
from virtualmachines.filters import parse_vm_filter
from virtualmachines.operations import list_reconciling
from virtualmachines.reconciling import (
    MOST,
    RECONCILIATION_TABLE,
    SHOWN,
    count_to_reconcile,
    list_nodes_to_reconcile,
    list_reconcilable,
    may_reconcile,
)
from virtualmachines.selectors import filter_vms
from virtualmachines.views.batch import plan_chosen

MOST_NODES = 50
_HELD = frozenset({"accept", "forget"})
# What can be done to the machines of each part. Of two owners ours wins by its tag, Ganeti's by adoption.
_DONE = {
    "unowned": ("set-owner", "adopt"),
    "missing": ("forget",),
    "owner-tag": ("write-owner-tag", "adopt", "set-owner"),
}
# A tag that was taken away names nobody else: it is among what was changed.
_DONE_TO_CHANGED = ("accept", "write-owner-tag")
# Columns that say nothing in a part, or take room from what does; left out unless somebody wants them.
_SAYS_NOTHING = {
    "unowned": ("changes", "since"),
    "missing": ("owner_tag", "changes"),
    "owner-tag": ("changes", "since"),
}
_SAYS_NOTHING_OF_CHANGED = ("owner_tag", "node", "vcpus", "memory", "disk")


@require_safe
def reconciliation(request: HttpRequest) -> HttpResponseBase:
    """Of all clusters that the person administers."""
    _require_admin(request)
    user = person_of(request)
    nodes = list_nodes_to_reconcile(user)
    return _answer(request, list_reconcilable(user), nodes, "virtualmachines/reconciliation.html", {})


@require_safe
def cluster_reconciliation(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Of one cluster."""
    user = person_of(request)
    cluster = get_cluster(user, slug)
    page = cluster_page(user, cluster, "reconciliation")
    if "admin" not in page["held"]:
        raise PermissionDenied(access_of(type(cluster)).refuse("admin"))
    vms, nodes = (rows.filter(cluster=cluster) for rows in (list_reconcilable(user), list_nodes_to_reconcile(user)))
    page |= {"scope": {"cluster": slug}}
    return _answer(request, vms, nodes, "virtualmachines/cluster_reconciliation.html", page, ("cluster",))


@require_POST
def reconciliation_batch(request: HttpRequest) -> HttpResponse:
    """Plan an operation on the selected machines; the plan asks before anything is done."""
    _require_admin(request)
    back = reverse("reconciliation")
    return plan_chosen(request, list_reconcilable(person_of(request)), list_reconciling(), back)


def _require_admin(request: HttpRequest) -> None:
    if not may_reconcile(person_of(request)):
        raise PermissionDenied(_("This page is for who administers a cluster."))


def _answer(
    request: HttpRequest,
    vms: QuerySet[Any],
    nodes: QuerySet[Any],
    template: str,
    context: Mapping[str, Any],
    without: tuple[str, ...] = (),
) -> HttpResponseBase:
    counts = count_to_reconcile(vms)
    given = request.GET.copy()
    if not given.get("reconcile"):
        given["reconcile"] = next((part for part in SHOWN if counts[part]), "unowned")
    part = str(given["reconcile"])
    table = RECONCILIATION_TABLE
    choice = choice_of(person_of(request), table.name)
    if choice.columns is None and not request.GET.get("columns"):
        without = (*without, *_SAYS_NOTHING.get(part, _SAYS_NOTHING_OF_CHANGED))
    shown = show(request, table, choice, without)
    wanted = parse_vm_filter(given)
    rows = shown.load(filter_vms(vms, wanted))
    file = shown.export(request, rows)
    if file is not None:
        return file
    listing = shown.page(request, rows, keys_first=True)
    odd = list(nodes[: MOST_NODES + 1])
    groups = [(name, label, min(counts[name], MOST)) for name, label in SHOWN.items()]
    drawn = {
        **context,
        **shown.as_context(listing, wanted, groups=groups, grouped_by="reconcile", always=SHOWN),
        **ages_of(listing.page.object_list),
        "is_filtered": not wanted.without("reconcile").is_empty,
        "part": part,
        "nothing_matches": wanted.explain(_("None of these machines matches. Leave out a word, or look at all.")),
        "do": [each for each in list_reconciling() if each.verb in _DONE.get(part, _DONE_TO_CHANGED)],
        "bulk_filter": "&".join(filter(None, (given.urlencode(), urlencode(context.get("scope", {}))))),
        "nodes": [_tell(node, request.get_full_path()) for node in odd[:MOST_NODES]],
        "most_nodes": MOST_NODES if len(odd) > MOST_NODES else 0,
        "reconciliation_batch": reverse("reconciliation-batch"),
    }
    return render(request, template, drawn)


def _tell(node: Any, back: str) -> Mapping[str, Any]:
    """A node with what was changed of it, and what can be done about it."""
    changes = as_rows(change.as_data() for change in tell_drift_of_node(node))
    return {"node": node, "changes": changes, "buttons": _buttons(node, back)}


def _buttons(node: Any, back: str) -> Sequence[Button]:
    return [
        button_of(
            offer,
            reverse("node-do", args=[node.cluster.slug, node.lasting_address, offer.operation.verb])
            + f"?{urlencode({'next': back})}",
        )
        for offer in list_offers(node, NODE_OPERATIONS, _HELD)
    ]
