"""Celery tasks of the house itself. Shells: what they do stands elsewhere."""

from celery import shared_task
from django.core.management import call_command

from clusters.models import Cluster
from clusters.sync.due import claim_due, claim_to_follow
from gwm.health import note_heartbeat
from gwm.sync import follow_cluster, sync_cluster


@shared_task
def record_heartbeat() -> None:
    """Prove that beat sends and a worker receives; /readyz reads it."""
    note_heartbeat()


@shared_task
def forget_old_sessions() -> None:
    """Delete sessions that have run out."""
    call_command("clearsessions")


@shared_task
def sync_due_clusters() -> None:
    """Hand each cluster that is due to a task of its own, so that none waits for another."""
    for pk in claim_due():
        sync_one_cluster.apply_async((pk,), expires=60)


@shared_task
def sync_one_cluster(cluster_pk: int) -> None:
    """Update one cluster, unless it was removed."""
    for cluster in Cluster.objects.filter(pk=cluster_pk):
        sync_cluster(cluster)


@shared_task
def follow_jobs() -> None:
    """Hand each cluster on which something is under way to a task of its own."""
    for pk in claim_to_follow():
        follow_one_cluster.apply_async((pk,), expires=60)


@shared_task
def follow_one_cluster(cluster_pk: int) -> None:
    """Follow the jobs of one cluster, unless it was removed."""
    for cluster in Cluster.objects.filter(pk=cluster_pk):
        follow_cluster(cluster)
