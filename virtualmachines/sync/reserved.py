"""Rows that wait for the machine that Ganeti makes for them, and which machine that is.

A name alone proves nothing: while our job waits, somebody else may make a machine of that name, and ours then fails. So
a machine is a row's own only if it came to be while the job of that row's creation was at work: that job holds Ganeti's
lock on the name.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clusters.models import Job
from objectlog.models import Entry

CREATE = "vm.create"


@dataclass
class Reserved:
    """Rows without a machine, each with the times at which its jobs were at work (seconds since 1970)."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    at_work: Mapping[int, list[tuple[float, float]]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[dict[str, Any]]) -> "Reserved":
        """One query, if there are any."""
        found = cls()
        keys = []
        for row in rows:
            found.rows[row["name"]].append(row)
            keys.append(row["pk"])
        if keys:
            found.at_work = _times_at_work(keys)
        return found

    def find(self, name: str, ctime: float | None) -> dict[str, Any] | None:
        """The row for which the machine of this name, made at this time, was made."""
        if ctime is None:
            return None
        waiting: list[dict[str, Any]] = [*self.rows.get(name, ()), *self._short_of(name)]
        for row in waiting:
            if any(began <= ctime <= ended for began, ended in self.at_work.get(row["pk"], ())):
                return row
        return None

    def is_held(self, name: str) -> bool:
        """Whether a row waits for a machine of this name: until its creation has ended, no other row is made of one."""
        return any(row["missing_since"] is None for row in self.rows.get(name, ()))

    def _short_of(self, name: str) -> list[dict[str, Any]]:
        """Where the cluster looked the name up, it has become the full one."""
        first = name.partition(".")[0]
        return list(self.rows.get(first, ())) if first != name else []


def _times_at_work(keys: list[int]) -> dict[int, list[tuple[float, float]]]:
    entries = dict(
        Entry.objects.filter(verb=CREATE, target_kind="vm", target_pk__in=keys).values_list("pk", "target_pk")
    )
    found: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for job in Job.objects.filter(entry__in=entries).only("entry_id", "started_at", "ended_at"):
        pk = entries.get(job.entry_id or 0)
        if pk is not None and job.started_at is not None:
            until = job.ended_at.timestamp() if job.ended_at is not None else float("inf")
            found[pk].append((job.started_at.timestamp(), until))
    return found
