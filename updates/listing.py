"""What a listing of jobs means for journal entries and for the objects that the jobs touch.

Everything that is still to be done is read from the database, not remembered: a process may be killed between any two
steps, and the next pass does the rest. An entry is settled only after the objects of its jobs were read again, so that
whoever sees an operation end also sees what came of it.
"""

from dataclasses import astuple, dataclass
from datetime import timedelta

from django.utils import timezone

from clusters.models import Cluster, Job, JobStatus, Mirrored
from clusters.operations.settle import (
    IN_DOUBT,
    adopt_jobs,
    adopt_unsigned,
    count_clean_listing,
    has_ended,
    list_open_entries,
    list_overdue_entries,
    note_deadline,
    settle_entry,
)
from clusters.sync.exports import note_exports
from clusters.sync.jobs import apply_jobs, explain_waiting, look_up_unlisted, look_up_unseen
from clusters.sync.readings import Readings
from clusters.sync.snapshot import JobListing
from clusters.sync.targets import list_targets
from objectlog.models import Entry
from operations.clock import is_left_ahead
from operations.table import OPERATIONS
from permissions.kinds import KINDS
from rapi.client import RapiClient
from rapi.errors import RapiError
from updates.due import bring_forward
from virtualmachines.sync.refresh import refresh_machines
from virtualmachines.sync.waiting import forget_restarted

_AT_WORK = (JobStatus.RUNNING, JobStatus.CANCELING)
# After a job has ended, figures of nodes have changed too: a whole update soon, but not one for each of many jobs.
_SOON_S = 3.0
# Ganeti 3.1 serves the old state for up to 0.8 s after a job has ended: so long the row may contradict it.
_CONFIRMED_WITHIN = timedelta(seconds=3)


@dataclass
class Followed:
    """What a pass did."""

    jobs_written: int = 0
    machines_written: int = 0
    jobs_ended: int = 0
    settled: int = 0
    given_up: int = 0

    def __add__(self, other: "Followed") -> "Followed":
        return Followed(*(mine + more for mine, more in zip(astuple(self), astuple(other), strict=True)))


def digest_listing(
    cluster: Cluster, client: RapiClient, readings: Readings, listing: JobListing, *, with_snapshot: bool = False
) -> Followed:
    """Write the jobs, refresh what they touch, settle entries, explain who waits for what. Raises RapiError.

    With a snapshot all objects were read at the same time as the list, so only those of jobs that we saw under way, or
    that are ours, are read again: the list may be the newer of the two.
    """
    done = Followed()
    changes = apply_jobs(cluster, listing.jobs, read_from=listing.started_at)
    if listing.unlisted:
        found, lost = look_up_unlisted(client, listing)
        more = apply_jobs(cluster, found, read_from=listing.started_at, lost=lost)
        changes = changes + more
    entries, is_complete = list_open_entries(cluster), True
    is_in_doubt = any(entry.outcome in IN_DOUBT for entry in entries)
    overdue = list_overdue_entries(cluster, listed_from=listing.started_at) if is_in_doubt else []
    if overdue:
        late, is_complete = look_up_unseen(client, cluster, since=min(entry.created_at for entry in overdue))
        changes = changes + apply_jobs(cluster, late, read_from=listing.started_at)
        adopt_unsigned(cluster, overdue)
        entries = list_open_entries(cluster)
    done.jobs_written, done.jobs_ended = changes.written, len(changes.ended) + len(changes.past)

    adopt_jobs(entries)
    finished = [entry for entry in entries if has_ended(entry)]
    touched = {job.pk: job for entry in finished for job in entry.jobs.all()}
    touched |= {job.pk: job for job in changes.ended}
    at_work: list[Job] = []
    if not with_snapshot:
        touched |= {job.pk: job for job in changes.past}
        at_work = [job for job in changes.open if job.status in _AT_WORK]
    done.machines_written = _refresh(cluster, readings, ended=list(touched.values()), at_work=at_work)
    forget_restarted(cluster, [*changes.ended, *changes.past])
    note_exports(cluster, [*changes.ended, *changes.past])
    done.settled = sum(settle_entry(entry) for entry in finished if _is_confirmed(entry))
    if overdue:
        given_up = count_clean_listing(cluster, listed_from=listing.started_at, is_complete=is_complete)
        done.given_up = len(given_up)
    for entry in entries:
        if any(job.status in _AT_WORK for job in entry.jobs.all()):
            note_deadline(entry, running_at=listing.started_at)
    if changes.ended or (changes.past and not with_snapshot):
        bring_forward(cluster, within_s=_SOON_S)
    done.jobs_written += explain_waiting(client, [job for job in changes.open if job.status == JobStatus.WAITING])
    return done


def _is_confirmed(entry: Entry) -> bool:
    """Whether the row of the entry's target, read since its jobs were seen to have ended, shows what they did.

    A row that contradicts a success is read again in the next pass, and believed after a while.
    """
    jobs = entry.jobs.all()
    operation = OPERATIONS.get(entry.verb)
    model = KINDS[operation.kind].model if operation is not None and operation.kind in KINDS else None
    if operation is None or model is None or not issubclass(model, Mirrored):
        return True  # nothing that Ganeti is read for
    ended = max((job.seen_at for job in jobs if job.seen_at is not None), default=None)
    if ended is None or any(job.status != JobStatus.SUCCESS for job in jobs):
        return True
    if timezone.now() - ended > _CONFIRMED_WITHIN or is_left_ahead(ended):
        return True
    row = model._default_manager.filter(pk__in=[entry.target_pk], missing_since__isnull=True).first()
    return row is None or (row.read_at is not None and row.read_at >= ended and operation.is_shown_by(row))


def _refresh(cluster: Cluster, readings: Readings, *, ended: list[Job], at_work: list[Job]) -> int:
    """Read the machines of these jobs again. Those of jobs at work are a courtesy: their failure may wait."""
    rows = 0
    uuids, names = list_targets(ended, "instance")
    if names:
        rows += refresh_machines(cluster, readings, names, uuids=uuids)
    more_uuids, more_names = list_targets(at_work, "instance")
    if more_names - names:
        try:
            rows += refresh_machines(cluster, readings, more_names - names, uuids=more_uuids - uuids)
        except RapiError:
            return rows
    return rows
