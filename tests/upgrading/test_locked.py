"""An upgrade on PostgreSQL while somebody reads a table all the time: pages go on answering, and it ends well or says
why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from psycopg import sql

from gwm.migrating import migrate_patiently
from operations.triggers import install_triggers, remove_triggers
from tests.fixtures.migrating import migrate, migrate_all

pytestmark = [
    pytest.mark.beside,
    pytest.mark.postgresql,
    pytest.mark.feature("F291", "F292"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="elsewhere there is no such limit: gwm.migrating"),
]
BEFORE = [("clusters", "0023_effort_of_updates")]
WAIT_S = 0.2
_HELD = """
SELECT count(DISTINCT l.relation) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
WHERE l.pid = %s AND c.relkind = 'r' AND l.mode IN ('ShareRowExclusiveLock', 'AccessExclusiveLock')
"""
#: what the migration changes; what has triggers that are taken off before
TABLES = ["clusters_schedule", "virtualmachines_virtualmachine"]


@pytest.fixture
def before(transactional_db: None) -> Iterator[set[str]]:
    """The tables of a release before, with its triggers, which are returned."""
    migrate(BEFORE)
    install_triggers(connection)
    yield triggers()
    migrate_all()


def triggers() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
        return {name for (name,) in cursor.fetchall()}


def is_up_to_date() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def somebody(program: str) -> psycopg.Connection[Any]:
    """Another session in the same database."""
    known = connection.settings_dict
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    given = {name: known[key] for name, key in names.items() if known[key]}
    return psycopg.connect(**given, application_name=program)


@contextmanager
def reading(table: str) -> Iterator[psycopg.Connection[Any]]:
    """Somebody has read it in a transaction that goes on, as a backup does."""
    with somebody("a-backup") as session:
        session.execute("SET idle_in_transaction_session_timeout = '180s'")  # an upgrade without a limit ends, too
        session.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(table)))
        yield session


def page_is_answered(table: str) -> None:
    """Whoever asks does not stand behind an upgrade that waits."""
    with somebody("a-page") as session:
        session.execute("SET statement_timeout = '20s'")
        session.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))


@pytest.mark.parametrize("table", TABLES)
def test_it_is_tried_again_and_done_when_the_reader_has_ended(table: str, before: set[str]) -> None:
    said: list[str] = []
    pauses = 0
    with reading(table) as reader:

        def pause() -> None:
            nonlocal pauses
            pauses += 1
            page_is_answered(table)
            assert triggers() == before and not is_up_to_date()
            if pauses == 2:
                reader.rollback()

        migrate_patiently(said.append, wait_s=WAIT_S, pause=pause)
        number = reader.info.backend_pid
    assert is_up_to_date() and triggers() >= before and pauses == 2
    assert all(f"session {number} " in line and "a-backup" in line and table in line for line in said)
    assert [line.partition(". ")[2] for line in said] == [f"Trying again, {n} of 12 …" for n in (1, 2)]
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


@pytest.mark.parametrize("table", TABLES)
def test_it_ends_with_who_holds_it_and_has_changed_nothing(table: str, before: set[str]) -> None:
    with reading(table) as reader:
        with pytest.raises(CommandError) as refused:
            migrate_patiently(lambda _line: None, wait_s=WAIT_S, tries=2, pause=lambda: None)
        page_is_answered(table)
        assert f"session {reader.info.backend_pid} " in str(refused.value)
    assert "has changed nothing" in str(refused.value) and "triggers" not in str(refused.value)
    assert triggers() == before and not is_up_to_date()


def test_triggers_that_were_off_already_are_made_again(before: set[str]) -> None:
    """A table that had none before is what the migration itself waits for, with the others taken off."""
    with connection.cursor() as cursor:
        for name in (each for each in before if "clusters_schedule" in each):
            cursor.execute(f'DROP TRIGGER "{name}" ON clusters_schedule')
    taken_off = []

    def watch(execute: Any, statement: str, *rest: Any) -> Any:
        if statement.startswith("ALTER TABLE"):
            taken_off.append(triggers())
        return execute(statement, *rest)

    with reading("clusters_schedule"), connection.execute_wrapper(watch), pytest.raises(CommandError, match="in use"):
        migrate_patiently(lambda _line: None, wait_s=WAIT_S, tries=1)
    assert taken_off == [set()]
    assert triggers() == before and not is_up_to_date()


@pytest.mark.parametrize("change", [install_triggers, remove_triggers])
def test_who_changes_triggers_holds_one_table_at_a_time(change: Callable[[Any], None], before: set[str]) -> None:
    """With two, pages that read both, and in another order, would be ended by PostgreSQL."""
    held: list[int] = []
    pid = connection.connection.info.backend_pid

    def watch(execute: Any, statement: str, *rest: Any) -> Any:
        result = execute(statement, *rest)
        if "TRIGGER " in statement:
            row = looker.execute(_HELD, [pid]).fetchone()
            assert row is not None
            held.append(row[0])
            looker.rollback()
        return result

    with somebody("who-looks") as looker, connection.execute_wrapper(watch):
        change(connection)
    install_triggers(connection)
    assert len(held) >= len(before) > 2 and max(held) <= 1
