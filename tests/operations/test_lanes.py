"""Who works on a lane: a short lease, a fence before what is sent, and a limit to lanes that hang."""

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from objectlog.models import Entry, Outcome
from operations.batches import next_items
from operations.lanes import Passes, _Pass, claim_lanes, work_lane
from operations.models import Batch, BatchItem, BatchLane, BatchState, ItemState, Verdict
from tests.operations.test_batches import Yard, states
from tests.processes.commands import wait_for

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G050")]


@pytest.fixture
def yard(db: None, make_simulator: Any) -> Yard:
    return Yard(make_simulator(nodes=2, instances=12))


@contextmanager
def taken_over(*, before_renewal: int) -> Iterator[None]:
    """Somebody else takes the lane right before it is renewed for the n-th time."""
    renewals = 0

    def watch(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        nonlocal renewals
        if sql.startswith('UPDATE "operations_batchlane" SET "leased_until"') and '"queued_at"' not in sql:
            renewals += 1
            if renewals == before_renewal:
                BatchLane.objects.filter(lease_holder__gt="").update(lease_holder="another")
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        yield
    assert renewals >= before_renewal, "the lane was never renewed so often"


def test_who_lost_the_lane_before_it_wrote_anything_begins_nothing(yard: Yard) -> None:
    batch = yard.shut_down(1, 2)
    with taken_over(before_renewal=1):
        assert work_lane(yard.lane) == 0
    assert states(batch) == ["waiting", "waiting"]
    assert not Entry.objects.exists() and yard.sent() == []
    assert not yard.vms(1).get().is_busy


def test_who_lost_the_lane_after_it_wrote_the_entry_sends_nothing_and_leaves_it_to_the_other(yard: Yard) -> None:
    batch = yard.shut_down(1, 2)
    with taken_over(before_renewal=2):
        work_lane(yard.lane)
    assert states(batch) == ["waiting", "waiting"] and yard.sent() == []
    entry = Entry.objects.get()
    assert (entry.outcome, "Nothing was sent" in entry.message) == (Outcome.REFUSED, True)
    assert not yard.vms(1).get().is_busy
    assert BatchLane.objects.get().lease_holder == "another"
    BatchLane.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert work_lane(yard.lane) == 2
    assert yard.sent() == ["vm1.example.org", "vm2.example.org"] and states(batch) == ["running"] * 2


def test_who_lost_the_lane_while_it_sent_begins_nothing_more(yard: Yard) -> None:
    batch = yard.shut_down(1, 2)
    with taken_over(before_renewal=3):
        work_lane(yard.lane)
    assert yard.sent() == ["vm1.example.org"] and states(batch) == ["running", "waiting"]


def make_lanes(number: int, **values: Any) -> None:
    """Lanes with one item each that waits."""
    batch = Batch.objects.create(actor_name="x", operation="vm.start", state=BatchState.RUNNING)
    first = BatchLane.objects.count()
    for position in range(number):
        lane = BatchLane.objects.create(name=f"lane {first + position}", **values)
        BatchItem.objects.create(
            batch=batch,
            position=position,
            kind="vm",
            target_name="x",
            lane=lane.name,
            verdict=Verdict.WILL,
            state=ItemState.WAITING,
        )


def test_lanes_that_hang_get_half_of_the_places_and_come_last(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "GWM_BATCH_LANES", 4)
    now = timezone.now()
    make_lanes(1, hung_at=now, leased_until=now + timedelta(seconds=9), lease_holder="x")
    make_lanes(3, hung_at=now)
    make_lanes(5)
    claimed = claim_lanes()
    assert len(claimed) == 6 and claimed[-1] in ("lane 1", "lane 2", "lane 3")
    assert {f"lane {number}" for number in range(4, 9)} < set(claimed)
    assert claim_lanes() == []


def test_a_call_that_hangs_ends_the_pass_and_a_quick_one_clears_the_lane(yard: Yard) -> None:
    yard.simulator.faults.slow(0.4, method="PUT", path="/2/instances/.*", times=1)
    yard.shut_down(1, 2, 3)
    assert work_lane(yard.lane, hung_s=0.3) == 1
    assert BatchLane.objects.get().hung_at is not None
    assert work_lane(yard.lane, hung_s=30.0) == 2
    assert BatchLane.objects.get().hung_at is None


def test_a_worker_that_is_to_end_begins_nothing_and_leaves_the_lane_to_others(yard: Yard) -> None:
    yard.shut_down(1)
    assert claim_lanes() == [yard.lane] and claim_lanes() == []
    passes = Passes()
    passes.stop()
    assert not passes.start(yard.lane)
    assert claim_lanes() == [yard.lane] and yard.sent() == []


class Begun:
    """Items that are begun without a database: how many at a time, and what else happens as one is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
        self.waiting = [BatchItem(pk=number) for number in range(1, count + 1)]
        self.begun: list[int] = []
        self.in_hand_when_read: list[set[int]] = []
        self.meet: Callable[[BatchItem], object] = lambda item: None
        monkeypatch.setattr("operations.lanes.next_items", self._read)
        monkeypatch.setattr("operations.lanes.targets_of", lambda items: [None] * len(items))
        monkeypatch.setattr("operations.lanes.carry_out", self._begin)
        lease: Any = None
        self.work = _Pass(BatchLane(name="a lane"), lease, lambda: True, 30.0)

    def _read(self, lane: str, in_hand: Collection[int]) -> list[BatchItem]:
        self.in_hand_when_read.append(set(in_hand))
        taken, self.waiting = self.waiting[:2], self.waiting[2:]
        return taken

    def _begin(self, item: BatchItem, target: object, lease: object) -> bool:
        self.meet(item)
        self.begun.append(item.pk)
        return True


def test_so_many_calls_are_under_way_at_a_time_and_each_item_is_begun_once(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = Begun(monkeypatch, 9)
    all_three = threading.Barrier(3, timeout=60)
    begun.meet = lambda item: all_three.wait()
    begun.work.carry_out(3)
    assert sorted(begun.begun) == list(range(1, 10)) and begun.work.begun == 9


def test_what_is_being_begun_is_known_to_who_looks_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = Begun(monkeypatch, 4)
    first_goes_on = threading.Event()
    begun.meet = lambda item: first_goes_on.wait(60) if item.pk == 1 else item.pk == 4 and first_goes_on.set()
    begun.work.carry_out(2)
    assert begun.in_hand_when_read[:2] == [set(), {1}]
    assert sorted(begun.begun) == [1, 2, 3, 4]


def test_a_failure_of_one_thread_ends_the_pass_of_all_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = Begun(monkeypatch, 9)
    both = threading.Barrier(2, timeout=60)

    def meet(item: BatchItem) -> None:
        both.wait()
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("amid an item")
        wait_for(lambda: begun.work.is_over, "the other has failed")

    begun.meet = meet
    with pytest.raises(RuntimeError, match="amid an item"):
        begun.work.carry_out(2)
    assert len(begun.begun) == 1


def test_items_that_are_being_begun_have_their_places(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "GWM_BATCH_JOBS", 4)
    batch = yard.shut_down(1, 2, 3, 4, 5, 6)
    first, second, *rest = batch.items.order_by("position")
    assert [item.pk for item in next_items(yard.lane, {second.pk})] == [first.pk, *(item.pk for item in rest[:2])]
    BatchItem.objects.filter(pk=second.pk).update(state=ItemState.RUNNING)
    assert len(next_items(yard.lane, {second.pk})) == 3, "counted once, begun or not"
    assert len(next_items(yard.lane, {first.pk})) == 2
