"""Who works on a lane: a short lease, a fence before what is sent, and a limit to lanes that hang."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from objectlog.models import Entry, Outcome
from operations.lanes import Passes, claim_lanes, work_lane
from operations.models import Batch, BatchItem, BatchLane, BatchState, ItemState, Verdict
from tests.operations.test_batches import Yard, states

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
