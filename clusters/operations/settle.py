"""What became of operations: the end of their jobs, or the proof that there never was one.

Called by the job follower, with the table of all operations (this app does not know those above it).
"""

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from clusters.models import Cluster, Job, JobStatus
from clusters.operations.base import AnyOperation, give_back, release, submit_deadline_s
from objectlog.models import Entry, Outcome
from objectlog.selectors import list_unanswered_entries
from objectlog.services import advance

Operations = Mapping[str, AnyOperation]

# A lost submission is given up after so many complete job lists, read after its deadline, that lack its reason.
CLEAN_LISTINGS_NEEDED = 2


def adopt_job(job: Job, entry: Entry) -> None:
    """A job carries the reason of `entry`: link the two, and let the entry be under way if it was in doubt."""
    with transaction.atomic():
        Job.objects.filter(pk=job.pk, entry__isnull=True).update(entry=entry)
        numbers = sorted({*entry.job_ids, job.ganeti_id})
        if not advance(entry, Outcome.SUBMITTED, job_ids=numbers):
            Entry.objects.filter(pk=entry.pk).update(job_ids=numbers)


def settle_entry(entry: Entry, operations: Operations) -> bool:
    """Close the entry if all its jobs have ended; False while one has not, or the entry was closed before."""
    entry.refresh_from_db()
    jobs = list(Job.objects.filter(entry=entry))
    if not jobs or not entry.is_open or any(not job.is_final for job in jobs):
        return False
    failed = [job for job in jobs if job.status != JobStatus.SUCCESS]
    operation = operations.get(entry.verb)
    with transaction.atomic():
        if not failed:
            done = advance(entry, Outcome.SUCCEEDED)
            if done and operation is not None:
                operation.succeeded(entry)
        else:
            outcome = {JobStatus.CANCELED: Outcome.CANCELED, JobStatus.LOST: Outcome.LOST}.get(
                JobStatus(failed[0].status), Outcome.FAILED
            )
            done = advance(entry, outcome, message="\n".join(job.error for job in failed if job.error))
            if done and operation is not None:
                operation.failed(entry)
        release(entry)
    return done


def count_clean_listing(cluster: Cluster, *, listed_from: float, operations: Operations) -> list[Entry]:
    """After a complete reading of the job list: entries in doubt that it did not contain come closer to being given up.

    `listed_from` is when the reading began, seconds since 1970. Only entries whose submission had surely ended by
    then count. Returns those given up now.
    """
    given_up = []
    for entry in list_unanswered_entries(cluster.slug):
        if entry.created_at.timestamp() + submit_deadline_s() > listed_from:
            continue
        operation = operations.get(entry.verb)
        Entry.objects.filter(pk=entry.pk).update(clean_listings=entry.clean_listings + 1)
        if entry.clean_listings + 1 < CLEAN_LISTINGS_NEEDED or operation is None:
            continue
        with transaction.atomic():
            give_back(
                operation,
                entry,
                Outcome.NOT_SUBMITTED,
                entry.message
                or f"Nothing of it was found on {cluster} by {timezone.now():%H:%M}; it was not carried out.",
            )
        given_up.append(entry)
    return given_up
