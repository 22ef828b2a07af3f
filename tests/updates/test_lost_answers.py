"""Answers that never came: found by the reason among the jobs of the cluster, or given up when none can be there."""

import pytest
from django.utils import timezone

from clusters.models import Job
from objectlog.models import Outcome
from tests.updates.conftest import update
from tests.updates.following import VM1, follow, had_before, let_deadline_pass, machine, operate
from updates.due import select_to_follow
from updates.follower import follow_cluster

pytestmark = pytest.mark.usefixtures("short_time_outs")


@pytest.mark.feature("G004")
def test_an_answer_lost_after_acceptance_is_found_by_its_reason(simulator, cluster, root):
    simulator.faults.add("drop_after", method="PUT", path=r"/2/instances/.*", times=1)
    entry = operate(root, "shutdown", machine(cluster))
    assert entry.outcome == Outcome.UNKNOWN and select_to_follow().get().cluster == cluster
    follow(cluster)
    entry.refresh_from_db()
    job = Job.objects.get()
    assert (entry.outcome, entry.job_ids, job.entry) == (Outcome.SUBMITTED, [job.ganeti_id], entry)
    simulator.run_jobs()
    follow(cluster)
    entry.refresh_from_db()
    assert entry.outcome == Outcome.SUCCEEDED and machine(cluster).status == "ADMIN_down"


@pytest.mark.feature("G004")
def test_a_submission_that_never_arrived_is_given_up_after_two_clean_lists(simulator, cluster, root):
    had_before(simulator, cluster)
    simulator.faults.add("drop", method="PUT", path=r"/2/instances/.*", times=1)
    entry = operate(root, "shutdown", machine(cluster))
    assert entry.outcome == Outcome.UNKNOWN
    follow(cluster)
    follow(cluster)
    entry.refresh_from_db()
    assert entry.outcome == Outcome.UNKNOWN and entry.clean_listings == 0  # it may still arrive
    let_deadline_pass()
    follow(cluster)
    entry.refresh_from_db()
    assert entry.outcome == Outcome.UNKNOWN and machine(cluster).is_busy
    update(cluster)
    entry.refresh_from_db()
    assert entry.outcome == Outcome.NOT_SUBMITTED and not machine(cluster).is_busy
    assert "was not carried out" in entry.message
    assert len(simulator.queue.jobs) == 1


def test_a_list_that_fails_is_no_clean_list(simulator, cluster, root):
    simulator.faults.add("drop", method="PUT", path=r"/2/instances/.*", times=1)
    entry = operate(root, "shutdown", machine(cluster))
    let_deadline_pass()
    simulator.faults.add("truncated", path="/2/query/job")
    for _ in range(3):
        cluster.refresh_from_db()
        assert follow_cluster(cluster).outcome == "failed"
    entry.refresh_from_db()
    assert (entry.outcome, entry.clean_listings) == (Outcome.UNKNOWN, 0)
    cluster.refresh_from_db()
    assert cluster.schedule.next_sync_at <= timezone.now()  # an update finds out what is the matter


def test_a_job_that_turns_up_after_it_was_given_up(simulator, cluster, root):
    had_before(simulator, cluster)
    simulator.faults.add("drop", method="PUT", path=r"/2/instances/.*", times=1)
    entry = operate(root, "shutdown", machine(cluster))
    let_deadline_pass()
    follow(cluster)
    follow(cluster)
    entry.refresh_from_db()
    assert entry.outcome == Outcome.NOT_SUBMITTED
    job = simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name=VM1)
    job.ops[0]["reason"].append(["gnt:user", entry.reason, 0])
    simulator.run_jobs()
    update(cluster)
    follow(cluster)
    entry.refresh_from_db()
    assert entry.outcome == Outcome.SUCCEEDED


@pytest.mark.feature("G004")
def test_a_lost_answer_is_found_though_its_job_was_archived_before_it_was_ever_listed(simulator, cluster, root):
    had_before(simulator, cluster)
    simulator.faults.add("drop_after", method="PUT", path=r"/2/instances/.*", times=1)
    entry = operate(root, "shutdown", machine(cluster))
    simulator.run_jobs()
    number = simulator.queue.last_id
    simulator.outside.archive_job(number)
    let_deadline_pass()
    follow(cluster)
    follow(cluster)
    entry.refresh_from_db()
    assert (entry.outcome, entry.job_ids) == (Outcome.SUCCEEDED, [number])
    assert (machine(cluster).status, machine(cluster).is_busy) == ("ADMIN_down", False)


@pytest.mark.feature("G004")
def test_it_is_found_between_jobs_of_others_too(simulator, cluster, root):
    had_before(simulator, cluster)
    for _ in range(3):
        simulator.outside.submit("CLUSTER_REDIST_CONF")
    simulator.faults.add("drop_after", method="PUT", path=r"/2/instances/.*", times=1)
    entry = operate(root, "shutdown", machine(cluster))
    number = simulator.queue.last_id
    for _ in range(3):
        simulator.outside.submit("CLUSTER_REDIST_CONF")
    simulator.run_jobs()
    for job in list(simulator.queue.jobs)[1:-1]:
        simulator.outside.archive_job(job)
    let_deadline_pass()
    follow(cluster)
    follow(cluster)
    entry.refresh_from_db()
    assert (entry.outcome, entry.job_ids) == (Outcome.SUCCEEDED, [number])


def test_where_too_many_numbers_come_into_question_no_more_is_claimed_than_is_known(simulator, cluster, root):
    had_before(simulator, cluster)
    simulator.faults.add("drop", method="PUT", path=r"/2/instances/.*", times=1)
    entry = operate(root, "shutdown", machine(cluster))
    with simulator.cluster.lock:
        simulator.queue.last_id += 100
    simulator.outside.submit("CLUSTER_REDIST_CONF")
    simulator.run_jobs()
    let_deadline_pass()
    simulator.forget_requests()
    follow(cluster)
    follow(cluster)
    entry.refresh_from_db()
    assert entry.outcome == Outcome.LOST and not machine(cluster).is_busy
    assert "not known whether it was carried out" in entry.message
    assert len(simulator.requests) < 120


def test_on_a_cluster_that_never_had_a_job_no_more_is_claimed_than_is_known(simulator, cluster, root):
    simulator.faults.add("drop", method="PUT", path=r"/2/instances/.*", times=1)
    entry = operate(root, "shutdown", machine(cluster))
    let_deadline_pass()
    follow(cluster)
    follow(cluster)
    entry.refresh_from_db()
    assert entry.outcome == Outcome.LOST and "not known" in entry.message and not machine(cluster).is_busy
