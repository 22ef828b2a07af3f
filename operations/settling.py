"""Freeing what an operation kept for itself, when it has ended or never came to be."""

from objectlog.models import OPEN_OUTCOMES, Entry, Outcome
from objectlog.sentences import CHECK
from objectlog.services import advance
from operations.contract import AnyOperation
from operations.models import Busy


def give_back(operation: AnyOperation | None, entry: Entry, outcome: Outcome, message: str) -> None:
    """The operation did not come to be: undo what was claimed, free the target, say why.

    Without an operation (its key is of another release of ours, or it was only a check) nothing was claimed that could
    be undone; the target is freed all the same.
    """
    if advance(entry, outcome, message=message):
        if operation is not None:
            operation.failed(entry)
        release(entry)


def release(entry: Entry) -> None:
    """Free whatever this entry keeps busy, or leave it to the operation that was overruled and is still under way."""
    for model in Busy.__subclasses__():
        rows = model._default_manager.filter(busy_entry=entry.uuid)
        if not rows.exists():
            continue
        others = Entry.objects.filter(
            target_kind=entry.target_kind, target_pk=entry.target_pk, outcome__in=OPEN_OUTCOMES
        ).exclude(verb__endswith=CHECK)
        before = others.exclude(pk=entry.pk).order_by("-pk").first()
        if before is None:
            rows.update(busy_with="", busy_entry=None, busy_since=None, busy_until=None)
        else:
            rows.update(busy_with=before.verb, busy_entry=before.uuid, busy_since=before.created_at, busy_until=None)
