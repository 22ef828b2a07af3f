"""Triggers of ours in the database: for what no writer of a table may pass by or forget, the release before included.

They are taken off before migrations run and made anew afterwards from the columns that are there then, since SQLite
drops them with a table that it rebuilds. Elsewhere than on SQLite and PostgreSQL there are none: who relies on them
asks `are_there`, and has another way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

PREFIX = "gwm_"
VENDORS = ("sqlite", "postgresql")
# The names of a table's columns; none if it is not there.
Columns = Callable[[str], list[str]]
# For a vendor, the statements that make triggers.
Maker = Callable[[str, Columns], Iterable[str]]
_makers: list[Maker] = []
_NAMED = re.compile(r'^CREATE OR REPLACE TRIGGER "([^"]+)"')


def add_triggers(maker: Maker) -> None:
    """Called when the program starts."""
    if maker not in _makers:
        _makers.append(maker)


def are_there(connection: BaseDatabaseWrapper) -> bool:
    """Whether this database has our triggers."""
    return connection.vendor in VENDORS


def remove_triggers(connection: BaseDatabaseWrapper) -> None:
    """Take all of ours off. Who waits for a table in vain leaves its own and those of others as they are."""
    if are_there(connection):
        with connection.cursor() as cursor:
            _remove(connection, cursor, _list_triggers(connection, cursor))


def install_triggers(connection: BaseDatabaseWrapper) -> None:
    """Make them for the tables and columns that are there, and take off what there is beside.

    On PostgreSQL by a transaction for each: with the locks of one table somebody who waits for the next would be in
    the way of pages that read both, and PostgreSQL would end one of the two. What is there already stays meanwhile.
    """
    if connection.vendor == "sqlite":
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            _remove(connection, cursor, _list_triggers(connection, cursor))
            _make(connection, cursor)
    elif are_there(connection):
        with connection.cursor() as cursor:
            made = _make(connection, cursor)
            there = _list_triggers(connection, cursor)
            _remove(connection, cursor, [(name, table) for name, table in there if name not in made])


def _make(connection: BaseDatabaseWrapper, cursor: Any) -> set[str]:
    """The names of those that were made."""
    tables = set(connection.introspection.table_names(cursor))

    def columns_of(table: str) -> list[str]:
        if table not in tables:
            return []
        # Not by what Django knows of a table: on SQLite it takes the statement apart that made it.
        cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)} LIMIT 0")  # noqa: S608 - a table's name
        return [each[0] for each in cursor.description]

    made = set[str]()
    for maker in _makers:
        for statement in maker(connection.vendor, columns_of):
            cursor.execute(statement)
            made |= set(_NAMED.findall(statement))
    return made


def _remove(connection: BaseDatabaseWrapper, cursor: Any, triggers: Iterable[tuple[str, str]]) -> None:
    for name, table in triggers:
        if connection.vendor == "postgresql":
            cursor.execute(f'DROP TRIGGER "{name}" ON "{table}"')
            cursor.execute(f'DROP FUNCTION IF EXISTS "{name}"()')
        else:
            cursor.execute(f'DROP TRIGGER "{name}"')


def create_trigger(vendor: str, name: str, event: str, table: str, does: str, *, when: str = "") -> list[str]:
    """The statements for one trigger, which `does` something for each row that is written. `name` begins with PREFIX;
    where it is longer than a name may be, it is cut."""
    scope = f"FOR EACH ROW WHEN ({when})" if when else "FOR EACH ROW"
    return _create(vendor, name[:63], event, table, does, scope)


def create_trigger_for_all(name: str, event: str, table: str, does: str) -> list[str]:
    """The same, on PostgreSQL alone, once for all rows that a statement writes: in `gone` as they were, in `come` as
    they are."""
    gone, come = "OLD TABLE AS gone", "NEW TABLE AS come"
    rows = {"insert": come, "update": f"{gone} {come}", "delete": gone}[event]
    return _create("postgresql", name[:63], event, table, does, f"REFERENCING {rows} FOR EACH STATEMENT")


def _create(vendor: str, name: str, event: str, table: str, does: str, scope: str) -> list[str]:
    head = f'TRIGGER "{name}" AFTER {event.upper()} ON "{table}" {scope}'
    if vendor == "sqlite":
        return [f"CREATE {head} BEGIN {does}; END"]
    function = f'CREATE OR REPLACE FUNCTION "{name}"() RETURNS trigger LANGUAGE plpgsql'
    return [
        f"{function} AS $$ BEGIN {does}; RETURN NULL; END $$",
        f'CREATE OR REPLACE {head} EXECUTE FUNCTION "{name}"()',
    ]


def _list_triggers(connection: BaseDatabaseWrapper, cursor: Any) -> list[tuple[str, str]]:
    if connection.vendor == "postgresql":
        cursor.execute(
            "SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE NOT t.tgisinternal AND n.nspname = current_schema()"
        )
    else:
        cursor.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'")
    return [(name, table) for name, table in cursor.fetchall() if name.startswith(PREFIX)]
