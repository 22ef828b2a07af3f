"""One updater per cluster, clusters that do not wait for each other, and values that are newer than a reading."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clusters.connection import client_for
from clusters.models import Cluster, Schedule
from clusters.sync.fetch import BEAT_S, fetch_snapshot
from clusters.sync.readings import Readings
from clusters.sync.snapshot import Known
from operations.lease import Lease, LeaseLost
from tests.factories import make_cluster, reserve_vm
from tests.processes.commands import PATIENCE_S, wait_for
from tests.updates.conftest import update
from updates.cycle import sync_cluster
from updates.due import claim_due, claim_to_follow, select_due
from updates.leases import LEASE_S, UPDATING, updating
from updates.tasks import sync_one_cluster
from virtualmachines.models import VirtualMachine

VM1 = "vm1.example.org"


def in_thread(work):
    """Run in a thread with a database connection of its own; join() waits and gives the result."""
    results = []

    def body():
        try:
            results.append(work())
        finally:
            connection.close()

    thread = threading.Thread(target=body)
    thread.start()

    def join():
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
        return results[0]

    return join


def test_a_lease_keeps_a_second_updater_out(simulator, cluster):
    lease = Lease.take(cluster.schedule, UPDATING, lasts_s=LEASE_S)
    assert lease is not None
    columns = ("attempted_at", "leased_until", "lease_holder", "synced_at", "next_sync_at", "failures")
    before = Schedule.objects.values(*columns).get(pk=cluster.pk)
    report = sync_cluster(cluster)
    assert report.outcome == "skipped" and not simulator.requests
    assert Schedule.objects.values(*columns).get(pk=cluster.pk) == before
    assert not select_due().exists()


def test_a_lease_runs_out(simulator, cluster):
    lease = Lease.take(cluster.schedule, UPDATING, lasts_s=LEASE_S)
    Schedule.objects.filter(pk=cluster.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
    assert update(cluster).outcome == "updated"
    with pytest.raises(LeaseLost):
        lease.give_back(failures=99)
    with pytest.raises(LeaseLost):
        lease.renew()
    cluster.refresh_from_db()
    assert cluster.schedule.failures == 0


def test_an_error_of_the_program_gives_the_lease_back_and_says_so(cluster):
    with pytest.raises(ZeroDivisionError), updating(cluster):
        raise ZeroDivisionError
    cluster.refresh_from_db()
    schedule = cluster.schedule
    assert schedule.leased_until is None and cluster.last_error_kind == "internal" and schedule.failures == 1
    assert schedule.next_sync_at > timezone.now()


def test_the_lease_is_renewed_while_a_reading_takes_long(simulator, cluster, long_time_outs):
    """It takes until the lease was renewed three times, and then until it is lost."""
    held = simulator.faults.slow(PATIENCE_S, path="/2/info")
    lease = Lease.take(cluster.schedule, UPDATING, lasts_s=LEASE_S)
    renewed = []

    def beat():
        try:
            lease.renew()
        except LeaseLost:
            simulator.faults.remove(held)
            raise
        renewed.append(Cluster.objects.get(pk=cluster.pk).schedule.leased_until)
        if len(renewed) == 3:
            simulator.faults.remove(held)

    with client_for(cluster) as client:
        fetch_snapshot(Readings(client), Known(), beat=beat, beat_s=0.1)
    assert len(renewed) >= 3 and renewed == sorted(renewed)
    assert BEAT_S * 2 < LEASE_S
    held = simulator.faults.slow(PATIENCE_S, path="/2/info")
    Schedule.objects.filter(pk=cluster.pk).update(lease_holder="another")
    with client_for(cluster) as client, pytest.raises(LeaseLost):
        fetch_snapshot(Readings(client), Known(), beat=beat, beat_s=0.1)


@pytest.mark.feature("F080")
@pytest.mark.django_db(transaction=True)
def test_a_cluster_that_hangs_delays_no_other(make_simulator, track, long_time_outs):
    """It hangs until the other was updated."""
    hung, well = make_simulator(instances=2), make_simulator(instances=2)
    one, two = track(hung, "hung"), track(well, "well")
    hung.faults.add("hang")
    claimed = claim_due()
    assert set(claimed) == {one.pk, two.pk}
    join = in_thread(lambda: sync_one_cluster(one.pk))
    wait_for(lambda: hung.requests, "it is asked")
    sync_one_cluster(two.pk)
    two.refresh_from_db()
    assert two.synced_at is not None
    one.refresh_from_db()
    assert one.schedule.leased_until is not None and one.synced_at is None
    assert claim_due() == []  # no second task while the first is under way
    hung.faults.clear()
    join()


def test_a_cluster_is_handed_over_once(cluster):
    Schedule.objects.update(next_sync_at=timezone.now() - timedelta(seconds=1))
    assert claim_due() == [cluster.pk]
    assert claim_due() == []
    Schedule.objects.update(sync_queued_at=timezone.now() - timedelta(seconds=61))  # no worker took it
    assert claim_due() == [cluster.pk]
    assert update(cluster).outcome == "updated"
    assert cluster.schedule.sync_queued_at is None
    assert claim_due() == claim_to_follow() == []


def test_few_clusters_in_trouble_are_tried_at_once(db):
    for number in range(6):
        make_cluster(f"bad{number}", failures=3, attempted_at=timezone.now(), next_sync_at=timezone.now())
    good = make_cluster("good", attempted_at=timezone.now(), next_sync_at=timezone.now())
    claimed = claim_due()
    assert good.pk in claimed and len(claimed) == 3
    assert claim_due() == []


def test_what_is_newer_than_the_reading_stays(simulator, cluster):
    """Between reading and writing an operation begins on one machine, and the follower writes another."""
    VirtualMachine.objects.update(read_at=timezone.now() - timedelta(minutes=1))
    simulator.outside.stop(VM1)
    simulator.outside.stop("vm2.example.org")
    simulator.outside.stop("vm3.example.org")
    soon = timezone.now() + timedelta(minutes=1)
    VirtualMachine.objects.filter(name=VM1).update(busy_entry=uuid.uuid4(), busy_since=soon, busy_with="vm.start")
    VirtualMachine.objects.filter(name="vm2.example.org").update(read_at=soon)
    update(cluster)
    states = dict(VirtualMachine.objects.values_list("name", "status"))
    assert states == {VM1: "running", "vm2.example.org": "running", "vm3.example.org": "ADMIN_down"}
    VirtualMachine.objects.update(read_at=timezone.now(), busy_since=timezone.now())
    update(cluster)
    assert set(VirtualMachine.objects.values_list("status", flat=True)) == {"ADMIN_down"}


def test_a_machine_being_created_is_found_by_name_and_not_missed(simulator, cluster):
    reserved = reserve_vm(cluster, "new.example.org", notes="ordered")
    waiting = reserve_vm(cluster, "later.example.org")
    made = simulator.outside.add("new.example.org")
    update(cluster)
    reserved.refresh_from_db()
    waiting.refresh_from_db()
    assert (reserved.uuid, reserved.status, reserved.notes) == (made.uuid, "running", "ordered")
    assert waiting.uuid == "" and waiting.missing_since is None
    assert VirtualMachine.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_a_machine_that_the_nodes_still_name_is_not_missing(simulator, cluster, long_time_outs):
    """The lists of nodes and of machines are read at different moments: one removed in between waits for the next."""
    held = simulator.faults.slow(PATIENCE_S, mentions="admin_state")
    join = in_thread(lambda: sync_cluster(cluster))
    wait_for(lambda: len(simulator.requests) == 8 == len(simulator.answered) + held.hits, "all but one is answered")
    simulator.outside.remove(VM1)
    simulator.faults.remove(held)
    assert join().outcome == "updated"
    assert VirtualMachine.objects.get(name=VM1).missing_since is None
    simulator.faults.clear()
    update(cluster)
    assert VirtualMachine.objects.get(name=VM1).missing_since is not None


@pytest.mark.django_db(transaction=True)
def test_a_row_reserved_while_the_reading_was_under_way_is_not_doubled(simulator, cluster, long_time_outs):
    held = simulator.faults.slow(PATIENCE_S, mentions="admin_state")
    join = in_thread(lambda: sync_cluster(cluster))
    wait_for(lambda: len(simulator.requests) == 8, "all is asked for")
    reserved = reserve_vm(cluster, "new.example.org")
    made = simulator.outside.add("new.example.org")
    simulator.faults.remove(held)
    assert join().outcome == "updated"
    assert VirtualMachine.objects.filter(name="new.example.org").count() == 1
    simulator.faults.clear()
    update(cluster)
    reserved.refresh_from_db()
    assert reserved.uuid == made.uuid and VirtualMachine.objects.filter(name="new.example.org").count() == 1
