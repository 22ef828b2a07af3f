"""Who works on which lane, and when: each pass under a short lease, on a thread of its own.

A call to a cluster that hangs keeps its thread for as long as it may take, a minute and more. So passes have their own
threads instead of those of the worker, where updates and healthy clusters would wait behind them. There is a limit to
them too, and lanes whose last call hung get half of it at most.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from operations.batches import carry_out, end_batches, next_items, settle, targets_of
from operations.heartbeat import kept_alive
from operations.lease import Columns, Lease, LeaseLost
from operations.models import UNDER_WAY, BatchItem, BatchLane, BatchState, ItemState

# Whoever is killed, or stopped for so long, is taken over from. It is renewed every few seconds, and before each call
# for longer than what is asked before a change may take: so what is sent is sent by who has it.
LEASE_S = 20.0
BEAT_S = 5.0
# A pass ends after so long, so that lanes take turns.
PASS_S = 20.0
# A message that no worker took in this time is taken for lost.
QUEUED_S = 20.0
# A call that takes so long hangs: it ends the pass, and the lane has to stand back for others.
HUNG_S = 3.0
_LEASE = Columns("leased_until", "lease_holder")


def claim_lanes() -> list[str]:
    """Mark the lanes on which there is something to do as handed over, and return their names; those that hung last."""
    waiting = Q(state=ItemState.WAITING, batch__state=BatchState.RUNNING)
    items = BatchItem.objects.filter(waiting | Q(state__in=UNDER_WAY), lane=OuterRef("name"))
    now = timezone.now()
    not_queued = Q(queued_at__isnull=True) | Q(queued_at__lt=now - timedelta(seconds=QUEUED_S))
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    hung = Q(hung_at__isnull=False)
    room = max(1, settings.GWM_BATCH_LANES // 2) - BatchLane.objects.filter(hung & ~(not_queued & free)).count()
    due = BatchLane.objects.filter(Exists(items), not_queued, free).order_by(F("hung_at").asc(nulls_first=True))
    claimed = []
    for name, hung_at in list(due.values_list("name", "hung_at")):
        if hung_at is not None:
            if room <= 0:
                break
            room -= 1
        if BatchLane.objects.filter(not_queued, name=name).update(queued_at=now):
            claimed.append(name)
    return claimed


def work_lane(name: str, *, goes_on: Callable[[], bool] = lambda: True, hung_s: float = HUNG_S, calls: int = 1) -> int:
    """One pass over a lane, with so many calls at a time; how many items it began. None if somebody else is at it.

    A call that takes longer than ``hung_s`` ends it.
    """
    lane = BatchLane.objects.filter(name=name).first()
    lease = Lease.take(lane, _LEASE, lasts_s=LEASE_S, queued_at=None) if lane is not None else None
    if lane is None or lease is None:
        return 0
    work = _Pass(lane, lease, goes_on, hung_s)
    try:
        with kept_alive(lease, every_s=BEAT_S):
            settle(name)
            work.carry_out(calls)
            lease.renew()
            settle(name)
        end_batches()
    except LeaseLost:
        pass  # another goes on with the lane
    finally:
        if lease.is_held:
            lease.give_back()
    return work.begun


class _Pass:
    """Items of a lane, begun one after the other by each of some threads.

    Ganeti answers several calls at the same time, and what we do before and after one is done while it answers another.
    """

    def __init__(self, lane: BatchLane, lease: Lease, goes_on: Callable[[], bool], hung_s: float) -> None:
        self.begun = 0
        self._lane, self._lease, self._goes_on, self._hung_s = lane, lease, goes_on, hung_s
        self._ends_at = monotonic() + PASS_S
        self._lock = threading.Lock()
        self._ready: list[tuple[BatchItem, Any]] = []
        self._in_hand: set[int] = set()
        self.is_over = False

    def carry_out(self, calls: int) -> None:
        """Begin what can begin; back when all threads are. Raises what one of them has raised."""
        with ThreadPoolExecutor(max(1, calls - 1), thread_name_prefix=self._lane.name) as threads:
            beside = [threads.submit(self._begin_beside) for _each in range(calls - 1)]
            self._begin_all()
        for each in beside:
            each.result()

    def _begin_beside(self) -> None:
        try:
            self._begin_all()
        finally:
            connections.close_all()

    def _begin_all(self) -> None:
        try:
            while (following := self._take()) is not None:
                self._begin(*following)
        except BaseException:
            self.is_over = True  # for all of them
            raise

    def _take(self) -> tuple[BatchItem, Any] | None:
        """The next item that can begin and what it is about, as long as there is any and the pass lasts."""
        with self._lock:
            if self.is_over or not self._goes_on() or monotonic() >= self._ends_at:
                return None
            if not self._ready:
                items = next_items(self._lane.name, self._in_hand)
                self._ready = list(zip(items, targets_of(items), strict=True))[::-1]
            if not self._ready:
                return None
            following = self._ready.pop()
            self._in_hand.add(following[0].pk)
            return following

    def _begin(self, item: BatchItem, target: Any) -> None:
        began_at = monotonic()
        is_begun = carry_out(item, target, self._lease)
        has_hung = monotonic() - began_at > self._hung_s
        with self._lock:
            self._in_hand.remove(item.pk)
            self.begun += is_begun
            self.is_over |= has_hung
            if has_hung or (is_begun and self._lane.hung_at is not None):
                self._lane.hung_at = timezone.now() if has_hung else None
                self._lane.save(update_fields=["hung_at"])


class Passes:
    """The passes of this process, each on a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at_work: dict[str, threading.Thread] = {}
        self._is_stopping = threading.Event()

    def start(self, name: str) -> bool:
        """Begin a pass over a lane; False if there is no room for it. It is claimed again then."""
        with self._lock:
            is_full = len(self._at_work) >= settings.GWM_BATCH_LANES or self._is_stopping.is_set()
            if not is_full and name not in self._at_work:
                self._at_work[name] = threading.Thread(target=self._pass, args=(name,), name=name)
                self._at_work[name].start()
        if is_full:
            BatchLane.objects.filter(name=name).update(queued_at=None)
        return not is_full

    def stop(self) -> None:
        """Begin no item any more; what is under way is brought to its end."""
        self._is_stopping.set()

    def wait(self) -> None:
        """Until the passes under way have ended."""
        with self._lock:
            threads = list(self._at_work.values())
        for thread in threads:
            thread.join()

    def _pass(self, name: str) -> None:
        try:
            work_lane(name, goes_on=lambda: not self._is_stopping.is_set(), calls=settings.GWM_BATCH_CALLS)
        finally:
            connections.close_all()
            with self._lock:
                del self._at_work[name]


PASSES = Passes()


def carry_on() -> int:
    """One pass over all lanes on which there is something to do, side by side, in this process; how many lanes."""
    end_batches()  # whose last worker was killed before it could
    claimed = claim_lanes()
    for name in claimed:
        PASSES.start(name)
    PASSES.wait()
    return len(claimed)
