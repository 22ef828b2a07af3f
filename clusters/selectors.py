"""Reading clusters and what belongs to them: always for somebody, and only what they may see (else Http404)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clusters.disclosure import JobLine, disclose, disclose_few
from clusters.models import Cluster, Job, JobStatus, JobTarget, Network, Node, NodeGroup
from clusters.moved import Moved, current_cluster, find_row
from permissions.models import User
from permissions.policy import sifting, visible
from ui.kept import Beside, Condition, Given, Kept

ACTIVE = (JobStatus.QUEUED, JobStatus.WAITING, JobStatus.CANCELING, JobStatus.RUNNING)

# What pages need of a job in a list; logs and parameters can be large.
_JOB_ROW = (
    "cluster__slug",
    "ganeti_id",
    "status",
    "title",
    "error",
    "waiting_for",
    "opcode_statuses",
    "received_at",
    "started_at",
    "ended_at",
    "entry__actor_name",
)


# The same as JobLine has it.
_JOB_LINE = (
    *("pk", "cluster__slug", "ganeti_id", "status", "title", "error", "opcode_statuses"),
    *("received_at", "started_at", "ended_at", "entry__actor_name"),
)


def list_clusters(user: User) -> QuerySet[Cluster]:
    """The clusters on which `user` holds any right."""
    return visible(user, "view", Cluster.objects.all())


def get_cluster(user: User, slug: str) -> Cluster:
    """One cluster by its short name; Http404 if there is none that `user` may see, Moved by a former one."""
    return pick_cluster(list_clusters(user), slug)


def pick_cluster(clusters: QuerySet[Cluster], slug: str) -> Cluster:
    """The one of `clusters` that is or was called so. Http404, Moved."""
    found = clusters.select_related("schedule").filter(slug=slug).first()
    if found is None:
        now = current_cluster(slug)
        if now is not None and now.slug != slug and clusters.filter(pk=now.pk).exists():
            raise Moved(f"{slug} is {now.slug} now.", slug=now.slug)
        raise Http404(_("There is no cluster %s that you may see.") % slug)
    return found


def list_nodes(user: User) -> QuerySet[Node]:
    """The nodes `user` may see, with their cluster and group."""
    return visible(user, "view", Node.objects.select_related("cluster__schedule", "group"))


def get_node(user: User, slug: str, name: str) -> Node:
    """One node, see `clusters.moved.find_row`. Http404, Moved."""
    return find_row(list_nodes(user), "node", slug, name)


def list_groups(user: User) -> QuerySet[NodeGroup]:
    """The node groups `user` may see."""
    return visible(user, "view", NodeGroup.objects.select_related("cluster"))


def list_networks(user: User) -> QuerySet[Network]:
    """The networks `user` may see."""
    return visible(user, "view", Network.objects.select_related("cluster"))


def list_jobs(user: User) -> QuerySet[Job]:
    """The jobs `user` may see: those of clusters they run, and those that touch their machines.

    Of one that also touches what they may not see they are told no more than its state (see clusters.disclosure).
    """
    jobs = visible(user, "view", Job.objects.select_related("cluster", "entry"))
    return disclose(jobs, visible(user, "view", JobTarget.objects.order_by("pk")))


def list_job_rows(user: User) -> QuerySet[Job]:
    """The same, with just the columns of a list."""
    return list_jobs(user).only(*_JOB_ROW)


def few_lines_of(jobs: Callable[[QuerySet[Job]], QuerySet[Job]], most: int) -> Kept:
    """The newest `most` of such `jobs`, for `read_job_lines`."""
    return Kept(Job, lambda rows: jobs(rows).order_by("-ganeti_id", "-pk").values_list(*_JOB_LINE)[:most])


def read_job_lines(user: User, few: Kept, **given: Any) -> list[JobLine]:
    """Those of `few` that `user` may see, told as `list_job_rows` does. One query.

    What they touch is found out for these alone: to do so for every job that is sorted takes a database longer than all
    the rest of a page.
    """
    which, seen = sifting(user, "view", Job, of_few=True), sifting(user, "view", JobTarget)
    if which is False:
        return []
    sifted = None if which is True else which
    if seen is True:
        return [JobLine(*row) for row in few.read(sifted, **given)]
    return disclose_few(few.read_with(_touched_by(seen), sifted, **given))


def _touched_by(seen: Condition | bool) -> Beside:
    """Of what a job touches, key, name, and whether it is `seen`."""
    test, values = ("FALSE", ()) if isinstance(seen, bool) else seen
    table = JobTarget._meta.db_table
    columns = f"{table}.id, {table}.name, ({test})"
    return Beside((table, ()), f"{table}.job_id", "pk", columns, values, "kept.ganeti_id DESC, kept.pk DESC")


def get_job(user: User, slug: str, number: int) -> Job:
    """One job by Ganeti's number; Http404 if there is none that `user` may see, Moved by a former short name."""
    return pick_job(list_jobs(user), slug, number)


