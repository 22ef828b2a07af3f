"""Commands of the product as processes, with a database of its own."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.operations.installation import PATIENCE_S, ROOT


def environment_of(folder: Path, url: str, **settings: str) -> dict[str, str]:
    """Of a product whose data are in a folder, on this database (empty: SQLite in the folder)."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GWM_", "REDIS"))}
    return {
        **inherited,
        "DATABASE_URL": url,
        "GWM_DATA_DIR": str(folder),
        "GWM_SECRET_KEY": "not-a-secret-in-a-test-of-fifty-characters-or-so-1",
        "GWM_FIELD_KEYS": "field-key-of-a-test",
        "GWM_CONSOLE_KEYS": "console-key-of-a-test",
        "GWM_JOURNAL_KEYS": "journal-key-of-a-test",
        "DJANGO_SETTINGS_MODULE": "gwm.settings",
        **settings,
    }


@contextmanager
def empty_database(server_url: str) -> Iterator[str]:
    """The URL of a new database on this PostgreSQL, which goes again."""
    name = f"races_{secrets.token_hex(6)}"
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server_url, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def start(environment: dict[str, str], *words: str) -> subprocess.Popen[str]:
    """A command under way."""
    pipe = subprocess.PIPE
    command = [sys.executable, "manage.py", *words]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True
    )


def end(process: subprocess.Popen[str], code: int = 0) -> str:
    """What a process said until its end, which must be with this code."""
    with process:
        said, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code, said
    return said


def manage(environment: dict[str, str], *words: str) -> str:
    """A command that must end well; what it said."""
    return end(start(environment, *words))


class Product:
    """The product with one cluster, which is simulated or says like that where it is and who may sign in."""

    def __init__(self, folder: Path, url: str, simulator: Any, **settings: str) -> None:
        self.folder, self.url, self.simulator = folder, url, simulator
        own = {"GWM_RAPI_READ_TIMEOUT_S": "120", "DJANGO_SUPERUSER_PASSWORD": "irrelevant", **settings}
        self.environment = environment_of(folder, url, **own)
        password = folder / "password"
        password.write_text(simulator.password)
        self.manage("migrate", "-v0")
        self.manage("createsuperuser", "--noinput", "--username=root", "--email=root@example.org")
        where = [f"--host={simulator.host}", f"--port={simulator.port}", f"--fingerprint={simulator.fingerprint}"]
        self.manage("add_cluster", "lab", *where, f"--user={simulator.username}", f"--password-file={password}")
        self.sync()

    def start(self, *words: str) -> subprocess.Popen[str]:
        """A command under way."""
        return start(self.environment, *words)

    def manage(self, *words: str) -> str:
        """A command that must end well; what it said."""
        return manage(self.environment, *words)

    def shell(self, code: str) -> str:
        """Some code, run in it; what it printed."""
        return self.manage("shell", "-v0", "-c", code)

    def sync(self) -> None:
        """One update."""
        self.manage("sync_clusters")
