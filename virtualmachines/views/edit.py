"""Change a machine: the form, and the page that says what would be other than before."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from objectlog.changes import as_rows
from operations.actors import actor_of
from operations.contract import Ask, Forbidden, Invalid, OverQuota, Refusal
from operations.forms import params_from
from operations.offers import find_obstacle
from operations.pipeline import run
from operations.planning import Step, begin_batch, plan_steps
from operations.selectors import find_check
from operations.table import OPERATIONS
from operations.views.denying import refuse
from permissions.policy import Denied, can
from permissions.signed_in import person_of
from virtualmachines.forms.editing import PRIVATE, EditForm, Typed, follow, merge, seal, unseal
from virtualmachines.forms.modifying import seal_private
from virtualmachines.forms.pieces import SpecForm, with_part, without_part
from virtualmachines.operations.creating import untold_of
from virtualmachines.operations.modifying import spec_of, version_of
from virtualmachines.rules import Facts
from virtualmachines.selectors import find_change, get_vm
from virtualmachines.spec.data import BadData, as_data, from_data
from virtualmachines.spec.edits import Edit, edit_between
from virtualmachines.views.detail import vm_page

# So many changes that wait for their confirmation are kept for a person.
_MOST_DRAFTS = 5
_DRAFTS = "edits"
# The first field of a part that is added.
_FIRST = {"disks": "size_mib", "nics": "mac"}


@dataclass
class _Desk:
    """Who changes which machine, and the form for it."""

    request: HttpRequest
    vm: Any
    actor: Any
    edit: EditForm

    @property
    def operation(self) -> Any:
        """The one that all of this leads to."""
        return OPERATIONS["vm.modify"]

    def ask(self, data: Mapping[str, Any], *, dry_run: bool = False) -> Ask[Any, Any]:
        """Raises Invalid."""
        return Ask(self.actor, self.vm, params_from(self.operation, self.actor, self.vm, data), dry_run)


def _find(request: HttpRequest, slug: str, name: str) -> _Desk | HttpResponse:
    """Or back to the machine's page, which says what is wrong with its record."""
    user = person_of(request)
    vm = get_vm(user, slug, name)
    verdict = can(user, "modify", vm)
    if isinstance(verdict, Denied):
        refuse(request, OPERATIONS["vm.modify"], vm, verdict.reason)
    try:
        spec = spec_of(vm)
    except Refusal as refusal:
        messages.warning(request, str(refusal))
        return redirect("vm", slug, vm.address)
    edit = EditForm(spec, Facts.of(vm.cluster), is_admin=bool(can(user, "admin", vm.cluster)))
    return _Desk(request, vm, actor_of(request), edit)


