"""Carrying out batches: a pass over one lane, made by the worker again and again until nothing is left.

A pass looks at what is under way, lets what waited for it go on or fall away, and begins what has room, through `run`.
Its lease saves double work and holds the lane's limit; that nothing is sent twice does not hang on it. An item and its
journal entry are tied in the transaction that begins the operation, and what has an entry is not begun again: whoever
is killed leaves either no trace, or an entry that the job follower settles like any other.
"""

from datetime import timedelta
from time import monotonic
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from objectlog.models import OPEN_OUTCOMES, Entry, Outcome, Via
from operations.contract import Actor, AnyOperation, Ask, Forbidden, Invalid, Refusal, TurnedAway
from operations.forms import params_from
from operations.lease import Columns, Lease, LeaseLost
from operations.models import OPEN_ITEMS, UNDER_WAY, Batch, BatchItem, BatchLane, BatchState, Busy, ItemState, Verdict
from operations.pipeline import run
from operations.table import OPERATIONS

# Longer than one call to a cluster takes, so that a lane whose cluster hangs is not taken over meanwhile.
LEASE_S = 120.0
# A pass ends after so long, so that lanes take turns at the worker's threads.
PASS_S = 20.0
# A message that no worker took in this time is taken for lost.
QUEUED_S = 20.0
# How often an item is tried when it could not be begun, and how long it waits in between, in seconds.
ATTEMPTS = 6
WAITS_S = (5, 10, 20, 40, 60, 60)
PLANS_KEPT_S = 86400
_LEASE = Columns("leased_until", "lease_holder")
_WELL = (Outcome.DONE, Outcome.SUCCEEDED)


class _Taken(Exception):
    """The item was begun by somebody else, or its batch stopped, in the same moment."""


def claim_lanes() -> list[str]:
    """Mark the lanes on which there is something to do as handed over, and return their names."""
    waiting = Q(state=ItemState.WAITING, batch__state=BatchState.RUNNING)
    items = BatchItem.objects.filter(waiting | Q(state__in=UNDER_WAY), lane=OuterRef("name"))
    now = timezone.now()
    not_queued = Q(queued_at__isnull=True) | Q(queued_at__lt=now - timedelta(seconds=QUEUED_S))
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    due = BatchLane.objects.filter(Exists(items), not_queued, free).values_list("name", flat=True)
    return [name for name in list(due) if BatchLane.objects.filter(not_queued, name=name).update(queued_at=now)]


def work_lane(name: str) -> int:
    """One pass over a lane; how many items it began. None is begun if somebody else is at it."""
    lane = BatchLane.objects.filter(name=name).first()
    lease = Lease.take(lane, _LEASE, lasts_s=LEASE_S, queued_at=None) if lane is not None else None
    if lease is None:
        return 0
    begun = 0
    try:
        _settle(name)
        ends_at = monotonic() + PASS_S
        while monotonic() < ends_at and (item := _next_item(name)) is not None:
            begun += _carry_out(item)
            lease.renew()
        _settle(name)
        end_batches()
    except LeaseLost:
        return begun  # another goes on with the lane
    finally:
        if lease.is_held:
            lease.give_back()
    return begun


def _settle(lane: str) -> None:
    """Let items say what their entries say, and those that come after a failure fall away."""
    revived = Q(state=ItemState.FAILED, entry__outcome__in=(*OPEN_OUTCOMES, *_WELL), batch__state=BatchState.RUNNING)
    under_way = BatchItem.objects.filter(Q(state__in=UNDER_WAY) | revived, lane=lane)
    for item in under_way.select_related("entry"):
        _follow(item, item.entry)
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
        state, reason = ItemState.FAILED, entry.message or str(entry.get_outcome_display())
    if state != item.state:
        BatchItem.objects.filter(pk=item.pk, entry=entry).update(state=state, reason=reason)


def _end(item: BatchItem, state: ItemState, reason: str) -> None:
    """An item that was not begun ends."""
    BatchItem.objects.filter(pk=item.pk, state=ItemState.WAITING).update(state=state, reason=reason)


def _next_item(lane: str) -> BatchItem | None:
    """What can begin now if the lane has room: of several batches in turn."""
    if lane and BatchItem.objects.filter(lane=lane, state__in=UNDER_WAY).count() >= settings.GWM_BATCH_JOBS:
        return None
    now = timezone.now()
    ready = BatchItem.objects.filter(
        Q(try_at__isnull=True) | Q(try_at__lte=now),
        Q(after__isnull=True) | Q(after__state=ItemState.DONE),
        lane=lane,
        state=ItemState.WAITING,
        verdict=Verdict.WILL,
        batch__state=BatchState.RUNNING,
    )
    return ready.select_related("batch__actor", "batch__persona").order_by("position", "batch").first()


def _carry_out(item: BatchItem) -> bool:
    """Begin an item, if it can be; whether it was. The attempt is counted first, so that none is made for ever."""
    if item.attempts >= ATTEMPTS:
        _end(item, ItemState.FAILED, item.reason or _("This program failed; its log has the details."))
        return False
    wait = timedelta(seconds=WAITS_S[item.attempts])
    mine = BatchItem.objects.filter(pk=item.pk, state=ItemState.WAITING, attempts=item.attempts)
    if not mine.update(attempts=F("attempts") + 1, try_at=timezone.now() + wait):
        return False
    operation = OPERATIONS.get(item.key)
    user = item.batch.actor
    if operation is None or user is None:
        words = _("This release knows no such operation.") if operation is None else _("Who wanted it is gone.")
        _end(item, ItemState.FAILED, words)
        return False
    target = operation.rows().filter(pk=item.target_pk).first()
    if target is None or getattr(target, "uuid", "") != item.target_uuid:
        _end(item, ItemState.FAILED, _("%s is gone.") % item.target_name)
        return False
    return _run(item, operation, Actor(user, Via(item.batch.via), item.batch.persona), target)


def _run(item: BatchItem, operation: AnyOperation, actor: Actor, target: Any) -> bool:
    def bind(entry: Entry) -> None:
        # Without a join: the row itself is judged once more when another transaction held it.
        goes_on = Batch.objects.filter(state=BatchState.RUNNING)
        waiting = BatchItem.objects.filter(pk=item.pk, state=ItemState.WAITING, batch__in=goes_on)
        if not waiting.update(state=ItemState.RUNNING, entry=entry, reason=""):
            raise _Taken

    try:
        params = params_from(operation, actor, target, item.data)
        entry = run(operation, Ask(actor, target, params), bind=bind)
    except _Taken:
        return False
    except (Forbidden, Invalid) as refusal:
        _end(item, ItemState.FAILED, str(refusal))
        return False
    except Refusal as refusal:
        _wait(item, operation, target, refusal)
        return False
    _follow(BatchItem(pk=item.pk, state=ItemState.RUNNING), entry)
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
