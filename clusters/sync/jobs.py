"""Jobs: which to ask for, reading them, and writing what is new about them.

A job is written until it is final and never again. A job that carries the reason of a journal entry is bound to it in
the same transaction in which it is first written: that is how a submission whose answer was lost is found again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from clusters.models import Cluster, Job, JobStatus, NodeGroup
from clusters.saying import said
from clusters.sync.naming import mirrored_models
from clusters.sync.readings import Readings
from clusters.sync.snapshot import JobListing, KnownJobs
from clusters.sync.targets import write_targets
from clusters.sync.touched import steps_of, touched_by
from clusters.sync.wording import title_of
from objectlog.models import Entry, Outcome
from objectlog.words import gettext as _
from operations.clock import is_left_ahead
from permissions.kinds import KINDS
from rapi.client import RapiClient
from rapi.errors import Garbled, JobLost, Refused
from rapi.shapes.job import JobInfo
from rapi.shapes.reading import Unreadable

# How much of a cluster's past is imported when it is new, and of what it did while it was not read for a while.
NEWEST_AT_FIRST, NEWEST_AFTER_ABSENCE = 200, 2000
_ABSENCE = timedelta(minutes=10)
_GAP_WINDOW = 50
_LONGEST_LEAP = 1_000_000_000
_MOST_LOST_LOOKUPS = 20
# How many numbers are looked up for a submission in doubt, and how many in a row may be unknown beyond the newest.
_MOST_UNSEEN_LOOKUPS = 60
_UNKNOWN_IN_A_ROW = 5
_MOST_LOG_LINES = 2000
# How many jobs one transaction writes: it holds the lock of the cluster's row, and on SQLite that of all.
_AT_ONCE = 500
_MOST_EXPLAINED = 200
_REASON = "gwm:"
# Outcomes of entries that were given up; their job may turn up after all.
_MAY_COME_ALIVE = (Outcome.NOT_SUBMITTED, Outcome.LOST)
_MUTABLE = (
    "status",
    "title",
    "summary",
    "opcodes",
    "opcode_statuses",
    "log",
    "results",
    "error",
    "received_at",
    "started_at",
    "ended_at",
    "entry_id",
)


@dataclass
class JobChanges:
    """What a listing brought: rows written, jobs that are open, that ended, and that had ended when first seen."""

    written: int = 0
    ended: list[Job] = field(default_factory=list)
    past: list[Job] = field(default_factory=list)
    open: list[Job] = field(default_factory=list)

    def __add__(self, other: "JobChanges") -> "JobChanges":
        return JobChanges(
            self.written + other.written,
            self.ended + other.ended,
            self.past + other.past,
            self.open + other.open,
        )


def load_known_jobs(cluster: Cluster) -> KnownJobs:
    """What is known before a listing."""
    at_most = _most_newer(cluster)
    if cluster.last_job_id == 0:
        return KnownJobs(at_most=at_most)
    jobs = Job.objects.filter(cluster=cluster).order_by()
    open_ids = frozenset(jobs.exclude(status__in=Job.FINAL).values_list("ganeti_id", flat=True))
    floor = max(0, cluster.last_job_id - _GAP_WINDOW)
    seen = set(jobs.filter(ganeti_id__gt=floor).values_list("ganeti_id", flat=True))
    first = min(seen, default=cluster.last_job_id)
    gaps = frozenset(range(max(floor + 1, first), cluster.last_job_id + 1)) - seen
    return KnownJobs(cluster.last_job_id, open_ids, gaps, at_most)


def _most_newer(cluster: Cluster) -> int:
    """A cluster that is read all the time can't have more new jobs than it runs within minutes. After an absence, and
    after a failure, which may be that of too long an answer, their numbers are asked for first."""
    schedule = cluster.schedule
    if schedule.synced_at is None:
        return NEWEST_AT_FIRST if cluster.last_job_id == 0 else NEWEST_AFTER_ABSENCE
    is_behind = schedule.failures > 0 or timezone.now() - schedule.synced_at > _ABSENCE
    return NEWEST_AFTER_ABSENCE if is_behind else 0


def list_jobs(readings: Readings, known: KnownJobs) -> JobListing:
    """One query for all jobs that are open or new to us; one more where these may be very many. Raises RapiError."""
    started_at = timezone.now()
    newer_than, ids = known.last_id, known.open_ids | known.gaps
    if known.at_most:
        # The highest that is known comes along: from it on it is seen how far others leap.
        there = _without_leaps(sorted({known.last_id, *readings.list_job_ids(known.last_id)} - {0}))
        newer_than = max(newer_than, there[-known.at_most] - 1 if len(there) > known.at_most else 0)
    found = readings.read_jobs(ids, newer_than)
    numbers = _without_leaps(sorted({known.last_id, *ids, *(job.id for job in found.good.values())} - {0}))
    fit = frozenset(numbers)
    leaping = [job for job in found.good.values() if job.id not in fit]
    why = _("Its number leaps ahead of all others: Ganeti counts by ones.")
    bad = (*found.bad, *(Unreadable("job", str(job.id), "", why) for job in leaping))
    jobs = tuple(job for job in found.good.values() if job.id in fit)
    seen = {job.id for job in jobs} | {int(each.key) for each in bad if each.key.isdecimal()}
    return JobListing(started_at, jobs, known.open_ids - seen, bad)


def _without_leaps(numbers: Sequence[int]) -> list[int]:
    """Ascending numbers up to the first that is too far from the one before.

    Without this one absurd number would be the highest seen, and no newer job ever be asked for.
    """
    kept: list[int] = []
    for number in numbers:
        if kept and number - kept[-1] > _LONGEST_LEAP:
            break
        kept.append(number)
    return kept


def look_up_unlisted(client: RapiClient, listing: JobListing) -> tuple[list[JobInfo], list[int]]:
    """Open jobs that Ganeti did not list: archived ones still answer by number, others are lost. Raises RapiError."""
    found, lost = [], []
    for number in sorted(listing.unlisted)[:_MOST_LOST_LOOKUPS]:
        try:
            found.append(client.get_job(number))
        except JobLost:
            lost.append(number)
        except (Garbled, Refused):
            continue  # it is there, and stays as it is here
    return found, lost


def look_up_unseen(client: RapiClient, cluster: Cluster, *, since: datetime) -> tuple[list[JobInfo], bool]:
    """Jobs that may have come and been archived since a time without ever being listed, one by one by their numbers.

    The second value is whether all numbers that come into question were asked for. Raises RapiError.
    """
    jobs = Job.objects.filter(cluster=cluster).order_by()
    before = jobs.filter(seen_at__lt=since).aggregate(highest=Max("ganeti_id"))["highest"] or 0
    seen = set(jobs.filter(ganeti_id__gt=before).values_list("ganeti_id", flat=True))
    newest = max(seen, default=before)
    if not newest or newest - before - len(seen) > _MOST_UNSEEN_LOOKUPS:
        return [], False
    missing = [number for number in range(before + 1, newest + 1) if number not in seen]
    found: list[JobInfo] = []
    for number in missing:
        found += _look_up(client, number)
    number, unknown = newest, 0
    while unknown < _UNKNOWN_IN_A_ROW:
        number += 1
        if number - newest + len(missing) > _MOST_UNSEEN_LOOKUPS:
            return found, False
        there = _look_up(client, number)
        unknown = 0 if there else unknown + 1
        found += there
    return found, True


def _look_up(client: RapiClient, number: int) -> list[JobInfo]:
    try:
        return [client.get_job(number)]
    except (JobLost, Garbled):
        return []


def apply_jobs(
    cluster: Cluster, jobs: Sequence[JobInfo], *, read_from: datetime, lost: Iterable[int] = ()
) -> JobChanges:
    """Write what is new, under the lock of the cluster's row, in transactions that stay short however many jobs came.

    Raises Cluster.DoesNotExist if the cluster was removed meanwhile.
    """
    changes, gone = JobChanges(), list(lost)
    ordered = sorted(jobs, key=lambda each: each.id)
    for start in range(0, max(len(ordered), len(gone)), _AT_ONCE):
        part, lost_part = ordered[start : start + _AT_ONCE], gone[start : start + _AT_ONCE]
        changes = changes + _apply_some(cluster, part, read_from, lost_part)
    return changes


def _apply_some(cluster: Cluster, jobs: Sequence[JobInfo], read_from: datetime, lost: Sequence[int]) -> JobChanges:
    changes = JobChanges()
    with transaction.atomic():
        locked = Cluster.objects.select_for_update().only("pk", "last_job_id", "slug").get(pk=cluster.pk)
        numbers = [*(job.id for job in jobs), *lost]
        rows = {row.ganeti_id: row for row in Job.objects.filter(cluster=cluster, ganeti_id__in=numbers)}
        entries = _find_entries(locked, jobs)
        groups = dict(NodeGroup.objects.filter(cluster=cluster).order_by("pk").values_list("uuid", "name"))
        new: dict[int, Job] = {}
        changed: dict[int, Job] = {}
        same: dict[int, Job] = {}
        for info in jobs:
            row = rows.get(info.id)
            if row is None:
                row = Job(cluster=cluster, ganeti_id=info.id, seen_at=read_from)
                _fill(row, info, entries, groups)
                rows[info.id] = new[info.id] = row
            elif row.is_final or _was_read_later(row, read_from):
                continue
            elif _fill(row, info, entries, groups):
                changed[info.id] = row
            else:
                same[info.id] = row
            if row.is_final:
                (changes.past if info.id in new and row.entry_id is None else changes.ended).append(row)
            else:
                changes.open.append(row)
        for number in lost:
            row = rows.get(number)
            if row is not None and not row.is_final:
                row.status, row.ended_at = JobStatus.LOST, timezone.now()
                row.error = _("Ganeti does not know this job any more; how it ended can't be told.")
                row.waiting_for = []
                changed[number] = row
                changes.ended.append(row)
        for row in (*changed.values(), *same.values()):
            row.seen_at = read_from
        Job.objects.bulk_create(new.values(), batch_size=50)
        Job.objects.bulk_update(changed.values(), [*_MUTABLE, "waiting_for", "seen_at"], batch_size=50)
        if same:
            Job.objects.filter(pk__in=[row.pk for row in same.values()]).update(seen_at=read_from)
        _bind_children(cluster, jobs, rows)
        write_targets(cluster, [info for info in jobs if info.id in new or info.id in changed], rows)
        highest = max((job.id for job in jobs), default=0)
        if highest > locked.last_job_id:
            Cluster.objects.filter(pk=cluster.pk).update(last_job_id=highest)
            changes.written += 1
    changes.written += len(new) + len(changed) + len(same)
    return changes


def _was_read_later(row: Job, read_from: datetime) -> bool:
    return row.seen_at is not None and row.seen_at > read_from and not is_left_ahead(row.seen_at)


def _fill(row: Job, info: JobInfo, entries: dict[UUID, Entry], groups: dict[str, str]) -> bool:
    """Set the columns from Ganeti's record; whether any differs."""
    before = [getattr(row, column) for column in _MUTABLE]
    row.status = info.status
    # What was sent from here is called what its button is: Ganeti calls seven of these "modify".
    if info.opcodes and not (row.entry_id is not None and row.title):
        row.title = title_of(info, groups)
    row.summary = list(info.summary)
    row.opcodes = [{"OP_ID": f"OP_{opcode.name}", **opcode.params} for opcode in info.opcodes]
    row.opcode_statuses = [opcode.status for opcode in info.opcodes]
    row.log = [[line.serial, line.when, line.opcode_index, line.text] for line in info.log[-_MOST_LOG_LINES:]]
    row.results = [opcode.result for opcode in info.opcodes] if info.status == JobStatus.SUCCESS else []
    row.error = said(info.error.message) if info.error is not None else ""
    row.received_at = _moment(info.received_at) or row.received_at
    row.started_at = _moment(info.started_at)
    row.ended_at = _moment(info.ended_at) if info.is_final else None
    if info.status != JobStatus.WAITING:
        row.waiting_for = []
    if row.entry_id is None:
        entry = next((entries[key] for key in _entry_keys(info) if key in entries and _is_of(info, entries[key])), None)
        row.entry_id = entry.pk if entry is not None else None
    return before != [getattr(row, column) for column in _MUTABLE]


