"""The page on which a machine is created, and its live part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.http import require_POST

from operations.contract import Ask, Forbidden, Invalid, Refusal
from operations.pipeline import run
from ui.places import page_of
from virtualmachines.asked import is_being_made
from virtualmachines.forms.creating import MachineForm
from virtualmachines.forms.pieces import with_part, without_part
from virtualmachines.forms.pieces.piece import Typed, numbers_of
from virtualmachines.operations.creating import CreateParams
from virtualmachines.operations.several import called, list_names, plan_creations
from virtualmachines.rules.exports import judge_disks_of_export
from virtualmachines.rules.patterns import is_pattern
from virtualmachines.views.create_page import CREATE, Page
from virtualmachines.views.starting import ask_of_export, show_new
from virtualmachines.views.using import judge_beside, saving_beside, say_saved, template_beside

# What a part has by which it is there: its button adds that field. Buttons are not called add and remove: a form has
# methods of these names, which scripts call.
_FIRST_FIELDS = {"disks": "size_mib", "nics": "mac"}
_FIGURES = ("beparams.vcpus", "beparams.maxmem", "beparams.minmem")


class CreateMachine(View):
    """The form; what its buttons do besides sending it shows it again with everything that was typed."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Empty, or filled in."""
        return show_new(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Create it, ask Ganeti whether it would, or change the form."""
        typed = {name: str(value) for name, value in request.POST.items()}
        if "export" in typed:
            return ask_of_export(request, typed["export"], typed.get("asked", ""))
        page = Page(request, typed, tries=not _only_draws(typed))
        if added := _FIRST_FIELDS.get(typed.get("more", "")):
            page.typed = with_part(typed["more"], added, typed)
            return page.show(page.form(is_judged=False), typed["more"])
        if "less" in typed:
            page.typed = without_part(typed["less"], typed)
            return page.show(page.form(is_judged=False), typed["less"].partition(".")[0])
        if typed.get("renew") == "size":  # the figures of the size that was chosen now, not those from before
            first = next((f"disks.{number}.size_mib" for number in numbers_of("disks", typed)), "")
            page.typed = {path: text for path, text in page.typed.items() if path not in (*_FIGURES, first)}
            page.typed |= {first: ""} if first else {}
        if "renew" in typed:
            return page.show(page.form(is_judged=False), typed["renew"])
        form = page.form(is_judged=True)
        if form.is_valid() and "show" in typed:
            return _rehearse(page, form)
        if form.is_valid():
            return _send(page, form, is_check="check" in typed)
        form.put_errors({path: words for path, words in page.faults(form.params()).items() if path not in form.errors})
        return page.show(form, status=422)


def _only_draws(typed: Typed) -> bool:
    """Whether a button was pressed that shows the form again, and asks for no machine."""
    return typed.get("more") in _FIRST_FIELDS or not {"less", "renew", "show"}.isdisjoint(typed)


def _rehearse(page: Page, form: MachineForm) -> HttpResponse:
    """The command and the call that would be sent, of several those of the first; nothing is."""
    ask = Ask(page.actor, page.cluster, _first(page, form))
    try:
        CREATE.check(ask)
    except Invalid as invalid:
        form.put_errors(invalid.errors)
        page.say_over(invalid)
        return page.show(form, status=422)
    return page.show(form, shown=CREATE.rehearse(ask))


def _params(page: Page, form: MachineForm) -> CreateParams:
    """What is asked for, and for whose request."""
    return replace(form.params(), asked=page.asked.number if page.asked is not None else "")


def _first(page: Page, form: MachineForm) -> CreateParams:
    """The same; of several the first."""
    params = _params(page, form)
    names = list_names(params.spec.name)
    return called(params, names[0]) if names else params


def _send(page: Page, form: MachineForm, *, is_check: bool) -> HttpResponse:
    """Through the pipeline. What is refused comes back with everything that was typed, at the field it concerns."""
    name = form.params().spec.name
    if page.typed.get("asked") and page.asked is None:
        refusal = _("Request %s is decided already, or not yours to decide.") % page.typed["asked"][:20]
        return page.show(form, refusal=refusal, status=409)
    wanted = template_beside(form) if form.cleaned_data.get("save_as") else None
    if faults := dict(judge_disks_of_export(form.params().spec, page.told)):
        form.put_errors(faults)
        return page.show(form, status=422)
    try:
        if wanted is not None:
            judge_beside(page.actor, wanted)
        save = saving_beside(page.actor, wanted) if wanted is not None and not is_check else None
        if is_pattern(name) and not is_check:
            answer = _plan(page, form, save)
            say_saved(page.request, wanted)
            return answer
        entry = run(CREATE, Ask(page.actor, page.cluster, _first(page, form), dry_run=is_check), beside=save)
    except Forbidden as forbidden:
        raise PermissionDenied(str(forbidden)) from forbidden
    except Invalid as invalid:
        form.put_errors(invalid.errors)
        page.say_over(invalid)
        return page.show(form, status=422)
    except Refusal as refusal:
        return page.show(form, refusal=str(refusal), status=409)
    if entry.outcome == "refused":
        if wanted is not None and not is_check:  # it is there, and would be in its own way the next time
            say_saved(page.request, wanted)
            page.typed["save_as"] = ""
            form = page.form(is_judged=True)
        form.put_refusal(entry.message)
        return page.show(form, status=409)
    if is_check:
        asked = {"check": str(entry.uuid), **({"name": name} if is_pattern(name) else {})}
        asked |= {"save_as": form.cleaned_data["save_as"]} if wanted is not None else {}
        asked |= {"reading": page.typed["reading"]} if page.told is not None else {}
        return redirect(f"{reverse('vms-create')}?{urlencode(asked)}")
    say_saved(page.request, wanted)
    return redirect(page_of("vm", page.cluster.slug, entry.target_name))


def _plan(page: Page, form: MachineForm, save: Callable[[Any], None] | None) -> HttpResponse:
    """Several: their plan asks before any is made. Raises Invalid, and Refusal."""
    if page.obstacle:
        raise Refusal(page.obstacle)
    if page.asked is not None and is_being_made(page.asked.number):
        raise Refusal(_("A machine is being created for request %s already.") % page.asked.number)
    params = _params(page, form)
    batch = plan_creations(CREATE, page.actor, page.cluster, params, save, facts=page.facts, held=page.held)
    return redirect("batch", uuid=batch.uuid)


@require_POST
def create_live(request: HttpRequest) -> HttpResponse:
    """The live part: quotas, room, and what of that which was typed can't be."""
    page = Page(request, {name: str(value) for name, value in request.POST.items()})
    form = page.form(is_judged=False)
    return render(request, "virtualmachines/_create_live.html", {**page.outlook(form), "sections": form.sections()})
