"""How much of a job is told to whom.

A job may work on several objects. Who may see only some of them learns that it exists, how it is, and that it works on
those: its title, steps, parameters, log and errors may name the others.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import Case, Exists, F, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.query import ModelIterable
from django.utils.translation import gettext as _

from clusters.models import Job, JobTarget
from objectlog.words import ToldField

if TYPE_CHECKING:
    _Iterable = ModelIterable[Job]
else:
    _Iterable = ModelIterable

# What is not told of a job of which one may not see everything, and what stands in its place.
_CONCEALED: dict[str, Any] = {
    "summary": [],
    "opcodes": [],
    "opcode_statuses": [],
    "log": [],
    "results": [],
    "error": "",
    "waiting_for": [],
}
# The title as far as it is told: for lists that search in it and sort by it.
TOLD_TITLE = Case(When(is_partial=True, then=F("seen_name")), default=F("title"), output_field=ToldField())


@dataclass
class JobLine:
    """A job as one line shows it, no whole row."""

    pk: int
    cluster: str
    ganeti_id: int
    status: str
    title: str
    error: str
    opcode_statuses: list[str]
    received_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    by: str | None

    @property
    def is_final(self) -> bool:
        """As of a row."""
        return self.status in Job.FINAL


J = TypeVar("J", Job, JobLine)


class _Disclosed(_Iterable):
    """Jobs of which nothing is kept that the reader must not see."""

    def __iter__(self) -> Iterator[Job]:
        for job in super().__iter__():
            yield _conceal(job, getattr(job, "seen_name", None) or "") if getattr(job, "is_partial", False) else job


def disclose(jobs: QuerySet[Job], seen: QuerySet[JobTarget]) -> QuerySet[Job]:
    """`jobs` for somebody who may see the objects `seen`: `is_partial` says that there are others, too."""
    is_partial: Any = Value(False)
    seen_name: Any = Value("")
    if seen.query.has_filters():
        here = JobTarget.objects.filter(job=OuterRef("pk"))
        is_partial = Exists(here.exclude(pk__in=seen.filter(job=OuterRef("job")).order_by().values("pk")))
        seen_name = Subquery(seen.filter(job=OuterRef("pk")).values("name")[:1])
    jobs = jobs.annotate(is_partial=is_partial, seen_name=seen_name)
    jobs._iterable_class = _Disclosed
    return jobs


def disclose_few(rows: Iterable[tuple[Any, ...]]) -> list[JobLine]:
    """The same for a few jobs that are read, each with key and name of what it touches and whether that is seen: a row
    for each of these, and one with nothing for a job that touches nothing."""
    jobs: dict[int, JobLine] = {}
    hidden: set[int] = set()
    names: dict[int, dict[int, str]] = defaultdict(dict)
    for *row, target, name, is_seen in rows:
        job = JobLine(*row)
        jobs.setdefault(job.pk, job)
        if is_seen:
            names[job.pk][target] = name
        elif target is not None:
            hidden.add(job.pk)
    return [_conceal(job, _first(names[pk])) if pk in hidden else job for pk, job in jobs.items()]


def _first(names: dict[int, str]) -> str:
    return names[min(names)] if names else ""


def _conceal(job: J, name: str) -> J:
    is_about_it = len(job.opcode_statuses) <= 1 and name and job.title.endswith(f" {name}")
    if not is_about_it:
        job.title = _("Job on %(name)s and others") % {"name": name} if name else _("Job %s") % job.ganeti_id
    for column, nothing in _CONCEALED.items():
        setattr(job, column, nothing)
    return job
