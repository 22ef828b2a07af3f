"""A database as the migrations make it: made once in a run of the tests, for all its processes, and copied.

On SQLite that is a file, on PostgreSQL a database of the same server.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from tests.processes.commands import ROOT, environment_of

#: manage.py; looking for garbage among thousands of models of passing states is a fifth of what migrations take
_WITHOUT_GARBAGE = "import gc, runpy; gc.disable(); runpy.run_path('manage.py', run_name='__main__')"
#: names the folder in which the processes of a run share it
SHARED = "GWM_TEST_MIGRATED"


def pytest_configure(config: pytest.Config) -> None:
    """Make room for it, in the first process of a run."""
    if SHARED not in os.environ:
        os.environ[SHARED] = tempfile.mkdtemp(prefix="gwm-migrated-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop(SHARED)))


def copy_migrated(to: Path) -> None:
    """Copy it to this file. Who comes first makes it, and others wait."""
    folder = Path(os.environ[SHARED])
    made = folder / "gwm.sqlite3"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            with tempfile.TemporaryDirectory(dir=folder) as making:
                _migrate(Path(making), "")
                (Path(making) / made.name).rename(made)
    shutil.copyfile(made, to)


def create_migrated(server_url: str, name: str) -> str:
    """Create a database of this name on a PostgreSQL, whatever was called so before; its URL. Likewise."""
    made = "migrated_" + hashlib.sha256(os.environ[SHARED].encode()).hexdigest()[:12]
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(hashtext(%s))", [SHARED])  # until the connection ends
        if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [made]).fetchone():
            making = f"{made}_begun"
            _create(server, making)
            with tempfile.TemporaryDirectory() as folder:
                _migrate(Path(folder), url_of(server_url, making))
            server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*map(sql.Identifier, (making, made))))
        _create(server, name, template=made)
    return url_of(server_url, name)


def _create(server: psycopg.Connection, name: str, template: str = "template1") -> None:
    drop_database(server, name)
    server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (name, template))))


def drop_database(server: psycopg.Connection, name: str) -> None:
    """If there is one of this name, used or not."""
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def url_of(server_url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


def _migrate(folder: Path, url: str) -> None:
    command = [sys.executable, "-c", _WITHOUT_GARBAGE, "migrate", "-v0"]
    subprocess.run(command, cwd=ROOT, env=environment_of(folder, url), check=True)
