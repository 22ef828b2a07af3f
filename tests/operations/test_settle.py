"""How entries in doubt are closed, step by step."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from clusters.models import Cluster, JobStatus, Node
from clusters.operations.ganeti import PREPARED_WITHIN_S
from clusters.operations.settle import (
    adopt_job,
    count_clean_listing,
    list_overdue_entries,
    note_deadline,
    settle_entry,
)
from objectlog.models import Entry, Outcome, Via
from objectlog.services import Target, advance, begin
from operations.models import Busy
from rapi.caller import longest_change_s
from tests.factories import make_cluster, make_job, make_node, make_vm
from virtualmachines.models import VirtualMachine

pytestmark = pytest.mark.django_db


def in_doubt(cluster: Cluster, outcome: Outcome = Outcome.UNKNOWN) -> tuple[Entry, VirtualMachine]:
    vm = make_vm(cluster)
    entry = begin(
        actor_id=None,
        actor_name="alice",
        persona_name="alice",
        via=Via.WEB,
        verb="vm.shutdown",
        target=Target("vm", vm.pk, vm.name, cluster.slug, cluster.pk, vm.uuid),
        params={},
    )
    if outcome != Outcome.SUBMITTING:
        advance(entry, outcome, message="timed out")
    vm.busy_with, vm.busy_entry, vm.busy_since = "vm.shutdown", entry.uuid, timezone.now()
    vm.save()
    return entry, vm


@pytest.mark.feature("G004")
@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.SUBMITTING])
def test_given_up_after_two_clean_listings_past_the_deadline(outcome: Outcome) -> None:
    cluster = make_cluster()
    entry, vm = in_doubt(cluster, outcome)
    later = timezone.now() + timedelta(hours=1)
    assert count_clean_listing(cluster, listed_from=timezone.now()) == []
    entry.refresh_from_db()
    assert entry.clean_listings == 0, "it may still be under way"
    assert count_clean_listing(cluster, listed_from=later) == []
    vm.refresh_from_db()
    assert vm.is_busy
    assert count_clean_listing(cluster, listed_from=later) == [entry]
    entry.refresh_from_db()
    vm.refresh_from_db()
    assert entry.outcome == Outcome.NOT_SUBMITTED and entry.message
    assert not vm.is_busy


def test_other_clusters_are_not_touched() -> None:
    here, there = make_cluster(), make_cluster()
    entry, _ = in_doubt(there)
    for _ in range(3):
        assert count_clean_listing(here, listed_from=timezone.now() + timedelta(hours=1)) == []
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


@pytest.mark.feature("G004")
def test_an_entry_names_every_job_that_carries_its_reason() -> None:
    """An evacuation starts several; the second one turns up when the entry is in doubt no more."""
    cluster = make_cluster()
    entry, _ = in_doubt(cluster)
    first, second = make_job(cluster), make_job(cluster)
    adopt_job(first, entry)
    adopt_job(second, Entry.objects.get())
    entry.refresh_from_db()
    assert (entry.outcome, entry.job_ids) == (Outcome.SUBMITTED, [first.ganeti_id, second.ganeti_id])
    assert set(entry.jobs.all()) == {first, second}


@pytest.mark.parametrize("after_s, is_overdue", [(4.0, False), (6.0, True)])
def test_a_submission_has_some_seconds_more_than_its_call_can_last(after_s: float, is_overdue: bool) -> None:
    """Its answer has yet to be written down, by a process that may be busy."""
    cluster = make_cluster()
    entry, _ = in_doubt(cluster)
    call_s = longest_change_s(settings.GWM_RAPI_CONNECT_TIMEOUT_S, settings.GWM_RAPI_READ_TIMEOUT_S)
    found = list_overdue_entries(
        cluster, listed_from=entry.created_at + timedelta(seconds=PREPARED_WITHIN_S + call_s + after_s)
    )
    assert (found == [entry]) is is_overdue


def test_the_longest_change_is_as_long_as_the_documentation_says() -> None:
    """It tries to connect, looks for the master that has moved, and waits for the answer of that one."""
    said = (Path(settings.BASE_DIR) / "docs" / "updates.md").read_text(encoding="utf-8")
    assert f"no change lasts longer than {longest_change_s(5.0, 60.0):g} s" in " ".join(said.split())


ROWS: dict[type[Busy], Callable[[Cluster], Any]] = {VirtualMachine: make_vm, Node: make_node}


@pytest.mark.feature("F145")
@pytest.mark.parametrize("model", Busy.__subclasses__())
def test_whatever_an_operation_keeps_busy_says_until_when_and_is_freed(model: type[Busy]) -> None:
    cluster = make_cluster()
    entry, _ = in_doubt(cluster)
    row = ROWS[model](cluster)
    entry.target_kind, entry.target_pk = ("vm" if model is VirtualMachine else "node"), row.pk
    entry.params = {"timeout_s": 30}
    entry.save()
    now = timezone.now()
    row.busy_with, row.busy_entry, row.busy_since = "vm.shutdown", entry.uuid, now
    row.save()
    adopt_job(make_job(cluster, status="success"), entry)
    note_deadline(entry, running_at=now)
    row.refresh_from_db()
    assert row.busy_until > now
    assert settle_entry(entry)
    row.refresh_from_db()
    assert (row.busy_with, row.busy_entry, row.busy_since, row.busy_until) == ("", None, None, None)


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
    assert not settle_entry(entry)
    for job, status in zip(jobs, statuses, strict=True):
        job.status, job.error = JobStatus(status), "no memory" if status == "error" else ""
        job.save(update_fields=["status", "error"])
    assert settle_entry(entry)
    assert not settle_entry(entry), "once is enough"
    entry.refresh_from_db()
    vm.refresh_from_db()
    assert entry.outcome == outcome
    assert message in entry.message
    assert entry.finished_at is not None
    assert not vm.is_busy


@pytest.mark.feature("G004")
@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.REFUSED, Outcome.NOT_SUBMITTED])
def test_what_has_its_jobs_is_in_doubt_no_more(outcome: Outcome) -> None:
    """A process that comes late (its call timed out) does not undo what the follower found out."""
    entry, _ = in_doubt(make_cluster())
    assert advance(Entry.objects.get(), Outcome.SUBMITTED, job_ids=[7])
    assert not advance(entry, outcome, message="timed out")
    entry.refresh_from_db()
    assert (entry.outcome, entry.job_ids, entry.finished_at) == (Outcome.SUBMITTED, [7], None)


def test_what_is_over_does_not_come_back() -> None:
    entry, _ = in_doubt(make_cluster())
    assert advance(entry, Outcome.SUCCEEDED)
    for outcome in (Outcome.UNKNOWN, Outcome.SUBMITTED, Outcome.FAILED, Outcome.NOT_SUBMITTED):
        assert not advance(entry, outcome)
    entry.refresh_from_db()
    assert entry.outcome == Outcome.SUCCEEDED
