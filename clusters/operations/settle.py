"""What became of operations: the end of their jobs, or the proof that there never was one.

Called by the job follower.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from clusters.models import Cluster, Job, JobStatus
from clusters.operations.ganeti import PREPARED_WITHIN_S
from objectlog.models import OPEN_OUTCOMES, Entry, Outcome
from objectlog.selectors import list_unanswered_entries
from objectlog.sentences import CHECK, is_check
from objectlog.services import advance, count_absence, note_jobs
from objectlog.words import gettext as _
from objectlog.words import joined, moment
from operations.clock import left_ahead
from operations.models import Busy
from operations.settling import give_back, release
from operations.table import OPERATIONS
from permissions.kinds import KINDS
from rapi.caller import longest_change_s

# A lost submission is given up after so many complete job lists, read after its deadline, that lack its reason.
CLEAN_LISTINGS_NEEDED = 2
# By so much Ganeti's clock may be another than ours, where a job is known by its time.
_CLOCKS_DIFFER = timedelta(seconds=5)
# It is not known whether there is a job, or the search for one was given up.
IN_DOUBT = (Outcome.SUBMITTING, Outcome.UNKNOWN, Outcome.NOT_SUBMITTED)


def list_open_entries(cluster: Cluster) -> list[Entry]:
    """Entries of the cluster that are open, and those given up of which a job turned up after all; with their jobs."""
    late = Q(outcome=Outcome.NOT_SUBMITTED, jobs__isnull=False)
    found = Entry.objects.filter(late | Q(outcome__in=OPEN_OUTCOMES), cluster_pk=cluster.pk)
    return list(found.distinct().order_by("pk").prefetch_related("jobs"))


def adopt_jobs(entries: Iterable[Entry]) -> None:
    """Let those of the entries be under way that were in doubt and have a job by now."""
    for entry in entries:
        if entry.outcome in IN_DOUBT:
            for job in entry.jobs.all():
                adopt_job(job, entry)


def adopt_unsigned(cluster: Cluster, entries: Iterable[Entry]) -> None:
    """Of those in doubt whose call takes no reason: the one job of that time, object and opcode is taken for theirs."""
    for entry in entries:
        operation = OPERATIONS.get(entry.verb)
        if operation is None or not operation.unsigned_opcode or entry.target_pk is None:
            continue
        until = entry.created_at + timedelta(seconds=submit_deadline_s())
        jobs = Job.objects.filter(
            cluster=cluster,
            entry=None,
            received_at__range=(entry.created_at - _CLOCKS_DIFFER, until + _CLOCKS_DIFFER),
            targets__kind=KINDS[operation.kind].in_ganeti,
            targets__target_pk=entry.target_pk,
        ).distinct()
        opcode = f"OP_{operation.unsigned_opcode}"
        alike = [job for job in jobs if any(each.get("OP_ID") == opcode for each in job.opcodes)]
        if len(alike) == 1:
            adopt_job(alike[0], entry)


def has_ended(entry: Entry) -> bool:
    """Whether the entry has jobs, and all of them have ended."""
    jobs = entry.jobs.all()
    return bool(jobs) and all(job.is_final for job in jobs)


def adopt_job(job: Job, entry: Entry) -> None:
    """A job carries the reason of `entry`: link the two, and let the entry be under way if it was in doubt."""
    with transaction.atomic():
        Job.objects.filter(pk=job.pk, entry__isnull=True).update(entry=entry)
        if not advance(entry, Outcome.SUBMITTED, job_ids=sorted({*entry.job_ids, job.ganeti_id})):
            note_jobs(entry, sorted({*entry.job_ids, job.ganeti_id}))


def settle_entry(entry: Entry) -> bool:
    """Close the entry if all its jobs have ended; False while one has not, or the entry was closed before."""
    entry.refresh_from_db()
    jobs = list(Job.objects.filter(entry=entry))
    if not jobs or not entry.is_open or any(not job.is_final for job in jobs):
        return False
    failed = [job for job in jobs if job.status != JobStatus.SUCCESS]
    operation = OPERATIONS.get(entry.verb)
    with transaction.atomic():
        if not failed:
            done = advance(entry, Outcome.SUCCEEDED, message=_words_of_check(jobs) if is_check(entry.verb) else "")
            if done and operation is not None:
                operation.succeeded(entry)
        else:
            outcome = {JobStatus.CANCELED: Outcome.CANCELED, JobStatus.LOST: Outcome.LOST}.get(
                JobStatus(failed[0].status), Outcome.FAILED
            )
            done = advance(entry, outcome, message=joined("\n", [job.error for job in failed]))
            if done and operation is not None:
                operation.failed(entry)
        release(entry)
    return done


def _words_of_check(jobs: Iterable[Job]) -> str:
    """What Ganeti said as it checked: which nodes it chose, for instance; not that it was a check."""
    lines = [str(line[3]) for job in jobs for line in job.log if isinstance(line, list) and len(line) >= 4]
    return "\n".join(line.removeprefix(" - INFO: ") for line in lines if "dry-run mode requested" not in line)[:2000]


def list_overdue_entries(cluster: Cluster, *, listed_from: datetime) -> list[Entry]:
    """Entries in doubt that no job is known of, though their submission had surely ended when the listing began."""
    ended_by = listed_from - timedelta(seconds=submit_deadline_s())
    is_over = Q(created_at__lte=ended_by) | left_ahead("created_at")
    return list(list_unanswered_entries(cluster.pk).filter(is_over, jobs__isnull=True))


def count_clean_listing(cluster: Cluster, *, listed_from: datetime, is_complete: bool = True) -> list[Entry]:
    """After a complete reading of the job list: entries in doubt that it did not contain come closer to being given up.

    `listed_from` is when the reading began. Only entries whose submission had surely ended by then count. Unless the
    reading `is_complete`, numbers of jobs given out meanwhile were left out: then less is claimed. Returns the entries
    given up now. One whose verb no operation has (it is of another release of ours) is given up like the others.
    """
    given_up = []
    for entry in list_overdue_entries(cluster, listed_from=listed_from):
        operation = OPERATIONS.get(entry.verb)
        if count_absence(entry) < CLEAN_LISTINGS_NEEDED:
            continue
        is_sure = is_complete and operation is not None and operation.leaves_job and not operation.unsigned_opcode
        time = moment(timezone.now())
        if is_sure:
            outcome = Outcome.NOT_SUBMITTED
            words = _("Nothing of it was found on %(cluster)s by %(time)s; it was not carried out.")
        else:
            outcome = Outcome.LOST
            words = _("Nothing of it was found on %(cluster)s by %(time)s; it is not known whether it was carried out.")
        said = words % {"cluster": cluster, "time": time}
        with transaction.atomic():
            give_back(operation, entry, outcome, joined("\n", [entry.message, said]))
        given_up.append(entry)
    return given_up


def give_up_with(cluster: Cluster) -> None:
    """The cluster is removed, and nobody will learn how what is under way on it ends: it is lost."""
    words = _("Cluster %s was removed here while this was in progress; how it ended is not known.") % cluster.slug
    under_way = Entry.objects.filter(cluster_pk=cluster.pk, outcome__in=OPEN_OUTCOMES)
    sent = [key for key, operation in OPERATIONS.items() if operation.sends]
    for entry in under_way.filter(verb__in=[*sent, *(f"{key}{CHECK}" for key in sent)]).order_by("pk"):
        give_back(OPERATIONS.get(entry.verb), entry, Outcome.LOST, joined("\n", [entry.message, words]))


def note_deadline(entry: Entry, *, running_at: datetime) -> None:
    """A job of the entry was seen running: from now on the target says until when that takes at the latest."""
    operation = OPERATIONS.get(entry.verb)
    longest_s = operation.longest_s(entry.params) if operation is not None else None
    if longest_s is not None:
        until = running_at + timedelta(seconds=longest_s)
        for model in Busy.__subclasses__():
            model._default_manager.filter(busy_entry=entry.uuid, busy_until=None).update(busy_until=until)


def submit_deadline_s() -> float:
    """Seconds after which a submission under way has surely been answered, given up, or its process has died."""
    call_s = longest_change_s(settings.GWM_RAPI_CONNECT_TIMEOUT_S, settings.GWM_RAPI_READ_TIMEOUT_S)
    return PREPARED_WITHIN_S + call_s + 5.0
