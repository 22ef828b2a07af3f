"""Sealers and writers as processes on SQLite and on PostgreSQL: several at once, and killed at any point."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.processes.commands import Command, Commands, environment_of, wait_for
from tests.races.commands import migrated_database, see_to_tables

pytestmark = [pytest.mark.standalone, pytest.mark.feature("G018")]

# Every fifth transaction is undone, and each holds its events back until the next one of the other writer has begun.
WRITE = """
from django.db import transaction
from objectlog.models import Outcome, Via
from objectlog.services import note
for number in range(40):
    with transaction.atomic():
        for _ in range(5):
            note(actor_id=None, actor_name="w", via=Via.CLI, verb="person.sign-in", outcome=Outcome.FAILED)
        if number % 5 == 4:
            transaction.set_rollback(True)
"""
MANY = """
from objectlog.models import Event, Outcome, Via
from objectlog.services import note
event = note(actor_id=None, actor_name="w", via=Via.CLI, verb="person.sign-in", outcome=Outcome.FAILED)
columns = {field.attname: getattr(event, field.attname) for field in Event._meta.concrete_fields if field.name != "id"}
Event.objects.bulk_create([Event(**columns) for _ in range(9_999)], batch_size=500)
"""


class Journal(Commands):
    """The product's commands on a database of its own, which is read from outside."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(environment_of(folder, url))
        self.url, self._file = url, folder / "gwm.sqlite3"
        see_to_tables(self)

    def write(self, code: str) -> Command:
        return self.start("shell", "-v0", "-c", code)

    def ask(self, condition: str) -> int:
        """How many events are like this."""
        statement = f"SELECT count(*) FROM objectlog_event WHERE {condition}"  # noqa: S608 (of this file alone)
        if self.url:
            with psycopg.connect(self.url, autocommit=True) as connection:
                found = connection.execute(statement.encode()).fetchone()
        else:
            with closing(sqlite3.connect(self._file, timeout=120)) as database:
                found = database.execute(statement).fetchone()
        assert found is not None
        return int(found[0])

    def empty(self) -> None:
        """Begin anew."""
        self.manage("shell", "-v0", "-c", "from objectlog.models import *; Event.objects.all().delete(); "
                    "ChainEnd.objects.all().delete()")  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def journal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    folder = tmp_path_factory.mktemp("journal")
    if request.param == "sqlite":
        yield Journal(folder, "")
        return
    with migrated_database(request.getfixturevalue("postgresql_url")) as url:
        yield Journal(folder, url)


def test_sealers_and_writers_at_once(journal: Journal) -> None:
    """Events whose transaction ends late get a later place; what is undone gets none."""
    writers = [journal.write(WRITE) for _ in range(3)]
    wait_for(lambda: journal.ask("number IS NULL"), "the first events are there")
    while any(writer.poll() is None for writer in writers):
        sealers = [journal.start("seal_journal") for _ in range(3)]
        for sealer in sealers:
            sealer.end()
    for writer in writers:
        writer.end()
    journal.manage("seal_journal")
    assert journal.ask("number IS NOT NULL") == 3 * 32 * 5
    assert "480 events. The newest: 480:" in journal.manage("verify_journal")
    journal.empty()


def test_a_sealer_that_is_killed_is_taken_over_from(journal: Journal) -> None:
    journal.write(MANY).end()
    for sealed in (0, 2_000, 5_000):
        sealer = journal.start("seal_journal")
        while sealer.poll() is None and journal.ask("number IS NOT NULL") <= sealed:
            continue  # at work, and not yet so far
        sealer.kill()
        assert sealer.returncode in (0, -signal.SIGKILL), "it has ended before it was killed, or was killed"
        assert journal.ask("number IS NOT NULL") == journal.ask("seal <> ''") == journal.ask("number > 0")
        assert "as it was written" in journal.manage("verify_journal")
    journal.manage("seal_journal")
    assert "10000 events. The newest: 10000:" in journal.manage("verify_journal")
    journal.empty()


@pytest.mark.parametrize("journal", ["postgresql"], indirect=True)
def test_a_sealer_begins_where_the_one_before_has_ended(journal: Journal) -> None:
    """While somebody else is at it a sealer waits, before it has read anything."""
    journal.manage("seal_journal")
    journal.write(WRITE).end()
    with psycopg.connect(journal.url) as other:
        other.execute("INSERT INTO objectlog_chainend VALUES ('newest', 0, '', '')")
        other.commit()
        other.execute("SELECT 1 FROM objectlog_chainend FOR UPDATE")
        sealer = journal.start("seal_journal")
        wait_for(lambda: is_waiting(journal), "it waits")
        other.execute("UPDATE objectlog_chainend SET number = 100, seal = 'of another'")
        other.commit()
    sealer.end()
    assert (journal.ask("number <= 100"), journal.ask("number = 101 AND previous = 'of another'")) == (0, 1)
    journal.empty()


def is_waiting(journal: Journal) -> bool:
    """Whether a process waits for a lock."""
    with psycopg.connect(journal.url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
    return found is not None
