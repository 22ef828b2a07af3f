"""From the timetable to the database: beat sends, a worker works, over files and over a real Redis."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from simulator import Simulator
from tests.operations.installation import Installation
from tests.processes.commands import PATIENCE_S, ROOT, wait_for
from tools.throwaway import redis_server

pytestmark = pytest.mark.standalone
MACHINE = "vm1.example.org"
SIGNED = "SELECT kind, pid FROM gwm_process"


class Background:
    """An installation of which only worker and beat run."""

    def __init__(self, folder: Path, simulator: Simulator, broker: str) -> None:
        self.installation = Installation(folder, simulator, REDIS_URL=broker, GWM_SYNC_INTERVAL_S="5")
        self.environment = self.installation.environment
        self.installation.prepare()
        self.log = folder / "celery.log"

    @contextmanager
    def running(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """One of Celery's programs, as `manage.py up` starts it."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "celery", "-A", "gwm.celery", "-q", *words, "-l", "WARNING"]
            process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def worker(self) -> Any:
        return self.running("worker", "-P", "threads", "-c", "4", "--without-gossip", "--without-mingle")

    def beat(self) -> Any:
        return self.running("beat", "--pidfile=")

    def status(self) -> tuple[str, bool]:
        """What the database says of the machine: Ganeti's word, and whether an operation holds it."""
        [(status, busy)] = self.installation.rows(
            "SELECT status, busy_entry IS NOT NULL FROM virtualmachines_virtualmachine WHERE name = ?", MACHINE
        )
        return status, bool(busy)

    def wait_until(self, *wanted: Any) -> None:
        wait_for(lambda: self.status() == wanted, f"{MACHINE} {wanted}")


@pytest.fixture(params=["files", pytest.param("redis", marks=pytest.mark.redis)])
def background(request: pytest.FixtureRequest, tmp_path: Path, make_simulator: Any) -> Background:
    """Over the files in the data directory, and over Redis."""
    broker = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    return Background(tmp_path, make_simulator(instances=3, speed=1.0), broker)


@pytest.mark.feature("F073", "F074", "F231", "F233")
def test_an_operation_is_followed_to_its_end_by_worker_and_beat_alone(background: Background) -> None:
    simulator = background.installation.simulator
    simulator.hold_jobs()
    with background.worker() as worker, background.beat() as beat:
        background.installation.manage("operate", "vm.shutdown", f"lab/{MACHINE}", "--as", "root")
        assert background.status() == ("running", True)
        wait_for(
            lambda: background.installation.rows("SELECT 1 FROM clusters_job WHERE status != 'success'"),
            "the job among the jobs",
        )
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        simulator.release_jobs()
        wait_for(lambda: all(job.finished for job in simulator.queue.jobs.values()), "the job's end")
        assert background.status() == ("running", True)
        with background.worker() as other:
            background.wait_until("ADMIN_down", False)
            alive = {("worker", other.pid), ("beat", beat.pid)}
            wait_for(lambda: set(background.installation.rows(SIGNED)) == alive, "who is there, and not who was killed")
    assert background.installation.rows(SIGNED) == [], "they have ended in order"
    outcome, numbers, message = background.installation.entry_of(MACHINE)
    assert (outcome, message) == ("succeeded", "")
    assert numbers == [job.id for job in background.installation.jobs_about(MACHINE)]


@pytest.mark.feature("F074", "F078")
def test_changes_made_elsewhere_come_with_the_timetable(background: Background) -> None:
    with background.worker(), background.beat():
        background.installation.simulator.outside.crash(MACHINE)
        background.wait_until("ERROR_down", False)
        background.installation.simulator.outside.start(MACHINE)
        background.wait_until("running", False)


@pytest.mark.redis
def test_worker_and_beat_end_though_redis_has_fallen_silent(tmp_path: Path, make_simulator: Any) -> None:
    with redis_server() as url, Redis.from_url(url) as redis:
        background = Background(tmp_path, make_simulator(instances=3, speed=1.0), url)
        with background.worker() as worker, background.beat() as beat:
            wait_for(lambda: len(background.installation.rows(SIGNED)) == 2, "both")
            redis.execute_command("CLIENT PAUSE 600000 ALL")  # as one whose host vanished: connected, and no answer
            for process in (worker, beat):
                process.send_signal(signal.SIGTERM)
            for process in (worker, beat):
                process.wait(120)


@pytest.mark.parametrize("background", ["files"], indirect=True)
@pytest.mark.parametrize("garbage", [b"", b"[[\xff"])
def test_worker_and_beat_start_with_a_table_of_bindings_that_is_garbage(
    background: Background, garbage: bytes, tmp_path: Path
) -> None:
    control = tmp_path / "queue" / "control"
    control.mkdir(exist_ok=True)
    for name in ("gwm", "celery.pidbox", "reply.celery.pidbox", "celeryev"):
        (control / f"{name}.exchange").write_bytes(garbage)
    with background.worker(), background.beat():
        background.installation.simulator.outside.crash(MACHINE)
        background.wait_until("ERROR_down", False)
