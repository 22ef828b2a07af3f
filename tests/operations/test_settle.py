"""How entries in doubt are closed, step by step."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clusters.models import Cluster, JobStatus
from clusters.operations.settle import adopt_job, count_clean_listing, settle_entry
from gwm.operations import OPERATIONS
from objectlog.models import Entry, Outcome, Via
from objectlog.services import Target, advance, begin
from tests.factories import make_cluster, make_job, make_vm
from virtualmachines.models import VirtualMachine

pytestmark = pytest.mark.django_db


def in_doubt(cluster: Cluster, outcome: Outcome = Outcome.UNKNOWN) -> tuple[Entry, VirtualMachine]:
    vm = make_vm(cluster)
    entry = begin(
        actor_id=None,
        actor_name="alice",
        persona_name="alice",
        via=Via.WEB,
        verb="shutdown",
        target=Target("vm", vm.pk, vm.name, cluster.slug, cluster.pk, vm.uuid),
        params={},
    )
    if outcome != Outcome.SUBMITTING:
        advance(entry, outcome, message="timed out")
    vm.busy_with, vm.busy_entry, vm.busy_since = "shutdown", entry.uuid, timezone.now()
    vm.save()
    return entry, vm


@pytest.mark.feature("G004")
@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.SUBMITTING])
def test_given_up_after_two_clean_listings_past_the_deadline(outcome: Outcome) -> None:
    cluster = make_cluster()
    entry, vm = in_doubt(cluster, outcome)
    later = timezone.now() + timedelta(hours=1)
    assert count_clean_listing(cluster, listed_from=timezone.now(), operations=OPERATIONS) == []
    entry.refresh_from_db()
    assert entry.clean_listings == 0, "it may still be under way"
    assert count_clean_listing(cluster, listed_from=later, operations=OPERATIONS) == []
    vm.refresh_from_db()
    assert vm.is_busy
    assert count_clean_listing(cluster, listed_from=later, operations=OPERATIONS) == [entry]
    entry.refresh_from_db()
    vm.refresh_from_db()
    assert entry.outcome == Outcome.NOT_SUBMITTED and entry.message
    assert not vm.is_busy


def test_other_clusters_are_not_touched() -> None:
    here, there = make_cluster(), make_cluster()
    entry, _ = in_doubt(there)
    for _ in range(3):
        assert count_clean_listing(here, listed_from=timezone.now() + timedelta(hours=1), operations=OPERATIONS) == []
    entry.refresh_from_db()
    assert entry.clean_listings == 0


@pytest.mark.feature("G004")
@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.SUBMITTING, Outcome.NOT_SUBMITTED])
def test_a_job_that_turns_up_is_adopted_even_late(outcome: Outcome) -> None:
    cluster = make_cluster()
    entry, _ = in_doubt(cluster, outcome)
    job = make_job(cluster)
    adopt_job(job, entry)
    adopt_job(job, entry)
    entry.refresh_from_db()
    assert (entry.outcome, entry.job_ids) == (Outcome.SUBMITTED, [job.ganeti_id])


@pytest.mark.parametrize(
    ("statuses", "outcome", "message"),
    [
        (["success", "success"], Outcome.SUCCEEDED, ""),
        (["success", "error"], Outcome.FAILED, "no memory"),
        (["canceled"], Outcome.CANCELED, ""),
        (["lost"], Outcome.LOST, ""),
    ],
)
def test_settled_once_all_jobs_have_ended(statuses: list[str], outcome: Outcome, message: str) -> None:
    cluster = make_cluster()
    entry, vm = in_doubt(cluster)
    jobs = [make_job(cluster) for _ in statuses]
    for job in jobs:
        adopt_job(job, entry)
    assert not settle_entry(entry, OPERATIONS)
    for job, status in zip(jobs, statuses, strict=True):
        job.status, job.error = JobStatus(status), "no memory" if status == "error" else ""
        job.save(update_fields=["status", "error"])
    assert settle_entry(entry, OPERATIONS)
    assert not settle_entry(entry, OPERATIONS), "once is enough"
    entry.refresh_from_db()
    vm.refresh_from_db()
    assert entry.outcome == outcome
    assert message in entry.message
    assert entry.finished_at is not None
    assert not vm.is_busy


def test_what_is_over_does_not_come_back() -> None:
    entry, _ = in_doubt(make_cluster())
    assert advance(entry, Outcome.SUCCEEDED)
    for outcome in (Outcome.UNKNOWN, Outcome.SUBMITTED, Outcome.FAILED, Outcome.NOT_SUBMITTED):
        assert not advance(entry, outcome)
    entry.refresh_from_db()
    assert entry.outcome == Outcome.SUCCEEDED
