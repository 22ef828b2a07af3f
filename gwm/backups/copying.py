"""From the database in use into another one, of whatever kind: `manage.py copy_database`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

from gwm.backups.alone import refuse_running
from gwm.backups.file import BackupError
from gwm.backups.rows import (
    RowError,
    count_differing,
    count_rows,
    emptied,
    list_missing_migrations,
    list_tables,
    read_rows,
    snapshot,
    write_rows,
)
from gwm.config import Config
from gwm.databases import describe_database
from gwm.env import BASE_DIR

_ALIAS = "copied"
# Rows of these are made by people and by what they do, and by no migration.
_TELLING = ("clusters_cluster", "objectlog_event", "objectlog_entry", "permissions_user")


def copy_database(url: str, say: Callable[[str], object]) -> int:
    """All rows into the database at a URL, which must have none; each is compared afterwards. All or nothing.
    Returns how many. Raises BackupError."""
    if list_missing_migrations(connection):
        raise BackupError("The tables are older than this release. Run manage.py prepare first.")
    refuse_running(say)
    with _opened(url) as target:
        _refuse_used(target)
        say(f"Making the tables of {target.vendor} …")
        _migrate(url)
        copied = 0
        try:
            with snapshot(connection), emptied(target, list_tables()):
                for table in list_tables():
                    copied += write_rows(target, table, read_rows(connection, table))
                say(f"{copied} rows copied; comparing each of them …")
                for table in list_tables():
                    if differing := count_differing(connection, target, table):
                        there = count_rows(connection, table)
                        raise BackupError(f"{differing} of {there} rows of {table.label} differ. Nothing was copied.")
        except (RowError, DatabaseError) as error:
            raise BackupError(f"{error} Nothing was copied.") from error
    return copied


@contextmanager
def _opened(url: str) -> Iterator[BaseDatabaseWrapper]:
    config = Config(os.environ)
    if url.partition("://")[0] not in ("postgres", "postgresql", "psql", "mysql", "sqlite"):
        raise BackupError("That is no address of a database. Write it like postgres://user@host/name.")
    described = describe_database(url, config.data_dir, prepares=config.flag("GWM_PREPARE_STATEMENTS"))
    target = ConnectionHandler({DEFAULT_DB_ALIAS: described, _ALIAS: described})[_ALIAS]
    connections[_ALIAS] = target  # for this thread alone
    try:
        yield target
    finally:
        target.close()
        del connections[_ALIAS]


def _refuse_used(target: BaseDatabaseWrapper) -> None:
    try:
        with target.cursor() as cursor:
            names = set(target.introspection.table_names(cursor))
            if names and "django_migrations" not in names:
                raise BackupError("That database has tables of something else. Give the copy one of its own.")
            for table in _TELLING:
                if table not in names:
                    continue
                cursor.execute(f"SELECT COUNT(*) FROM {target.ops.quote_name(table)}")  # noqa: S608 - names of ours
                if number := cursor.fetchone()[0]:
                    raise BackupError(
                        f"That database is in use: {table} has {number} rows. Give the copy an empty one."
                    )
    except DatabaseError as error:
        raise BackupError(f"That database can't be used: {' '.join(str(error).split())[:300]}") from error


def _migrate(url: str) -> None:
    """By a process of its own, for which it is the only database there is."""
    environ = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "gwm.settings"}
    for words in (["migrate", "--no-input", "-v0"], ["createcachetable", "-v0"]):
        command = [sys.executable, str(BASE_DIR / "manage.py"), *words]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        if done.returncode:
            last = " ".join(done.stderr.strip().splitlines()[-1:])
            raise BackupError(f"The tables could not be made: {last}")
