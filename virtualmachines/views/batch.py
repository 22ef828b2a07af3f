"""From machines that were ticked in a list, or all that match its filter, to the plan of a batch."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from operations.actors import actor_of
from operations.contract import AnyOperation
from operations.planning import plan
from permissions.signed_in import person_of
from virtualmachines.filters import parse_vm_filter
from virtualmachines.operations import list_bulk
from virtualmachines.selectors import filter_vms, list_vms

MOST = 2000
_MOST_DIGITS = 18
_LONGEST_FILTER = 2000


@require_POST
def vms_batch(request: HttpRequest) -> HttpResponse:
    """Plan an operation on the selected machines; the plan asks before anything is done."""
    return plan_chosen(request, list_vms(person_of(request)), list_bulk(), reverse("vms"))


def plan_chosen(
    request: HttpRequest, vms: QuerySet[Any], operations: Sequence[AnyOperation], back: str
) -> HttpResponse:
    """The plan of one of these operations on those of `vms` that were selected on the page at `back`."""
    if len(request.POST.get("filter", "")) > _LONGEST_FILTER:  # cut, it would match other machines
        messages.warning(request, _("This filter is too long. Make it shorter."))
        return redirect(back)
    chosen = _find_chosen(request, vms)
    number = chosen.count()
    if not number:
        messages.warning(request, _("Select machines first."))
        return redirect(back)
    if number > MOST:
        words = _("These are %(number)d machines, and a batch takes %(most)d at most. Narrow the filter.")
        messages.warning(request, words % {"number": number, "most": MOST})
        return redirect(back)
    operation = next((each for each in operations if each.verb == request.POST.get("verb")), None)
    if operation is None:
        raise Http404(_("There is no such operation."))
    batch = plan(operation, actor_of(request), chosen, {})
    return redirect("batch", uuid=batch.uuid)


def _find_chosen(request: HttpRequest, vms: QuerySet[Any]) -> QuerySet[Any]:
    """Of what the person may see."""
    if request.POST.get("all"):
        wanted = QueryDict(request.POST.get("filter", ""))
        return filter_vms(vms, parse_vm_filter(wanted))
    ticked = [value for value in request.POST.getlist("vm") if value.isascii() and value.isdigit()]
    return vms.filter(pk__in=[int(value) for value in ticked if len(value) <= _MOST_DIGITS])
