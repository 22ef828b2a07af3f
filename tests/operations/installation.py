"""A product of its own in a temporary folder, driven by its command line: what a test can kill."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]
# Everything that is waited for ends by itself; this only ends a test of what hangs, however busy the machine is.
PATIENCE_S = 180.0


def wait_for(what: Callable[[], Any], why: str) -> Any:
    """Poll until `what` gives something true."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"in vain: {why}")


class Installation:
    """Commands of the product as processes; its SQLite database read, and locked, from outside."""

    def __init__(self, folder: Path, simulator: Simulator) -> None:
        self.simulator = simulator
        self.database = folder / "gwm.sqlite3"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("GWM_", "DATABASE", "REDIS"))},
            "GWM_DATA_DIR": str(folder),
            "GWM_SECRET_KEY": "not-a-secret-in-a-test-of-fifty-characters-or-so-1",
            "GWM_FIELD_KEYS": "field-key-of-a-test",
            "GWM_CONSOLE_KEYS": "console-key-of-a-test",
            "GWM_JOURNAL_KEYS": "journal-key-of-a-test",
            "DJANGO_SETTINGS_MODULE": "gwm.settings",
            "DJANGO_SUPERUSER_PASSWORD": "irrelevant",
        }
        simulator.outside.submit("CLUSTER_REDIST_CONF")  # a cluster has had jobs before
        simulator.run_jobs()
        password = folder / "password"
        password.write_text(simulator.password)
        self.manage("migrate", "-v0")
        self.manage("createsuperuser", "--noinput", "--username=root", "--email=root@example.org")
        self.manage(
            *["add_cluster", "lab", f"--host={simulator.host}", f"--port={simulator.port}"],
            *[f"--user={simulator.username}", f"--password-file={password}", f"--fingerprint={simulator.fingerprint}"],
        )
        self.sync()

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def manage(self, *words: str) -> str:
        with self.start(*words) as process:
            output, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, output
        return output

    def sync(self) -> None:
        self.manage("sync_clusters")

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database, timeout=20)) as connection:
            return connection.execute(sql, values).fetchall()

    def write(self, sql: str, *values: Any) -> None:
        with closing(sqlite3.connect(self.database, timeout=20)) as connection:
            connection.execute(sql, values)
            connection.commit()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else can write to the database."""
        with closing(sqlite3.connect(self.database, timeout=20, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")

    def entry_of(self, name: str) -> tuple[str, list[int], str]:
        """Outcome, jobs and message of the newest entry about a machine."""
        found = self.rows(
            "SELECT outcome, job_ids, message FROM objectlog_entry WHERE target_name = ? ORDER BY id DESC", name
        )
        assert found, f"no entry about {name}"
        outcome, jobs, message = found[0]
        return outcome, json.loads(jobs), message

    def let_time_pass(self) -> None:
        """As if every open submission had been made an hour ago."""
        self.write(
            "UPDATE objectlog_entry SET created_at = datetime(created_at, '-1 hour') "
            "WHERE outcome IN ('submitting', 'unknown')"
        )

    def is_busy(self, name: str) -> bool:
        return bool(
            self.rows("SELECT 1 FROM virtualmachines_virtualmachine WHERE name = ? AND busy_entry IS NOT NULL", name)
        )

    def jobs_about(self, name: str) -> list[Any]:
        """The simulator's jobs that shut a machine down."""
        return [
            job
            for job in self.simulator.queue.jobs.values()
            if any(op.get("instance_name") == name and op["OP_ID"] == "OP_INSTANCE_SHUTDOWN" for op in job.ops)
        ]
