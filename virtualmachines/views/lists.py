"""Lists of machines: all, those of a cluster, those of a node."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clusters.selectors import get_cluster, get_node
from clusters.views.frame import cluster_page, node_page
from permissions.signed_in import person_of
from ui.exporting import Cells, export
from ui.listing import ages_of, list_page, order_rows, read_sort
from virtualmachines.filters import GROUPS, MACHINES, SHOWN, VMFilter
from virtualmachines.operations import list_bulk
from virtualmachines.selectors import COLUMNS, count_by_group, filter_vms, list_vms, rows_of, vms_on_node

HYPERVISORS = ("kvm", "xen-pvm", "xen-hvm", "lxc", "chroot", "fake")


CELLS: Cells = {
    "name": lambda vm: vm.name,
    "cluster": lambda vm: vm.cluster.slug,
    "status": lambda vm: vm.status,
    "missing_since": lambda vm: vm.missing_since,
    "owner": lambda vm: vm.owner.name if vm.owner is not None else None,
    "addresses": lambda vm: [nic["ip"] for nic in vm.nics if isinstance(nic, dict) and nic.get("ip")],
    "primary_node": lambda vm: vm.primary_node.name if vm.primary_node is not None else None,
    "os": lambda vm: vm.os,
    "hypervisor": lambda vm: vm.hypervisor,
    "vcpus": lambda vm: vm.vcpus,
    "memory_mib": lambda vm: vm.memory_mib,
    "disk_mib": lambda vm: vm.disk_mib,
    "tags": lambda vm: vm.tags,
    "uuid": lambda vm: vm.uuid,
}


def _answer(
    request: HttpRequest,
    vms: QuerySet[Any],
    template: str,
    context: Mapping[str, Any],
    scope: Mapping[str, str] | None = None,
) -> HttpResponse:
    """A page of `vms` as the address asks for it, with two queries however long it is; or a file of all that match.

    `scope` is what, added to the filter, finds no others than these among all machines; None if nothing does.
    """
    wanted = VMFilter.parse(request.GET.dict())
    rows = filter_vms(rows_of(vms), wanted)
    file = export(request, "machines", order_rows(rows, COLUMNS, read_sort(request, COLUMNS, "name")), CELLS)
    if file is not None:
        return file
    counts = count_by_group(filter_vms(vms, wanted.without_status()))
    # None where the numbers beside the states do not tell it: it is counted, then.
    total = counts.get(wanted.status) if len(wanted.states) == 1 else None if wanted.states else counts[""]
    listing = list_page(request, rows, COLUMNS, "name", total=total)
    shown = {
        **listing.as_context(),
        "wanted": wanted,
        "search_text": wanted.text,
        "bulk_operations": list_bulk(),
        "bulk_filter": None if scope is None else urlencode({**request.GET.dict(), **scope}),
        "groups": [("", _("All"), counts[""]), *((name, GROUPS[name][0], counts[name]) for name in SHOWN)],
        "group": wanted.status,
        "chosen": {key: value for key, value in wanted.chosen if key != "status"},
        "hypervisors": HYPERVISORS,
        "is_filtered": not wanted.is_empty,
        "filter_help": MACHINES.help(),
        "nothing_matches": wanted.asked.explain(
            MACHINES, _("None of the machines you may see matches. Leave out a word, or look at all.")
        ),
        **ages_of(listing.page.object_list),
    }
    return render(request, template, {**context, **shown})


@require_safe
def vm_list(request: HttpRequest) -> HttpResponse:
    """The machines of all clusters."""
    return _answer(
        request, list_vms(person_of(request)), "virtualmachines/list.html", {"shows_cluster": True}, scope={}
    )


@require_safe
def cluster_vms(request: HttpRequest, slug: str) -> HttpResponse:
    """The machines of one cluster, as far as the person may see them."""
    user = person_of(request)
    cluster = get_cluster(user, slug)
    return _answer(
        request,
        list_vms(user).filter(cluster=cluster),
        "virtualmachines/cluster_vms.html",
        cluster_page(user, cluster, "vms"),
        scope={"cluster": cluster.slug},
    )


def _on_node(request: HttpRequest, slug: str, name: str, *, is_primary: bool) -> HttpResponse:
    user = person_of(request)
    node = get_node(user, slug, name)
    vms = vms_on_node(list_vms(user), node, is_primary=is_primary)
    tab = "primary" if is_primary else "secondary"
    return _answer(request, vms, "virtualmachines/node_vms.html", {**node_page(user, node, tab), "part": tab})


@require_safe
def node_primary(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """The machines that run on a node."""
    return _on_node(request, slug, name, is_primary=True)


@require_safe
def node_secondary(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """The machines whose disks a node mirrors."""
    return _on_node(request, slug, name, is_primary=False)
