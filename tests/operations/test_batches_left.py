"""Batches whose rights, actor, targets or cluster go away while they are carried out."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from clusters.models import Cluster
from clusters.operations.cluster import RemoveCluster
from objectlog.models import Entry, Event, Outcome, Via
from operations.batches import settle
from operations.contract import Actor, Ask, NoParams
from operations.lanes import claim_lanes, work_lane
from operations.models import Batch, BatchItem, ItemState
from operations.pipeline import run
from operations.planning import begin_batch, plan, retry_failed
from permissions.models import User
from permissions.services import grant, revoke
from tests.factories import make_admin, make_user
from tests.operations.test_batches import Yard, let_wait, states
from virtualmachines.operations.power import Reboot, Shutdown, ShutdownParams

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G050")]


@pytest.fixture
def yard(db: None, make_simulator: Any) -> Yard:
    return Yard(make_simulator(nodes=2, instances=12))


def test_rights_are_asked_again(yard: Yard) -> None:
    alice, vm = make_user("alice"), yard.vms(1).get()
    grant(["power"], alice, vm)
    batch = plan(Shutdown(), Actor(alice, Via.WEB), yard.vms(1), {})
    begin_batch(batch, {})
    revoke(["power"], alice, vm)
    assert work_lane(yard.lane) == 0
    [item] = batch.items.all()
    assert item.state == "failed" and "power" in item.reason
    assert yard.sent() == [] and Event.objects.filter(outcome=Outcome.DENIED).count() == 1


@pytest.mark.parametrize("gone", ["actor", "disabled", "machine", "namesake", "operation"])
def test_what_is_gone_fails_and_says_so(yard: Yard, gone: str) -> None:
    other = make_admin("other")
    batch = plan(Shutdown(), Actor(other, Via.WEB), yard.vms(1), {})
    begin_batch(batch, {})
    if gone == "actor":
        other.delete()
    elif gone == "disabled":
        User.objects.filter(pk=other.pk).update(is_active=False)
    elif gone == "machine":
        yard.vms(1).delete()
    elif gone == "namesake":
        yard.vms(1).update(uuid="20000000-0000-4000-8000-00000000abcd")
    else:
        Batch.objects.update(operation="vm.fly")
    work_lane(yard.lane)
    [item] = batch.items.all()
    batch.refresh_from_db()
    assert item.state == "failed" and item.reason and batch.state == "done"
    assert yard.sent() == []


def test_who_was_not_heard_of_for_a_moment_has_its_turn_later(yard: Yard) -> None:
    """Whether it runs is not known while its node does not answer, so it is not left out for standing still."""
    batch = plan(Reboot(), yard.root, yard.vms(1), {})
    begin_batch(batch, {"type": "hard"})
    yard.vms(1).update(status="ERROR_nodedown")
    assert work_lane(yard.lane) == 0
    [item] = batch.items.all()
    assert (item.state, item.reason) == ("waiting", "Its primary node did not answer.")
    yard.vms(1).update(status="running")
    let_wait()
    assert work_lane(yard.lane) == 1
    yard.end_jobs()
    work_lane(yard.lane)
    assert states(batch) == ["done"]


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.FAILED])
def test_what_is_to_be_begun_anew_meanwhile_is_left_alone(yard: Yard, outcome: Outcome) -> None:
    """Between reading how an item's entry ended and writing that of the item, somebody had it tried again."""
    batch = yard.shut_down(1)
    work_lane(yard.lane)
    Entry.objects.update(outcome=outcome)
    others = [lambda: batch.items.update(state=ItemState.WAITING, entry=None)]

    def come_between(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("UPDATE") and "operations_batchitem" in sql and others:
            others.pop()()
        return execute(sql, *rest)

    with connection.execute_wrapper(come_between):
        settle(yard.lane)
    assert states(batch) == ["waiting"] and not others


def test_a_cluster_removed_in_mid_batch_ends_it(yard: Yard) -> None:
    batch = yard.shut_down(1, 2, 3, 4, 5, 6)
    work_lane(yard.lane)
    assert states(batch) == ["running"] * 4 + ["waiting"] * 2
    run(RemoveCluster(), Ask(yard.root, yard.cluster, NoParams()))
    work_lane(yard.lane)
    batch.refresh_from_db()
    assert (states(batch), batch.state) == (["failed"] * 6, "done")
    reasons = [item.reason for item in batch.items.all()]
    assert all("how it ended is not known" in reason for reason in reasons[:4])
    assert reasons[5] == "vm6.example.org is gone."
    assert set(Entry.objects.values_list("verb", "outcome")) == {("vm.shutdown", "lost"), ("cluster.remove", "done")}
    assert retry_failed(batch) == 6 and claim_lanes() == [yard.lane]
    work_lane(yard.lane)
    assert states(batch) == ["failed"] * 6 and len(yard.sent()) == 4


def test_a_cluster_removed_during_the_call_loses_what_was_sent(yard: Yard) -> None:
    def remove() -> None:
        run(RemoveCluster(), Ask(yard.root, Cluster.objects.get(), NoParams()))

    entry = run(Shutdown(), Ask(yard.root, yard.vms(1).get(), ShutdownParams()), fence=remove)
    entry.refresh_from_db()
    assert (entry.outcome, len(yard.sent())) == ("lost", 1)


def test_who_signs_out_has_a_batch_go_on_and_who_is_switched_off_has_not(yard: Yard, client: Client) -> None:
    alice = make_user("alice")
    for vm in yard.vms(1, 2):
        grant(["power"], alice, vm)
    client.force_login(alice)
    batch = plan(Shutdown(), Actor(alice, Via.WEB), yard.vms(1, 2), {})
    begin_batch(batch, {})
    BatchItem.objects.filter(position=1).update(try_at=timezone.now() + timedelta(hours=1))
    client.post("/logout/")
    assert not Session.objects.exists()
    work_lane(yard.lane)
    assert sorted(states(batch)) == ["running", "waiting"], "it was confirmed, and needs nobody to look on"
    User.objects.update(is_active=False)
    let_wait()
    work_lane(yard.lane)
    assert sorted(states(batch)) == ["failed", "running"]
    assert BatchItem.objects.get(state="failed").reason == "This account is disabled."
