"""Celery tasks of updating and following. Shells: what they do stands elsewhere."""

from collections.abc import Callable
from typing import Any

from celery import shared_task

from clusters.models import Cluster
from updates.cycle import sync_cluster
from updates.due import claim_due, claim_to_follow
from updates.follower import follow_cluster


def _task(work: Callable[..., None]) -> Any:
    """A task that also answers to the name which 1.0.0a1 knew it by: while an upgrade lasts, its messages say that.

    The old names may go with the release after the next.
    """
    shared_task(name=f"gwm.tasks.{work.__name__}")(work)
    return shared_task(work)


@_task
def sync_due_clusters() -> None:
    """Hand each cluster that is due to a task of its own, so that none waits for another."""
    for pk in claim_due():
        sync_one_cluster.apply_async((pk,), expires=60)


@_task
def sync_one_cluster(cluster_pk: int) -> None:
    """Update one cluster, unless it was removed or another message of the same kind came first."""
    for cluster in Cluster.objects.filter(pk=cluster_pk, schedule__sync_queued_at__isnull=False):
        sync_cluster(cluster)


@_task
def follow_jobs() -> None:
    """Hand each cluster on which something is under way to a task of its own."""
    for pk in claim_to_follow():
        follow_one_cluster.apply_async((pk,), expires=60)


@_task
def follow_one_cluster(cluster_pk: int) -> None:
    """Follow the jobs of one cluster, unless it was removed or another message of the same kind came first."""
    for cluster in Cluster.objects.filter(pk=cluster_pk, schedule__follow_queued_at__isnull=False):
        follow_cluster(cluster)
