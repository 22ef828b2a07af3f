"""The console's page, and the tickets that open it."""

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from clusters.operations.actors import actor_on_web
from clusters.operations.base import Forbidden, Refusal, explain_obstacle
from permissions.policy import Denied, can
from permissions.sessions import mark_of
from permissions.signed_in import person_of
from virtualmachines.operations.console import OpenConsole, open_console
from virtualmachines.selectors import get_vm
from virtualmachines.views.detail import vm_page


def _console_context(request: HttpRequest, slug: str, name: str) -> dict[str, Any]:
    user = person_of(request)
    vm = get_vm(user, slug, name)
    operation = OpenConsole()
    verdict = can(user, operation.needs, vm)
    if isinstance(verdict, Denied):
        raise PermissionDenied(verdict.reason)
    where = [vm.cluster.slug, vm.address]
    obstacle = explain_obstacle(operation, vm) or operation.refusal(vm, operation.params_type())
    return {
        **vm_page(user, vm, "console"),
        "obstacle": obstacle or "",
        "ticket_url": reverse("vm-console-ticket", args=[vm.cluster.slug, vm.lasting_address]),
        "popout_url": reverse("vm-console-popout", args=where),
        "page_url": reverse("vm", args=where),
    }


@never_cache
@require_safe
def vm_console(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """The machine's screen."""
    return render(request, "virtualmachines/console.html", _console_context(request, slug, name))


@never_cache
@require_safe
def vm_console_popout(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """The same in a window of its own."""
    return render(request, "virtualmachines/console_popout.html", _console_context(request, slug, name))


@never_cache
@require_POST
def vm_console_ticket(request: HttpRequest, slug: str, name: str) -> JsonResponse:
    """A ticket for one connection: `url`, `ticket`, `password`; or `error` and `remedy` with 403 or 409."""
    user = person_of(request)
    vm = get_vm(user, slug, name)
    try:
        admission = open_console(actor_on_web(user), vm, session=mark_of(request))
    except Forbidden as forbidden:
        remedy = "Ask whoever administers the machine or its cluster for it."
        return JsonResponse({"error": str(forbidden), "remedy": remedy}, status=403)
    except Refusal as refusal:
        error, _, remedy = str(refusal).partition(". ")
        return JsonResponse({"error": error.rstrip(".") + ".", "remedy": remedy}, status=409)
    return JsonResponse({"url": settings.GWM_CONSOLE_URL, "ticket": admission.ticket, "password": admission.password})
