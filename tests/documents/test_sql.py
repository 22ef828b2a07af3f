"""What documents have a superuser of PostgreSQL do, done by one."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from django.apps import apps
from psycopg import sql

from tests.documents.reading import ROOT, read_blocks
from tests.processes.migrated import drop_database, url_of

pytestmark = [pytest.mark.django_db, pytest.mark.beside, pytest.mark.alike, pytest.mark.feature("F294")]
NAME = "gwm_documents"
#: the tables that are given an index, and their columns in it
TABLES = {("virtualmachines", "MachineText"): {"text"}, ("objectlog", "EventText"): {"said", "target_name"}}


@pytest.fixture
def server(postgresql_url: str) -> Iterator[psycopg.Connection]:
    """A database with these tables, as the models have them."""
    with psycopg.connect(postgresql_url, autocommit=True) as main:
        drop_database(main, NAME)
        main.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))
        try:
            with psycopg.connect(url_of(postgresql_url, NAME), autocommit=True) as connection:
                for names in TABLES:
                    meta = apps.get_model(*names)._meta
                    columns = sql.SQL(", ").join(
                        sql.SQL("{} text").format(sql.Identifier(field.column)) for field in meta.concrete_fields
                    )
                    connection.execute(sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(meta.db_table), columns))
                yield connection
        finally:
            main.execute("ALTER ROLE gwm RESET ALL")
            drop_database(main, NAME)


def test_statements_do_what_is_said_of_them(server: psycopg.Connection) -> None:
    texts = [block.text for block in read_blocks(ROOT / "docs" / "install.md") if block.language == "sql"]
    assert len(texts) == 2
    for text in texts:
        server.execute(text.encode())
    for names, columns in TABLES.items():
        table = apps.get_model(*names)._meta.db_table
        found = server.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s", [table]).fetchall()
        assert [name for name, _text in found] == [f"{table}_parts"]
        assert all(f"{column} gin_trgm_ops" in found[0][1] for column in columns)
    kept = server.execute("SELECT rolconfig FROM pg_roles WHERE rolname = 'gwm'").fetchone()
    assert kept == (["jit=off", "max_parallel_workers_per_gather=0"],)
