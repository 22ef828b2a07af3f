"""Rows of every model of a state of the migrations, with values at their edges.

Of each model as many rows are made as of the others, and row three of one refers to row three of another: a machine's
nodes are its cluster's. Every second row has nothing wherever a column takes nothing; the others have the longest and
largest values. A new model or column is taken up by itself. What a value must be like for a database or a page stands
in `GIVEN`.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.apps.registry import Apps
from django.contrib.contenttypes.models import ContentType
from django.db import models

from tests.architecture.test_migrations import ours

MANY = 6  # an even number; where there are more values to choose from, the next filling has the others
LATE = datetime(2037, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
EARLY = datetime(2000, 2, 29, tzinfo=UTC)
#: signs of one to four bytes, a combining one, some from right to left, and what means something in markup and SQL
ODD = "Ünïcødé 🖥️ ά e\u0301 שלום \\ ' \" <b>&amp; %s {} ; -- "
MOST = 2**31 - 1
#: what is sealed can't be made up: `test_years.py` has today's code write it; texts of search are written by triggers
NOT_MADE = frozenset({"objectlog.event", "objectlog.chainend", "objectlog.eventtext", "virtualmachines.machinetext"})
_LISTS: tuple[list[Any], ...] = ([], ["", ODD, "x" * 300])
_OBJECTS: tuple[dict[str, Any], ...] = (
    {},
    {"": None, ODD: [ODD, 1e308, -(2**53), True, None], "deep": {"a": {"b": [[]]}}},
)


@dataclass
class Row:
    """What a value may depend on."""

    apps: Apps
    model: type[models.Model]
    number: int  # within its model and filling
    before: int  # so many were made by fillings before
    mark: str  # nobody else's: of the filling and the number
    made: dict[str, list[models.Model]]

    @property
    def has_least(self) -> bool:
        """Whether it has nothing wherever that will do."""
        return self.number % 2 == 0

    def other(self, label: str) -> models.Model:
        """The row of the same number of another model."""
        return self.made[label][self.number]


def _hostname(row: Row) -> str:
    return f"h{row.mark}.example.org" if row.has_least else f"h{row.mark}.".ljust(255, "x")


def _either(row: Row, name: str) -> Any:
    """A person or a team, never both."""
    label = {"user": "permissions.user", "group": "auth.group"}[name]
    return row.other(label).pk if (name == "user") == row.has_least else None


def _of_objects(row: Row, **values: Any) -> list[dict[str, Any]]:
    return [] if row.has_least else [values, values]


def _scope_pk(row: Row) -> int | None:
    return row.other("clusters.cluster").pk if row.number % 2 else None


#: by model (or any, "*") and field
GIVEN: dict[tuple[str, str], Callable[[Row], Any]] = {
    ("clusters.cluster", "port"): lambda row: 1 if row.has_least else 65535,
    ("clusters.cluster", "host"): lambda _row: "127.0.0.1",
    ("clusters.cluster", "name"): _hostname,
    ("clusters.node", "name"): _hostname,
    ("clusters.node", "role"): lambda row: "MCRDO"[row.number % 5],
    ("clusters.nodegroup", "name"): _hostname,
    ("clusters.network", "name"): _hostname,
    ("clusters.job", "ganeti_id"): lambda row: row.number + 1 if row.has_least else 2**53 - row.number,
    ("clusters.jobtarget", "kind"): lambda row: ("instance", "node", "cluster")[row.number % 3],
    ("clusters.job", "waiting_for"): lambda row: _of_objects(row, holders=[1, 2**53], name=ODD, mode="shared"),
    ("clusters.job", "opcodes"): lambda row: _of_objects(row, OP_ID="OP_OF_ANOTHER_RELEASE", reason=[], **{ODD: None}),
    ("clusters.job", "log"): lambda row: [] if row.has_least else [[1, [1e9, 5], "message", ODD], [2, None, "", None]],
    ("clusters.cluster", "unreadable"): lambda row: _of_objects(
        row, kind="instance", key="u", name=ODD, why=ODD, since=""
    ),
    ("objectlog.entry", "target_kind"): lambda row: ("vm", "node", "cluster", "")[row.number % 4],
    ("objectlog.entry", "job_ids"): lambda row: [row.number + 1] if row.number % 3 else [],
    ("permissions.persona", "user"): lambda row: _either(row, "user"),
    ("permissions.persona", "group"): lambda row: _either(row, "group"),
    ("permissions.rolegrant", "user"): lambda row: _either(row, "user"),
    ("permissions.rolegrant", "group"): lambda row: _either(row, "group"),
    ("virtualmachines.virtualmachine", "name"): _hostname,
    ("virtualmachines.virtualmachine", "disks"): lambda row: _of_objects(row, size_mib=MOST, name=ODD, uuid=None),
    ("virtualmachines.virtualmachine", "nics"): lambda row: _of_objects(row, mac=ODD, ip=None, network=None, link=ODD),
    ("*", "tags"): lambda row: [] if row.has_least else [ODD, "x" * 128],
    ("*", "verb"): lambda row: ("reboot", "verb-of-another-release")[row.number % 2],
    ("*", "busy_with"): lambda row: "" if row.has_least else "verb-of-another-release",
    ("*", "uuid"): lambda row: uuid.uuid5(uuid.NAMESPACE_OID, f"{row.model._meta.label} {row.mark}"),
    ("*", "scope_kind"): lambda row: "cluster" if row.number % 2 else "",
    ("*", "scope_pk"): _scope_pk,
    ("*", "ctime"): lambda row: None if row.has_least else 4102444799.0,
    ("*", "mtime"): lambda row: 0.0 if row.has_least else 4102444799.0,
}


@dataclass
class Filling:
    """Fills the tables of a state, once or at several of them; no two have the same name."""

    name: str
    times: int = 0

    def fill(self, apps: Apps) -> dict[str, list[models.Model]]:
        """Rows of every model of ours there, by its label in small letters."""
        self.times += 1
        made: dict[str, list[models.Model]] = {}
        for model in in_order(apps):
            rows = made[model._meta.label_lower] = []
            for number in range(MANY):
                row = Row(apps, model, number, (self.times - 1) * MANY, f"{self.name}{self.times}n{number}", made)
                columns = [each for each in model._meta.local_concrete_fields if is_given(each)]
                values = {each.attname: value_of(each, row) for each in columns}
                rows.append(model._base_manager.create(**values))
                for each in model._meta.local_many_to_many:
                    if (label := label_of(each.related_model)) in made:
                        getattr(rows[-1], each.name).add(row.other(label))
        return made


def models_of(apps: Apps) -> list[type[models.Model]]:
    """Ours, and teams, which are groups of Django's."""
    found = [model for model in apps.get_models() if not model._meta.proxy and model._meta.managed]
    known = ours()
    return [each for each in found if each._meta.app_label in known or each._meta.label == "auth.Group"]


