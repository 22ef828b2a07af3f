"""Carrying out the items of batches: what a pass over a lane does (`operations.lanes`), again and again.

A pass looks at what is under way, lets what waited for it go on or fall away, and begins what has room, through `run`.
An item and its journal entry are tied in the transaction that begins the operation, and what has an entry is not begun
again: whoever is killed leaves either no trace, or an entry that the job follower settles like any other. Whoever was
merely stopped, and lost the lane's lease meanwhile, finds so before anything is written and again before it is sent.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from objectlog.models import OPEN_OUTCOMES, Entry, Outcome, Via
from objectlog.statements import Update
from objectlog.words import gettext as _
from objectlog.words import told
from operations.contract import Actor, AnyOperation, Ask, Forbidden, Invalid, NotTaken, Refusal, TurnedAway
from operations.forms import params_from
from operations.lease import Lease, LeaseLost
from operations.models import OPEN_ITEMS, UNDER_WAY, Batch, BatchItem, BatchState, Busy, ItemState, Verdict
from operations.pipeline import run
from operations.planning import go_on_after
from operations.sealed import sealed_of
from operations.table import OPERATIONS

# How often an item is tried when it could not be begun, and how long it waits in between, in seconds.
ATTEMPTS = 6
WAITS_S = (5, 10, 20, 40, 60, 60)
PLANS_KEPT_S = 86400
# So many are read at a time; what another batch on the lane has ready waits for no more than these.
AT_ONCE = 10
_WELL = (Outcome.DONE, Outcome.SUCCEEDED)
# What `settle` reads of items and their entries.
_FOLLOWED = ("state", "operation", "params", "entry__outcome", "entry__message")


def _if_waiting() -> Q:
    """The item, if it waits and its batch goes on. Without a join: so the row itself is judged once more when another
    transaction held it."""
    return Q(state=ItemState.WAITING, batch__in=Batch.objects.filter(state=BatchState.RUNNING).order_by())


_COUNT = Update(BatchItem, "attempts", "try_at", where=("pk", "attempts"), only=_if_waiting)
_BEGIN = Update(BatchItem, "entry", where=("pk",), only=_if_waiting, state=ItemState.RUNNING, reason="")


class _Taken(Exception):
    """The item was begun by somebody else, or its batch stopped, in the same moment."""


def settle(lane: str) -> None:
    """Let items say what their entries say, and those that come after a failure fall away."""
    revived = Q(state=ItemState.FAILED, entry__outcome__in=(*OPEN_OUTCOMES, *_WELL), batch__state=BatchState.RUNNING)
    under_way = BatchItem.objects.filter(Q(state__in=UNDER_WAY) | revived, lane=lane)
    well: list[BatchItem] = []
    for item in under_way.select_related("entry").only(*_FOLLOWED):
        if item.entry is not None and item.entry.outcome in _WELL and not sealed_of(item):
            well.append(item)
        else:
            _follow(item, item.entry)
    # Most end so, many between two passes: with one statement. What was tied to another entry meanwhile is left alone.
    entries = [item.entry_id for item in well]
    if well:
        mine = BatchItem.objects.filter(pk__in=[item.pk for item in well], entry__in=entries)
        mine.update(state=ItemState.DONE, reason="")
    while fallen := list(_fallen(lane)):
        for item in fallen:
            before: Any = item.after
            words = _("The step before it, on %(target)s, was not done: %(why)s")
            _end(item, ItemState.SKIPPED, words % {"target": before.target_name, "why": before.reason})


def _fallen(lane: str) -> "QuerySet[BatchItem]":
    return BatchItem.objects.filter(
        lane=lane,
        state=ItemState.WAITING,
        batch__state=BatchState.RUNNING,
        after__state__in=(ItemState.FAILED, ItemState.SKIPPED),
    ).select_related("after")


def _follow(item: BatchItem, entry: Entry | None) -> None:
    """The state of an item is that of its entry."""
    if entry is None:
        state, reason = ItemState.FAILED, _("Its entry is no longer in the journal.")
    elif entry.outcome in _WELL:
        state, reason = ItemState.DONE, ""
    elif entry.outcome == Outcome.UNKNOWN:
        state, reason = ItemState.IN_DOUBT, entry.message
    elif entry.is_open:
        state, reason = ItemState.RUNNING, ""
    else:
        state, reason = ItemState.FAILED, entry.message or told(Outcome(entry.outcome).label)
    if state != item.state:
        values: dict[str, Any] = {"state": state, "reason": reason}
        if state == ItemState.DONE and (sealed := sealed_of(item)):
            values["params"] = {name: value for name, value in (item.params or {}).items() if name not in sealed}
        BatchItem.objects.filter(pk=item.pk, entry=entry).update(**values)


def _end(item: BatchItem, state: ItemState, reason: str) -> None:
    """An item that was not begun ends."""
    BatchItem.objects.filter(pk=item.pk, state=ItemState.WAITING).update(state=state, reason=reason)


def next_items(lane: str, in_hand: Collection[int] = ()) -> list[BatchItem]:
    """What can begin now if the lane has room, of several batches in turn: some at once, for reading them costs.

    Items ``in_hand``, by their keys, are just being begun: each has its place, and none of them is begun again.
    """
    room = AT_ONCE
    if lane:
        under_way = BatchItem.objects.filter(lane=lane, state__in=UNDER_WAY).exclude(pk__in=in_hand)
        room = settings.GWM_BATCH_JOBS - len(in_hand) - under_way.count()
    if room <= 0:
        return []
    now = timezone.now()
    ready = BatchItem.objects.filter(
        Q(try_at__isnull=True) | Q(try_at__lte=now),
        Q(after__isnull=True) | Q(after__state=ItemState.DONE),
        lane=lane,
        state=ItemState.WAITING,
        verdict=Verdict.WILL,
        batch__state=BatchState.RUNNING,
    ).exclude(pk__in=in_hand)
    return list(
        ready.select_related("batch__actor", "batch__persona").order_by("position", "batch")[: min(room, AT_ONCE)]
    )


def targets_of(items: Sequence[BatchItem]) -> list[Any]:
    """What the items are about, in their order; None where it is gone. It is judged as it is when an item begins."""
    wanted: dict[str, list[int]] = {}
    for item in items:
        if item.key in OPERATIONS and item.target_pk is not None:
            wanted.setdefault(item.key, []).append(item.target_pk)
    found = {key: OPERATIONS[key].rows().in_bulk(keys) for key, keys in wanted.items()}
    return [found.get(item.key, {}).get(item.target_pk) for item in items]


def carry_out(item: BatchItem, target: Any, lease: Lease) -> bool:
    """Begin an item, if it can be; whether it was. The attempt is counted first, so that none is made for ever."""
    if item.attempts >= ATTEMPTS:
        _end(item, ItemState.FAILED, item.reason or _("This program failed; its log has the details."))
        return False
    wait = timedelta(seconds=WAITS_S[item.attempts])
    if not _COUNT.run(item.attempts + 1, timezone.now() + wait, item.pk, item.attempts):
        return False
    operation = OPERATIONS.get(item.key)
    user = item.batch.actor
    if operation is None or user is None:
        words = _("This release knows no such operation.") if operation is None else _("Who wanted it is gone.")
        _end(item, ItemState.FAILED, words)
        return False
    if target is None or getattr(target, "uuid", "") != item.target_uuid:
        _end(item, ItemState.FAILED, _("%s is gone.") % item.target_name)
        return False
    batch = item.batch
    actor = Actor(user, Via(batch.via), batch.persona, over_quota=batch.over_quota)
    return _run(item, operation, actor, target, lease)


def _run(item: BatchItem, operation: AnyOperation, actor: Actor, target: Any, lease: Lease) -> bool:
    mine: list[Entry] = []

    def bind(entry: Entry) -> None:
        lease.renew()
        mine.append(entry)
        if not _BEGIN.run(entry.pk, item.pk):
            raise _Taken
        if operation.then:
            go_on_after(item, target, operation.then)

    def fence() -> None:
        try:
            lease.renew()
        except LeaseLost as lost:
            # Nothing was sent, and nobody else does: who has the lane by now begins it anew.
            begun = BatchItem.objects.filter(pk=item.pk, state__in=UNDER_WAY, entry__in=mine)
            begun.update(state=ItemState.WAITING, entry=None, try_at=None)
            words = _("This worker stood still for a while, and another goes on with the batch. Nothing was sent.")
            raise NotTaken(words, may_have_run=False) from lost

    try:
        params = params_from(operation, actor, target, item.data)
        entry = run(operation, Ask(actor, target, params), bind=bind, fence=fence)
    except _Taken:
        return False
    except (Forbidden, Invalid) as refusal:
        _end(item, ItemState.FAILED, str(refusal))
        return False
    except Refusal as refusal:
        _wait(item, operation, target, refusal)
        return False
    if not lease.is_held:
        raise LeaseLost
    _follow(BatchItem(pk=item.pk, operation=item.operation, params=item.params, state=ItemState.RUNNING), entry)
    return True


def _wait(item: BatchItem, operation: AnyOperation, target: Any, refusal: Refusal) -> None:
    """What is busy, or away, is tried again some times; what there is nothing to do about is left out."""
    target.refresh_from_db()
    is_busy = operation.locks and isinstance(target, Busy) and target.is_busy
    if not isinstance(refusal, TurnedAway) and not is_busy and (own := operation.obstacle(target)):
        _end(item, ItemState.SKIPPED, own)
    elif item.attempts + 1 >= ATTEMPTS:
        words = _("Tried %(number)d times: %(why)s") % {"number": ATTEMPTS, "why": refusal}
        _end(item, ItemState.FAILED, words)
    else:
        BatchItem.objects.filter(pk=item.pk, state=ItemState.WAITING).update(reason=str(refusal))


def end_batches() -> None:
    """Batches of which nothing is open any more have ended."""
    still_open = BatchItem.objects.filter(batch=OuterRef("pk"), state__in=OPEN_ITEMS)
    begun = (BatchState.RUNNING, BatchState.STOPPED)
    ended = Batch.objects.filter(~Exists(still_open), state__in=begun)
    ended.update(state=BatchState.DONE, ended_at=timezone.now())


def forget_plans() -> None:
    """Delete plans that nobody has confirmed for a day."""
    old = timezone.now() - timedelta(seconds=PLANS_KEPT_S)
    Batch.objects.filter(state=BatchState.PLANNED, created_at__lt=old).delete()
