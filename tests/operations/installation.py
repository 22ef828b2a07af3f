"""A product of its own in a temporary folder, driven by its command line: what a test can kill."""

import json
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from simulator import Simulator
from tests.processes.commands import PATIENCE_S, Commands, environment_of, wait_for
from tests.processes.migrated import copy_migrated


class Installation(Commands):
    """Commands of the product as processes; its SQLite database read, and locked, from outside."""

    def __init__(self, folder: Path, simulator: Simulator, **settings: str) -> None:
        super().__init__(environment_of(folder, **settings))
        self.simulator = simulator
        self.database = folder / "gwm.sqlite3"
        simulator.outside.submit("CLUSTER_REDIST_CONF")  # a cluster has had jobs before
        simulator.run_jobs()
        password = folder / "password"
        password.write_text(simulator.password)
        copy_migrated(self.database)
        self.manage("createsuperuser", "--noinput", "--username=root", "--email=root@example.org")
        self.manage(
            *["add_cluster", "lab", f"--host={simulator.host}", f"--port={simulator.port}"],
            *[f"--user={simulator.username}", f"--password-file={password}", f"--fingerprint={simulator.fingerprint}"],
        )
        self.sync()

    def sync(self) -> None:
        """One update."""
        self.manage("sync_clusters")

    def find_out(self) -> None:
        """What the update cycle does in the next minutes."""
        self.simulator.faults.clear()
        self.let_time_pass()
        self.sync()
        self.simulator.run_jobs()
        self.sync()
        self.sync()

    def kill_before_it_writes(self, *words: str) -> None:
        """Kill a command that has opened the database and written nothing."""
        with self.locked():
            command = self.start(*words)
            files = Path(f"/proc/{command.pid}/fd")
            wait_for(lambda: any("sqlite3-wal" in str(fd.resolve()) for fd in files.iterdir()), "it opens the database")
            command.kill_amid()

    def kill_before_it_sends(self, *words: str) -> None:
        """Kill a command that wants to ask the cluster something, and is not heard yet."""
        self.simulator.stop_listening()
        with socket.create_server((self.simulator.host, self.simulator.port)) as deaf:
            command = self.start(*words)
            connection, _ = deaf.accept()
            command.kill_amid()
            connection.close()
        self.simulator.listen_again()

    def kill_before_it_writes_the_answer_down(
        self, *words: str, method: str = "PUT", path: str, is_taken: Callable[[], Any]
    ) -> None:
        """Kill a command that has its answer. Its request to this path is held back until the database is locked."""
        held = self.simulator.faults.slow(PATIENCE_S, method=method, path=path)
        command = self.start(*words)
        wait_for(lambda: held.hits, "the request arrives")
        with self.locked():  # which could not be had if a transaction were open during the call
            self.simulator.faults.remove(held)
            wait_for(is_taken, "Ganeti takes it")
            # The answer is on its way; writing it down has to wait for us.
            with pytest.raises(subprocess.TimeoutExpired):
                command.wait(1.0)
            command.kill_amid()

    def kill_while_it_waits(self, *words: str, until: Callable[[], Any]) -> None:
        """Kill a command that waits for an answer, after something has come about at the cluster."""
        command = self.start(*words)
        wait_for(until, "what it waits for")
        command.kill_amid()

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database, timeout=120)) as connection:
            return connection.execute(sql, values).fetchall()

    def write(self, sql: str, *values: Any) -> None:
        with closing(sqlite3.connect(self.database, timeout=120)) as connection:
            connection.execute(sql, values)
            connection.commit()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else can write to the database."""
        with closing(sqlite3.connect(self.database, timeout=120, isolation_level=None)) as connection:
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
