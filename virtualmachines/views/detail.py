"""One machine: overview, parameters, jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clusters.described import page_for
from clusters.selectors import jobs_about, list_job_rows, read_work_on
from clusters.views.buttons import Button, button_of, menu_of, put_first
from clusters.views.jobs import answer_with_jobs, log_lines
from clusters.views.stored import moment_of
from operations.again import again_url
from operations.groups import Group
from operations.offers import list_offers
from permissions.policy import can, verbs_on
from permissions.signed_in import person_of
from ui.places import tabs_of, url_of
from virtualmachines.elsewhere import list_elsewhere
from virtualmachines.operations import VM_OPERATIONS
from virtualmachines.operations.console import OpenConsole
from virtualmachines.operations.power import ApplySettings
from virtualmachines.parameters import describe_parameters, describe_waiting
from virtualmachines.selectors import creation_of_vm, get_vm

if TYPE_CHECKING:
    from permissions.models import User


def vm_page(user: User, vm: Any, current: str) -> dict[str, Any]:
    """State, buttons and tabs of a machine's page."""
    where = [vm.cluster.slug, vm.address]
    held = verbs_on(user, vm)
    buttons = _buttons(user, vm, held)
    first, more = put_first(buttons, _first_buttons(vm))
    return {
        "vm": vm,
        "cluster": vm.cluster,
        "held": held,
        "buttons": first,
        "creation": creation_of_vm(vm),
        "menu": menu_of(more),
        "more_power": [button for button in more if button.group is Group.POWER],
        "tabs": tabs_of("vm", where, current, held),
        "current_tab": current,
    }


def _buttons(user: User, vm: Any, held: frozenset[str]) -> list[Button]:
    """What can be done to a machine by `user`, who holds these verbs on it."""
    main = "console" if vm.is_running else "start"
    buttons = []
    now, lasting = [vm.cluster.slug, vm.address], [vm.cluster.slug, vm.lasting_address]
    for offer in list_offers(vm, VM_OPERATIONS, held):
        name, is_page = offer.operation.verb, offer.operation.has_own_page
        url = url_of("vm", now, f"vm-{name}") if is_page else url_of("vm", lasting, "vm-do", name)
        buttons.append(button_of(offer, url, style="primary" if name == main else "", is_page=is_page))
    if vm.uuid and not vm.is_missing:
        like = urlencode({"like": f"{vm.cluster.slug}/{vm.name}"})
        if can(user, "create_vm", vm.cluster):
            url = f"{reverse('vms-create')}?{like}"
            buttons.append(Button("create-like", _("Create one like it"), url, "plus", True, is_page=True))
        url = f"{reverse('template-create')}?{like}"
        buttons.append(Button("save-as-template", _("Save as template"), url, "template", True, is_page=True))
    for each in list_elsewhere(vm, held):
        buttons.append(Button(each.name, str(each.label), "", each.icon, False, each.reason_for(vm), group=each.group))
    return buttons


def _first_buttons(vm: Any) -> list[str]:
    """What stands on the page; the rest is in the menu."""
    if vm.is_missing:
        return ["discard" if vm.was_never_made else "forget"]
    return ["console", "modify", "shutdown", "reboot"] if vm.is_running else ["start", "console", "modify"]


def work_on(user: User, vm: Any) -> dict[str, Any]:
    """The jobs under way on a machine with their logs, or the last one for as long as its end is news."""
    jobs = read_work_on(user, "instance", vm.pk)
    place = (vm.cluster.slug, vm.lasting_address)
    return {
        "work": [
            {"job": job, "lines": log_lines(job)[-200:], "again_url": _again(user, vm, job, place)} for job in jobs
        ]
    }


def _again(user: User, vm: Any, job: Any, place: tuple[str, str]) -> str:
    """Where the form of what failed is filled in once more, for who asked for it; the page itself says it of what was
    never made."""
    if vm.was_never_made or job.entry is None or not job.is_final:
        return ""
    return again_url(user, job.entry, place)


@require_safe
def vm_overview(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """What the machine is and what it has."""
    user = person_of(request)
    vm = get_vm(user, slug, name, to_show=True)
    page = vm_page(user, vm, "overview")
    in_menu = [button for section in page["menu"] for button in section.buttons]
    context = {
        **page,
        **work_on(user, vm),
        "restart": next((button for button in in_menu if button.name == ApplySettings.verb), None),
        "screen": _screen_button(page["buttons"]) if OpenConsole.needs in page["held"] else None,
        "restart_waits": describe_waiting(vm, sees_host=_runs_cluster(user, vm, page["held"])),
        "created": moment_of(vm.ctime),
        "modified": moment_of(vm.mtime),
        "auto_balance": vm.beparams.get("auto_balance"),
        "vnc_address": _vnc_address(vm) if _runs_cluster(user, vm, page["held"]) else "",
    }
    return render(request, "virtualmachines/overview.html", context)


def _screen_button(buttons: list[Button]) -> Button | None:
    """The console's button: whether there is a screen to show, why not, and where."""
    return next((each for each in buttons if each.name == OpenConsole.verb), None)


def _runs_cluster(user: User, vm: Any, held: Any) -> bool:
    """Whether they administer its cluster. Only a right on that gives `migrate`: who lacks it need not be asked for."""
    return "migrate" in held and bool(can(user, "admin", vm.cluster))


def _vnc_address(vm: Any) -> str:
    """Node and port of the VNC server, for those who administer the cluster."""
    if vm.network_port is None or vm.primary_node is None or not vm.is_running:
        return ""
    return f"{vm.primary_node.name}:{vm.network_port}"


@require_safe
def vm_actions(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Everything that can be done to it: what the menu of its row in a list shows."""
    user = person_of(request)
    vm = get_vm(user, slug, name, to_show=True)
    buttons = _buttons(user, vm, verbs_on(user, vm))
    return render(request, "virtualmachines/actions.html", {"vm": vm, "cluster": vm.cluster, "menu": menu_of(buttons)})


@require_safe
def vm_parameters(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Every hypervisor and backend parameter, and which of them differ from the cluster's defaults."""
    user = person_of(request)
    vm = get_vm(user, slug, name, to_show=True)
    page = vm_page(user, vm, "parameters")
    shown = page_for(describe_parameters(vm), _runs_cluster(user, vm, page["held"]))
    return render(request, "virtualmachines/parameters.html", {**page, "shown": shown})


@require_safe
def vm_jobs(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    """The jobs that worked on the machine."""
    user = person_of(request)
    vm = get_vm(user, slug, name, to_show=True)
    jobs = jobs_about(list_job_rows(user), "instance", vm.pk)
    return answer_with_jobs(request, jobs, "virtualmachines/jobs.html", vm_page(user, vm, "jobs"), ("cluster",))
