"""What a step of a batch keeps sealed of its parameters: gone when it is done, sealed anew when there is a new key."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from operations.models import BatchItem
from operations.table import OPERATIONS
from sealing.fields import Sealed, is_sealed_with_first_key
from sealing.rotation import PLACES, Place


def sealed_of(item: BatchItem) -> dict[str, str]:
    """Those of its parameters that are sealed."""
    operation = OPERATIONS.get(item.operation)
    params: Mapping[str, Any] = item.params or {}
    return {name: params[name] for name in (operation.seals if operation is not None else ()) if params.get(name)}


def list_sealed() -> Iterable[int]:
    """The items that may have something sealed."""
    keys = [key for key, operation in OPERATIONS.items() if operation.seals]
    return list(BatchItem.objects.filter(operation__in=keys).order_by("pk").values_list("pk", flat=True))


def rotate(pk: int) -> bool:
    """Seal what an item has sealed with the first key; False when there was nothing to do. Raises SecretUnreadable."""
    with transaction.atomic():
        item = BatchItem.objects.select_for_update().filter(pk=pk).first()
        old = sealed_of(item) if item is not None else {}
        new = {
            name: Sealed(token, name).rotate().token
            for name, token in old.items()
            if not is_sealed_with_first_key(token)
        }
        if item is not None and new:
            item.params = {**(item.params or {}), **new}
            item.save(update_fields=["params"])
        return bool(new)


PLACES.append(Place("step of a batch", list_sealed, rotate))
