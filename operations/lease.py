"""The right to work on something alone, kept in a row of the database: any model's, in columns of its own.

To take it is one conditional UPDATE. It expires, so that a holder that died blocks nobody for long; whoever works
longer renews it. What a holder writes goes into the same UPDATE as the lease, so that nobody writes who has lost it.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone

from objectlog.statements import Update
from operations.clock import AHEAD


class LeaseLost(Exception):
    """It ran out and another has taken over, or the row was removed: write nothing more."""


@dataclass(frozen=True)
class Columns:
    """Where a lease is kept: until when it lasts (a time, empty: free) and, if there is such a column, by whom."""

    until: str
    holder: str = ""


@dataclass
class Lease:
    """A lease that was taken, by `take`. Given back it can be used no more."""

    pk: Any
    rows: "QuerySet[Any]"
    columns: Columns
    lasts: timedelta
    taken_at: datetime
    until: datetime
    holder: str = field(default_factory=lambda: secrets.token_hex(12))
    is_held: bool = True

    @classmethod
    def take(cls, row: models.Model, columns: Columns, *, lasts_s: float, **values: Any) -> "Lease | None":
        """Take it and write `values` into the row; None if somebody else has it, or the row is gone."""
        now, lasts = timezone.now(), timedelta(seconds=lasts_s)
        lease = cls(row.pk, type(row)._default_manager.filter(pk=row.pk), columns, lasts, now, now + lasts)
        free = Q(**{f"{columns.until}__isnull": True}) | Q(**{f"{columns.until}__lt": now})
        free |= Q(**{f"{columns.until}__gt": now + lasts + AHEAD})
        return lease if lease.rows.filter(free).update(**lease._kept(), **values) else None

    def renew(self) -> None:
        """Have it last as long again from now. Raises LeaseLost."""
        mine, self.until = self._mine(), timezone.now() + self.lasts
        kept = self._kept()
        model: type[models.Model] = self.rows.model
        again = _renewal(model, tuple(kept), tuple(mine))
        if not again.run(*kept.values(), self.pk, *mine.values()):
            self.is_held = False
            raise LeaseLost

    def beat(self) -> None:
        """Have it last as long again, from another thread than that of the work: nothing is known here of its loss."""
        self.rows.filter(**self._mine()).update(**{self.columns.until: timezone.now() + self.lasts})

    def give_back(self, *, rest_until: datetime | None = None, **values: Any) -> None:
        """End it and write `values` into the row; with `rest_until` nobody gets it before. Raises LeaseLost."""
        ended: dict[str, Any] = {self.columns.until: rest_until}
        if self.columns.holder:
            ended[self.columns.holder] = ""
        self._write(self._mine(), **ended, **values)
        self.is_held = False

    def _kept(self) -> dict[str, Any]:
        kept: dict[str, Any] = {self.columns.until: self.until}
        return kept | {self.columns.holder: self.holder} if self.columns.holder else kept

    def _mine(self) -> dict[str, Any]:
        """What only the row of this holder has: without a column for the holder, exactly this time."""
        return {self.columns.holder: self.holder} if self.columns.holder else {self.columns.until: self.until}

    def _write(self, mine: dict[str, Any], **values: Any) -> None:
        if not self.rows.filter(**mine).update(**values):
            self.is_held = False
            raise LeaseLost


@cache
def _renewal(model: type[models.Model], kept: tuple[str, ...], mine: tuple[str, ...]) -> Update:
    return Update(model, *kept, where=("pk", *mine))
