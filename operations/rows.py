"""Rows by their key, read and locked: what every operation begins with.

Django writes each of these statements once. To write it takes several times as long as to have it answered, and a
batch begins many operations.
"""

from functools import cache
from typing import Any, TypeVar

from django.db.models import Model

from operations.locking import lock_rows

R = TypeVar("R", bound=Model)


def read_row(model: type[R], pk: Any) -> R | None:
    """The row as it is now, all of it; None if it is gone."""
    return next(iter(model._base_manager.raw(_statement(model, locks=False), [pk])), None)


def lock_row(model: type[R], pk: Any) -> R | None:
    """The same, and nobody else changes it before this transaction ends."""
    return next(iter(model._base_manager.raw(_statement(model, locks=True), [pk])), None)


@cache
def _statement(model: type[Model], *, locks: bool) -> str:
    rows = model._base_manager.order_by().filter(pk=0)
    if locks:
        rows = lock_rows(rows, alone=True)
    statement, (_key,) = rows.query.sql_with_params()
    return str(statement)
