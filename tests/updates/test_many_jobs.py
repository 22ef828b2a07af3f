"""A cluster that runs jobs by the thousand: what they cost grows as they do, and no transaction with them."""

import sys
from collections.abc import Callable
from datetime import timedelta
from types import FrameType
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clusters.connection import client_for
from clusters.models import Job, JobTarget
from clusters.sync.jobs import NEWEST_AFTER_ABSENCE, apply_jobs, explain_waiting, list_jobs, load_known_jobs
from clusters.sync.readings import Readings
from clusters.sync.snapshot import KnownJobs
from clusters.sync.targets import list_targets
from rapi.parsing import MAX_PARSED_BYTES, parsed_bytes
from rapi.shapes.job import JobInfo, LockInfo, PendingLock
from tests.factories import make_admin, make_cluster, make_vm
from tests.updates.conftest import update

pytestmark = [pytest.mark.feature("G046"), pytest.mark.django_db]
MANY, FEW = 4000, 500


def job(number: int, status: str = "success") -> JobInfo:
    opcode = {"OP_ID": "OP_INSTANCE_SHUTDOWN", "instance_name": f"vm{number % 7}.example.org"}
    return JobInfo.parse({"id": number, "status": status, "ops": [opcode], "opstatus": [status], "received_ts": [1, 0]})


def work_of(do: Callable[[], object]) -> int:
    """What it takes: calls of functions, and what a database is given to read. No time, which depends on others."""
    work = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal work
        work += event in ("call", "c_call")

    def weigh(execute: Any, sql: str, params: Any, *rest: Any) -> Any:
        nonlocal work
        work += len(sql) + len(params or ())
        return execute(sql, params, *rest)

    with connection.execute_wrapper(weigh):
        sys.setprofile(note)
        try:
            do()
        finally:
            sys.setprofile(None)
    return work


@pytest.mark.long
def test_thousands_of_jobs_at_once_cost_as_much_as_one_after_the_other() -> None:
    cluster, other = make_cluster(), make_cluster()
    few, many = [job(number) for number in range(1, FEW + 1)], [job(number) for number in range(1, MANY + 1)]
    apply_jobs(other, few[:10], read_from=timezone.now())
    of_few = work_of(lambda: apply_jobs(other, few, read_from=timezone.now()))
    of_many = work_of(lambda: apply_jobs(cluster, many, read_from=timezone.now()))
    assert of_many < 1.2 * MANY / FEW * of_few
    cluster.refresh_from_db()
    assert (cluster.jobs.count(), cluster.last_job_id) == (MANY, MANY)
    uuids, names = list_targets(cluster.jobs.all(), "instance")
    assert (uuids, names) == (set(), {f"vm{number}.example.org" for number in range(7)})


def test_no_transaction_holds_the_cluster_for_all_of_them() -> None:
    cluster = make_cluster()
    with CaptureQueriesContext(connection) as queries:
        apply_jobs(cluster, [job(number) for number in range(1, 1201)], read_from=timezone.now())
    begun = [each["sql"] for each in queries if each["sql"].startswith("SAVEPOINT")]
    assert len([each for each in queries if 'UPDATE "clusters_cluster"' in each["sql"]]) == 3 <= len(begun)


@pytest.mark.long
def test_jobs_that_are_lost_by_the_thousand_all_end() -> None:
    cluster = make_cluster()
    apply_jobs(cluster, [job(number, "queued") for number in range(1, 1201)], read_from=timezone.now())
    apply_jobs(cluster, [], read_from=timezone.now(), lost=range(1, 1201))
    assert set(cluster.jobs.values_list("status", flat=True)) == {"lost"}


class Locks:
    """Stands for a client of a cluster on which everybody waits for one lock."""

    def query_locks(self) -> list[LockInfo]:
        """See RapiClient."""
        waiting = tuple(range(2, MANY + 1))
        return [LockInfo("instance/vm1", "exclusive", (1,), (PendingLock("exclusive", waiting),))]


@pytest.mark.long
def test_the_first_of_thousands_that_wait_are_explained() -> None:
    cluster = make_cluster()
    apply_jobs(cluster, [job(number, "waiting") for number in range(2, MANY + 1)], read_from=timezone.now())
    with CaptureQueriesContext(connection) as queries:
        assert explain_waiting(Locks(), list(cluster.jobs.all())) == 200  # type: ignore[arg-type]
    assert len(queries) < 210
    first = cluster.jobs.get(ganeti_id=2)
    assert first.waiting_for == [{"lock": "instance/vm1", "mode": "exclusive", "holders": [1]}]


@pytest.mark.long
def test_the_page_of_a_machine_with_thousands_of_jobs(client: Any) -> None:
    cluster = make_cluster("beta")
    vm = make_vm(cluster)
    jobs = Job.objects.bulk_create(
        [Job(cluster=cluster, ganeti_id=number, status="success", title="x") for number in range(1, MANY + 1)], 500
    )
    JobTarget.objects.bulk_create(
        [JobTarget(job=each, cluster=cluster, kind="instance", name=vm.name, target_pk=vm.pk) for each in jobs], 500
    )
    client.force_login(make_admin())
    for name in ("vm", "vm-jobs"):
        url = reverse(name, args=["beta", vm.name])
        client.get(url)
        assert work_of(lambda url=url: client.get(url)) < 30 * MANY, url


@pytest.mark.parametrize(
    ("schedule", "at_most"),
    [
        ({}, 0),
        ({"failures": 1}, NEWEST_AFTER_ABSENCE),
        ({"synced_at": timezone.now() - timedelta(minutes=11)}, NEWEST_AFTER_ABSENCE),
        ({"synced_at": None}, NEWEST_AFTER_ABSENCE),
    ],
)
def test_where_there_may_be_very_many_new_ones_only_the_newest_are_asked_for(
    schedule: dict[str, Any], at_most: int
) -> None:
    cluster = make_cluster(last_job_id=7, **schedule)
    assert load_known_jobs(cluster).at_most == at_most


def test_after_an_absence_the_newest_and_the_open_ones_are_read(simulator: Any, cluster: Any) -> None:
    first = simulator.outside.submit("CLUSTER_REDIST_CONF")
    update(cluster)
    numbers = [simulator.outside.submit("CLUSTER_REDIST_CONF").id for _ in range(8)]
    for most, newest in ((3, numbers[-3:]), (8, numbers), (9, numbers), (0, numbers)):
        with client_for(cluster) as client:
            known = KnownJobs(first.id, frozenset({first.id}), at_most=most)
            listing = list_jobs(Readings(client), known)
        assert [each.id for each in listing.jobs] == [first.id, *newest]


def test_the_numbers_of_a_million_jobs_can_be_read() -> None:
    rows = b",".join(b"[[0,%d]]" % number for number in range(1_000_001, 2_000_001))
    answer = b'{"fields":[{"kind":"number","name":"id","title":"ID"}],"data":[%s]}' % rows
    assert parsed_bytes(answer) < MAX_PARSED_BYTES
