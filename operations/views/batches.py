"""Batches: their list, the plan that asks before anything is done, and how far one is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from objectlog.changes import as_rows
from objectlog.words import gettext
from operations.actors import actor_of
from operations.columns import BATCH_GROUPS, BATCH_TABLE, BATCHES, button_of_plan, label_of, title_of
from operations.contract import Actor, AnyOperation, Ask, Forbidden, Foresight, Refusal, Shown
from operations.forms import OperationForm, form_for, form_for_many, params_from
from operations.planning import begin_batch, continue_batch, judge_plan, stop_batch
from operations.retrying import retry
from operations.selectors import (
    get_batch,
    has_own_params,
    list_batches,
    list_begun,
    list_items,
    tally_items,
    targets_of,
    with_numbers,
)
from operations.table import OPERATIONS
from operations.views.denying import refuse_batch
from permissions.kinds import places_of
from permissions.policy import can
from permissions.selectors import choice_of
from permissions.signed_in import person_of
from ui.filtering import Wanted
from ui.listing import list_page
from ui.tables import show

ITEM_COLUMNS: dict[str, tuple[Any, ...]] = {
    "order": ("position",),
    "name": ("target_name", "position"),
    "state": ("state", "position"),
    "verdict": ("verdict", "position"),
}
# What a part of the items is called in the address; of a plan, and of what has begun.
PLANNED_PARTS = {
    "will": gettext_lazy("Will be done"),
    "skipped": gettext_lazy("Skipped"),
    "denied": gettext_lazy("Not allowed"),
    "refused": gettext_lazy("Would be refused"),
}
BEGUN_PARTS = {
    "waiting": gettext_lazy("Waiting"),
    "running": gettext_lazy("In progress"),
    "in_doubt": gettext_lazy("No answer"),
    "done": gettext_lazy("Succeeded"),
    "failed": gettext_lazy("Failed"),
    "skipped": gettext_lazy("Skipped"),
}


@require_safe
def batch_list(request: HttpRequest) -> HttpResponseBase:
    """The batches one may see, without plans that were not confirmed."""
    user = person_of(request)
    sees_all = bool(can(user, "see_batches_of_all"))
    shown = show(request, BATCH_TABLE, choice_of(user, BATCH_TABLE.name), () if sees_all else ("who",))
    wanted = Wanted.parse(BATCHES, request.GET)
    batches = list_begun(list_batches(user))
    rows = shown.load(with_numbers(batches.filter(wanted.asked.condition)))
    file = shown.export(request, rows)
    if file is not None:
        return file
    counts = (
        batches.filter(wanted.without("status").asked.condition)
        .order_by()
        .aggregate(all=Count("*"), **{name: Count("pk", filter=each) for name, (__, each) in BATCH_GROUPS.items()})
    )
    states = wanted.values_of("status")
    total = counts.get(states[0]) if len(states) == 1 else None if states else counts["all"]
    groups = [("", _("All"), counts["all"]), *((name, each[0], counts[name]) for name, each in BATCH_GROUPS.items())]
    context = {
        **shown.as_context(shown.page(request, rows, total), wanted, groups=groups, always=BATCH_GROUPS),
        "sees_all": sees_all,
        "nothing_matches": wanted.explain(
            _("None of the batches you may see matches. Leave out a word, or look at all.")
        ),
    }
    return render(request, "operations/batches.html", context)


@require_safe
def batch_page(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """The plan of a batch, or how far it is."""
    batch = get_batch(person_of(request), uuid)
    return _show(request, batch, _form(request, batch) if batch.state == "planned" else None)


@require_POST
def batch_do(request: HttpRequest, uuid: UUID, verb: str) -> HttpResponse:
    """Confirm, stop, continue, or try again what failed."""
    batch = get_batch(person_of(request), uuid)
    if verb not in ("begin", "stop", "continue", "retry"):
        raise Http404(_("There is no such operation."))
    is_preview, is_live = "preview" in request.POST, "live" in request.POST
    if verb in ("begin", "retry") and batch.actor_id != request.user.pk:
        reason = gettext("Only %s may do this: it is done with their rights.") % batch.actor_name
        if is_preview or is_live:  # they only show what would be done
            raise PermissionDenied(reason)
        refuse_batch(request, batch, reason)
    if verb == "begin" and batch.state == "planned":
        form = _form(request, batch, request.POST, is_judged=not (is_preview or is_live))
        if is_live:
            return _show_call(request, batch, form)
        if not form.is_valid():
            return _show(request, batch, form, status=422)
        operation = OPERATIONS.get(batch.operation)
        is_changed = operation is not None and judge_plan(batch, operation, actor_of(request), form.kept())
        if is_preview or is_changed or not tally_items(batch).will:
            _demand_number(form, batch)
            return _show(request, batch, form, params=form.kept(), status=200 if is_preview else 409)
        begin_batch(batch, form.kept(), over_quota=actor_of(request).may_exceed)
    elif verb == "retry":
        return _retry(request, batch)
    else:
        changes: dict[str, Callable[[Any], bool]] = {"stop": stop_batch, "continue": continue_batch}
        if verb in changes:
            changes[verb](batch)
    return redirect("batch", uuid=batch.uuid)


def _retry(request: HttpRequest, batch: Any) -> HttpResponse:
    """Try again what failed; what is no longer as it was confirmed, is asked for anew."""
    number, anew = retry(batch, replace(actor_of(request), persona=batch.persona, over_quota=batch.over_quota))
    words = ngettext("%d item is tried again.", "%d items are tried again.", number) % number
    if number or anew is None:
        messages.info(request, words if number else _("There is nothing to try again."))
    if anew is None:
        return redirect("batch", uuid=batch.uuid)
    changed = tally_items(anew)
    number = changed.all
    words = ngettext(
        "%d item is no longer as it was when this was confirmed. This is a new plan for it.",
        "%d items are no longer as they were when this was confirmed. This is a new plan for them.",
        number,
    )
    messages.warning(request, words % number)
    return redirect("batch", uuid=anew.uuid)


def _demand_number(form: OperationForm, batch: Any) -> None:
    """For what destroys, the number of targets is typed."""
    operation = OPERATIONS.get(batch.operation)
    if operation is not None and operation.is_destructive:
        form.fields["typed_count"] = _TypedCount(tally_items(batch).will)


def _show_call(request: HttpRequest, batch: Any, form: OperationForm) -> HttpResponse:
    """The command and the call alone, with what is typed so far."""
    shown = _rehearse_first(actor_of(request), batch, form.kept()) if form.is_valid() else ()
    return render(request, "parts/_shown.html", {"shown": shown})


def _form(request: HttpRequest, batch: Any, given: Any = None, *, is_judged: bool = True) -> OperationForm:
    """Parameters for all, and for what destroys the number of targets, to be typed before it begins."""
    operation = OPERATIONS.get(batch.operation)
    asks = operation is not None and not has_own_params(batch, operation)
    form = (form_for_many(operation) if operation is not None and asks else OperationForm)(
        given, actor=actor_of(request), initial=dict(batch.params)
    )
    if operation is not None and asks:
        form.fit_many(targets_of(batch, operation, with_refused=True))
    if operation is not None and operation.is_destructive:
        if is_judged:
            _demand_number(form, batch)
    elif (first := next(iter(form.visible_fields()), None)) and not first.use_fieldset:
        first.field.widget.attrs["autofocus"] = True
    return form


def _filled_in(operation: AnyOperation, batch: Any, form: OperationForm | None) -> dict[str, Any]:
    """What the plan is shown with before anything is typed: as the form is filled in, where it is the one for each."""
    if form is None or type(form) is not form_for(operation):
        return dict(batch.params)
    return {**form.filled(), **batch.params}


def _tell_changes(actor: Actor, items: list[Any], params: Mapping[str, Any], *, is_judged: bool = False) -> None:
    """Put before and after to the items of a plan, where their operations say so. One query for each operation.

    With what was typed it is judged, too, where the whole plan is not (`judges_plans`), and why one of them would be
    refused stands beside it.
    """
    for key in {item.key for item in items}:
        operation = OPERATIONS.get(key)
        if operation is None or not operation.tells_changes:
            continue
        mine = [item for item in items if item.key == key and item.verdict == "will"]
        targets = operation.whole_rows().in_bulk([item.target_pk for item in mine])
        with operation.judging_many():
            for item in mine:
                data = item.data_with(params)
                try:
                    target = targets[item.target_pk]
                    ask = Ask(actor, target, params_from(operation, actor, target, data))
                    if is_judged and not operation.judges_plans:
                        operation.check(ask)
                    told = [each for each in operation.changes(ask) if each.is_hidden or each.before != each.after]
                    item.changes = as_rows(change.as_data() for change in told)
                except (KeyError, Forbidden, Refusal) as refusal:  # it is gone, or what is to be typed was not yet
                    if is_judged and not isinstance(refusal, KeyError):
                        item.refusal = str(refusal)


def _foresee(operation: AnyOperation, batch: Any, items: list[Any], params: Mapping[str, Any]) -> Foresight:
    """What becomes of all of its targets together; to the items on the page it is put what becomes of each."""
    foresight = operation.foresee(targets_of(batch, operation), params)
    for item in items:
        item.foreseen = foresight.of_each.get(item.target_pk) if item.verdict == "will" else None
    return foresight


def _rehearse_first(actor: Actor, batch: Any, params: Mapping[str, Any]) -> Sequence[Shown]:
    """The command and the call for the first to which it will be done. Two queries."""
    item = batch.items.filter(verdict="will").order_by("position").first()
    operation = OPERATIONS.get(item.key) if item is not None else None
    if item is None or operation is None or not operation.sends:
        return ()
    target = operation.whole_rows().filter(pk=item.target_pk).first()
    if target is None:
        return ()
    try:
        data = item.data_with(params)
        return operation.rehearse(Ask(actor, target, params_from(operation, actor, target, data)))
    except (Forbidden, Refusal):  # something is to be typed first, or what is kept of it cannot be read
        return ()


def _show(
    request: HttpRequest,
    batch: Any,
    form: OperationForm | None,
    status: int = 200,
    params: Mapping[str, Any] | None = None,
) -> HttpResponse:
    user, operation, tally = person_of(request), OPERATIONS.get(batch.operation), tally_items(batch)
    is_planned = batch.state == "planned"
    parts = PLANNED_PARTS if is_planned else BEGUN_PARTS
    items = list_items(batch)
    part = request.GET.get("part", "")
    if part in parts:
        items = items.filter(**{"verdict" if is_planned else "state": part})
    listing = list_page(request, items, ITEM_COLUMNS, "order")
    items_here = listing.page.object_list
    places = places_of(user, [item.about for item in items_here])
    for item in items_here:
        item.batch, item.label = batch, label_of(item.operation)
        item.place = places.get(item.about)
    shown: Sequence[Shown] = ()
    foresight = Foresight()
    if is_planned and operation is not None:
        actor, typed = actor_of(request), _filled_in(operation, batch, form) if params is None else params
        with operation.judging_many():
            _tell_changes(actor, list(items_here), typed, is_judged=params is not None)
            shown = _rehearse_first(actor, batch, typed)
        foresight = _foresee(operation, batch, list(items_here), typed)
    numbers = {name: getattr(tally, name) for name in parts}
    if not is_planned:
        numbers["skipped"] += tally.fell_away + tally.denied + tally.refused
    context = {
        **listing.as_context(),
        "batch": batch,
        "operation": operation,
        "title": _question(batch, tally.targets or tally.refused) if is_planned else title_of(batch, tally.targets),
        "button": button_of_plan(batch, tally.targets or tally.refused),
        "tally": tally,
        "may_exceed": operation is not None
        and bool(can(user, "exceed_quotas"))
        and operation.meets_limits(targets_of(batch, operation)),
        "parts": [("", _("All"), tally.all)] + [(name, label, numbers[name]) for name, label in parts.items()],
        "part": part if part in parts else "",
        "exceeds": actor_of(request).over_quota or batch.over_quota,
        "is_mine": batch.actor_id == user.pk,
        "form": form,
        "form_has_focus": form is not None and any("autofocus" in each.field.widget.attrs for each in form),
        "can_preview": is_planned
        and operation is not None
        and (operation.tells_changes or operation.sends)
        and form is not None
        and form.asks,
        "preview_label": _("Show changes") if operation is not None and operation.tells_changes else _("Show command"),
        "shown": shown,
        "is_live": operation is not None and operation.sends and form is not None and form.asks,
        "together": foresight.together,
        "consequence": str(operation.consequence) if operation is not None else "",
        "for_users": operation.for_users if operation is not None else "",
    }
    return render(request, f"operations/{'plan' if is_planned else 'batch'}.html", context, status=status)


def _question(batch: Any, number: int) -> str:
    if not number:
        return _("%(do)s: there is nothing to do") % {"do": label_of(batch.operation)}
    if batch.target_name:
        return _("%(do)s %(target)s?") % {"do": label_of(batch.operation), "target": batch.target_name}
    words = ngettext("%(do)s: %(number)d machine?", "%(do)s: %(number)d machines?", number)
    return words % {"do": label_of(batch.operation), "number": number}


class _TypedCount(forms.IntegerField):
    """A field in which the number of what is to be destroyed must be typed."""

    def __init__(self, number: int) -> None:
        super().__init__(
            label=_("How many"),
            help_text=_("Type %d to confirm.") % number,
            widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric", "autofocus": True}),
            error_messages={
                "required": _("Type %d to confirm.") % number,
                "invalid": _("Type %d to confirm.") % number,
            },
        )
        self.expected = number

    def clean(self, value: Any) -> Any:
        """Equal, or an error that says what was expected."""
        typed = super().clean(value)
        if typed != self.expected:
            raise forms.ValidationError(_("This is not their number. Type %d to confirm.") % self.expected)
        return typed
