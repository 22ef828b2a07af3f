"""The page behind every button: asks (GET), does it through the pipeline (POST), and says what became of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import View

from objectlog.changes import as_rows
from objectlog.messages import read
from objectlog.sentences import compose
from operations.actors import actor_of
from operations.contract import AnyOperation, Ask, Detour, Forbidden, Invalid, OverQuota, Refusal
from operations.detours import begin_detour
from operations.forms import OperationForm, form_for, params_from
from operations.offers import Obstacle, find_detour, look_for_obstacle
from operations.pipeline import run
from operations.selectors import find_asked, find_check
from operations.table import list_operations
from operations.views.denying import refuse
from permissions.kinds import KINDS
from permissions.policy import Denied, can, verbs_on
from permissions.signed_in import person_of
from ui.outside import is_ours
from ui.places import label_of_list, list_of


class OperateView(View):
    """One operation on one object of a kind, which the URL names: `OperateView.as_view(kind="vm")`."""

    kind = ""
    template_name = "operations/operate.html"

    def get(self, request: HttpRequest, verb: str, **where: Any) -> HttpResponse:
        """Ask."""
        operation, target = self._find(request, verb, where)
        check = find_check(person_of(request), operation, target, request.GET.get("check", ""))
        earlier = find_asked(person_of(request), operation, target, request.GET.get("again", ""))
        initial = check.params if check is not None else None
        if check is None and earlier is not None:
            initial = form_for(operation).again(earlier.params)
        form = self._form(request, operation, target, initial=initial)
        untold = list(form.untold(earlier.params)) if earlier is not None else ()
        obstacle = look_for_obstacle(operation, target, person_of(request))
        ask = self._filled_in(request, operation, target, form)
        changes = check.changes if check is not None else None
        return self._ask(
            request,
            operation,
            target,
            form,
            meant=ask,
            changes=changes,
            check=check,
            obstacle=obstacle,
            earlier=earlier,
            untold=untold,
        )

    def post(self, request: HttpRequest, verb: str, **where: Any) -> HttpResponse:
        """Do it; or ask Ganeti whether it would, or show what would be other than before."""
        operation, target = self._find(request, verb, where)
        is_check, is_preview = "check" in request.POST, "preview" in request.POST
        form = self._form(request, operation, target, request.POST, is_judged=not (is_check or is_preview))
        if not form.is_valid():
            return self._ask(request, operation, target, form, status=422)
        name = operation.name_of(target)
        actor = actor_of(request)
        try:
            ask = Ask(actor, target, form.params(operation), dry_run=is_check)
            if is_preview:
                operation.check(ask)
                return self._ask(request, operation, target, form, meant=ask)
            if "detour" in request.POST and not is_check:
                data = {name: form.cleaned_data[name] for name in form.fields if name != "typed_name"}
                return redirect("batch", uuid=begin_detour(operation, actor, target, data).uuid)
            entry = run(operation, ask)
        except Forbidden as forbidden:
            raise PermissionDenied(str(forbidden)) from forbidden
        except Invalid as invalid:
            for field, words in invalid.errors.items():
                form.add_error(field if field in form.fields else None, words)
            form.reopen()
            over = invalid if isinstance(invalid, OverQuota) else None
            return self._ask(request, operation, target, form, status=422, over=over)
        except Refusal as refusal:
            return self._ask(request, operation, target, form, str(refusal), status=409)
        if entry.outcome == "refused":
            words = _("It was not done. The cluster says: %s") if entry.quotes_ganeti else _("It was not done. %s")
            why = entry.message or _("no reason given")
            return self._ask(request, operation, target, form, words % why, 409)
        if is_check:
            return redirect(f"{request.path}?check={entry.uuid}")
        _say(request, operation, name, entry)
        return redirect(self._onward(request, operation, target, entry.target_pk))

    def find(self, user: Any, where: Mapping[str, Any]) -> Any:
        """What the URL means, if the person may see it. Http404."""
        return KINDS[self.kind].find(user, **where)

    def url_of(self, target: Any) -> str:
        """Its page; empty where there is none."""
        return KINDS[self.kind].url_of(target)

    def url_after(self, target: Any, pk: int | None) -> str:
        """Where one goes on: its page, that of what was made (`pk`), or the list it was in."""
        there = type(target)._default_manager.filter(pk=pk).first()
        return (self.url_of(there) if there is not None else "") or list_of(self.kind)

    def _onward(self, request: HttpRequest, operation: AnyOperation, target: Any, pk: int | None) -> str:
        """Where one goes on: the page on which the button stood, unless one has just given up what that page needs."""
        user = person_of(request)
        if operation.needs != "admin" or can(user, "admin", target):
            return _safe_next(request) or self.url_after(target, pk)
        return self.url_of(target) if can(user, "view", target) else list_of(self.kind)

    def crumbs_of(self, target: Any) -> list[tuple[str, str]]:
        """The way to its page."""
        return [(label_of_list(self.kind), list_of(self.kind)), (KINDS[self.kind].named(target), self.url_of(target))]

    def _find(self, request: HttpRequest, verb: str, where: dict[str, Any]) -> tuple[AnyOperation, Model]:
        operation = next(
            (each for each in list_operations(self.kind) if each.verb == verb and not each.has_own_page), None
        )
        if operation is None:
            raise Http404(_("There is no such operation."))
        target = self.find(person_of(request), where)
        # The pipeline asks again; this one comes before the form.
        verdict = operation.judge(Ask(actor_of(request), target, None))
        if isinstance(verdict, Denied):
            params = None
            if request.method == "POST":
                form = self._form(request, operation, target, request.POST, is_judged=False)
                params = form.params(operation) if form.is_valid() else None
            refuse(request, operation, target, verdict.reason, params)
        return operation, target

    def _filled_in(
        self, request: HttpRequest, operation: AnyOperation, target: Model, form: OperationForm
    ) -> Ask[Any, Any] | None:
        """What is asked for with the parameters as they are filled in, if they will do."""
        there = [name for name in form.base_fields if name in form.fields]
        filled = {name: form.get_initial_for_field(form.fields[name], name) for name in there}
        actor = actor_of(request)
        try:
            ask = Ask(actor, target, params_from(operation, actor, target, filled))
            operation.check(ask)
        except (Forbidden, Refusal):
            return None
        return ask

    def _form(
        self,
        request: HttpRequest,
        operation: AnyOperation,
        target: Model,
        given: Any = None,
        *,
        initial: Any = None,
        is_judged: bool = True,
    ) -> OperationForm:
        kind_of_form = form_for(operation)
        if initial is None and given is None:
            initial = {name: request.GET[name] for name in kind_of_form.from_address if name in request.GET}
        form = kind_of_form(given, target=target, actor=actor_of(request), initial=initial)
        if operation.wants_typed_name and is_judged:
            form.fields["typed_name"] = _TypedName(str(target))
        detour = self._detour(request, operation, target)
        for step in detour.around if detour is not None else ():
            form.fields.update(form_for(step)().fields)
        return form

    def _detour(self, request: HttpRequest, operation: AnyOperation, target: Model) -> Detour | None:
        """The way round an obstacle. It is offered by the page, and taken only if the page said so when it was sent."""
        if operation.detour(target) is None or (request.method == "POST" and "detour" not in request.POST):
            return None
        return find_detour(operation, target, verbs_on(person_of(request), target))

    def _ask(
        self,
        request: HttpRequest,
        operation: AnyOperation,
        target: Model,
        form: OperationForm,
        refusal: str = "",
        status: int = 200,
        meant: Ask[Any, Any] | None = None,
        changes: Sequence[Mapping[str, Any]] | None = None,
        check: Any = None,
        over: OverQuota | None = None,
        obstacle: Obstacle | None = None,
        earlier: Any = None,
        untold: Sequence[str] = (),
    ) -> HttpResponse:
        shown = operation.rehearse(meant) if meant is not None else ()
        if changes is None:
            changes = [change.as_data() for change in operation.changes(meant)] if meant is not None else []
        detour, text = self._detour(request, operation, target), operation.consequence_for(target)
        context = {
            "operation": operation,
            "target": target,
            "name": operation.name_of(target),
            "title": _question(operation, target),
            "text": f"{detour.text} {text}" if detour is not None else text,
            "for_users": operation.for_users,
            "facts": operation.facts(target),
            "form": form,
            "detour": detour,
            "submit_label": operation.label if detour is None else detour.label,
            "cancel_label": operation.way_out,
            "style": "destroy" if operation.is_destructive else "primary",
            "back_url": _safe_next(request) or self.url_of(target),
            "next_url": _safe_next(request),
            "refusal": refusal if obstacle is None or detour is not None else obstacle.words,
            "renews": obstacle is not None and obstacle.ends_by_itself,
            "may_try_again": request.method == "POST",
            "changes": as_rows(changes),
            "may_exceed": over is not None and bool(can(person_of(request), "exceed_quotas")),
            "over_quota_on": over.on if over is not None else "",
            "can_preview": (operation.tells_changes or operation.sends) and form.asks,
            "preview_label": _("Show changes") if operation.tells_changes else _("Show command"),
            "shown": shown,
            "can_check": operation.can_check and detour is None,
            "check": check,
            "check_url": f"{request.path}?check={check.uuid}" if check is not None else "",
            "earlier": earlier,
            "untold": untold,
            "crumbs": self.crumbs_of(target),
        }
        return render(request, self.template_name, context, status=status)


def _question(operation: AnyOperation, target: Model) -> str:
    """What the page asks: the operation's own question, or its label with the name of the target."""
    question = str(operation.question).format(target=operation.name_of(target))
    return question or _("%(do)s %(target)s?") % {"do": operation.label, "target": target}


