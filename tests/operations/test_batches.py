"""Batches: planned like buttons, carried out like operations, each item once."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clusters.models import Cluster
from objectlog.models import Entry, Outcome, Via
from objectlog.services import advance
from operations import batches
from operations.batches import ATTEMPTS, carry_out, end_batches, forget_plans, next_items
from operations.contract import Actor
from operations.lanes import claim_lanes, work_lane
from operations.lease import Columns, Lease
from operations.models import Batch, BatchItem, BatchLane, ItemState
from operations.planning import Step, begin_batch, continue_batch, plan, plan_steps, retry_failed, stop_batch
from permissions.services import grant
from rapi.trust import normalize_fingerprint
from simulator import Simulator
from tests.factories import make_admin, make_cluster, make_user, make_vm
from tests.fixtures.databases import some_in_fast
from updates.cycle import sync_cluster
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.power import Reboot, Shutdown, ShutdownNow, Start

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G050")]


class Yard:
    """A cluster of twelve running machines, as Ganeti and we know them; root may do everything."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.cluster = make_cluster(
            "lab",
            host=simulator.host,
            port=simulator.port,
            username=simulator.username,
            password=simulator.password,
            tls_fingerprint=normalize_fingerprint(simulator.fingerprint),
            uuid="",
        )
        sync_cluster(self.cluster)
        self.root = Actor(make_admin(), Via.WEB)
        self.lane = f"cluster {self.cluster.pk}"

    def vms(self, *numbers: int) -> Any:
        names = [f"vm{number}.example.org" for number in numbers]
        return VirtualMachine.objects.filter(name__in=names) if numbers else VirtualMachine.objects.all()

    def shut_down(self, *numbers: int) -> Batch:
        batch = plan(Shutdown(), self.root, self.vms(*numbers), {})
        assert begin_batch(batch, {"timeout_s": 30})
        return batch

    def end_jobs(self) -> None:
        self.simulator.run_jobs()
        sync_cluster(self.cluster)

    def sent(self) -> list[str]:
        """The machines that requests for changes were about, in order."""
        return [
            path.split("/")[3]
            for method, path in self.simulator.requests
            if method == "PUT" and path.startswith("/2/instances/")
        ]


@pytest.fixture
def yard(db: None, make_simulator: Any) -> Yard:
    return Yard(make_simulator(nodes=2, instances=12))


def states(batch: Batch) -> list[str]:
    return [str(item.state) for item in batch.items.all()]


def let_wait() -> None:
    """As if the time that items wait had passed."""
    BatchItem.objects.filter(try_at__isnull=False).update(try_at=timezone.now() - timedelta(seconds=1))


def test_a_plan_says_what_will_be_done_what_not_and_why(yard: Yard) -> None:
    alice = make_user("alice")
    for vm in yard.vms(1, 2):
        grant(["power"], alice, vm)
    grant(["tags"], alice, yard.vms(3).get())
    VirtualMachine.objects.filter(name="vm2.example.org").update(status="ADMIN_down", admin_state="down")
    batch = plan(Shutdown(), Actor(alice, Via.WEB), yard.vms(1, 2, 3), {})
    first, second, third = batch.items.all()
    assert (first.verdict, first.state, first.reason) == ("will", "waiting", "")
    assert (second.verdict, second.state, second.reason) == ("skipped", "skipped", "It is stopped already.")
    assert (third.verdict, third.state) == ("denied", "skipped") and "power" in third.reason
    assert (batch.state, batch.via, batch.actor_name) == ("planned", "bulk", "alice")
    assert claim_lanes() == [] and work_lane(yard.lane) == 0
    assert not Entry.objects.exists() and yard.sent() == []


@pytest.mark.parametrize("is_admin", some_in_fast([False, True], 2))
def test_five_hundred_machines_are_planned_with_few_queries(
    db: None, is_admin: bool, django_assert_max_num_queries: Any
) -> None:
    cluster = make_cluster("big")
    user = make_admin() if is_admin else make_user("alice")
    if not is_admin:
        grant(["admin"], user, cluster)
    for _number in range(500):
        make_vm(cluster)
    with django_assert_max_num_queries(15):
        batch = plan(Reboot(), Actor(user, Via.WEB), VirtualMachine.objects.all(), {})
    assert batch.items.filter(verdict="will").count() == 500


