"""From what Ganeti says to the fewest possible writes.

Values are compared, not modification times; a row keeps its identity by Ganeti's uuid; a row that Ganeti no longer
lists is marked missing and stays. Every row says when the reading began that its values come from, and every UPDATE
carries the condition that this was not later than our own reading: whoever has read last wins, whoever writes last. An
update also leaves rows alone on which an operation began since it read; these are the job follower's.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import Q

from clusters.models import Cluster, Watched
from clusters.sync.drift import note_drift
from clusters.sync.targets import note_renames, tie_again
from clusters.sync.unreadable import NEW, Doubts, note
from operations.clock import left_ahead
from operations.locking import lock_rows
from operations.models import Busy
from rapi.shapes.reading import Records

M = TypeVar("M", bound=models.Model)
S = TypeVar("S")
Values = dict[str, Any]

_BATCH = 200


@dataclass
class Plan:
    """What is to be written to one table: new rows by uuid, changed columns by primary key."""

    new: dict[str, Values] = field(default_factory=dict)
    changed: dict[int, Values] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.new or self.changed)


@dataclass(frozen=True)
class Written:
    """Rows written to one table."""

    table: str
    created: int = 0
    changed: int = 0

    @property
    def rows(self) -> int:
        """Both together."""
        return self.created + self.changed


def compare(row: Mapping[str, Any], wanted: Values) -> Values:
    """The columns of `wanted` whose values differ from those of the row."""
    return {column: value for column, value in wanted.items() if row[column] != value}


def plan_table(rows: Iterable[Mapping[str, Any]], wanted: Mapping[str, Values], now: datetime, doubts: Doubts) -> Plan:
    """Compare the rows of a table (see `load_rows`) with the complete list of what Ganeti has, by uuid."""
    plan = Plan()
    known = set()
    for row in rows:
        known.add(row["uuid"])
        values = wanted.get(row["uuid"])
        why = doubts.why(row["uuid"], row["name"], is_listed=values is not None)
        changes: Values = {}
        if values is not None:
            changes = compare(row, values)
            if row["missing_since"] is not None:
                changes["missing_since"] = None
        elif row["uuid"] and row["missing_since"] is None and not why:
            changes["missing_since"] = now
        changes |= note(row, why, now)
        if changes:
            plan.changed[row["pk"]] = changes
    for uuid, values in wanted.items():
        if uuid not in known:
            plan.new[uuid] = values | note(NEW, doubts.why(uuid, values["name"], is_listed=True), now)
    return plan


def write_plan(
    model: type[M], cluster: Cluster, plan: Plan, *, read_from: datetime, now: datetime, even_busy: bool = False
) -> Written:
    """Write a plan in one short transaction. `read_from` is when the reading began that the plan rests on.

    With `even_busy` rows are written although an operation on them began since: the job follower, which says so, read
    them for that operation's sake. Raises Cluster.DoesNotExist if the cluster was removed meanwhile.
    """
    if not plan:
        return Written(model._meta.db_table)
    with transaction.atomic():
        lock_writers(cluster)
        created = _create(model, cluster, plan.new, read_from, now) if plan.new else []
        named = {pk for pk, values in plan.changed.items() if "name" in values}
        before = dict(model._default_manager.filter(pk__in=named).values_list("pk", "name")) if named else {}
        if issubclass(model, Watched) and plan.changed:
            note_drift(model, plan.changed, read_from=read_from, now=now)
        changed = _update(model, plan.changed, read_from, now, even_busy) if plan.changed else 0
        renamed = note_renames(model, cluster, before, seen_at=cluster.synced_at or now, now=now) if before else []
        if created or renamed:
            tie_again(model, cluster, {*created, *renamed})
    return Written(model._meta.db_table, len(created), changed)


def lock_writers(cluster: Cluster) -> None:
    """Inside a transaction: whoever writes rows of this cluster takes this lock first, so that none waits in a circle.

    Raises Cluster.DoesNotExist if the cluster was removed.
    """
    lock_rows(Cluster.objects.only("pk"), keeps_keys=True).get(pk=cluster.pk)


def _create(
    model: type[M], cluster: Cluster, new: Mapping[str, Values], read_from: datetime, now: datetime
) -> list[int]:
    """Insert rows, unless another updater did so since; the lock decides who comes first. Their keys."""
    there, reserved = set(), set()
    rows_there = model._default_manager.filter(cluster=cluster).order_by()
    for uuid, name, missing_since in rows_there.values_list("uuid", "name", "missing_since"):
        there.add(uuid)
        if not uuid and missing_since is None:
            reserved.add(name)  # its row was made since; the next update finds it by name
    rows = [
        model(cluster=cluster, uuid=uuid, changed_at=now, read_at=read_from, **values)
        for uuid, values in new.items()
        if uuid not in there and values["name"] not in reserved
    ]
    return [row.pk for row in model._default_manager.bulk_create(rows, batch_size=_BATCH)]


def _update(model: type[M], changed: Mapping[int, Values], read_from: datetime, now: datetime, even_busy: bool) -> int:
    """One UPDATE for all rows that get the same values, a bulk update for rows that change the same columns."""
    free = Q(read_at__isnull=True) | Q(read_at__lte=read_from) | left_ahead("read_at")
    if issubclass(model, Busy) and not even_busy:
        free &= Q(busy_since__isnull=True) | Q(busy_since__lt=read_from)
    rows = model._default_manager.filter(free)
    by_columns: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for pk, values in changed.items():
        by_columns[tuple(sorted(values))].append(pk)
    written = 0
    for columns, pks in by_columns.items():
        alike = _group_alike(pks, changed, columns)
        if alike is not None:
            for values, group in alike:
                for start in range(0, len(group), 4 * _BATCH):
                    chunk = group[start : start + 4 * _BATCH]
                    written += rows.filter(pk__in=chunk).update(**values, changed_at=now, read_at=read_from)
            continue
        objects = [model(pk=pk, changed_at=now, read_at=read_from, **changed[pk]) for pk in pks]
        written += rows.bulk_update(objects, [*columns, "changed_at", "read_at"], batch_size=_BATCH)
    return written


def _group_alike(
    pks: list[int], changed: Mapping[int, Values], columns: tuple[str, ...]
) -> list[tuple[Values, list[int]]] | None:
    """Rows by equal values, if that makes for few statements: a node gone takes a thousand machines the same way."""
    groups: dict[str, tuple[Values, list[int]]] = {}
    most = max(1, len(pks) // 20)
    for pk in pks:
        values = changed[pk]
        groups.setdefault(repr([values[column] for column in columns]), (values, []))[1].append(pk)
        if len(groups) > most:
            return None
    return list(groups.values())


def complete(
    model: type[models.Model], cluster: Cluster, records: Records[S], parse: Callable[[Any], S]
) -> Mapping[str, S]:
    """The records, with what Ganeti could not answer for as the rows' last good record has it."""
    completed = dict(records.good)
    if not records.left_out:
        return completed
    rows = model._default_manager.filter(cluster=cluster, uuid__in=list(records.left_out)).order_by()
    for uuid, last in rows.values_list("uuid", "raw"):
        record: Any = completed.get(uuid)
        if record is not None and isinstance(last, dict):
            known = {key: last[key] for key in records.left_out[uuid] if key in last}
            completed[uuid] = parse({**record.raw, **known})
    return completed


def columns_of(wanted: Mapping[str, Values]) -> list[str]:
    """The columns that any of these rows sets."""
    return sorted({column for values in wanted.values() for column in values})


def load_rows(model: type[models.Model], cluster: Cluster, columns: Iterable[str]) -> list[dict[str, Any]]:
    """All rows of a cluster, with what `plan_table` needs."""
    needed = {"pk", "uuid", "name", "missing_since", "unreadable_since", "unreadable_why", *columns}
    return list(model._default_manager.filter(cluster=cluster).order_by().values(*sorted(needed)))
