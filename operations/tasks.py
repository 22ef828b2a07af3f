"""Celery tasks of batches. Shells: what they do stands elsewhere."""

from celery import shared_task
from celery.signals import worker_shutting_down

from operations.batches import end_batches, forget_plans
from operations.lanes import PASSES, claim_lanes


@shared_task
def carry_on_batches() -> None:
    """Hand each lane on which there is something to do to a task of its own."""
    end_batches()  # whose last worker was killed before it could
    for name in claim_lanes():
        carry_on_lane.apply_async((name,), expires=60)


@shared_task
def carry_on_lane(name: str) -> None:
    """One pass over a lane, on a thread of its own: a call that hangs keeps none of the worker's."""
    PASSES.start(name)


@shared_task
def forget_old_plans() -> None:
    """Delete plans that nobody has confirmed."""
    forget_plans()


@worker_shutting_down.connect
def end_passes(**_: object) -> None:
    """Begin nothing more in a worker that is to end; its passes end with the calls under way."""
    PASSES.stop()
