"""All rows from one database into another."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from gwm.backups import copying
from gwm.backups.rows import list_tables, read_rows, told
from objectlog.chain import seal_all
from tests.factories import make_admin, make_cluster, make_job, make_user, make_vm
from tests.processes.migrated import copy_migrated, create_migrated, drop_database, url_of
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.beside]


@pytest.fixture
def url(postgresql_url: str) -> Iterator[str]:
    """Of a PostgreSQL database without rows: an empty one, if that is not the kind the tests use already."""
    name = "gwm_copied"
    if connection.vendor == "postgresql":
        create_migrated(postgresql_url, name)
    else:
        with psycopg.connect(postgresql_url, autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
    yield url_of(postgresql_url, name)
    with psycopg.connect(postgresql_url, autocommit=True) as server:
        drop_database(server, name)


def fill() -> None:
    make_admin()
    cluster = make_cluster("north", password="of-rapi")
    machines = [make_vm(cluster, f"web{number}.example.org", notes="“Größe” ☃") for number in range(4)]
    make_job(cluster, ("instance", machines[0].name))
    VirtualMachine.objects.filter(pk=machines[1].pk).update(raw={"b": 1.0, "a": [None, True, 1e20, "\x7f"]})
    machines[2].delete()
    make_user("ada", Group.objects.create(name="north"))
    call_command("grant", "ada", "modify", "--on", "north/web1.example.org", "--as", "root", stdout=io.StringIO())
    seal_all()


def copy(url: str) -> str:
    out = io.StringIO()
    call_command("copy_database", url, stdout=out)
    return out.getvalue()


@pytest.mark.feature("F294")
def test_each_row_is_there_and_the_next_one_too(url: str) -> None:
    fill()
    said = copy(url)
    rows = {table.label: list(read_rows(connection, table)) for table in list_tables()}
    assert f"{sum(map(len, rows.values()))} rows are there, each the same as here" in said
    with copying._opened(url) as target:
        for table in list_tables():
            assert sorted(map(told, read_rows(target, table))) == sorted(map(told, rows[table.label]))
        with target.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM virtualmachines_machinetext")
            assert cursor.fetchone()[0] == 3, "made anew by triggers"
            cursor.execute("SELECT SUM(machines) FROM virtualmachines_machinecount")
            assert cursor.fetchone()[0] == 3
            highest = max(row[0] for row in rows["auth.group"])
            cursor.execute("INSERT INTO auth_group (name) VALUES ('next')")
            cursor.execute("SELECT id FROM auth_group WHERE name = 'next'")
            assert cursor.fetchone()[0] > highest
    with pytest.raises(CommandError, match=r"in use: clusters_cluster has 1 rows"):
        copy(url)


@pytest.mark.alike
def test_a_row_that_became_another_is_found_and_nothing_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill()
    copy_migrated(tmp_path / "copy.sqlite3")
    url = f"sqlite:///{tmp_path / 'copy.sqlite3'}"
    write = copying.write_rows

    def lose(target: Any, table: Any, rows: Any) -> int:
        if table.label == "virtualmachines.virtualmachine":
            at = table.names.index("memory_mib")
            rows = ([*row[:at], row[at] + 1, *row[at + 1 :]] if number == 1 else row for number, row in enumerate(rows))
        return write(target, table, rows)

    monkeypatch.setattr(copying, "write_rows", lose)
    with pytest.raises(CommandError, match=r"1 of 3 rows of virtualmachines.virtualmachine differ. Nothing was copied"):
        copy(url)
    with sqlite3.connect(tmp_path / "copy.sqlite3") as there:
        assert there.execute("SELECT COUNT(*) FROM virtualmachines_virtualmachine").fetchone() == (0,)


@pytest.mark.alike
def test_what_is_no_empty_database_of_ours_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.sqlite3") as there:
        there.execute("CREATE TABLE songs (id INTEGER)")
    for url, reason in (
        (f"sqlite:///{tmp_path / 'other.sqlite3'}", "tables of something else"),
        (f"sqlite:///{tmp_path / 'no' / 'folder.sqlite3'}", "can't be used"),
        ("https://example.org/gwm", "no address of a database"),
        ("postgres://gwm:secret@127.0.0.1/gwm", "can be read by all"),
    ):
        with pytest.raises(CommandError, match=reason):
            copy(url)
