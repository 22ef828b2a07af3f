"""Whoever has read last wins, whoever writes last; and an operation ends only when its machine shows it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clusters.connection import client_for
from clusters.models import Job, Node
from clusters.operations.ganeti import GanetiOperation
from clusters.sync.fetch import fetch_snapshot
from clusters.sync.jobs import apply_jobs, list_jobs
from clusters.sync.readings import Readings
from clusters.sync.snapshot import Known, KnownJobs
from objectlog.models import Entry, Outcome, Via
from objectlog.services import advance, begin
from operations.contract import NoParams
from operations.table import OPERATIONS
from tests.factories import make_job
from tests.processes.commands import PATIENCE_S, wait_for
from tests.updates.conftest import update
from tests.updates.following import VM1, VM2, VM3, follow, machine, operate
from tests.updates.test_leases import in_thread
from updates.cycle import sync_cluster
from updates.follower import follow_cluster
from virtualmachines.models import VirtualMachine
from virtualmachines.sync.apply import apply_machines, load_machines
from virtualmachines.sync.refresh import read_machines, write_machines

pytestmark = pytest.mark.usefixtures("short_time_outs")


class Reader:
    """Reads the cluster now, writes it when it is told to: as an update, or as the job follower."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.rows = load_machines(cluster)
        known = Known(cluster.uuid, "", self.rows.fingerprints(), KnownJobs(at_most=200), with_live=True)
        with client_for(cluster) as client:
            readings = Readings(client)
            self.snapshot = fetch_snapshot(readings, known)
            self.reading = read_machines(cluster, readings, [VM1, VM2, VM3], [])

    def write_as_update(self):
        return apply_machines(self.cluster, self.snapshot, self.rows, timezone.now()).changed

    def write_as_follower(self):
        return write_machines(self.cluster, self.reading)


def test_an_update_that_writes_between_the_followers_reading_and_its_writing(simulator, cluster):
    """The follower's write is not dropped, though somebody wrote the row after the follower had read."""
    VirtualMachine.objects.update(status="ERROR_down")
    old = Reader(cluster)  # running
    simulator.outside.stop(VM1)
    new = Reader(cluster)
    assert old.write_as_update() == 3
    assert machine(cluster).status == "running"
    assert new.write_as_follower() >= 1
    assert machine(cluster).status == "ADMIN_down"


def test_an_update_that_writes_after_the_follower_what_it_read_before(simulator, cluster):
    old = Reader(cluster)
    simulator.outside.stop(VM1)
    new = Reader(cluster)
    assert new.write_as_follower() == 1
    assert old.write_as_update() == 0
    assert machine(cluster).status == "ADMIN_down"


def test_an_old_reading_does_not_win_where_the_new_one_had_nothing_to_write(simulator, cluster):
    """The row was right already when the follower looked: it says so, and the older reading stays out."""
    simulator.outside.crash(VM1)
    old = Reader(cluster)
    simulator.outside.start_stray(VM1)
    new = Reader(cluster)
    assert machine(cluster).status == "running"
    assert new.write_as_follower() == 0
    assert old.write_as_update() == 0
    assert machine(cluster).status == "running"


def test_an_older_reading_of_the_follower_does_not_stay_over_an_update(simulator, cluster):
    """The follower read first and writes between the update's loading of the rows and its writing."""
    simulator.outside.stop(VM1)
    old = Reader(cluster)
    simulator.outside.start(VM1)
    new = Reader(cluster)
    assert old.write_as_follower() == 1
    assert machine(cluster).status == "ADMIN_down"
    assert new.write_as_update() == 1
    assert machine(cluster).status == "running"


def test_an_older_list_of_jobs_does_not_undo_a_newer_one(simulator, cluster):
    """Two lists were under way at once; the one that was asked for first is written last."""
    job = simulator.outside.submit("CLUSTER_REDIST_CONF")
    with client_for(cluster) as client:
        old = list_jobs(Readings(client), KnownJobs())
        while job.status != "running":
            simulator.advance()
        new = list_jobs(Readings(client), KnownJobs())
    for listing in (new, old):
        apply_jobs(cluster, listing.jobs, read_from=listing.started_at)
    row = Job.objects.get()
    assert (row.status, row.seen_at) == ("running", new.started_at)


def test_every_row_says_when_it_was_read(simulator, cluster):
    before = timezone.now()
    simulator.outside.crash(VM1)
    update(cluster)
    vm = machine(cluster)
    assert before < vm.read_at < vm.changed_at


@pytest.mark.django_db(transaction=True)
@pytest.mark.feature("G004", "F233")
def test_a_running_update_loses_against_the_follower(simulator, cluster, root, long_time_outs):
    """The update has read all machines, and hangs at the networks while a job ends and is followed."""
    update(cluster)
    entry = operate(root, "shutdown", machine(cluster))
    simulator.outside.modify(VM2, tags=["changed"])
    simulator.forget_requests()
    hanging = simulator.faults.slow(PATIENCE_S, path="/2/query/network")
    join = in_thread(lambda: sync_cluster(cluster))

    def has_read() -> bool:
        read = [target for _method, target in list(simulator.answered) if target.startswith("/2/query/instance")]
        return len(read) >= 2  # what they are configured like is asked for after the networks

    wait_for(lambda: hanging.hits and has_read(), "it has read the machines, and waits for the networks")
    simulator.run_jobs()
    follow(cluster)
    entry.refresh_from_db()
    assert (entry.outcome, machine(cluster).status) == (Outcome.SUCCEEDED, "ADMIN_down")
    simulator.faults.remove(hanging)
    assert join().outcome == "updated"
    assert machine(cluster).status == "ADMIN_down"


