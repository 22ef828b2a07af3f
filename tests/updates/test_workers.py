"""Beat and worker, started by `manage.py up`, keep clusters up to date and follow jobs, whatever is killed or hangs."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from simulator import Simulator
from tests.up.running import ROOT, Installation, eventually

pytestmark = pytest.mark.standalone

VM1, VM2, VM3 = (f"vm{number}.example.org" for number in (1, 2, 3))


class Product:
    """A running installation, with its database to look into."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation

    def ask(self, statement: str, *values: str) -> list[tuple]:
        with closing(sqlite3.connect(self.installation.data / "gwm.sqlite3", timeout=120)) as database:
            return database.execute(statement, values).fetchall()

    def manage(self, *arguments: str) -> None:
        environment = {**self.installation.environment, "GWM_DATA_DIR": str(self.installation.data)}
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def add(self, slug: str, simulator: Simulator, folder: Path) -> None:
        password = folder / "password"
        password.write_text(simulator.password)
        where = ["--host", simulator.host, "--port", str(simulator.port), "--fingerprint", simulator.fingerprint]
        self.manage("add_cluster", slug, *where, "--user", simulator.username, "--password-file", str(password))

    def status(self, slug: str, name: str) -> str:
        found = self.ask(
            "select v.status from virtualmachines_virtualmachine v join clusters_cluster c on c.id = v.cluster_id "
            "where c.slug = ? and v.name = ? and v.missing_since is null",
            slug,
            name,
        )
        return found[0][0] if found else ""

    def outcome(self, name: str) -> str:
        found = self.ask("select outcome from objectlog_entry where target_name = ? order by id desc limit 1", name)
        return found[0][0]


def work_through_a_day(product: Product, simulator: Simulator, folder: Path) -> None:
    """A cluster is added, machines appear, an operation is followed to its end, and a change made elsewhere is seen."""
    product.add("alpha", simulator, folder)
    eventually(lambda: product.status("alpha", VM3) == "running", what="machines")
    product.manage("operate", "vm.shutdown", f"alpha/{VM1}", "--as", "admin")
    eventually(lambda: product.outcome(VM1) == "succeeded", what="the end of the job")
    assert product.status("alpha", VM1) == "ADMIN_down"
    simulator.outside.crash(VM2)
    eventually(lambda: product.status("alpha", VM2) == "ERROR_down", what="the crash")


@pytest.fixture
def simulator(make_simulator):
    return make_simulator(nodes=2, instances=3, speed=20)


@pytest.fixture
def start(tmp_path):
    started = []

    def make(**environment: str) -> Product:
        environment = {"GWM_SYNC_INTERVAL_S": "5", "GWM_RAPI_READ_TIMEOUT_S": "5", **environment}
        started.append(Installation(tmp_path / "data", "--no-demo", **environment).with_tables().start_ready())
        return Product(started[-1])

    yield make
    for installation in started:
        installation.end()


@pytest.mark.redis
@pytest.mark.feature("F074", "F284")
def test_over_redis(start, simulator, tmp_path, redis_url):
    work_through_a_day(start(REDIS_URL=redis_url), simulator, tmp_path)


@pytest.mark.feature("F074", "F080", "F233", "F286", "G004")
def test_over_the_queue_in_files_with_a_killed_worker_and_a_cluster_that_hangs(
    start, simulator, make_simulator, tmp_path
):
    product = start()
    work_through_a_day(product, simulator, tmp_path)
    hung = make_simulator(nodes=1, instances=1)
    product.add("hung", hung, tmp_path)
    hung.faults.add("hang")

    simulator.hold_jobs()
    known = set(simulator.queue.jobs)
    product.manage("operate", "vm.start", f"alpha/{VM1}", "--as", "admin")
    worker = product.installation.await_child(" worker ")
    os.kill(worker, signal.SIGKILL)
    simulator.release_jobs()
    eventually(lambda: product.outcome(VM1) == "succeeded", what="the end of the job")
    assert product.status("alpha", VM1) == "running"
    new = [job.summary for number, job in list(simulator.queue.jobs.items()) if number not in known]
    # What is installed is asked for now and then, and the list of it is one of Ganeti's jobs.
    assert [each for each in new if each != ["OS_DIAGNOSE"]] == [[f"INSTANCE_STARTUP({VM1})"]]

    simulator.outside.crash(VM3)
    eventually(lambda: product.status("alpha", VM3) == "ERROR_down", what="the crash")
    hung.faults.clear()
    eventually(lambda: product.status("hung", VM1) == "running", what="the other cluster")