def test_a_batch_runs_to_its_end_with_its_limit_and_its_parameters(yard: Yard) -> None:
    batch = yard.shut_down(1, 2, 3, 4, 5, 6)
    assert not begin_batch(batch, {}), "it begins once"
    assert claim_lanes() == [yard.lane] and claim_lanes() == []
    assert work_lane(yard.lane) == settings.GWM_BATCH_JOBS == 4
    assert states(batch) == ["running"] * 4 + ["waiting"] * 2
    assert work_lane(yard.lane) == 0
    yard.end_jobs()
    assert work_lane(yard.lane) == 2
    assert states(batch) == ["done"] * 4 + ["running"] * 2
    yard.end_jobs()
    work_lane(yard.lane)
    batch.refresh_from_db()
    assert states(batch) == ["done"] * 6 and batch.state == "done" and batch.ended_at is not None
    assert yard.sent() == [f"vm{number}.example.org" for number in range(1, 7)]
    entries = Entry.objects.order_by("pk")
    assert [entry.via for entry in entries] == ["bulk"] * 6
    assert [item.entry for item in batch.items.all()] == list(entries)
    assert {entry.params["timeout_s"] for entry in entries} == {30}
    assert claim_lanes() == []


def test_each_machine_of_a_batch_costs_few_statements(yard: Yard) -> None:
    """Beside what the cluster takes to answer they are all that a batch adds, for hundreds of machines."""
    numbers = []
    for some in ((1,), (2,), (3, 4, 5)):  # the first has none before it that ended
        batch = yard.shut_down(*some)
        BatchLane.objects.update(queued_at=None, leased_until=None)
        with CaptureQueriesContext(connection) as statements:
            work_lane(yard.lane)
        assert states(batch) == ["running"] * len(some)
        numbers.append(len(statements))
        yard.end_jobs()
    assert (numbers[2] - numbers[1]) / 2 <= 25


def test_two_batches_on_one_cluster_share_its_limit_and_take_turns(yard: Yard) -> None:
    first, second = yard.shut_down(1, 2, 3, 4, 5), yard.shut_down(6, 7, 8)
    assert work_lane(yard.lane) == 4
    assert states(first) == ["running"] * 2 + ["waiting"] * 3
    assert states(second) == ["running"] * 2 + ["waiting"]


def test_of_two_workers_one_leaves_the_lane_until_the_lease_has_run_out(yard: Yard) -> None:
    yard.shut_down(1)
    BatchLane.objects.update(leased_until=timezone.now() + timedelta(seconds=60), lease_holder="other")
    assert claim_lanes() == [] and work_lane(yard.lane) == 0
    BatchLane.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert claim_lanes() == [yard.lane] and work_lane(yard.lane) == 1


def test_what_ganeti_refuses_fails_in_its_words_and_can_be_tried_again(yard: Yard) -> None:
    yard.simulator.faults.refuse(409, "No such luck", method="PUT", path="/2/instances/vm1.*", times=1)
    batch = yard.shut_down(1, 2)
    work_lane(yard.lane)
    first, second = batch.items.all()
    assert (first.state, second.state) == ("failed", "running") and "No such luck" in first.reason
    yard.end_jobs()
    work_lane(yard.lane)
    batch.refresh_from_db()
    assert batch.state == "done"
    assert retry_failed(batch) == 1
    batch.refresh_from_db()
    assert batch.state == "running" and batch.ended_at is None
    work_lane(yard.lane)
    yard.end_jobs()
    work_lane(yard.lane)
    batch.refresh_from_db()
    assert states(batch) == ["done", "done"] and batch.state == "done"
    assert retry_failed(batch) == 0


def test_a_stopped_batch_begins_nothing_until_it_is_continued(yard: Yard) -> None:
    batch = yard.shut_down(1, 2, 3, 4, 5)
    work_lane(yard.lane)
    assert stop_batch(batch) and not stop_batch(batch)
    yard.end_jobs()
    assert work_lane(yard.lane) == 0
    assert states(batch) == ["done"] * 4 + ["waiting"]
    assert claim_lanes() == []
    assert continue_batch(batch) and not continue_batch(batch)
    assert work_lane(yard.lane) == 1


