"""The console's page, and the tickets that open it."""

import json
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from operations.actors import actor_of
from operations.contract import Forbidden, Refusal
from operations.offers import find_obstacle
from permissions.policy import Denied, can
from permissions.sessions import mark_of
from permissions.signed_in import person_of
from virtualmachines.operations.console import OpenConsole, explain_coming_up, open_console
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
    page = vm_page(user, vm, "console")
    reason = find_obstacle(operation, vm) or ""
    # What is about to run needs nobody: the page asks for tickets until there is one.
    obstacle, remedy = ("", "") if explain_coming_up(vm) and not vm.is_running else _split(reason)
    start = _start_of(page) if obstacle and vm.stands_still else None
    return {
        **page,
        "obstacle": obstacle,
        "remedy": remedy,
        "start": start,
        "start_json": json.dumps(start),
        "start_url": reverse("vm-do", args=[*where, "start"]),
        "ticket_url": reverse("vm-console-ticket", args=[vm.cluster.slug, vm.lasting_address]),
        "popout_url": reverse("vm-console-popout", args=where),
        "page_url": reverse("vm", args=where),
    }


def _split(reason: str) -> tuple[str, str]:
    """A reason's first sentence, which says what is wrong, and the rest, which says what helps."""
    error, _stop, remedy = reason.partition(". ")
    return (f"{error.rstrip('.')}." if error else ""), remedy


def _start_of(page: dict[str, Any]) -> dict[str, Any]:
    """Whether this person may start the machine now, and why not."""
    button = next(each for each in [*page["buttons"], *page["more_power"]] if each.name == "start")
    return {"allowed": button.allowed, "reason": str(button.reason)}


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
    """A ticket for one connection: `url`, `ticket`, `password`; or `error` and `remedy` with 403 or 409.

    Of a stopped machine the answer says in `start` whether it may be started: {allowed, reason}.
    """
    user = person_of(request)
    vm = get_vm(user, slug, name)
    try:
        admission = open_console(actor_of(request), vm, session=mark_of(request))
    except Forbidden as forbidden:
        remedy = _("Ask whoever administers the machine or its cluster for it.")
        return JsonResponse({"error": str(forbidden), "remedy": remedy}, status=403)
    except Refusal as refusal:
        error, remedy = _split(str(refusal))
        stopped = vm.stands_still and not explain_coming_up(vm)
        start = _start_of(vm_page(user, vm, "console")) if stopped else None
        return JsonResponse({"error": error, "remedy": remedy, "start": start}, status=409)
    return JsonResponse({"url": settings.GWM_CONSOLE_URL, "ticket": admission.ticket, "password": admission.password})
