"""Celery tasks about the counts that are kept."""

from celery import shared_task

from virtualmachines import counts


@shared_task(name="virtualmachines.tasks.fold_counts")
def fold_counts() -> None:
    """Put what changes have added into one row of each state."""
    counts.fold()


@shared_task(name="virtualmachines.tasks.check_counts")
def check_counts() -> None:
    """Compare with the machines, once a night."""
    counts.check_counts()
