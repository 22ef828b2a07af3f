"""Who holds what on a cluster, a machine or a template, by which way, and where it is changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from clusters.selectors import get_cluster
from clusters.views.frame import cluster_page
from permissions.kinds import kind_of
from permissions.policy import Holding, access_of, find_holdings, list_people
from permissions.signed_in import person_of
from virtualmachines.selectors import get_vm
from virtualmachines.template_selectors import get_template, place_of_template
from virtualmachines.views.detail import vm_page
from virtualmachines.views.templates import template_page

# So many names are told; of more, how many.
MOST_PEOPLE = 30


@dataclass(frozen=True)
class Row:
    """A line of the table: who, what, by which way, and what can be done about it here.

    `ends`: right and moment; one for all has no name.
    """

    held: Holding
    verbs: Sequence[str]
    ends: Sequence[tuple[str, datetime]]
    is_here: bool
    change: str = ""
    revoke: str = ""


@require_safe
def cluster_rights(request: HttpRequest, slug: str) -> HttpResponse:
    """Who may do what on a cluster."""
    user = person_of(request)
    cluster = get_cluster(user, slug)
    door = ("cluster-do", [slug])
    return rights_of(request, cluster, "people/cluster_rights.html", cluster_page(user, cluster, "rights"), door)


@require_safe
def vm_rights(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Who may do what to a machine."""
    user = person_of(request)
    vm = get_vm(user, slug, name, to_show=True)
    door = ("vm-do", [slug, vm.lasting_address])
    return rights_of(request, vm, "people/vm_rights.html", vm_page(user, vm, "rights"), door)


@require_safe
def template_rights(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Who may use a template, or change it."""
    user = person_of(request)
    template = get_template(user, slug, name)
    page = template_page(user, template, "rights")
    door = ("template-do", list(place_of_template(template)))
    return rights_of(request, template, "people/template_rights.html", page, door)


def rights_of(
    request: HttpRequest, obj: Any, template: str, page: dict[str, Any], door: tuple[str, list[Any]]
) -> HttpResponse:
    """The rights on an object, for who audits it; behind `door` (URL name, arguments) they are changed by who has
    `admin` on it."""
    access, may_change = access_of(type(obj)), "admin" in page["held"]
    if "audit" not in page["held"]:
        raise PermissionDenied(access.refuse("admin"))
    back = request.get_full_path()

    def link(verb: str, **filled: str) -> str:
        return f"{reverse(door[0], args=[*door[1], verb])}?{urlencode({**filled, 'next': back})}"

    holdings = find_holdings(obj)
    verb = request.GET.get("verb", "")
    verb = verb if verb in access.verbs else ""
    people = list_people(holdings, verb) if verb else []
    shown = [each for each in holdings if not verb or verb in each.gives]
    context = {
        **page,
        "rows": [_row(each, obj, link if may_change else None) for each in shown],
        "grant": link("grant") if may_change else "",
        "grant_role": link("grant-role") if may_change else "",
        "verb": verb,
        "verbs": access.verbs.items(),
        "people": people[:MOST_PEOPLE],
        "more_people": len(people) - MOST_PEOPLE,
        "noun": access.noun,
        "explain": f"{reverse('explain')}?{urlencode({'kind': kind_of(obj).name, 'on': '/'.join(door[1])})}",
    }
    return render(request, template, context)


def _row(held: Holding, obj: Model, link: Any) -> Row:
    """What was granted on something else is changed there; without `link` nothing is."""
    is_here = held.on is obj
    verbs, ends = sorted(held.verbs), held.ends
    if not is_here or link is None:
        return Row(held, verbs, ends, is_here)
    if held.role is None:
        return Row(held, verbs, ends, is_here, link("set-rights", who=held.name), link("revoke", who=held.name))
    return Row(held, verbs, ends, is_here, "", link("revoke-role", **typed_for(held)))


def typed_for(held: Holding) -> dict[str, str]:
    """What the form is filled in with in which a role is taken back."""
    return {"who": held.name, "role": str(held.role), **held.narrowed}
