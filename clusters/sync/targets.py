"""The objects that jobs work on: tied to their rows when a job is first seen, and again when a row appears."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from clusters.models import Cluster, FormerName, Job, JobStatus, JobTarget
from clusters.sync.naming import Directory, Tie, Times, word_for
from clusters.sync.touched import Touched, steps_of, steps_of_row, touched_by
from rapi.shapes.job import JobInfo

MOST_FORMER_NAMES = 20
_BATCH = 200
_LATEST = 2.0**33


def times_of(job: Job) -> Times:
    """When the job was under way; one that has not ended, until it was last read."""
    begin = job.received_at.timestamp() if job.received_at is not None else float("-inf")
    end = job.ended_at or job.seen_at or timezone.now()
    return Times(begin, end.timestamp())


def write_targets(cluster: Cluster, jobs: Iterable[JobInfo], rows: Mapping[int, Job]) -> None:
    """The objects each job touches. They are known from its first reading on; who is meant, perhaps only later."""
    wanted = {(rows[info.id], each) for info in jobs for each in touched_by(steps_of(info))}
    if not wanted:
        return
    found = JobTarget.objects.filter(job__in={job.pk for job, _ in wanted})
    there = {(target.job_id, target.kind, target.name): target for target in found}
    open_ones = [(job, each) for job, each in wanted if _is_open(there.get((job.pk, each.kind, each.name)), each)]
    if not open_ones:
        return
    directory = Directory(cluster, [each for _, each in open_ones])
    directory.add_births(
        {each: times_of(job) for job, each in wanted if each.is_made and job.status == JobStatus.SUCCESS}
    )
    new, changed = [], []
    for job, each in sorted(open_ones, key=lambda one: (one[0].pk, one[1].kind, one[1].name)):
        tie = directory.find(each, times_of(job))
        target = there.get((job.pk, each.kind, each.name))
        if target is None:
            new.append(_tied(JobTarget(job=job, cluster=cluster, kind=each.kind, name=each.name), tie))
        elif tie is not None and target.target_pk != tie.pk:
            changed.append(_tied(target, tie))
    JobTarget.objects.bulk_create(new, batch_size=_BATCH)
    JobTarget.objects.bulk_update(changed, ["target_pk", "uuid"], batch_size=_BATCH)


def _is_open(target: JobTarget | None, touched: Touched) -> bool:
    """Whether it is not known yet who is meant, or Ganeti says by now that it is another one than we took it for."""
    return target is None or target.target_pk is None or touched.uuid not in ("", target.uuid)


def _tied(target: JobTarget, tie: Tie | None) -> JobTarget:
    target.target_pk, target.uuid = tie if tie is not None else (None, "")
    return target


def tie_again(model: type[Model], cluster: Cluster, pks: Collection[int]) -> None:
    """Rows appeared or were renamed: tie to them the jobs that could not be tied, and those that meant them after all.

    A job that was tied to another row of the same name, and was under way when this one was made, may mean both.
    """
    kind = word_for(model)
    touched = JobTarget.objects.filter(cluster=cluster, kind=kind).order_by()
    found: list[Any] = list(
        # a first import makes thousands of rows, of which no job is known yet
        model._default_manager.filter(pk__in=pks, name__in=touched.values("name")).values_list("name", "ctime")
    )
    for start in range(0, len(found), _BATCH):  # SQLite takes no condition of a thousand terms
        _tie_some(kind, cluster, pks, found[start : start + _BATCH])


def _tie_some(kind: str, cluster: Cluster, pks: Collection[int], found: list[Any]) -> None:
    untied = Q(target_pk__isnull=True)
    for name, ctime in found:
        if ctime and 0 < ctime < _LATEST:
            made_at = datetime.fromtimestamp(ctime, UTC)
            ended_later = Q(job__ended_at__isnull=True) | Q(job__ended_at__gte=made_at)
            untied |= Q(ended_later, name=name, job__received_at__lte=made_at)
    targets = JobTarget.objects.filter(
        untied, cluster=cluster, kind=kind, name__in={name for name, _ in found}
    ).select_related("job")
    touched = {
        target.pk: each
        for target in targets
        for each in touched_by(steps_of_row(target.job))
        if (each.kind, each.name) == (kind, target.name)
    }
    directory = Directory(cluster, touched.values())
    changed = []
    for target in targets:
        each = touched.get(target.pk)
        tie = directory.find(each, times_of(target.job)) if each is not None else None
        if (tie is None and target.target_pk is not None) or (tie is not None and tie.pk in pks):
            changed.append(_tied(target, tie))
    JobTarget.objects.bulk_update(changed, ["target_pk", "uuid"], batch_size=_BATCH)


def note_renames(
    model: type[Model], cluster: Cluster, before: Mapping[int, str], *, seen_at: datetime, now: datetime
) -> list[int]:
    """Keep the names that rows had `before` and have no longer; the keys of these rows."""
    after = dict(model._default_manager.filter(pk__in=before).values_list("pk", "name"))
    renamed = [pk for pk, name in after.items() if before[pk] != name]
    FormerName.objects.bulk_create(
        FormerName(
            cluster=cluster, kind=word_for(model), target_pk=pk, name=before[pk], seen_at=min(seen_at, now), until=now
        )
        for pk in renamed
    )
    _drop_oldest(FormerName.objects.filter(kind=word_for(model), target_pk__in=renamed))
    return renamed


def _drop_oldest(former: QuerySet[FormerName]) -> None:
    """Keep the newest names of each row: a cluster that renames all the time must not fill the database."""
    kept: Counter[int] = Counter()
    surplus = []
    for pk, target_pk in former.order_by("-pk").values_list("pk", "target_pk"):
        kept[target_pk] += 1
        if kept[target_pk] > MOST_FORMER_NAMES:
            surplus.append(pk)
    FormerName.objects.filter(pk__in=surplus).delete()


def list_targets(jobs: Iterable[Job], kind: str) -> tuple[set[str], set[str]]:
    """The objects of one kind that these jobs touch: uuids of those that are known, and all names."""
    pks = [job.pk for job in jobs]
    uuids, names = set[str](), set[str]()
    for start in range(0, len(pks), _BATCH):
        found = JobTarget.objects.filter(job__in=pks[start : start + _BATCH], kind=kind)
        for uuid, name in found.values_list("uuid", "name"):
            uuids.add(uuid)
            names.add(name)
    return uuids - {""}, names
