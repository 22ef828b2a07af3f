"""Celery tasks of batches. Shells: what they do stands elsewhere. A task keeps the name of its first release."""

from celery import shared_task

from operations.batches import claim_lanes, end_batches, forget_plans, work_lane


@shared_task(name="operations.tasks.carry_on_batches")
def carry_on_batches() -> None:
    """Hand each lane on which there is something to do to a task of its own."""
    end_batches()  # whose last worker was killed before it could
    for name in claim_lanes():
        carry_on_lane.apply_async((name,), expires=60)


@shared_task(name="operations.tasks.carry_on_lane")
def carry_on_lane(name: str) -> None:
    """One pass over a lane."""
    work_lane(name)


@shared_task(name="operations.tasks.forget_old_plans")
def forget_old_plans() -> None:
    """Delete plans that nobody has confirmed."""
    forget_plans()
