"""Commands of the product as processes, with a database of its own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.processes.commands import Commands, environment_of
from tests.processes.migrated import copy_migrated, create_migrated, drop_database


@contextmanager
def migrated_database(server_url: str) -> Iterator[str]:
    """The URL of a new database with its tables on this PostgreSQL, which goes again."""
    name = f"races_{secrets.token_hex(6)}"
    try:
        yield create_migrated(server_url, name)
    finally:
        with psycopg.connect(server_url, autocommit=True) as server:
            drop_database(server, name)


def see_to_tables(commands: Commands) -> None:
    """Give a product on SQLite its tables; on PostgreSQL they come with the database."""
    if not commands.environment["DATABASE_URL"]:
        copy_migrated(Path(commands.environment["GWM_DATA_DIR"]) / "gwm.sqlite3")


class Product(Commands):
    """The product with one cluster, which is simulated or says like that where it is and who may sign in."""

    def __init__(self, folder: Path, url: str, simulator: Any, **settings: str) -> None:
        super().__init__(environment_of(folder, url, **{"GWM_RAPI_READ_TIMEOUT_S": "120", **settings}))
        self.folder, self.url, self.simulator = folder, url, simulator
        password = folder / "password"
        password.write_text(simulator.password)
        see_to_tables(self)
        self.manage("createsuperuser", "--noinput", "--username=root", "--email=root@example.org")
        where = [f"--host={simulator.host}", f"--port={simulator.port}", f"--fingerprint={simulator.fingerprint}"]
        self.manage("add_cluster", "lab", *where, f"--user={simulator.username}", f"--password-file={password}")
        self.sync()

    def shell(self, code: str) -> str:
        """Some code, run in it; what it printed."""
        return self.manage("shell", "-v0", "-c", code)

    def sync(self) -> None:
        """One update."""
        self.manage("sync_clusters")
