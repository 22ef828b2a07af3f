"""Lists of machines: all, those of a cluster, those of a node."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clusters.selectors import get_cluster, get_node
from clusters.views.frame import cluster_page, node_page
from operations.contract import AnyOperation
from operations.groups import Group
from permissions.selectors import choice_of
from permissions.signed_in import person_of
from ui.filtering import Wanted
from ui.framed import hand_to_frame
from ui.listing import ages_of
from ui.tables import show
from virtualmachines.columns import VM_TABLE
from virtualmachines.filters import GROUPS, SHOWN, only_cluster, parse_vm_filter
from virtualmachines.operations import list_bulk
from virtualmachines.selectors import (
    count_all_by_state,
    count_by_group,
    count_there,
    filter_vms,
    list_vms,
    sum_by_group,
    vms_on_node,
)

_ON_BAR = ("start", "shutdown", "reboot", "shutdown-now")


def _count(
    request: HttpRequest, vms: QuerySet[Any], wanted: Wanted, scope: Mapping[str, str] | None
) -> tuple[Mapping[str, int | None], int | None]:
    """How many are in each group of states, whatever state is asked for; kept where it is all of a cluster or more. And
    how many are asked for, None where that is still to be counted."""
    slug, within = only_cluster(wanted), (scope or {}).get("cluster", "")
    states, total = wanted.values_of("status"), None
    counts: Mapping[str, int | None]
    if scope is None or slug is None or (slug and within and slug != within):
        of_any = filter_vms(vms, wanted.without("status"))
        is_group = len(states) == 1 and states[0] in GROUPS
        counts, total = count_by_group(of_any, filter_vms(vms, wanted) if states else None, is_group=is_group)
    else:
        kept = count_all_by_state(person_of(request), slug or within)
        if not slug and not within:
            hand_to_frame(request, machines=count_there(kept))
        counts = sum_by_group(kept)
    if total is None and len(states) < 2:
        total = counts.get(states[0]) if states else counts[""]
    return counts, total


def answer_with_vms(
    request: HttpRequest,
    vms: QuerySet[Any],
    template: str,
    context: Mapping[str, Any],
    scope: Mapping[str, str] | None = None,
    without: tuple[str, ...] = ("cluster",),
) -> HttpResponseBase:
    """A page of `vms` as the URL asks for it, with two queries however long it is; or a file of all that match.

    `scope` is what, added to the filter, finds no others than these among all machines; None if nothing does.
    `without` are columns that would say the same in every row.
    """
    shown = show(request, VM_TABLE, choice_of(person_of(request), VM_TABLE.name), without)
    wanted = parse_vm_filter(request.GET)
    rows = shown.load(filter_vms(vms, wanted))
    file = shown.export(request, rows)
    if file is not None:
        return file
    counts, total = _count(request, vms, wanted, scope)
    listing = shown.page(request, rows, total, keys_first=True)
    groups = [("", _("All"), counts[""]), *((name, GROUPS[name][0], counts[name]) for name in SHOWN)]
    drawn = {
        **shown.as_context(listing, wanted, groups=groups, always=("running", "stopped")),
        "search_text": wanted.text,
        "bulk_operations": [each for each in list_bulk() if each.verb in _ON_BAR],
        "bulk_menu": _bulk_menu(),
        "bulk_filter": None if scope is None else _with_scope(request.GET, scope),
        "nothing_matches": wanted.explain(
            _("None of the machines you may see matches. Leave out a word, or look at all.")
        ),
        **ages_of(listing.page.object_list),
    }
    return render(request, template, {**context, **drawn})


def _bulk_menu() -> list[tuple[Any, list[AnyOperation]]]:
    """What can be done to many at once, behind the buttons for their power: the groups with their headings."""
    others = [each for each in list_bulk() if each.verb not in _ON_BAR]
    found = [(group.label, [each for each in others if each.group is group]) for group in Group]
    return [(label, some) for label, some in found if some]


def _with_scope(given: QueryDict, scope: Mapping[str, str]) -> str:
    changed = given.copy()
    for name, value in scope.items():
        changed.appendlist(name, value)
    return changed.urlencode()


@require_safe
def vm_list(request: HttpRequest) -> HttpResponseBase:
    """The machines of all clusters."""
    return answer_with_vms(request, list_vms(person_of(request)), "virtualmachines/list.html", {}, scope={}, without=())


@require_safe
def cluster_vms(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The machines of one cluster, as far as the person may see them."""
    user = person_of(request)
    cluster = get_cluster(user, slug)
    return answer_with_vms(
        request,
        list_vms(user).filter(cluster=cluster),
        "virtualmachines/cluster_vms.html",
        cluster_page(user, cluster, "vms"),
        scope={"cluster": cluster.slug},
    )


def _on_node(request: HttpRequest, slug: str, name: str, *, is_primary: bool) -> HttpResponseBase:
    user = person_of(request)
    node = get_node(user, slug, name)
    vms = vms_on_node(list_vms(user), node, is_primary=is_primary)
    tab = "primary" if is_primary else "secondary"
    return answer_with_vms(request, vms, "virtualmachines/node_vms.html", {**node_page(user, node, tab), "part": tab})


@require_safe
def node_primary(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    """The machines that run on a node."""
    return _on_node(request, slug, name, is_primary=True)


@require_safe
def node_secondary(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    """The machines whose disks a node mirrors."""
    return _on_node(request, slug, name, is_primary=False)
