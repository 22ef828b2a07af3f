"""Celery tasks of updating and following. Shells: what they do stands elsewhere.

A task's name is what a message says, and messages pass between processes of two releases during an upgrade: so the
names stay what they were when the first release gave them.
"""

from celery import shared_task

from clusters.models import Cluster
from updates.cycle import sync_cluster
from updates.due import claim_due, claim_to_follow
from updates.follower import follow_cluster


@shared_task(name="gwm.tasks.sync_due_clusters")
def sync_due_clusters() -> None:
    """Hand each cluster that is due to a task of its own, so that none waits for another."""
    for pk in claim_due():
        sync_one_cluster.apply_async((pk,), expires=60)


@shared_task(name="gwm.tasks.sync_one_cluster")
def sync_one_cluster(cluster_pk: int) -> None:
    """Update one cluster, unless it was removed or another message of the same kind came first."""
    for cluster in Cluster.objects.filter(pk=cluster_pk, schedule__sync_queued_at__isnull=False):
        sync_cluster(cluster)


@shared_task(name="gwm.tasks.follow_jobs")
def follow_jobs() -> None:
    """Hand each cluster on which something is under way to a task of its own."""
    for pk in claim_to_follow():
        follow_one_cluster.apply_async((pk,), expires=60)


@shared_task(name="gwm.tasks.follow_one_cluster")
def follow_one_cluster(cluster_pk: int) -> None:
    """Follow the jobs of one cluster, unless it was removed or another message of the same kind came first."""
    for cluster in Cluster.objects.filter(pk=cluster_pk, schedule__follow_queued_at__isnull=False):
        follow_cluster(cluster)
