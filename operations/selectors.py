"""Reading batches: for their actor and for administrators, and nobody else (else Http404)."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Model, Q, QuerySet
from django.shortcuts import get_object_or_404

from objectlog.models import Entry
from objectlog.sentences import CHECK
from operations.contract import AnyOperation
from operations.models import OPEN_ITEMS, UNDER_WAY, Batch, BatchItem, BatchState, ItemState, Verdict
from permissions.models import User
from permissions.policy import can


@dataclass(frozen=True)
class Tally:
    """How many items of a batch are planned for what, and how far they have come."""

    will: int = 0
    skipped: int = 0
    denied: int = 0
    refused: int = 0
    waiting: int = 0
    running: int = 0
    in_doubt: int = 0
    done: int = 0
    failed: int = 0
    fell_away: int = 0
    further: int = 0

    @property
    def targets(self) -> int:
        """What is done to so many: without the further steps, each an operation of its own, that follow of some."""
        return self.will - self.further or self.will

    @property
    def all(self) -> int:
        """Items of every kind."""
        return self.will + self.skipped + self.denied + self.refused

    @property
    def ended(self) -> int:
        """Of what was to be done, so many have come to their end."""
        return self.done + self.failed + self.fell_away


_IN_BATCH = {
    "n_will": Q(items__verdict=Verdict.WILL),
    "n_targets": Q(items__verdict=Verdict.WILL, items__operation=""),
    "n_ended": Q(items__verdict=Verdict.WILL) & ~Q(items__state__in=OPEN_ITEMS),
    "n_failed": Q(items__state=ItemState.FAILED),
    "n_under_way": Q(items__state__in=UNDER_WAY),
    "n_denied": Q(items__verdict=Verdict.DENIED),
}


def list_batches(user: User) -> QuerySet[Batch]:
    """The batches `user` may see, newest first."""
    return Batch.objects.all() if can(user, "see_batches_of_all") else Batch.objects.filter(actor=user)


def with_numbers(batches: QuerySet[Batch]) -> QuerySet[Batch]:
    """`batches`, each with how many items are to be done, ended, failed and under way."""
    numbers: dict[str, Any] = {name: Count("items", filter=condition) for name, condition in _IN_BATCH.items()}
    return batches.annotate(**numbers)


def list_begun(batches: QuerySet[Batch]) -> QuerySet[Batch]:
    """Those that were confirmed."""
    return batches.exclude(state=BatchState.PLANNED)


def get_batch(user: User, uuid: UUID) -> Batch:
    """One batch. Http404."""
    return get_object_or_404(list_batches(user), uuid=uuid)


def tally_items(batch: Batch) -> Tally:
    """How far the items are; one query."""
    numbers: dict[str, int] = {}
    rows = BatchItem.objects.filter(batch=batch).order_by().values_list("verdict", "state", "operation")
    for verdict, state, own, number in rows.annotate(number=Count("*")):
        numbers[verdict] = numbers.get(verdict, 0) + number
        if verdict == Verdict.WILL:
            name = "fell_away" if state == ItemState.SKIPPED else state
            numbers[name] = numbers.get(name, 0) + number
            numbers["further"] = numbers.get("further", 0) + (number if own else 0)
    return Tally(**numbers)


def has_own_params(batch: Batch, operation: AnyOperation) -> bool:
    """Whether its items have all parameters of their own, so that none are asked for all of them."""
    items = BatchItem.objects.filter(batch=batch, params__isnull=False)
    own = items.order_by("position").values_list("operation", "params").first()
    return own is not None and (bool(own[0]) or not set(own[1] or ()) <= set(operation.binds))


def targets_of(batch: Batch, operation: AnyOperation, *, with_refused: bool = False) -> QuerySet[Any]:
    """What the batch would be done to; and what would be refused, as something else is typed perhaps not."""
    verdicts = (Verdict.WILL, Verdict.REFUSED) if with_refused else (Verdict.WILL,)
    will = BatchItem.objects.filter(batch=batch, verdict__in=verdicts, kind=operation.target_kind)
    return operation.rows().filter(pk__in=will.values("target_pk"))


def list_items(batch: Batch) -> QuerySet[BatchItem]:
    """The items of a batch with their entries."""
    return BatchItem.objects.filter(batch=batch).select_related("entry")


def find_check(user: User, operation: AnyOperation, target: Model, uuid: str) -> Entry | None:
    """What `user` has asked Ganeti beforehand about doing this to the target."""
    return _find_asked(user, operation.key + CHECK, operation, target, uuid)


def find_asked(user: User, operation: AnyOperation, target: Model, uuid: str) -> Entry | None:
    """How `user` has asked for this to be done to the target."""
    return _find_asked(user, operation.key, operation, target, uuid)


def _find_asked(user: User, verb: str, operation: AnyOperation, target: Model, uuid: str) -> Entry | None:
    try:
        asked = Entry.objects.filter(uuid=UUID(uuid), actor=user)
    except ValueError:
        return None
    return asked.filter(verb=verb, target_kind=operation.target_kind, target_pk=target.pk).first()
