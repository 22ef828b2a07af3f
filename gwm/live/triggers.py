"""Triggers that write down what changes: the one place that no writer can pass by or forget.

They are taken off before migrations run and made anew afterwards from the columns that are there then, since SQLite
drops them with a table that it rebuilds. Elsewhere than on SQLite and PostgreSQL there are none (see `are_there`).
"""

from __future__ import annotations

import re
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from gwm.live.watched import TABLE, WATCHED, Topic

PREFIX = "gwm_touch_"
VENDORS = ("sqlite", "postgresql")
_EVENTS = ("insert", "update", "delete")


def are_there(connection: BaseDatabaseWrapper) -> bool:
    """Whether the database writes down what changes."""
    return connection.vendor in VENDORS


def remove_triggers(connection: BaseDatabaseWrapper) -> None:
    """Take all of ours off."""
    if not are_there(connection):
        return
    with connection.cursor() as cursor:
        for name, table in _list_triggers(connection, cursor):
            if connection.vendor == "postgresql":
                cursor.execute(f'DROP TRIGGER "{name}" ON "{table}"')
                cursor.execute(f'DROP FUNCTION IF EXISTS "{name}"()')
            else:
                cursor.execute(f'DROP TRIGGER "{name}"')


def install_triggers(connection: BaseDatabaseWrapper) -> None:
    """Make them for the tables and columns that are there."""
    remove_triggers(connection)
    if not are_there(connection):
        return
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        if TABLE not in tables:
            return
        for table, topics in WATCHED.items():
            if table not in tables:
                continue
            columns = [each.name for each in connection.introspection.get_table_description(cursor, table)]
            for number, topic in enumerate(topics):
                for event in _EVENTS:
                    for statement in _statements(connection.vendor, table, number, topic, event, columns):
                        cursor.execute(statement)


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


def _statements(vendor: str, table: str, number: int, topic: Topic, event: str, columns: list[str]) -> list[str]:
    needed = set(re.findall(r"\{(\w+)\}", topic.name))
    counted = topic.columns_of(columns)
    if not needed <= set(columns) or not counted:
        return []
    name = f"{PREFIX}{table}_{number}_{event}"[:63]
    written = _expression(topic.name, "OLD" if event == "delete" else "NEW")
    differs = "IS DISTINCT FROM" if vendor == "postgresql" else "IS NOT"
    when = " OR ".join(f'OLD."{column}" {differs} NEW."{column}"' for column in counted)
    condition = f" WHEN ({when})" if event == "update" else ""
    head = f'CREATE TRIGGER "{name}" AFTER {event.upper()} ON "{table}" FOR EACH ROW{condition}'
    into = f'INSERT INTO "{TABLE}" (topic, xact, at)'
    if vendor == "sqlite":
        return [f"{head} BEGIN {into} VALUES ({written}, 0, strftime('%Y-%m-%d %H:%M:%f', 'now')); END"]
    body = f"{into} VALUES ({written}, pg_current_xact_id()::text::bigint, clock_timestamp())"
    return [
        f'CREATE OR REPLACE FUNCTION "{name}"() RETURNS trigger LANGUAGE plpgsql'
        f" AS $$ BEGIN {body}; RETURN NULL; END $$",
        f'{head} EXECUTE FUNCTION "{name}"()',
    ]


def _expression(name: str, row: str) -> str:
    """SQL for the topic of a row."""
    parts = [
        f"COALESCE(CAST({row}.\"{part[1:-1]}\" AS text), '')" if part.startswith("{") else f"'{part}'"
        for part in re.split(r"(\{\w+\})", name)
        if part
    ]
    return " || ".join(parts)
