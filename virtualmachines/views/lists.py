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
from ui.listing import ages_of, list_page
from virtualmachines.filters import GROUPS, MACHINES, SHOWN, VMFilter
from virtualmachines.operations import list_bulk
from virtualmachines.selectors import COLUMNS, count_by_group, filter_vms, list_vms, rows_of, vms_on_node

HYPERVISORS = ("kvm", "xen-pvm", "xen-hvm", "lxc", "chroot", "fake")


def vms_context(request: HttpRequest, vms: QuerySet[Any], scope: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A list of `vms` as the address asks for it; two queries however long it is.

    `scope` is what, added to the filter, finds no others than these among all machines; None if nothing does.
    """
    wanted = VMFilter.parse(request.GET.dict())
    counts = count_by_group(filter_vms(vms, wanted.without_status()))
    rows = filter_vms(rows_of(vms), wanted)
    # None where the numbers beside the states do not tell it: it is counted, then.
    total = counts.get(wanted.status) if len(wanted.states) == 1 else None if wanted.states else counts[""]
    listing = list_page(request, rows, COLUMNS, "name", total=total)
    return {
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


@require_safe
def vm_list(request: HttpRequest) -> HttpResponse:
    """The machines of all clusters."""
    context = vms_context(request, list_vms(person_of(request)), {})
    return render(request, "virtualmachines/list.html", {**context, "shows_cluster": True})


@require_safe
def cluster_vms(request: HttpRequest, slug: str) -> HttpResponse:
    """The machines of one cluster, as far as the person may see them."""
    user = person_of(request)
    cluster = get_cluster(user, slug)
    context = vms_context(request, list_vms(user).filter(cluster=cluster), {"cluster": cluster.slug})
    return render(request, "virtualmachines/cluster_vms.html", {**cluster_page(user, cluster, "vms"), **context})


def _on_node(request: HttpRequest, slug: str, name: str, *, is_primary: bool) -> HttpResponse:
    user = person_of(request)
    node = get_node(user, slug, name)
    context = vms_context(request, vms_on_node(list_vms(user), node, is_primary=is_primary))
    tab = "primary" if is_primary else "secondary"
    return render(request, "virtualmachines/node_vms.html", {**node_page(user, node, tab), **context, "part": tab})


@require_safe
def node_primary(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """The machines that run on a node."""
    return _on_node(request, slug, name, is_primary=True)


@require_safe
def node_secondary(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """The machines whose disks a node mirrors."""
    return _on_node(request, slug, name, is_primary=False)
