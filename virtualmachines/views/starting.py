"""What the page of a new machine starts from: nothing, an earlier creation or a check of one, a template, the settings
of a machine or an export; and with all of them what somebody asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from operations.contract import Ask, Forbidden, Refusal
from permissions.signed_in import person_of
from virtualmachines.exports import find_export, list_exports
from virtualmachines.forms.creating import BLANK, with_size
from virtualmachines.forms.pieces.piece import Typed
from virtualmachines.forms.pieces.typed import ON
from virtualmachines.operations.creating import faults_of, untold_of
from virtualmachines.selectors import find_creation, find_vm_called, settings_of
from virtualmachines.spec import BadData, VMSpec, spec_from_data
from virtualmachines.template_selectors import cluster_of_called
from virtualmachines.views.create_page import CREATE, Page
from virtualmachines.views.from_export import ask_what_it_holds, explain_unread, filled_in, is_reading


def show_new(request: HttpRequest) -> HttpResponse:
    """As the URL says: `check` is an entry of the journal, `template` and `like` are called cluster/name, `asked` is
    the number of a request."""
    given = request.GET
    typed = {name: given.get(name, "") for name in ("cluster", "asked", "template")}
    entry = find_creation(person_of(request), given.get("check", ""))
    if typed["template"]:
        return _from_template(request, typed)
    if entry is not None:
        return _from_entry(request, typed, entry)
    if given.get("like"):
        return _from_machine(request, typed, given["like"])
    page = Page(request, typed)
    page.start(BLANK)
    return _show(page)


def _show(page: Page, *, refusal: str = "", **more: Any) -> HttpResponse:
    if page.typed.get("asked") and page.asked is None:
        refusal = refusal or _("There is no open request %s on which you decide.") % page.typed["asked"][:20]
    return page.show(page.form(is_judged=False), refusal=refusal, **more)


def _from_entry(request: HttpRequest, typed: Typed, entry: Any) -> HttpResponse:
    """As it was asked for then."""
    kept = entry.params
    typed |= {
        "cluster": entry.cluster_name or entry.target_name,
        "asked": str(kept.get("asked") or ""),
        "reading": request.GET.get("reading") or str(entry.uuid),
    }
    page = Page(request, typed)
    if is_reading(request):
        return _show_export(page, entry)
    if page.asked is None:  # decided meanwhile: the machine is for nobody's request
        del typed["asked"]
    page.fill(_spec_of(entry))
    page.typed |= {name: str(kept.get(name) or "") for name in ("owner", "notes")}
    page.typed |= {"is_protected": ON} if kept.get("is_protected") else {}
    page.typed |= {name: told for name in ("name", "save_as") if (told := request.GET.get(name, ""))}
    untold = untold_of(kept)
    page.typed |= {path: "\n".join(f"{name}=" for name in names) for path, names in untold.items()}
    form = page.form(is_judged=False)
    is_check = entry.verb != CREATE.key
    form.put_errors(dict.fromkeys(untold, _("Type these once more: what was typed is not shown.")))
    is_told = entry.outcome in ("failed", "refused") and (form.names(entry.message) or not is_check)
    if is_told:
        form.put_refusal(entry.message)
    answer = page.show(form, check=entry if is_check else None, is_check_told=is_told)
    if is_told and "HX-Request" in request.headers:  # the answer to a check was waited for: all of the form has it
        answer["HX-Retarget"] = answer["HX-Reselect"] = "#create"
    return answer


def _from_machine(request: HttpRequest, typed: Typed, like: str) -> HttpResponse:
    user = person_of(request)
    vm = find_vm_called(user, like)
    settings = settings_of(user, vm) if vm is not None else None
    if vm is not None:
        typed["cluster"] = typed["cluster"] or vm.cluster.slug
    page = Page(request, typed)
    if vm is None or settings is None:
        page.start(BLANK)
        unread = _("What is kept of %s can't be read. Try again when it has been updated.")
        words = unread if vm is not None else _("There is no machine %s that you may see.")
        return _show(page, refusal=words % like)
    spec, left_out = settings
    page.start(with_size(spec, vm.beparams))
    return _show(page, like=like, left_out=left_out)


def _from_template(request: HttpRequest, typed: Typed) -> HttpResponse:
    """Filled in as a template says, and what of it can't be had on this cluster said at its field."""
    typed["cluster"] = typed["cluster"] or cluster_of_called(typed["template"])
    page = Page(request, typed)
    if not page.kept.name:
        page.start(BLANK)
        words = _("There is no template %s that you may see, or what it says can't be read.") % typed["template"]
        return _show(page, refusal=words)
    page.start(page.kept.spec)
    page.typed |= page.kept.typed
    form = page.form(is_judged=False)
    left_out: Sequence[str] = page.kept.find_left_out(form.params().spec)
    faults = faults_of(Ask(page.actor, page.cluster, form.params()), page.facts, page.held)
    still_asked = {"name", "owner"} if page.kept.spec.os else {"name", "owner", "os"}
    form.put_errors({path: words for path, words in faults.items() if path not in still_asked})
    return page.show(form, left_out=left_out)


def ask_of_export(request: HttpRequest, called: str, asked: str) -> HttpResponse:
    """Have Ganeti read an export, from the list of those that the person may use; for a request, perhaps."""
    export = find_export(list_exports(person_of(request)), called)
    typed = {"cluster": export.cluster if export is not None else "", "asked": asked}
    page = Page(request, typed, tries=True)
    try:
        if export is not None:
            number = page.asked.number if page.asked is not None else ""
            return ask_what_it_holds(page.actor, page.cluster, page.facts, export, number)
        refusal = _("There is no export %s of which you may make a machine.") % called
    except Forbidden as forbidden:
        raise PermissionDenied(str(forbidden)) from forbidden
    except Refusal as refused:
        refusal = str(refused)
    page.start(BLANK)
    return page.show(page.form(is_judged=False), refusal=refusal, status=409)


def _show_export(page: Page, entry: Any) -> HttpResponse:
    """What Ganeti told of an export is filled in; while it is asked, the page waits for that alone."""
    asked = _spec_of(entry)
    if entry.is_open:
        context = {"check_url": page.request.get_full_path(), "called": asked.source and asked.source.path}
        return render(page.request, "virtualmachines/create_reading.html", context)
    page.start(filled_in(asked, page.told, page.cluster.pk))
    return page.show(page.form(is_judged=False), refusal=explain_unread(entry) if page.told is None else "")


def _spec_of(entry: Any) -> VMSpec:
    """The machine that was asked for; one that this release can't read any more is a new one."""
    try:
        return spec_from_data(entry.params.get("spec"))
    except BadData:
        return BLANK
