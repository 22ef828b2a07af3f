"""Reading clusters and what belongs to them: always for somebody, and only what they may see (else Http404)."""

from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clusters.disclosure import disclose
from clusters.models import Cluster, Job, JobStatus, JobTarget, Network, Node, NodeGroup
from clusters.moved import Moved, current_cluster, find_row
from permissions.models import User
from permissions.policy import visible

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


def with_right_to_cancel(user: User, jobs: QuerySet[Job]) -> QuerySet[Job]:
    """`jobs`, each with `may_cancel`: whether `user` may cancel it, and clear its failure."""
    return jobs.annotate(may_cancel=Exists(visible(user, "cancel", Job.objects.filter(pk=OuterRef("pk")))))


def jobs_under_way_or_failed(jobs: QuerySet[Job], *, failed_within: timedelta) -> QuerySet[Job]:
    """Those of `jobs` that have not ended, and those that failed lately; the former first, newest first."""
    lately = timezone.now() - failed_within
    return jobs.filter(
        Q(status__in=ACTIVE) | Q(status=JobStatus.ERROR, ended_at__gte=lately, cleared_at__isnull=True)
    ).order_by("-ganeti_id")


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
