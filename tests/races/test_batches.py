"""A worker of a batch that stands still, while another takes over: real processes on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import secrets
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from simulator import Simulator
from tests.operations.installation import PATIENCE_S, ROOT, wait_for

pytestmark = [pytest.mark.standalone, pytest.mark.feature("G050")]

PLAN = """
from objectlog.models import Via
from operations.contract import Actor
from operations.planning import begin_batch, plan
from permissions.models import User
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.power import Shutdown
batch = plan(Shutdown(), Actor(User.objects.get(username="root"), Via.WEB), VirtualMachine.objects.all(), {})
assert begin_batch(batch, {"timeout_s": 30})
"""
# As the worker does: looks again and again whether there is a lane to be had.
WORK = """
import time
from operations.lanes import claim_lanes, work_lane
while not (begun := sum(work_lane(name) for name in claim_lanes())):
    time.sleep(0.2)
print("begun:", begun)
"""
RETRY = """
from operations.models import Batch
from operations.planning import retry_failed
print("again:", retry_failed(Batch.objects.get()))
"""


class Product:
    """The product's commands on a database of its own, which is read from outside."""

    def __init__(self, folder: Path, url: str, simulator: Any, **settings: str) -> None:
        """On a simulator, or on anything else that says where it is and who may sign in."""
        self.folder, self.url, self.simulator, self._file = folder, url, simulator, folder / "gwm.sqlite3"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GWM_", "REDIS"))}
        self.environment = inherited | {
            "DATABASE_URL": url,
            "GWM_DATA_DIR": str(folder),
            "GWM_RAPI_READ_TIMEOUT_S": "120",
            "GWM_SECRET_KEY": "not-a-secret-in-a-test-of-fifty-characters-or-so-1",
            "GWM_FIELD_KEYS": "field-key-of-a-test",
            "GWM_CONSOLE_KEYS": "console-key-of-a-test",
            "GWM_JOURNAL_KEYS": "journal-key-of-a-test",
            "DJANGO_SETTINGS_MODULE": "gwm.settings",
            "DJANGO_SUPERUSER_PASSWORD": "irrelevant",
            **settings,
        }
        password = folder / "password"
        password.write_text(simulator.password)
        self.manage("migrate", "-v0")
        self.manage("createsuperuser", "--noinput", "--username=root", "--email=root@example.org")
        where = [f"--host={simulator.host}", f"--port={simulator.port}", f"--fingerprint={simulator.fingerprint}"]
        self.manage("add_cluster", "lab", *where, f"--user={simulator.username}", f"--password-file={password}")
        self.manage("sync_clusters")

    def start(self, *words: str) -> subprocess.Popen[str]:
        command, pipe = [sys.executable, "manage.py", *words], subprocess.PIPE
        return subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=pipe, stderr=subprocess.STDOUT, text=True
        )

    def manage(self, *words: str) -> str:
        return end(self.start(*words))

    def shell(self, code: str) -> str:
        return self.manage("shell", "-v0", "-c", code)

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        if self.url:
            with psycopg.connect(self.url, autocommit=True) as connection:
                return connection.execute(statement.encode()).fetchall()
        with closing(sqlite3.connect(self._file, timeout=20)) as database:
            return database.execute(statement).fetchall()

    def lease(self) -> tuple[Any, str]:
        """Until when the lane is taken, and by whom."""
        [(until, holder)] = self.ask("SELECT leased_until, lease_holder FROM operations_batchlane")
        return until, holder

    def items(self) -> list[str]:
        return [state for (state,) in self.ask("SELECT state FROM operations_batchitem ORDER BY position")]

    def sent(self) -> list[str]:
        """The machines of which Ganeti was asked to shut one down, as often as it was asked."""
        return sorted(path.split("/")[3] for _method, path in self.simulator.requests if "/shutdown" in path)


def end(process: subprocess.Popen[str]) -> str:
    """What a process said until its end, which must be a good one."""
    with process:
        said, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said
    return said


@pytest.fixture(params=["sqlite", "postgresql"])
def product(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Product]:
    with Simulator(nodes=1, instances=3) as simulator, database(request) as url:
        yield Product(tmp_path, url, simulator)
        simulator.faults.clear()


@contextmanager
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database; of SQLite the product makes its own."""
    if request.param == "sqlite":
        yield ""
        return
    server_url, name = request.getfixturevalue("postgresql_url"), f"batches_{secrets.token_hex(6)}"
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server_url, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_who_stood_still_sends_nothing_after_another_took_over(product: Product) -> None:
    """It is stopped after it wrote the entry and before it sends; the lease that it no longer renews runs out."""
    product.shell(PLAN)
    pause = product.simulator.faults.slow(PATIENCE_S, path="/2/query/instance", times=1)
    product.simulator.forget_requests()
    first = product.start("shell", "-v0", "-c", WORK)
    wait_for(lambda: pause.hits, "it asks whether it is the same machine")
    until, holder = product.lease()
    wait_for(lambda: product.lease()[0] > until, "while it waits its lease is renewed")
    assert product.lease()[1] == holder and product.sent() == []
    first.send_signal(signal.SIGSTOP)
    try:
        assert "begun: 2" in end(product.start("shell", "-v0", "-c", WORK))
        assert product.sent() == ["vm2.example.org", "vm3.example.org"]
        assert product.items() == ["running"] * 3, "what the first began is left to it"
        product.simulator.faults.remove(pause)
    finally:
        first.send_signal(signal.SIGCONT)
    end_of_first = end(first)
    assert "begun: 1" in end_of_first, end_of_first
    assert product.sent() == ["vm2.example.org", "vm3.example.org"], "it came too late to send anything"
    assert sorted(product.items()) == ["failed", "running", "running"]
    product.simulator.run_jobs()
    product.manage("sync_clusters")
    assert "again: 1" in product.shell(RETRY)
    product.manage("sync_clusters")
    product.simulator.run_jobs()
    product.manage("sync_clusters")
    assert product.items() == ["done"] * 3
    assert product.sent() == ["vm1.example.org", "vm2.example.org", "vm3.example.org"]
