"""The rows of all tables, as they stand in the database: read in pages, written with no model's say, compared.

A row is a list of what JSON can hold, the same on every database. The models are those of the migrations, which tell
columns and nothing else: no sentence is put into a language, no secret opened, no time set to now.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.management.color import no_style
from django.db import DatabaseError, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.models import BinaryField, Field, JSONField

from operations.triggers import install_triggers, remove_triggers
from sealing.fields import Sealed

# Those of one page, and of one statement.
PAGE = 500
# Signed-in browsers sign in again; the others are made of what is in other tables, by triggers.
SESSIONS = ("sessions.session", "usersessions.usersession")
_FOLLOWING = ("objectlog.eventtext", "virtualmachines.machinetext")
LEFT_OUT = (*SESSIONS, *_FOLLOWING, "gwm.touched", "gwm.process")

Row = list[Any]


class RowError(Exception):
    """Rows that can't be read or taken; the text says which, and why."""


@dataclass(frozen=True)
class Table:
    """One table: how it is called, its model, and the columns of its rows in order."""

    label: str
    model: type[models.Model]
    fields: tuple[Field[Any, Any], ...]

    @property
    def names(self) -> list[str]:
        """The names of its columns."""
        return [field.attname for field in self.fields]


def list_tables() -> list[Table]:
    """All that are carried, in an order that is always the same."""
    return [table for table in _list_all() if table.label not in LEFT_OUT]


@cache
def _list_all() -> list[Table]:
    """As all migrations of this release leave them."""
    models_there = MigrationLoader(None).project_state().apps.get_models(include_auto_created=True)
    tables = [_table(model) for model in models_there if not model._meta.proxy]
    return sorted(tables, key=lambda each: each.label)


def _table(model: type[models.Model]) -> Table:
    return Table(model._meta.label_lower, model, tuple(model._meta.concrete_fields))


def list_migrations(connection: BaseDatabaseWrapper) -> list[str]:
    """Those that this database has had, as far as this release knows them."""
    loader = MigrationLoader(connection)
    return sorted(f"{app}.{name}" for app, name in loader.applied_migrations if (app, name) in loader.disk_migrations)


def list_missing_migrations(connection: BaseDatabaseWrapper) -> list[str]:
    """Those that this release has and the database has not."""
    loader = MigrationLoader(connection)
    return sorted(
        f"{app}.{name}" for app, name in loader.disk_migrations if (app, name) not in loader.applied_migrations
    )