def end_without_effect(simulator, entry):
    """Ganeti calls the job a success and still serves the old state."""
    with simulator.cluster.lock:
        job = simulator.queue.jobs[entry.job_ids[0]]
        job.status_of, job.end_ts = ["success"], job.received_ts


def test_settling_writes_no_row_that_shows_the_outcome_already(simulator, cluster, root):
    entry = operate(root, "shutdown", machine(cluster))
    simulator.run_jobs()
    assert Reader(cluster).write_as_follower() == 1
    before = dict(VirtualMachine.objects.values_list("name", "changed_at"))
    assert follow(cluster).followed.machines_written == 0
    entry.refresh_from_db()
    assert entry.outcome == Outcome.SUCCEEDED and not machine(cluster).is_busy
    assert dict(VirtualMachine.objects.values_list("name", "changed_at")) == before


@pytest.mark.feature("F073", "G004")
@pytest.mark.parametrize("verb", ["shutdown", "shutdown-now"])
def test_an_entry_is_settled_when_the_row_confirms_it(simulator, cluster, root, verb):
    entry = operate(root, verb, machine(cluster))
    end_without_effect(simulator, entry)
    follow(cluster)
    entry.refresh_from_db()
    assert Job.objects.get().status == "success"
    assert entry.outcome == Outcome.SUBMITTED and machine(cluster).is_busy
    simulator.outside.stop(VM1)
    follow(cluster)
    entry.refresh_from_db()
    assert entry.outcome == Outcome.SUCCEEDED
    assert machine(cluster).status == "ADMIN_down" and not machine(cluster).is_busy


def test_a_row_that_goes_on_contradicting_is_believed_after_a_while(simulator, cluster, root):
    entry = operate(root, "shutdown", machine(cluster))
    end_without_effect(simulator, entry)
    follow(cluster)
    Job.objects.update(seen_at=timezone.now() - timedelta(seconds=4))
    follow(cluster)
    entry.refresh_from_db()
    assert entry.outcome == Outcome.SUCCEEDED
    assert machine(cluster).status == "running" and not machine(cluster).is_busy


class DrainNode(GanetiOperation[Node, NoParams]):
    """Of a kind that has no operation which is sent yet."""

    kind, verb, label, needs = "node", "zz-drain", "Drain", "migrate"

    def cluster_of(self, target):
        return target.cluster

    def is_shown_by(self, target):
        return target.drained


def test_the_row_of_any_kind_confirms(simulator, cluster, root, monkeypatch):
    monkeypatch.setitem(OPERATIONS, DrainNode().key, DrainNode())
    node = Node.objects.earliest("name")
    target = DrainNode().target_of(node)
    who = {"actor_id": root.user.pk, "actor_name": "root", "persona_name": "root", "via": Via.WEB}
    entry = begin(**who, verb=DrainNode().key, target=target, params={})
    advance(entry, Outcome.SUBMITTED, job_ids=[7777])
    make_job(cluster, ganeti_id=7777, status="success", entry=entry, seen_at=timezone.now())
    for is_drained in (False, True):
        Node.objects.update(drained=is_drained, read_at=timezone.now())
        follow(cluster)
        entry.refresh_from_db()
        assert (entry.outcome == Outcome.SUCCEEDED) is is_drained


def test_a_failure_needs_no_confirmation(simulator, cluster, root):
    entry = operate(root, "shutdown", machine(cluster))
    with simulator.cluster.lock:
        job = simulator.queue.jobs[entry.job_ids[0]]
        job.status_of, job.end_ts = ["error"], job.received_ts
    follow(cluster)
    entry.refresh_from_db()
    assert entry.outcome == Outcome.FAILED and not machine(cluster).is_busy


def test_the_page_is_told_until_when_a_running_shutdown_lasts(simulator, cluster, root):
    simulator.hold_jobs()
    entry = operate(root, "shutdown", machine(cluster))
    follow(cluster)
    assert machine(cluster).busy_until is None, "it waits in the queue, nobody knows how long"
    simulator.release_jobs()
    while simulator.queue.jobs[entry.job_ids[0]].status != "running":
        simulator.advance()
    before = timezone.now()
    follow(cluster)
    until = machine(cluster).busy_until
    assert timedelta(seconds=129) < until - before < timedelta(seconds=140)
    follow(cluster)
    assert machine(cluster).busy_until == until
    simulator.run_jobs()
    follow(cluster)
    assert machine(cluster).busy_until is None


def test_two_followers_of_which_one_has_stalled(simulator, cluster, root):
    """A follower whose lease ran out finishes after its successor: nothing is settled twice, nothing is undone."""
    entry = operate(root, "shutdown", machine(cluster))
    simulator.run_jobs()
    follow(cluster)
    entry.refresh_from_db()
    ended = entry.finished_at
    assert follow_cluster(cluster).outcome == "updated"
    assert Entry.objects.get().finished_at == ended
