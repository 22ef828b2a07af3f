"""What a list of jobs writes, what bounds it, and which clusters are followed at all."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clusters.connection import client_for
from clusters.models import Cluster, Job, JobStatus, Schedule
from clusters.sync.jobs import apply_jobs, explain_waiting, list_jobs, load_known_jobs
from clusters.sync.readings import Readings
from clusters.sync.snapshot import KnownJobs
from rapi.shapes.job import LogLine
from tests.updates.conftest import update
from updates.due import select_to_follow
from updates.leases import following
from updates.report import Report

VM1 = "vm1.example.org"


def test_of_a_job_that_is_as_it_was_only_the_time_is_written(simulator, cluster):
    """Logs and parameters can be large, and whoever has its page open would be told of a change."""
    simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name=VM1)
    update(cluster)
    with client_for(cluster) as client:
        listing = list_jobs(Readings(client), load_known_jobs(cluster))
    with CaptureQueriesContext(connection) as queries:
        apply_jobs(cluster, listing.jobs, read_from=listing.started_at)
    [written] = [each["sql"] for each in queries if each["sql"].startswith('UPDATE "clusters_job"')]
    assert '"seen_at"' in written and '"log"' not in written and '"status"' not in written
    assert Job.objects.get().seen_at == listing.started_at


def test_who_is_in_trouble_is_not_followed(simulator, cluster):
    """Its update is tried again later and later; a follower each second would undo that."""
    simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name=VM1)
    update(cluster)
    assert select_to_follow().exists()
    Schedule.objects.update(failures=1)
    assert not select_to_follow().exists()


@pytest.mark.parametrize(("took_s", "rests_s"), [(0, None), (5, 5), (60, 10)])
def test_after_a_long_pass_a_cluster_rests_as_long(cluster, took_s, rests_s):
    with time_machine.travel(timezone.now(), tick=False):
        with following(cluster, Report(cluster.slug)) as lease:
            lease.taken_at -= timedelta(seconds=took_s)
        rests = Cluster.objects.get().schedule.follow_leased_until
        assert rests == (None if rests_s is None else timezone.now() + timedelta(seconds=rests_s))


def test_of_a_job_with_a_very_long_log_the_newest_lines_are_kept(simulator, cluster):
    simulator.outside.submit("CLUSTER_REDIST_CONF")
    with client_for(cluster) as client:
        (info,) = list_jobs(Readings(client), KnownJobs()).jobs
    lines = tuple(LogLine(number, 1.7e9, 0, "message", "one of many") for number in range(1, 3001))
    apply_jobs(cluster, [replace(info, log=lines)], read_from=timezone.now())
    assert [line[0] for line in Job.objects.get().log] == list(range(1001, 3001))


def test_a_job_that_ended_meanwhile_waits_for_nothing(simulator, cluster):
    """Between the list of jobs and that of locks another follower saw it end."""
    holder = simulator.outside.submit("INSTANCE_REBOOT", instance_name=VM1, reboot_type="hard")
    while holder.status != "running":
        simulator.advance()
    waiter = simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name=VM1)
    with simulator.cluster.lock:
        for _ in range(3):
            simulator.queue.advance(waiter)
    update(cluster)
    stale = Job.objects.get(ganeti_id=waiter.id)
    stale.waiting_for = []
    Job.objects.filter(pk=stale.pk).update(status=JobStatus.CANCELED, waiting_for=[])
    with client_for(cluster) as client:
        explain_waiting(client, [stale])
    assert stale.waiting_for != [], "Ganeti named the lock"
    assert Job.objects.get(pk=stale.pk).waiting_for == []