@contextmanager
def snapshot(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """All that is read within is of one moment; nobody who writes has to wait."""
    if connection.vendor == "sqlite":
        wrapper: Any = connection
        mode, wrapper.transaction_mode = wrapper.transaction_mode, "DEFERRED"  # IMMEDIATE takes the lock of writers
        try:
            with transaction.atomic(using=connection.alias):
                yield
        finally:
            wrapper.transaction_mode = mode
        return
    level = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
    if connection.vendor == "postgresql":
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(f"{level} READ ONLY")
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute(level)
    with transaction.atomic(using=connection.alias):
        yield


def count_rows(connection: BaseDatabaseWrapper, table: Table) -> int:
    """How many a table has."""
    return int(table.model._base_manager.using(connection.alias).count())


def read_rows(connection: BaseDatabaseWrapper, table: Table) -> Iterator[Row]:
    """All of a table, in the order of their keys. A page at a time: memory does not grow with the table."""
    rows = table.model._base_manager.using(connection.alias).order_by("pk")
    key, after = _key_of(table), None
    while True:
        page = list((rows if after is None else rows.filter(pk__gt=after)).values_list(*table.names)[:PAGE])
        yield from ([_plain(value) for value in row] for row in page)
        if len(page) < PAGE:
            return
        after = page[-1][key]


def _key_of(table: Table) -> int:
    return next(number for number, field in enumerate(table.fields) if field.primary_key)


def find_rows(connection: BaseDatabaseWrapper, table: Table, keys: Sequence[Any]) -> dict[str, Row]:
    """Some rows of a table, by how their keys are written."""
    found = table.model._base_manager.using(connection.alias).filter(pk__in=keys).values_list(*table.names)
    key = _key_of(table)
    return {str(row[key]): row for row in ([_plain(value) for value in each] for each in found)}


def _plain(value: Any) -> Any:
    if isinstance(value, Sealed):
        return value.token
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode("ascii")
    return value


def _value(field: Field[Any, Any], value: Any, connection: BaseDatabaseWrapper) -> Any:
    target: Any = field
    while target.remote_field is not None:  # a key of another table is what that table's key is
        target = target.target_field
    if value is None:
        if isinstance(target, JSONField) and not target.null:
            return target.get_db_prep_save(models.Value(None, JSONField()), connection)
        return None
    if isinstance(target, BinaryField):
        value = base64.b64decode(value, validate=True)
    elif not isinstance(target, JSONField):
        if isinstance(value, dict | list):
            raise ValueError("no value of its column")
        value = target.to_python(value)
    return target.get_db_prep_save(value, connection)


def write_rows(connection: BaseDatabaseWrapper, table: Table, rows: Iterable[Row]) -> int:
    """As they are, into a table; how many. Raises RowError."""
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in table.fields)
    one = f"({', '.join('%s' for _field in table.fields)})"
    most = max(1, min(PAGE, (connection.features.max_query_params or 30_000) // len(table.fields)))
    head = f"INSERT INTO {quote(table.model._meta.db_table)} ({columns}) VALUES "  # noqa: S608 - names of models
    written, waiting = 0, list[list[Any]]()

    def write() -> None:
        with connection.cursor() as cursor:
            try:
                cursor.execute(head + ", ".join([one] * len(waiting)), [value for row in waiting for value in row])
            except (DatabaseError, ValueError, OverflowError) as error:
                said = str(error).strip().splitlines()[:1]
                raise RowError(f"The database does not take rows of {table.label}: {' '.join(said)}") from error

    for row in rows:
        waiting.append(_values(connection, table, row, written + len(waiting) + 1))
        if len(waiting) == most:
            write()
            written, waiting = written + len(waiting), []
    if waiting:
        write()
    return written + len(waiting)


def _values(connection: BaseDatabaseWrapper, table: Table, row: Row, number: int) -> list[Any]:
    try:
        return [_value(field, value, connection) for field, value in zip(table.fields, row, strict=True)]
    except (ValueError, TypeError, ValidationError, OverflowError) as error:
        raise RowError(f"Row {number} of {table.label} has a value that is none of its column.") from error


@contextmanager
def emptied(connection: BaseDatabaseWrapper, tables: Sequence[Table]) -> Iterator[None]:
    """All rows are gone, and rows can be written in any order; afterwards the database is as if they had always been
    there. In one transaction: what fails leaves all as it was."""
    with connection.constraint_checks_disabled(), transaction.atomic(using=connection.alias):
        _empty(connection, [each.model._meta.db_table for each in _list_all() if each.label in LEFT_OUT])
        connection.check_constraints()  # PostgreSQL changes no table that has some waiting
        remove_triggers(connection)
        _empty(connection, [table.model._meta.db_table for table in tables])
        yield
        connection.check_constraints()
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), [table.model for table in tables]):
                cursor.execute(statement)
        install_triggers(connection)


def _empty(connection: BaseDatabaseWrapper, names: Sequence[str]) -> None:
    quoted = [connection.ops.quote_name(name) for name in names]
    with connection.cursor() as cursor:
        for name in quoted:
            cursor.execute(f"DELETE FROM {name}")  # noqa: S608 - names of models


def count_differing(source: BaseDatabaseWrapper, target: BaseDatabaseWrapper, table: Table) -> int:
    """How many rows are in one of two databases only, or not the same in both: each is looked at."""
    key = _key_of(table)
    differing = count = 0
    page: list[Row] = []

    def compare() -> int:
        there = find_rows(target, table, [row[key] for row in page])
        return sum(told(row) != told(there.get(str(row[key]))) for row in page)

    for row in read_rows(source, table):
        page.append(row)
        count += 1
        if len(page) == PAGE:
            differing += compare()
            page = []
    return differing + compare() + max(0, count_rows(target, table) - count)


def told(row: Row | None) -> str:
    """The same for the same row, in whatever order its database keeps what a value has inside."""
    return json.dumps(_numbers(row), sort_keys=True)


def _numbers(value: Any) -> Any:
    """PostgreSQL keeps 1.0 as 1 within JSON."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_numbers(each) for each in value]
    return {name: _numbers(each) for name, each in value.items()} if isinstance(value, dict) else value
