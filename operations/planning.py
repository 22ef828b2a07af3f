"""Plans: what a batch would do to each of its targets, and why not. A plan is a batch that has not begun."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils import timezone

from objectlog.models import Via
from objectlog.words import gettext as _
from operations.contract import Actor, AnyOperation, Ask, Forbidden, Refusal
from operations.forms import form_for_many, params_from
from operations.models import Batch, BatchItem, BatchLane, BatchState, ItemState, Verdict
from operations.offers import find_obstacle
from operations.selectors import has_own_params
from permissions.policy import access_of, verbs_on, visible

# What a plan says by what is typed for all of it; who may not, or cannot now, is not asked.
_JUDGED = (Verdict.WILL, Verdict.REFUSED)


@dataclass(frozen=True)
class Step:
    """One of several operations that are done to a target one after the other."""

    operation: AnyOperation
    params: Mapping[str, Any]


def plan(operation: AnyOperation, actor: Actor, targets: QuerySet[Any], params: Mapping[str, Any]) -> Batch:
    """Judge an operation on all `targets` (what the actor may see of them) as their buttons do, and write the plan."""
    itself = targets.model._default_manager.filter(pk=OuterRef("pk"))
    allowed = Exists(visible(actor.user, operation.needs, itself))
    batch = _new_batch(operation, actor, params)
    refusal = access_of(targets.model).refuse(operation.needs)
    rows = operation.rows().filter(pk__in=targets.order_by().values("pk")).annotate(is_allowed=allowed)
    items = []
    for position, row in enumerate(rows):
        item = _item(batch, position, operation, row, "" if row.is_allowed else refusal)
        item.params = operation.bound_to(row) or None
        items.append(item)
    form = form_for_many(operation)
    if operation.judges_plans and (params or operation.foresees or not form.asks_for_something()):
        filled_in = form.filled_in(rows, actor) if operation.foresees else {}
        _judge(operation, actor, zip(items, rows, strict=True), {**filled_in, **params})
    _write(batch, items)
    return batch


def judge_plan(batch: Batch, operation: AnyOperation, actor: Actor, params: Mapping[str, Any]) -> bool:
    """Judge what would be done by what was typed for all of it; whether the plan says something else now.

    So what would be refused when its turn comes is said before anything is confirmed, as it is for one.
    """
    if not operation.judges_plans or has_own_params(batch, operation):
        return False
    items = list(BatchItem.objects.filter(batch=batch, verdict__in=_JUDGED).select_related("batch"))
    before = [item.verdict for item in items]
    targets = operation.whole_rows().in_bulk([item.target_pk for item in items])
    _judge(operation, actor, [(item, targets.get(item.target_pk)) for item in items], params)
    after = [item.verdict for item in items]
    others = [item for item, was in zip(items, before, strict=True) if Verdict.REFUSED in (was, item.verdict)]
    BatchItem.objects.bulk_update(others, ["verdict", "state", "reason"])
    return before != after


def _judge(
    operation: AnyOperation, actor: Actor, items: Iterable[tuple[BatchItem, Any]], params: Mapping[str, Any]
) -> None:
    """Put to items what their checks say, in their order. What is gone is found out when its turn comes."""
    with operation.judging_many():
        for item, target in items:
            if target is None or item.verdict not in _JUDGED:
                continue
            item.reason = _find_refusal(operation, actor, target, item.data_with(params))
            item.verdict = Verdict.REFUSED if item.reason else Verdict.WILL
            item.state = ItemState.SKIPPED if item.reason else ItemState.WAITING


def _find_refusal(operation: AnyOperation, actor: Actor, target: Any, data: Mapping[str, Any]) -> str:
    try:
        operation.check(Ask(actor, target, params_from(operation, actor, target, data)))
    except (Forbidden, Refusal) as refusal:
        return str(refusal)
    return ""


def plan_steps(actor: Actor, target: Any, steps: Sequence[Step], *, about: AnyOperation | None = None) -> Batch:
    """Plan several operations on one target, each to begin when the one before has succeeded.

    The batch is called by the operation that it is `about`, the first if left out. Only the first is judged by the
    state of the target: the others meet another state.
    """
    about = about or steps[0].operation
    batch = _new_batch(about, actor, {})
    batch.target_name = about.name_of(target)[:255]
    items = list(_list_steps(batch, actor, target, steps))
    _write(batch, items)
    for before, item in pairwise(items):
        item.after = before
    BatchItem.objects.bulk_update(items[1:], ["after"])
    return batch


def begin_after(actor: Actor, target: Any, operations: Sequence[AnyOperation]) -> None:
    """Have the worker do what follows by itself on something that was done to the target."""
    batch = _new_batch(operations[0], actor, {})
    batch.target_name = operations[0].name_of(target)[:255]
    batch.state, batch.began_at = BatchState.RUNNING, timezone.now()
    _write(batch, [])
    _append(batch, None, target, operations)


def go_on_after(item: BatchItem, target: Any, operations: Sequence[AnyOperation]) -> None:
    """The same as further items of the batch of this one, which keeps that from ending meanwhile."""
    _append(item.batch, item, target, operations)


def _append(batch: Batch, after: BatchItem | None, target: Any, operations: Sequence[AnyOperation]) -> None:
    """Whatever the target's state is: each of them meets another one."""
    Batch.objects.select_for_update().get(pk=batch.pk)
    last = BatchItem.objects.filter(batch=batch).aggregate(last=Max("position"))["last"]
    for position, operation in enumerate(operations, 0 if last is None else last + 1):
        item = _item(batch, position, operation, target, "", judges_state=False)
        item.operation, item.params, item.after = operation.key, {}, after
        item.save()
        BatchLane.objects.get_or_create(name=item.lane)
        after = item