def in_order(apps: Apps) -> Iterator[type[models.Model]]:
    """Each after those that it refers to."""
    waiting = {each._meta.label_lower: each for each in models_of(apps) if each._meta.label_lower not in NOT_MADE}
    while waiting:
        ready = [label for label, model in waiting.items() if not (referred_by(model) - {label}) & set(waiting)]
        if not ready:  # two refer to each other, and one of them need not: that most others wait for
            free = [label for label, model in waiting.items() if not referred_by(model, must=True) & set(waiting)]
            counted = Counter(label for model in waiting.values() for label in referred_by(model))
            ready = [max(free, key=lambda label: counted[label])]
        yield from [waiting.pop(label) for label in ready]


def referred_by(model: type[models.Model], *, must: bool = False) -> set[str]:
    """The models that its rows refer to, or `must` refer to."""
    references = [each for each in model._meta.local_fields if each.is_relation and not (must and each.null)]
    return {label_of(each.related_model) for each in references}


def label_of(model: Any) -> str:
    """What its table's rows are called."""
    return str(model._meta.concrete_model._meta.label_lower)


def is_given(column: models.Field[Any, Any]) -> bool:
    """Whether a row is made with a value for it; a key that counts is the database's."""
    return not isinstance(column, models.AutoField) and not column.generated


def value_of(column: models.Field[Any, Any], row: Row) -> Any:
    """A value at an edge: the least or the most."""
    label, name = row.model._meta.label_lower, column.name
    if given := GIVEN.get((label, name)) or GIVEN.get(("*", name)):
        return _fit(column, given(row))
    if column.choices:
        return column.flatchoices[(row.number + row.before) % len(column.flatchoices)][0]
    if column.is_relation:
        return _relation(column, row)
    if column.null and row.has_least:
        return None
    return _plain(column, row)


def _fit(column: models.Field[Any, Any], value: Any) -> Any:
    return str(value) if isinstance(value, uuid.UUID) and not isinstance(column, models.UUIDField) else value


def _relation(column: models.Field[Any, Any], row: Row) -> Any:
    label = label_of(column.related_model)
    if label == "auth.permission":
        return _permission(row)
    if label in row.made and not (column.null and row.has_least):
        return row.other(label).pk if label != row.model._meta.label_lower else None
    if column.null:
        return None
    raise AssertionError(f"{row.model._meta.label}.{column.name} refers to {label}, of which no rows are made")


def _permission(row: Row) -> int:
    """One that there is for the object."""
    of = row.model._meta.get_field("content_object").related_model._meta
    kind = ContentType.objects.get(app_label=of.app_label, model=of.model_name)
    permissions = row.apps.get_model("auth", "Permission")._base_manager.filter(content_type_id=kind.pk).order_by("pk")
    return int(permissions[row.number % len(permissions)].pk)


def _plain(column: models.Field[Any, Any], row: Row) -> Any:
    least, kind = row.has_least, column.get_internal_type()
    match kind:
        case "BooleanField":
            return not least
        case "SmallIntegerField" | "PositiveSmallIntegerField":
            return 0 if least else 32767
        case "IntegerField" | "PositiveIntegerField" | "BigIntegerField" | "PositiveBigIntegerField":
            return row.number if least else MOST - row.number
        case "FloatField":
            return 0.0 if least else 1e15
        case "DateTimeField":
            return EARLY if least else LATE
        case "DateField":
            return date(2000, 2, 29) if least else date(2037, 12, 31)
        case "UUIDField":
            return uuid.uuid4()
        case "JSONField":
            shapes = _OBJECTS if column.default is dict else _LISTS
            return json.loads(json.dumps(shapes[not least]))
        case "GenericIPAddressField":
            return "::" if least else "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"
    return _text(column, row)


def _text(column: models.Field[Any, Any], row: Row) -> str:
    if isinstance(column, models.SlugField):
        return f"s{row.mark}" if row.has_least else f"s{row.mark}-".ljust(column.max_length or 0, "x")
    if isinstance(column, models.EmailField):
        return "" if column.blank and row.has_least else f"m{row.mark}@{'x' * 50}.example.org"
    if column.blank and row.has_least:
        return ""
    if not column.max_length:
        return f"{row.mark} {ODD * 400}"
    if column.max_length < 40:
        return row.mark[: column.max_length]
    text = f"{row.mark} {ODD * 10}"
    return row.mark if row.has_least else text[: column.max_length]