def test_a_batch_that_is_stopped_in_the_middle_of_a_pass_begins_nothing_more(yard: Yard) -> None:
    batch = yard.shut_down(1, 2, 3)

    def goes_on() -> bool:
        """Somebody stops it between its first item and its second, which are read already."""
        if "running" in states(batch):
            stop_batch(batch)
        return True

    assert work_lane(yard.lane, goes_on=goes_on) == 1
    assert states(batch) == ["running", "waiting", "waiting"]
    assert [item.attempts for item in batch.items.all()] == [1, 0, 0], "what waits was not tried"


def test_what_is_stopped_as_it_begins_leaves_no_trace(yard: Yard) -> None:
    """After its attempt was counted, and before anything is written."""
    batch = yard.shut_down(1)

    class Stopping(Lease):
        def renew(self) -> None:
            super().renew()
            stop_batch(batch)

    lane = BatchLane.objects.get(name=yard.lane)
    lease = Stopping.take(lane, Columns("leased_until", "lease_holder"), lasts_s=20.0)
    [item] = next_items(yard.lane)
    assert lease is not None and not carry_out(item, yard.vms(1).get(), lease)
    assert states(batch) == ["waiting"] and not Entry.objects.exists() and yard.sent() == []


def test_no_answer_is_in_doubt_until_the_follower_has_found_out(yard: Yard) -> None:
    yard.simulator.faults.add("drop_after", method="PUT", path="/2/instances/vm1.*", times=1)
    batch = yard.shut_down(1)
    work_lane(yard.lane)
    assert states(batch) == ["in_doubt"]
    assert retry_failed(batch) == 0
    work_lane(yard.lane)
    yard.end_jobs()
    work_lane(yard.lane)
    assert states(batch) == ["done"] and yard.sent() == ["vm1.example.org"]


def test_a_busy_machine_is_waited_for_and_at_last_given_up(yard: Yard) -> None:
    other = yard.shut_down(1)
    work_lane(yard.lane)
    batch = plan(Start(), yard.root, yard.vms(2), {})
    yard.vms(2).update(busy_with="vm.shutdown", busy_entry=Entry.objects.get().uuid)
    BatchItem.objects.filter(batch=batch).update(state="waiting", verdict="will", reason="")
    begin_batch(batch, {})
    for number in range(1, ATTEMPTS):
        assert work_lane(yard.lane) == 0
        [item] = batch.items.all()
        assert (item.state, item.attempts) == ("waiting", number) and "in progress" in item.reason
        assert work_lane(yard.lane) == 0, "it waits"
        assert batch.items.get().attempts == number
        let_wait()
    work_lane(yard.lane)
    item = batch.items.get()
    assert item.state == "failed" and "in progress" in item.reason and str(ATTEMPTS) in item.reason
    assert states(other) == ["running"]


def test_what_there_is_nothing_to_do_about_by_now_is_skipped(yard: Yard) -> None:
    batch = yard.shut_down(1)
    yard.vms(1).update(status="ADMIN_down", admin_state="down")
    work_lane(yard.lane)
    item = batch.items.get()
    assert (item.state, item.reason) == ("skipped", "It is stopped already.")


def test_a_cluster_that_went_away_is_waited_for(yard: Yard) -> None:
    batch = yard.shut_down(1)
    Cluster.objects.update(unreachable_since=timezone.now())
    work_lane(yard.lane)
    assert states(batch) == ["waiting"] and "reachable" in batch.items.get().reason
    Cluster.objects.update(unreachable_since=None)
    let_wait()
    assert work_lane(yard.lane) == 1


def test_an_error_of_this_program_holds_up_nobody_and_ends(yard: Yard) -> None:
    batch = yard.shut_down(1, 2)
    first = batch.items.earliest("position")
    BatchItem.objects.filter(pk=first.pk).update(attempts=ATTEMPTS)
    work_lane(yard.lane)
    assert states(batch) == ["failed", "running"]
    assert "log" in batch.items.first().reason