def pick_job(jobs: QuerySet[Job], slug: str, number: int | str) -> Job:
    """The one of `jobs` of this number, on the cluster that is or was called so. Http404, Moved."""
    jobs = jobs.filter(ganeti_id=number)
    found = jobs.filter(cluster__slug=slug).first()
    if found is None:
        now = current_cluster(slug)
        if now is not None and now.slug != slug and jobs.filter(cluster=now).exists():
            raise Moved(f"{slug} is {now.slug} now.", slug=now.slug)
        raise Http404(
            _("There is no job %(number)s on %(cluster)s that you may see.") % {"number": number, "cluster": slug}
        )
    return found


def list_job_targets(user: User, job: Job) -> list[JobTarget]:
    """The objects that `job` works on, as far as `user` may see them."""
    return list(visible(user, "view", JobTarget.objects.filter(job=job)).order_by("kind", "name"))


def jobs_about(jobs: QuerySet[Job], kind: str, pk: int) -> QuerySet[Job]:
    """Those of `jobs` that work on the row with this key, newest first.

    Not asked for each job by itself: SQLite would then go through all targets of the row for every one of its jobs.
    """
    touched = JobTarget.objects.filter(kind=kind, target_pk=pk).values("job")
    return jobs.filter(pk__in=touched).order_by("-ganeti_id")


# A failed job stays on the page of what it works on for so long, unless it is cleared or another one follows.
FAILED_IS_NEWS_FOR = timedelta(hours=24)
END_IS_NEWS_FOR = timedelta(minutes=2)
_SHOWN_OF_WORK = (
    *("ganeti_id", "status", "title", "opcode_statuses", "log", "error", "waiting_for"),
    *("received_at", "started_at", "ended_at", "cluster__slug", "entry__actor_name", "entry__uuid"),
    *("entry__verb", "entry__actor_id"),
)


def _is_news(job: Job) -> bool:
    """Whether how the job ended is still to be seen: a failure until somebody clears it or a day has gone."""
    shown_for = FAILED_IS_NEWS_FOR if job.status == JobStatus.ERROR else END_IS_NEWS_FOR
    return job.cleared_at is None and job.ended_at is not None and job.ended_at > timezone.now() - shown_for


def read_work_on(user: User, kind: str, pk: int) -> list[Job]:
    """The jobs under way on an object with their logs, or the last one for as long as its end is news.

    One query, and another one if there is something to show, which is seldom: what is told of a job to whom is dear to
    find out. Who may not see one of the jobs on an object may see none of them.
    """
    last = list(jobs_about(Job.objects.only("status", "ended_at", "cleared_at"), kind, pk)[:4])
    shown = [job for job in last if not job.is_final] or [job for job in last[:1] if _is_news(job)]
    if not shown:
        return []
    jobs = list_jobs(user).only(*_SHOWN_OF_WORK).filter(pk__in=[job.pk for job in shown]).order_by("-ganeti_id")
    return list(_with_right_to_cancel(user, jobs))


def _with_right_to_cancel(user: User, jobs: QuerySet[Job]) -> QuerySet[Job]:
    """`jobs`, each with `may_cancel`: whether `user` may cancel it, and clear its failure."""
    return jobs.annotate(may_cancel=Exists(visible(user, "cancel", Job.objects.filter(pk=OuterRef("pk")))))


def have_failed(since: datetime | Given) -> Q:
    """Jobs that failed since then and were not cleared."""
    return Q(status=JobStatus.ERROR, ended_at__gte=since, cleared_at__isnull=True)


JOB_GROUPS: dict[str, tuple[Any, Q]] = {
    "active": (_("In progress"), Q(status__in=ACTIVE)),
    "success": (_("Succeeded"), Q(status=JobStatus.SUCCESS)),
    "error": (_("Failed"), Q(status=JobStatus.ERROR)),
    "canceled": (_("Cancelled"), Q(status=JobStatus.CANCELED)),
}


def list_holders(user: User, job: Job) -> dict[int, Job]:
    """By number, the jobs that hold what `job` waits for, as far as `user` may see them."""
    numbers = {number for lock in job.waiting_for for number in lock.get("holders", [])}
    if not numbers:
        return {}
    return {held.ganeti_id: held for held in list_job_rows(user).filter(cluster=job.cluster, ganeti_id__in=numbers)}
