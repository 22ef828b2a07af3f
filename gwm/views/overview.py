"""The front page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gwm.cluster_list import CLUSTER_TABLE
from gwm.context import frame_of
from gwm.selectors import MOST_FAILED, MOST_TROUBLED, list_failed_jobs, list_vms_in_trouble, summarize_all_clusters
from people.request_selectors import count_to_decide
from permissions.policy import can
from permissions.signed_in import person_of
from ui.listing import ages_of
from virtualmachines.columns import VM_TABLE
from virtualmachines.reconciling import MOST, SHOWN, count_all_to_reconcile, may_reconcile
from virtualmachines.selectors import count_there, list_vms, rows_of, sum_all_by_state, sum_by_group

if TYPE_CHECKING:
    from permissions.models import User

OWN_ROWS = 12


@dataclass(frozen=True)
class Figure:
    """How many of what, as a link to their list; `kind` gives shape and colour. See templates/parts/_tally.html."""

    label: str
    count: int
    kind: str
    url: str
    of: int | None = None


def tally(counts: Mapping[str, int], unresponsive_nodes: int | None = None) -> list[Figure]:
    """Machines by group (under "" all), and the nodes without answer for those who see nodes: first what is well."""
    vms = reverse("vms")

    def figure(label: str, kind: str, group: str, of: int | None = None) -> Figure:
        return Figure(label, counts.get(group, 0), kind, f"{vms}?status={group}", of)

    figures = [
        figure(_("Running"), "ok", "running", of=counts.get("", 0)),
        figure(_("Stopped"), "off", "stopped"),
        figure(_("In progress"), "busy", "busy"),
        figure(_("In trouble"), "bad", "trouble"),
        figure(_("Missing"), "warn", "missing"),
    ]
    if unresponsive_nodes is not None:
        figures.append(
            Figure(_("Unresponsive nodes"), unresponsive_nodes, "bad", f"{reverse('nodes')}?status=unresponsive")
        )
    return figures


def _count_to_reconcile(user: User) -> list[tuple[str, Any, str]]:
    """What is otherwise in Ganeti on the clusters that `user` administers: where, label and number. One query."""
    numbers = count_all_to_reconcile(user)
    told = {part: f"{MOST}+" if number > MOST else str(number) for part, number in numbers.items() if number}
    return [
        (f"?reconcile={part}", SHOWN[part], number) if part in SHOWN else ("#nodes", _("Nodes"), number)
        for part, number in told.items()
    ]


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """How the clusters are and what needs attention; for who runs none, how their machines are."""
    user = person_of(request)
    states = sum_all_by_state(user)
    sums = summarize_all_clusters(user, states)
    failed = list_failed_jobs(user)
    around = frame_of(request, user)
    around.machines = count_there(states)
    around.clusters = [each.cluster for each in sums]
    around.node_tallies = {each.cluster.pk: each.tally for each in sums if each.nodes}
    troubled = (
        list_vms_in_trouble(user, with_missing=any(each.counts.get("missing") for each in sums))
        if any(each.counts.get("missing") or each.counts.get("trouble") for each in sums)
        else []
    )
    may_add = bool(can(user, "add_cluster"))
    # Nodes show who runs a cluster; who may create machines on it sees the cluster, and looks after their own ones.
    runs = bool(sums) and (may_add or any(each.nodes for each in sums) or may_reconcile(user))
    counts: Counter[str] = Counter()
    for each in sums:
        counts.update(each.counts)
    context = {
        "runs": runs,
        "sums": sums,
        "cluster_table": CLUSTER_TABLE.plain(without=("hypervisor", "master")),
        "vm_table": VM_TABLE.plain(),
        "tally": tally(counts, sum(each.nodes_unresponsive for each in sums)),
        "to_reconcile": _count_to_reconcile(user) if runs else [],
        "to_decide": count_to_decide(user) if runs else 0,
        "may_add": may_add,
        "machines": sum(each.machines for each in sums),
        "nodes": sum(each.nodes for each in sums),
        "troubled": troubled[: MOST_TROUBLED - 1],
        "failed": failed[: MOST_FAILED - 1],
        "more_troubled": len(troubled) == MOST_TROUBLED,
        "more_failed": len(failed) == MOST_FAILED,
        "down": [each.cluster for each in sums if each.cluster.unreachable_since is not None],
        "drained": [each for each in sums if each.nodes_drained or each.nodes_unresponsive],
    }
    if not runs:
        vms = list_vms(user)
        own = sum_by_group(states)
        context |= {"tally": tally(own)} if own[""] else {}
        rows = list(rows_of(vms).order_by("name")[:OWN_ROWS]) if own[""] else []
        context |= {"counts": own, "vms": rows, **ages_of(rows)}
    return render(request, "gwm/overview.html", context)