def steps_of(yard: Yard) -> Batch:
    vm = yard.vms(1).get()
    steps = [Step(Shutdown(), {"timeout_s": 9}), Step(Start(), {}), Step(Reboot(), {"type": "full"})]
    batch = plan_steps(yard.root, vm, steps)
    assert [item.verdict for item in batch.items.all()] == ["will"] * 3
    begin_batch(batch, {})
    return batch


def test_steps_begin_when_the_one_before_has_succeeded(yard: Yard) -> None:
    batch = steps_of(yard)
    for number in range(3):
        assert work_lane(yard.lane) == 1
        assert states(batch) == ["done"] * number + ["running"] + ["waiting"] * (2 - number)
        assert work_lane(yard.lane) == 0
        yard.end_jobs()
    work_lane(yard.lane)
    batch.refresh_from_db()
    assert states(batch) == ["done"] * 3 and batch.state == "done"
    assert [entry.verb for entry in Entry.objects.order_by("pk")] == ["vm.shutdown", "vm.start", "vm.reboot"]
    assert Entry.objects.earliest("pk").params == {"timeout_s": 9}


def test_a_step_in_doubt_holds_those_after_it(yard: Yard) -> None:
    batch = steps_of(yard)
    yard.simulator.faults.add("drop_after", method="PUT", path="/2/instances/vm1.*", times=1)
    work_lane(yard.lane)
    assert states(batch) == ["in_doubt", "waiting", "waiting"]
    assert work_lane(yard.lane) == 0
    assert states(batch) == ["in_doubt", "waiting", "waiting"]


def test_those_after_a_failed_step_are_skipped_with_the_reason_and_come_back_with_it(yard: Yard) -> None:
    batch = steps_of(yard)
    yard.simulator.faults.add("refuse", method="PUT", path="/2/instances/vm1.*", times=1)
    work_lane(yard.lane)
    assert states(batch) == ["failed", "skipped", "skipped"]
    first, second, third = batch.items.all()
    assert first.reason in second.reason and second.reason in third.reason
    batch.refresh_from_db()
    assert batch.state == "done" and retry_failed(batch) == 3
    assert work_lane(yard.lane) == 1
    assert states(batch) == ["running", "waiting", "waiting"]


def test_an_item_given_up_that_ganeti_had_after_all_is_not_sent_again(yard: Yard) -> None:
    batch = yard.shut_down(1, 2)
    work_lane(yard.lane)
    entry = batch.items.first().entry
    Entry.objects.filter(pk=entry.pk).update(outcome=Outcome.NOT_SUBMITTED)
    work_lane(yard.lane)
    assert states(batch) == ["failed", "running"]
    entry.refresh_from_db()
    assert advance(entry, Outcome.SUBMITTED, job_ids=entry.job_ids)
    assert retry_failed(batch) == 0
    yard.end_jobs()
    work_lane(yard.lane)
    assert states(batch) == ["done", "done"] and len(yard.sent()) == 2


def test_a_batch_whose_last_worker_was_killed_before_it_could_say_so_ends(yard: Yard) -> None:
    batch = yard.shut_down(1)
    batch.items.update(state=ItemState.DONE)
    end_batches()
    batch.refresh_from_db()
    assert batch.state == "done"


def test_plans_that_nobody_confirms_are_forgotten(yard: Yard) -> None:
    old, new = plan(Start(), yard.root, yard.vms(1), {}), plan(Start(), yard.root, yard.vms(2), {})
    running = yard.shut_down(3)
    Batch.objects.filter(pk__in=[old.pk, running.pk]).update(
        created_at=timezone.now() - timedelta(seconds=batches.PLANS_KEPT_S + 1)
    )
    forget_plans()
    assert set(Batch.objects.values_list("pk", flat=True)) == {new.pk, running.pk}


def test_a_plan_with_nothing_to_do_does_not_begin(yard: Yard) -> None:
    batch = plan(Start(), yard.root, yard.vms(1, 2), {})
    assert {item.verdict for item in batch.items.all()} == {"skipped"}
    assert not begin_batch(batch, {}) and claim_lanes() == []


def test_force_off_in_a_batch_overrules_a_shutdown(yard: Yard) -> None:
    yard.shut_down(1)
    work_lane(yard.lane)
    batch = plan(ShutdownNow(), yard.root, yard.vms(1), {})
    assert begin_batch(batch, {})
    assert work_lane(yard.lane) == 1