_PLAIN = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}


class _TypedName(forms.CharField):
    """A field in which the name of what is to be destroyed must be typed."""

    def __init__(self, name: str) -> None:
        super().__init__(
            label=_("Its name"),
            help_text=_("Type %s to confirm.") % name,
            widget=forms.TextInput(attrs={**_PLAIN, "autofocus": True}),
            error_messages={"required": _("Type the name, %s, to confirm.") % name},
        )
        self.expected = name

    def clean(self, value: Any) -> str:
        """Equal, or an error that says what was expected."""
        typed = str(super().clean(value))
        if typed != self.expected:
            raise forms.ValidationError(_("This is not its name. Type %s to confirm.") % self.expected)
        return typed


def _safe_next(request: HttpRequest) -> str:
    """The page of ours on which the button stood, if the address or the form says so."""
    page = request.POST.get("next", request.GET.get("next", ""))
    return page if is_ours(request, page) else ""


def _say(request: HttpRequest, operation: AnyOperation, name: str, entry: Any) -> None:
    """What became of it, as a message on the next page."""
    what = {"what": _("%(do)s %(target)s") % {"do": operation.label, "target": name}, "why": entry.message}
    if entry.outcome == "unknown":
        said = _(
            "%(what)s: the cluster gave no answer (%(why)s). It is being found out whether it took the job; nothing is "
            "sent twice."
        )
        messages.warning(request, said % what)
    elif entry.outcome in ("failed", "lost", "canceled", "not_submitted"):
        messages.error(request, (_("%(what)s: %(why)s") if entry.message else _("%(what)s: it failed")) % what)
    elif entry.is_open and entry.job_ids:
        said = ngettext(
            "%(what)s: job %(jobs)s is in progress.", "%(what)s: jobs %(jobs)s are in progress.", len(entry.job_ids)
        )
        messages.success(request, said % {**what, "jobs": ", ".join(str(number) for number in entry.job_ids)})
    else:
        done = read(compose(entry.verb, entry.outcome, entry.target_name, entry.params).as_data())
        more = {"what": done, "why": entry.message}
        messages.success(request, _("%(what)s: %(why)s") % more if entry.message else done)
