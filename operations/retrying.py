"""Trying again what failed in a batch: as it was confirmed, or by a plan anew where it is no longer as it was then."""

from collections.abc import Iterator

from operations.contract import Actor, AnyOperation
from operations.models import Batch, BatchItem
from operations.planning import failed_items, plan, retry_failed
from operations.table import OPERATIONS
from permissions.policy import visible


def retry(batch: Batch, actor: Actor) -> tuple[int, Batch | None]:
    """Have what failed done again; how many items, and the plan of those that have to be confirmed anew.

    What an item is tied to (`Operation.bound_to`) may be other than it was confirmed with: it would be refused each
    time, and to do it all the same would be something that nobody has confirmed. Nor is what another plan has done
    since done once more unasked, where all is by chance as it was.
    """
    operation = OPERATIONS.get(batch.operation)
    changed = list(_list_changed(batch, operation, actor)) if operation is not None and operation.binds else []
    number = retry_failed(batch, but=[item.pk for item in changed])
    if operation is None or not changed:
        return number, None
    targets = operation.rows().filter(pk__in=[item.target_pk for item in changed])
    return number, plan(operation, actor, targets, batch.params)


def _list_changed(batch: Batch, operation: AnyOperation, actor: Actor) -> Iterator[BatchItem]:
    """Of those that may be seen; the others are tried again, and fail for that."""
    items = [item for item in failed_items(batch).filter(operation="") if item.params]
    there = operation.rows().filter(pk__in=[item.target_pk for item in items])
    targets = visible(actor.user, "view", there).in_bulk()
    alike = BatchItem.objects.filter(operation="", batch__operation=batch.operation)
    began_at = Batch.objects.filter(pk=batch.pk).values("began_at")
    begun_since = set(alike.filter(batch__began_at__gt=began_at).values_list("target_pk", flat=True))
    for item in items:
        target = targets.get(item.target_pk)
        if target is not None and target.uuid == item.target_uuid:
            now, then = operation.bound_to(target), item.params or {}
            if item.target_pk in begun_since or any(then.get(name) != value for name, value in now.items()):
                yield item