def plan_each(
    operation: AnyOperation,
    actor: Actor,
    target: Any,
    asked: Sequence[tuple[str, Mapping[str, Any]]],
    held: Collection[str] | None = None,
) -> Batch:
    """Plan an operation on one target many times, each time with parameters of its own, and called by their name.

    So several machines are created on a cluster. `held`: the verbs of the actor on the target, where they were just
    read.
    """
    batch = _new_batch(operation, actor, {})
    held = verbs_on(actor.user, target) if held is None else held
    refusal = "" if operation.needs in held else access_of(type(target)).refuse(operation.needs)
    items = []
    for position, (name, params) in enumerate(asked):
        refuse_secrets(operation, params)
        item = _item(batch, position, operation, target, refusal)
        item.target_name, item.params = name[:255], dict(params)
        items.append(item)
    _write(batch, items)
    return batch


def _list_steps(batch: Batch, actor: Actor, target: Any, steps: Sequence[Step]) -> Iterator[BatchItem]:
    rows = type(target)._default_manager.filter(pk=target.pk)
    for position, step in enumerate(steps):
        may = visible(actor.user, step.operation.needs, rows).exists()
        refusal = "" if may else access_of(type(target)).refuse(step.operation.needs)
        item = _item(batch, position, step.operation, target, refusal, judges_state=not position)
        refuse_secrets(step.operation, step.params)
        item.operation, item.params = step.operation.key, dict(step.params)
        yield item


def refuse_secrets(operation: AnyOperation, params: Mapping[str, Any]) -> None:
    """A batch keeps its parameters until it comes to them. Raises Refusal."""
    if operation.holds_secrets(params):
        raise Refusal(_("Secrets are not kept until a batch comes to them. Do it one by one."))


def _new_batch(operation: AnyOperation, actor: Actor, params: Mapping[str, Any]) -> Batch:
    refuse_secrets(operation, params)
    return Batch(
        actor=actor.user,
        actor_name=actor.user.username,
        persona=actor.persona,
        via=Via.BULK,
        operation=operation.key,
        params=dict(params),
        over_quota=actor.may_exceed,
    )


def _item(
    batch: Batch, position: int, operation: AnyOperation, target: Any, refusal: str, *, judges_state: bool = True
) -> BatchItem:
    verdict, reason = Verdict.WILL, ""
    if refusal:
        verdict, reason = Verdict.DENIED, refusal
    elif judges_state and (obstacle := find_obstacle(operation, target)):
        verdict, reason = Verdict.SKIPPED, obstacle
    return BatchItem(
        batch=batch,
        position=position,
        kind=operation.target_kind,
        target_pk=target.pk,
        target_uuid=getattr(target, "uuid", ""),
        target_name=operation.name_of(target)[:255],
        lane=operation.lane_of(target),
        verdict=verdict,
        state=ItemState.WAITING if verdict == Verdict.WILL else ItemState.SKIPPED,
        reason=reason,
    )


def _write(batch: Batch, items: list[BatchItem]) -> None:
    with transaction.atomic():
        batch.save()
        BatchItem.objects.bulk_create(items)
        lanes = [BatchLane(name=name) for name in sorted({item.lane for item in items})]
        BatchLane.objects.bulk_create(lanes, ignore_conflicts=True)


def begin_batch(batch: Batch, params: Mapping[str, Any], *, over_quota: bool = False) -> bool:
    """It was confirmed, with these parameters: the worker carries it out. False if it had begun before, or is empty.

    `over_quota`: and it may go beyond quotas, if that is for its actor to say when an item is begun.
    """
    waiting = BatchItem.objects.filter(batch=OuterRef("pk"), state=ItemState.WAITING)
    planned = Batch.objects.filter(Exists(waiting), pk=batch.pk, state=BatchState.PLANNED)
    more = {"over_quota": True} if over_quota else {}
    return bool(planned.update(state=BatchState.RUNNING, params=dict(params), began_at=timezone.now(), **more))


def stop_batch(batch: Batch) -> bool:
    """Begin nothing more of it; what is under way goes on. False if it was not in progress."""
    return bool(Batch.objects.filter(pk=batch.pk, state=BatchState.RUNNING).update(state=BatchState.STOPPED))


def continue_batch(batch: Batch) -> bool:
    """Go on with a batch that was stopped. False if it was not."""
    return bool(Batch.objects.filter(pk=batch.pk, state=BatchState.STOPPED).update(state=BatchState.RUNNING))


def failed_items(batch: Batch) -> "QuerySet[BatchItem]":
    """What failed and may be done again: not what was given up and then turned up in Ganeti after all."""
    there = ("submitting", "submitted", "unknown", "done", "succeeded")
    return BatchItem.objects.filter(batch=batch, state=ItemState.FAILED).exclude(entry__outcome__in=there)


def retry_failed(batch: Batch, *, but: Collection[int] = ()) -> int:
    """Have what failed, and what was skipped because of that, done again; how many items. `but`: without these."""
    with transaction.atomic():
        if Batch.objects.select_for_update().filter(pk=batch.pk).exclude(state=BatchState.PLANNED).first() is None:
            return 0
        held = BatchItem.objects.filter(batch=batch, state=ItemState.SKIPPED, verdict=Verdict.WILL)
        again: dict[str, Any] = {
            "state": ItemState.WAITING,
            "entry": None,
            "attempts": 0,
            "try_at": None,
            "reason": "",
        }
        found = {*failed_items(batch).values_list("pk", flat=True), *held.values_list("pk", flat=True)}
        number = BatchItem.objects.filter(pk__in=found.difference(but)).update(**again)
        if number:
            Batch.objects.filter(pk=batch.pk).update(state=BatchState.RUNNING, ended_at=None)
    return number
