"""Celery tasks of the house itself. Shells: what they do stands elsewhere."""

from celery import shared_task
from django.core.management import call_command

from gwm.health import note_heartbeat


@shared_task
def record_heartbeat() -> None:
    """Prove that beat sends and a worker receives; /readyz reads it."""
    note_heartbeat()


@shared_task
def forget_old_sessions() -> None:
    """Delete sessions that have run out."""
    call_command("clearsessions")