def _moment(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None


def _entry_keys(info: JobInfo) -> list[UUID]:
    found = []
    for reason in info.reasons:
        if reason.startswith(_REASON):
            try:
                found.append(UUID(reason.removeprefix(_REASON)))
            except ValueError:
                continue
    return found


def _find_entries(cluster: Cluster, jobs: Sequence[JobInfo]) -> dict[UUID, Entry]:
    """Journal entries of this cluster whose reason a job carries."""
    keys = {key for info in jobs for key in _entry_keys(info)}
    if not keys:
        return {}
    found = Entry.objects.filter(uuid__in=keys, cluster_pk=cluster.pk)
    return {entry.uuid: entry for entry in found}


def _is_of(info: JobInfo, entry: Entry) -> bool:
    """Whether a job that carries the reason of an entry can be its job: reasons can be read and copied by others.

    The entry must still wait for a job (or know it by its number), and the job must work on what the entry is about.
    """
    if not entry.is_open and entry.outcome not in _MAY_COME_ALIVE and info.id not in entry.job_ids:
        return False
    kind = KINDS.get(entry.target_kind)
    if kind is None or kind.in_ganeti not in mirrored_models():
        return True
    touched = [each for each in touched_by(steps_of(info)) if each.kind == kind.in_ganeti]
    return not touched or any(
        each.name == entry.target_name
        or (each.is_made and each.name.startswith(f"{entry.target_name}."))  # the cluster looked the name up
        or (each.uuid and each.uuid == entry.target_uuid)
        for each in touched
    )


def _bind_children(cluster: Cluster, jobs: Sequence[JobInfo], rows: dict[int, Job]) -> None:
    """Jobs that a job submitted (evacuation) belong to the same journal entry, which ends when all have ended."""
    for info in jobs:
        parent = rows[info.id]
        if not info.child_jobs or parent.entry_id is None:
            continue
        Job.objects.filter(cluster=cluster, ganeti_id__in=info.child_jobs, entry__isnull=True).update(
            entry_id=parent.entry_id
        )
        there = set(
            Job.objects.filter(cluster=cluster, ganeti_id__in=info.child_jobs).values_list("ganeti_id", flat=True)
        )
        Job.objects.bulk_create(
            Job(cluster=cluster, ganeti_id=number, entry_id=parent.entry_id)
            for number in info.child_jobs
            if number not in there
        )


def explain_waiting(client: RapiClient, waiting: Sequence[Job]) -> int:
    """Which locks and jobs the first of these wait for, and who holds them. One call; rows written. Raises RapiError.

    Ganeti lets some twenty jobs run or wait for locks at a time, and keeps all others queued.
    """
    if not waiting:
        return 0
    found: dict[int, list[dict[str, Any]]] = {}
    for lock in client.query_locks():
        for pending in lock.pending:
            for number in pending.job_ids:
                said = {"lock": lock.name, "mode": pending.mode, "holders": list(lock.owner_job_ids)}
                found.setdefault(number, []).append(said)
    changed = []
    for job in sorted(waiting, key=lambda each: each.ganeti_id)[:_MOST_EXPLAINED]:
        if found.get(job.ganeti_id, []) != job.waiting_for:
            job.waiting_for = found.get(job.ganeti_id, [])
            changed.append(job)
    with transaction.atomic():
        for job in changed:
            Job.objects.filter(pk=job.pk, status=JobStatus.WAITING).update(waiting_for=job.waiting_for)
    return len(changed)