@require_http_methods(["GET", "HEAD", "POST"])
def vm_edit(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """The form: filled in with the machine as it is, or with what was typed."""
    desk = _find(request, slug, name)
    if isinstance(desk, HttpResponse):
        return desk
    now, version = desk.edit.typed(), version_of(desk.edit.spec)
    if request.method != "POST":
        draft = _drafts(request).get(request.GET.get("draft", ""))
        earlier = find_change(desk.actor.user, desk.vm, request.GET.get("again", ""))
        is_kept = draft is not None and draft["vm"] == desk.vm.pk and "typed" in draft
        typed = draft["typed"] if draft is not None and is_kept else _asked_in(desk, earlier) or now
        form = desk.edit.form(typed, is_judged=False)
        if earlier is not None and earlier.message and not earlier.is_open:
            form.put_refusal(earlier.message)
        kept = draft["data"] if draft is not None and is_kept else earlier.params if earlier is not None else {}
        _ask_again(form, is_lost=bool(kept.get("private") or untold_of(kept)))
        next(iter(form.fields.values())).widget.attrs["autofocus"] = True
        return _show(desk, form, seal(version, now), hotplug=bool(kept.get("hotplug")))
    sealed = request.POST.get("opened", "")
    typed = {path: text for path, text in request.POST.items() if "." in path or path in ("os", "osparams", PRIVATE)}
    for button, of in (("add", _FIRST), ("remove", None)):
        if which := request.POST.get(button, ""):
            if of is not None:
                typed = with_part(which, of[which], typed) if which in of else typed
            else:
                typed = without_part(which, typed)
            return _show(desk, _typed_again(desk.edit.form(typed, is_judged=False)), sealed)
    if "renew" in request.POST:
        return _show(desk, _typed_again(desk.edit.form(typed, is_judged=False)), sealed)
    opened_version, opened = unseal(sealed)
    if opened_version != version:
        typed, changed = merge(opened, typed, now)
        form = _typed_again(desk.edit.form(typed, is_judged=False))
        since = [_since(form, path, opened, now) for path in changed]
        return _show(desk, form, seal(version, now), since=since, status=409)
    return _review(desk, follow(opened, typed), sealed, version)


def _asked_in(desk: _Desk, entry: Any) -> Typed:
    """What was asked for in an earlier change, over what is in force; nothing if that can't be."""
    try:
        wanted = from_data(Edit, entry.params.get("wanted")) if entry is not None else None
        return desk.edit.typed(wanted.apply(desk.edit.spec)) if wanted is not None else {}
    except BadData:
        return {}


def _review(desk: _Desk, typed: Typed, sealed: str, version: str) -> HttpResponse:
    """Judge what was typed; if it will do, it is kept as a draft, and its page says what it means."""
    form, over_quota_on = desk.edit.form(typed, is_judged=True), ""
    try:
        if not form.errors:
            wanted = edit_between(desk.edit.spec, form.spec(desk.edit.spec))
            data = {"wanted": as_data(replace(wanted, osparams_private={})), "opened": version}
            if desk.request.POST.get("hotplug"):
                data["hotplug"] = True
            if wanted.osparams_private:
                data["private"] = seal_private(wanted.osparams_private)
            draft = {"vm": desk.vm.pk, "typed": {**typed, PRIVATE: ""}, "data": data}
            # The name is typed on the next page, which says which disks would be lost.
            ask = desk.ask({**data, "typed_name": desk.vm.name})
            # So is the tick by which administrators exceed a quota; nobody else's word counts.
            desk.operation.check(replace(ask, actor=replace(ask.actor, over_quota=True)))
            key = _keep(desk.request, draft)
            return redirect(f"{_url(desk, 'vm-modify-confirm')}?{urlencode({'draft': key})}")
    except BadData as bad:
        form.put_errors({bad.where: str(bad)})
    except Invalid as invalid:
        form.put_errors(invalid.errors)
        over_quota_on = invalid.on if isinstance(invalid, OverQuota) else ""
    except Refusal as refusal:
        return _show(desk, _typed_again(form), sealed, refusal=str(refusal), status=409)
    return _show(desk, _typed_again(form), sealed, over_quota_on=over_quota_on, status=422)


def _typed_again(form: SpecForm) -> SpecForm:
    """The form is shown once more as it was sent."""
    return _ask_again(form, is_lost=bool(form.data.get(PRIVATE)))


def _ask_again(form: SpecForm, *, is_lost: bool) -> SpecForm:
    """What of it is never shown has to be typed anew, and that is said."""
    if is_lost:
        form.put_errors({PRIVATE: _("Type these once more: what was typed is not shown.")})
    return form


@require_http_methods(["GET", "HEAD", "POST"])
def vm_edit_confirm(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """What would be other than before. What is sent is what was kept when the form was judged."""
    desk = _find(request, slug, name)
    if isinstance(desk, HttpResponse):
        return desk
    key = request.GET.get("draft", "")
    draft = _drafts(request).get(key)
    if draft is not None and "data" not in draft and draft["vm"] == desk.vm.pk:
        messages.info(request, _("These changes were sent already. Nothing is sent twice."))
        return redirect(_url(desk, "vm"))
    if draft is None or draft["vm"] != desk.vm.pk:
        messages.warning(request, _("These changes are no longer kept. Make them again."))
        return redirect(_url(desk, "vm-modify"))
    if request.method != "POST":
        return _confirm(desk, key, draft)
    data = {**draft["data"], "typed_name": request.POST.get("typed_name", "").strip()}
    try:
        if "restart" in request.POST:
            return _save_and_restart(desk, key, data)
        entry = run(desk.operation, desk.ask(data, dry_run="check" in request.POST))
    except Forbidden as forbidden:
        raise PermissionDenied(str(forbidden)) from forbidden
    except Invalid as invalid:
        if set(invalid.errors) == {"typed_name"}:
            return _confirm(desk, key, draft, invalid.errors["typed_name"], status=422)
        if isinstance(invalid, OverQuota) and can(desk.actor.user, "exceed_quotas"):
            return _confirm(desk, key, draft, refusal=str(invalid), may_exceed=True, status=422)
        return _again(desk, draft, invalid.errors, over_quota_on=invalid.on if isinstance(invalid, OverQuota) else "")
    except Refusal as refusal:
        return _confirm(desk, key, draft, refusal=str(refusal), status=409)
    if entry.outcome == "refused":
        return _again(desk, draft, refused=entry)
    if "check" in request.POST:
        return redirect(f"{request.path}?{urlencode({'draft': key, 'check': str(entry.uuid)})}")
    _forget(request, key)
    if entry.outcome == "unknown":
        words = _(
            "The cluster gave no answer (%s). It is being found out whether it took the job; nothing is sent twice."
        )
        messages.warning(request, words % entry.message)
    else:
        messages.success(request, _("The changes were handed to Ganeti."))
    return redirect(_url(desk, "vm"))


def _save_and_restart(desk: _Desk, key: str, data: Mapping[str, Any]) -> HttpResponse:
    """Change it and, when that has succeeded, restart it. Raises Invalid, and Refusal."""
    ask = desk.ask(data)
    if obstacle := find_obstacle(desk.operation, desk.vm):
        raise Refusal(obstacle)
    desk.operation.check(ask)
    steps = [Step(desk.operation, data), Step(OPERATIONS["vm.reboot"], {"type": "hard"})]
    batch = plan_steps(desk.actor, desk.vm, steps)
    begin_batch(batch, {})
    _forget(desk.request, key)
    return redirect("batch", uuid=batch.uuid)


def _again(
    desk: _Desk,
    draft: Mapping[str, Any],
    faults: Mapping[str, str] | None = None,
    *,
    refused: Any = None,
    over_quota_on: str = "",
) -> HttpResponse:
    """The form once more, as it was typed, with what is wrong at its field, or why Ganeti refused it."""
    now = desk.edit.typed()
    form = _ask_again(desk.edit.form(draft["typed"], is_judged=True), is_lost=bool(draft["data"].get("private")))
    form.put_errors(faults or {})
    if refused is not None:
        form.put_refusal(refused.message)
    return _show(desk, form, seal(version_of(desk.edit.spec), now), over_quota_on=over_quota_on, status=422)


def _since(form: SpecForm, path: str, opened: Typed, now: Typed) -> tuple[str, str, str]:
    """What somebody else has changed: its label, before and after."""
    label = str(form.fields[path].label) if path in form.fields else path
    return label, opened.get(path, "") or _("as the cluster"), now.get(path, "") or _("as the cluster")


def _show(
    desk: _Desk,
    form: SpecForm,
    opened: str,
    *,
    since: Any = (),
    refusal: str = "",
    over_quota_on: str = "",
    hotplug: bool = False,
    status: int = 200,
) -> HttpResponse:
    refusal = refusal or find_obstacle(desk.operation, desk.vm) or ""
    context = {
        **vm_page(person_of(desk.request), desk.vm, "edit"),
        "form": form,
        "sections": list(desk.edit.sections(form)),
        "opened": opened,
        "since": since,
        "refusal": refusal,
        "over_quota_on": over_quota_on,
        "can_hotplug": desk.vm.is_running and desk.vm.hypervisor == "kvm",
        "hotplug": hotplug or desk.request.POST.get("hotplug", ""),
    }
    return render(desk.request, "virtualmachines/edit.html", context, status=status)


def _confirm(
    desk: _Desk,
    key: str,
    draft: Mapping[str, Any],
    name_error: str = "",
    *,
    refusal: str = "",
    may_exceed: bool = False,
    status: int = 200,
) -> HttpResponse:
    user = person_of(desk.request)
    try:
        ask = desk.ask(draft["data"])
        changes = desk.operation.changes(ask)
    except Invalid as invalid:
        return _again(desk, draft, invalid.errors)
    check = find_check(user, desk.operation, desk.vm, desk.request.GET.get("check", ""))
    back = f"{_url(desk, 'vm-modify')}?{urlencode({'draft': key})}"
    context = {
        **vm_page(user, desk.vm, "edit"),
        "changes": as_rows(change.as_data() for change in changes),
        "shown": desk.operation.rehearse(ask),
        "removes_disks": ask.params.wanted.removes_disks,
        "name_error": name_error,
        "may_exceed": may_exceed,
        "refusal": refusal or find_obstacle(desk.operation, desk.vm) or "",
        "can_restart": desk.vm.is_running and bool(can(user, "power", desk.vm)),
        "check": check,
        "check_url": desk.request.get_full_path(),
        "back_url": back,
    }
    return render(desk.request, "virtualmachines/edit_confirm.html", context, status=status)


def _url(desk: _Desk, name: str) -> str:
    address = desk.vm.address if name == "vm" else desk.vm.lasting_address
    return reverse(name, args=[desk.vm.cluster.slug, address])


def _drafts(request: HttpRequest) -> dict[str, Any]:
    drafts = request.session.get(_DRAFTS)
    return drafts if isinstance(drafts, dict) else {}


def _keep(request: HttpRequest, draft: Mapping[str, Any]) -> str:
    """Keep it, and forget the oldest of too many."""
    key, drafts = uuid4().hex, _drafts(request)
    newest = list(drafts.items())[-(_MOST_DRAFTS - 1) :]
    request.session[_DRAFTS] = {**dict(newest), key: dict(draft)}
    return key


def _forget(request: HttpRequest, key: str) -> None:
    """It was sent. That it was there is known for a while: who sends it once more, or goes back, is told so."""
    drafts = _drafts(request)
    request.session[_DRAFTS] = {**drafts, key: {"vm": drafts[key]["vm"]}}
