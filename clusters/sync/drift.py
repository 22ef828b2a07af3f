"""Changes that were made past this program: noted as an update writes them, until somebody accepts them.

A change is ours if an operation of ours on the object was under way when it was read, or had ended within the minute
before; everything else was done elsewhere: on the master, by another program, by Ganeti's own watcher.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from clusters.models import Watched
from objectlog.models import OPEN_OUTCOMES, Entry, Outcome
from objectlog.sentences import CHECK

Values = dict[str, Any]
# By field, the value before and after.
Changes = Mapping[str, tuple[Any, Any]]

# What Ganeti serves may lag behind the end of a job, and an update may have begun to read before that.
_LAG = timedelta(seconds=60)
_MAY_HAVE_CHANGED = (Outcome.SUCCEEDED, Outcome.FAILED, Outcome.CANCELED, Outcome.LOST)
_BATCH = 500


def note_drift(model: type[Watched], changed: Mapping[int, Values], *, read_from: datetime, now: datetime) -> None:
    """Add to the values that are to be written, by key, what of them was changed elsewhere.

    Under `drift` they may hold further changes, which no column has: by field, the value before and after.
    """
    columns = set(model.watched.values())
    pks = [pk for pk, values in changed.items() if "drift" in values or columns & values.keys()]
    for start in range(0, len(pks), _BATCH):
        _note_some(model, {pk: changed[pk] for pk in pks[start : start + _BATCH]}, read_from, now)


def _note_some(model: type[Watched], changed: Mapping[int, Values], read_from: datetime, now: datetime) -> None:
    columns = sorted(set(model.watched.values()))
    rows = model._default_manager.filter(pk__in=changed).order_by()
    loaded = list(rows.values("pk", "uuid", "drift", "drift_since", *columns))
    names = _names_of_related(model, [*loaded, *changed.values()])
    found: dict[int, Changes] = {}
    for row in loaded:
        values = changed[row["pk"]]
        changes: Changes = {**values.pop("drift", {}), **_compare(model, row, values, names)}
        if changes and row["uuid"]:  # what is created here was never otherwise
            found[row["pk"]] = changes
    ours = _worked_on_by_us(model, found, read_from)
    for row in loaded:
        drift = merge_drift(row["drift"] or {}, found.get(row["pk"], {}), is_ours=row["pk"] in ours)
        if drift != (row["drift"] or {}):
            since = (row["drift_since"] or now) if drift else None
            changed[row["pk"]].update(drift=drift, drift_since=since)
    for values in changed.values():
        if "drift_since" not in values:
            values.pop("drift", None)  # its row is gone


def merge_drift(drift: Mapping[str, Any], changes: Changes, *, is_ours: bool) -> dict[str, Any]:
    """What is noted once these changes were seen. What is as it was before is noted no more."""
    found = dict(drift)
    for field, (before, after) in changes.items():
        if is_ours:
            found.pop(field, None)
        elif field not in found:
            found[field] = before
        elif found[field] == after:
            del found[field]
    return found


def _compare(
    model: type[Watched], row: Mapping[str, Any], values: Mapping[str, Any], names: Mapping[str, Mapping[int, str]]
) -> Changes:
    changes = {}
    for field, column in model.watched.items():
        if column not in values or values[column] == row[column]:
            continue
        before, after = row[column], values[column]
        if column in names:
            before, after = names[column].get(before, ""), names[column].get(after, "")
        changes[field] = (before, after)
    return changes


def _names_of_related(model: type[Watched], rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[int, str]]:
    """Of the columns that hold keys of other rows, what these are called: they may be gone when one looks at it."""
    names: dict[str, dict[int, str]] = {}
    for field, column in model.watched.items():
        if not column.endswith("_id"):
            continue
        related: Any = model._meta.get_field(field).related_model
        keys = {row[column] for row in rows if row.get(column) is not None}
        found = related._default_manager.filter(pk__in=keys).order_by() if keys else related._default_manager.none()
        names[column] = dict(found.values_list("pk", "name"))
    return names


def _worked_on_by_us(model: type[Watched], pks: Collection[int], read_from: datetime) -> frozenset[int | None]:
    if not pks:
        return frozenset()
    ended = Q(finished_at__gte=read_from - _LAG, outcome__in=_MAY_HAVE_CHANGED)
    entries = Entry.objects.filter(
        Q(outcome__in=OPEN_OUTCOMES) | ended, target_kind=model.journal_kind, target_pk__in=pks
    )
    return frozenset(entries.exclude(verb__endswith=CHECK).order_by().values_list("target_pk", flat=True))
