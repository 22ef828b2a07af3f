"""Jobs, ours and everybody else's, and what they do to entries and machines."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clusters.models import Job, JobStatus, Schedule
from objectlog.models import Outcome
from tests.updates.conftest import update
from tests.updates.following import VM1, VM2, VM3, follow, machine, operate
from updates.due import select_to_follow
from updates.follower import follow_cluster
from updates.leases import LEASE_S

pytestmark = pytest.mark.usefixtures("short_time_outs")


@pytest.mark.feature("F073", "F077", "F231", "F234")
def test_an_operation_of_ours_to_its_end(simulator, cluster, root):
    assert not select_to_follow().exists()
    entry = operate(root, "shutdown", machine(cluster))
    assert entry.outcome == Outcome.SUBMITTED and select_to_follow().get().cluster == cluster
    follow(cluster)
    job = Job.objects.get()
    assert (job.entry, job.status) == (entry, "queued")
    seen = []
    for _ in range(30):
        simulator.advance()
        follow(cluster)
        job.refresh_from_db()
        entry.refresh_from_db()
        seen.append(job.status)
        if job.is_final:
            break
        assert entry.outcome == Outcome.SUBMITTED and machine(cluster).is_busy
    assert "running" in seen and seen[-1] == "success"
    assert entry.outcome == Outcome.SUCCEEDED and entry.finished_at
    vm = machine(cluster)
    assert (vm.status, vm.admin_state, vm.is_busy) == ("ADMIN_down", "down", False)
    assert job.started_at and job.ended_at and job.title == f"Shut down {VM1}"
    assert [(target.kind, target.name) for target in job.targets.all()] == [("instance", VM1)]
    assert not select_to_follow().exists()
    assert cluster.schedule.next_sync_at < timezone.now() + timedelta(seconds=5)


@pytest.mark.feature("F076", "F233", "F237")
def test_jobs_started_elsewhere(simulator, cluster):
    simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name=VM2)
    update(cluster)
    job = Job.objects.get()
    assert (job.title, job.entry_id, job.is_final) == (f"Shut down {VM2}", None, False)
    assert job.opcodes[0]["OP_ID"] == "OP_INSTANCE_SHUTDOWN" and job.opcodes[0]["instance_name"] == VM2
    assert [(target.kind, target.name) for target in job.targets.all()] == [("instance", VM2)]
    assert select_to_follow().get().cluster == cluster
    simulator.run_jobs()
    follow(cluster)
    job.refresh_from_db()
    assert job.status == "success" and machine(cluster, VM2).status == "ADMIN_down"


@pytest.mark.feature("F232", "G001")
def test_log_lines_as_they_come(simulator, cluster):
    submitted = simulator.outside.submit(
        "INSTANCE_CREATE",
        instance_name="new.example.org",
        mode="create",
        disk_template="file",
        disks=[{"size": 1024}],
        nics=[{}],
        os_type="noop",
        pnode=next(iter(simulator.cluster.nodes)),
    )
    lengths = set()
    for _ in range(60):
        update(cluster) if not Job.objects.exists() else follow(cluster)
        job = Job.objects.get()
        lengths.add(len(job.log))
        assert [line[0] for line in job.log] == sorted(line[0] for line in job.log)
        if job.is_final:
            break
        simulator.advance()
    assert job.status == "success", job.error
    assert len(lengths) > 2
    assert [line[3] for line in job.log] == [line[3] for logs in submitted.logs for line in logs]
    made = machine(cluster, "new.example.org")
    assert made.status == "running" and made.uuid == simulator.cluster.instances["new.example.org"].uuid


@pytest.mark.feature("F069")
def test_a_final_job_is_never_written_again(simulator, cluster):
    simulator.outside.submit("INSTANCE_REBOOT", instance_name=VM1, reboot_type="hard")
    simulator.run_jobs()
    update(cluster)
    before = Job.objects.values().get()
    assert before["status"] == "success"
    with simulator.cluster.lock:
        next(iter(simulator.queue.jobs.values())).status_of = ["error"]
    update(cluster)
    follow(cluster)
    assert Job.objects.values().get() == before


@pytest.mark.feature("F235")
def test_a_failed_job_says_why_in_ganetis_words(simulator, cluster, root):
    vm = machine(cluster)
    entry = operate(root, "shutdown", vm)
    simulator.outside.remove(VM1)
    simulator.run_jobs()
    follow(cluster)
    entry.refresh_from_db()
    job = Job.objects.get()
    assert (job.status, entry.outcome) == ("error", Outcome.FAILED)
    assert "not known" in job.error and entry.message == job.error
    vm.refresh_from_db()
    assert vm.missing_since is not None and not vm.is_busy


@pytest.mark.feature("F241")
def test_cancelled(simulator, cluster, root):
    simulator.hold_jobs()
    entry = operate(root, "shutdown", machine(cluster))
    update(cluster)
    assert Job.objects.get().status == "queued"
    cancel = operate(root, "job.cancel", Job.objects.get())
    assert cancel.outcome == Outcome.DONE
    follow(cluster)
    entry.refresh_from_db()
    assert (Job.objects.get().status, entry.outcome) == ("canceled", Outcome.CANCELED)
    assert not machine(cluster).is_busy and machine(cluster).status == "running"


@pytest.mark.feature("F240")
def test_archived_jobs_end_and_forgotten_ones_are_lost(simulator, cluster, root):
    first, second = operate(root, "shutdown", machine(cluster)), operate(root, "shutdown", machine(cluster, VM2))
    follow(cluster)
    one, two = Job.objects.order_by("ganeti_id")
    simulator.run_jobs()
    simulator.outside.archive_job(one.ganeti_id)
    simulator.outside.forget_job(two.ganeti_id)
    follow(cluster)
    one.refresh_from_db()
    two.refresh_from_db()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (one.status, first.outcome) == ("success", Outcome.SUCCEEDED)
    assert (two.status, second.outcome) == (JobStatus.LOST, Outcome.LOST)
    assert two.error and not machine(cluster, VM2).is_busy
    assert machine(cluster, VM2).status == "ADMIN_down"
    assert not select_to_follow().exists()


@pytest.mark.feature("G001")
def test_why_a_job_waits(simulator, cluster):
    holder = simulator.outside.submit("INSTANCE_REBOOT", instance_name=VM1, reboot_type="hard")
    while holder.status != "running":
        simulator.advance()
    waiter = simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name=VM1)
    with simulator.cluster.lock:
        for _ in range(3):
            simulator.queue.advance(waiter)
    update(cluster)
    simulator.forget_requests()
    follow(cluster)
    job = Job.objects.get(ganeti_id=waiter.id)
    assert Job.objects.get(ganeti_id=holder.id).status == "running"
    assert job.status == "waiting"
    assert {"lock": f"instance/{VM1}", "mode": "exclusive", "holders": [holder.id]} in job.waiting_for
    assert simulator.count(path="/2/query/lock") == 1
    simulator.run_jobs()
    simulator.forget_requests()
    follow(cluster)
    job.refresh_from_db()
    assert job.waiting_for == [] and job.status == "success"
    assert simulator.count(path="/2/query/lock") == 0


def test_killed_between_the_end_of_a_job_and_its_entry(simulator, cluster, root):
    """What a killed follower leaves: the job is final here, machine and entry know nothing of it."""
    entry = operate(root, "shutdown", machine(cluster))
    follow(cluster)
    simulator.run_jobs()
    Job.objects.update(status="success", ended_at=timezone.now())
    follow(cluster)
    entry.refresh_from_db()
    assert entry.outcome == Outcome.SUCCEEDED
    assert machine(cluster).status == "ADMIN_down" and not machine(cluster).is_busy


def test_an_entry_is_not_settled_before_its_machine_was_read(simulator, cluster, root):
    entry = operate(root, "shutdown", machine(cluster))
    simulator.run_jobs()
    simulator.faults.add("drop", path="/2/query/instance")
    cluster.refresh_from_db()
    assert follow_cluster(cluster).outcome == "failed"
    entry.refresh_from_db()
    assert entry.outcome == Outcome.SUBMITTED and machine(cluster).is_busy
    simulator.faults.clear()
    follow(cluster)
    entry.refresh_from_db()
    assert entry.outcome == Outcome.SUCCEEDED and machine(cluster).status == "ADMIN_down"


def test_children_of_a_job_end_with_its_entry(simulator, cluster, root):
    entry = operate(root, "shutdown", machine(cluster))
    simulator.outside.stop(VM1)
    with simulator.cluster.lock:
        parent = simulator.queue.jobs[entry.job_ids[0]]
        for number, name in ((parent.id + 1, VM2), (parent.id + 2, VM3)):
            simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name=name)
            assert simulator.queue.last_id == number
        parent.status_of, parent.results = ["success"], [{"jobs": [[True, parent.id + 1], [True, parent.id + 2]]}]
        parent.end_ts = parent.received_ts
    follow(cluster)
    entry.refresh_from_db()
    assert entry.outcome == Outcome.SUBMITTED and entry.jobs.count() == 3
    simulator.run_jobs()
    follow(cluster)
    entry.refresh_from_db()
    assert entry.outcome == Outcome.SUCCEEDED
    assert machine(cluster, VM3).status == "ADMIN_down"


def test_a_rename_moves_the_row(simulator, cluster):
    simulator.outside.stop(VM1)
    update(cluster)
    pk = machine(cluster).pk
    job = simulator.outside.submit("INSTANCE_RENAME", instance_name=VM1, new_name="other.example.org")
    update(cluster)
    simulator.run_jobs()
    assert job.status == "success"
    follow(cluster)
    assert machine(cluster, "other.example.org").pk == pk


@pytest.mark.long
def test_history_is_bounded(simulator, track):
    for _ in range(230):
        simulator.outside.submit("INSTANCE_QUERY_DATA", instances=[VM1], use_locking=False, static=True)
    simulator.run_jobs()
    row = track(simulator)
    update(row)
    assert Job.objects.count() == 200 and row.last_job_id == 230
    assert min(Job.objects.values_list("ganeti_id", flat=True)) == 31
    report = update(row)
    assert report.rows_written == 2 and report.rapi_calls == 8


def test_a_number_that_becomes_visible_late(simulator, cluster):
    first = simulator.outside.submit("INSTANCE_REBOOT", instance_name=VM1, reboot_type="hard")
    with simulator.cluster.lock:
        simulator.queue.last_id += 1  # given out, not there yet
    third = simulator.outside.submit("INSTANCE_REBOOT", instance_name=VM2, reboot_type="hard")
    update(cluster)
    assert set(Job.objects.values_list("ganeti_id", flat=True)) == {first.id, third.id}
    with simulator.cluster.lock:
        late = simulator.queue.jobs.pop(third.id)
        simulator.queue.last_id = 1
        simulator.outside.submit("INSTANCE_REBOOT", instance_name=VM3, reboot_type="hard")
        simulator.queue.jobs[third.id] = late
        simulator.queue.last_id = third.id
    update(cluster)
    assert Job.objects.count() == 3


def test_of_two_followers_one_leaves_it(simulator, cluster):
    simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name=VM1)
    update(cluster)
    Schedule.objects.filter(pk=cluster.pk).update(follow_leased_until=timezone.now() + timedelta(seconds=LEASE_S))
    simulator.forget_requests()
    assert follow_cluster(cluster).outcome == "skipped" and not simulator.requests
    assert not select_to_follow().exists()
    Schedule.objects.filter(pk=cluster.pk).update(follow_leased_until=timezone.now() - timedelta(seconds=1))
    assert follow_cluster(cluster).outcome == "updated"


def test_one_question_for_all_jobs_of_a_cluster(simulator, cluster):
    for name in (VM1, VM2, VM3):
        simulator.outside.submit("INSTANCE_REBOOT", instance_name=name, reboot_type="hard")
    update(cluster)
    simulator.forget_requests()
    follow(cluster)
    assert simulator.count(path="/2/query/job") == 1 == len(simulator.requests)
    assert not any("wait" in target for _, target in simulator.requests)
