"""Killed or cut off at any point, an operation is neither lost nor sent twice.

Real processes, killed with SIGKILL; the points are held open from outside, by the simulated cluster (which hangs
before or after it has carried a request out) and by a lock on the database.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator import Simulator
from tests.operations.installation import Installation
from tests.processes.commands import PATIENCE_S

pytestmark = [pytest.mark.feature("G004"), pytest.mark.standalone]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Simulator(nodes=2, instances=12) as simulator:
        folder: Path = tmp_path_factory.mktemp("product")
        yield Installation(folder, simulator)


@pytest.fixture(autouse=True)
def without_faults(product: Installation) -> Iterator[None]:
    product.simulator.forget_requests()
    yield
    product.simulator.faults.clear()


def shutting_down(name: str) -> list[str]:
    return ["operate", "vm.shutdown", f"lab/{name}", "--as", "root"]


def changes(product: Installation) -> int:
    return sum(1 for method, _ in product.simulator.requests if method == "PUT" and "/query/" not in _)


def assert_lost_nothing_and_did_nothing(product: Installation, name: str) -> None:
    outcome, jobs, message = product.entry_of(name)
    assert (outcome, jobs) == ("not_submitted", [])
    assert message
    assert product.jobs_about(name) == []
    assert not product.is_busy(name)


def assert_done_once(product: Installation, name: str) -> None:
    outcome, jobs, _ = product.entry_of(name)
    [job] = product.jobs_about(name)
    assert (outcome, jobs) == ("succeeded", [job.id])
    assert not product.is_busy(name)
    [(status,)] = product.rows("SELECT status FROM virtualmachines_virtualmachine WHERE name = ?", name)
    assert status == "ADMIN_down"


def test_killed_before_the_first_transaction(product: Installation) -> None:
    product.kill_before_it_writes(*shutting_down("vm1.example.org"))
    assert product.rows("SELECT 1 FROM objectlog_entry WHERE target_name = 'vm1.example.org'") == []
    assert changes(product) == 0
    assert not product.is_busy("vm1.example.org")


def test_killed_before_sending(product: Installation) -> None:
    product.kill_before_it_sends(*shutting_down("vm2.example.org"))
    assert product.entry_of("vm2.example.org")[0] == "submitting"
    assert product.is_busy("vm2.example.org")
    product.find_out()
    assert_lost_nothing_and_did_nothing(product, "vm2.example.org")


def test_killed_after_sending_before_ganeti_took_it(product: Installation) -> None:
    product.simulator.faults.add("hang", method="PUT", path="/2/instances/.*")
    product.kill_while_it_waits(*shutting_down("vm3.example.org"), until=lambda: changes(product))
    product.find_out()
    assert_lost_nothing_and_did_nothing(product, "vm3.example.org")


def test_killed_before_the_answer(product: Installation) -> None:
    product.simulator.faults.add("hang_after", method="PUT", path="/2/instances/.*")
    product.kill_while_it_waits(*shutting_down("vm4.example.org"), until=lambda: product.jobs_about("vm4.example.org"))
    assert product.entry_of("vm4.example.org")[0] == "submitting"
    product.find_out()
    assert_done_once(product, "vm4.example.org")


@pytest.mark.feature("F295")
def test_killed_after_the_answer_before_it_was_written_down(product: Installation) -> None:
    product.kill_before_it_writes_the_answer_down(
        *shutting_down("vm5.example.org"),
        path="/2/instances/.*/shutdown",
        is_taken=lambda: product.jobs_about("vm5.example.org"),
    )
    assert product.entry_of("vm5.example.org")[0] == "submitting"
    product.find_out()
    assert_done_once(product, "vm5.example.org")


def test_killed_after_it_was_written_down(product: Installation) -> None:
    product.manage(*shutting_down("vm6.example.org"))
    assert product.entry_of("vm6.example.org")[0] == "submitted"
    product.find_out()
    assert_done_once(product, "vm6.example.org")


def test_connection_cut_before_the_answer(product: Installation) -> None:
    product.simulator.faults.add("drop_after", method="PUT", path="/2/instances/.*")
    assert "no answer" in product.start(*shutting_down("vm7.example.org")).end(code=1)
    assert product.entry_of("vm7.example.org")[0] == "unknown"
    assert product.is_busy("vm7.example.org")
    product.find_out()
    assert_done_once(product, "vm7.example.org")


def test_in_doubt_is_not_given_up_too_early(product: Installation) -> None:
    product.simulator.faults.add("drop", method="PUT", path="/2/instances/.*")
    product.start(*shutting_down("vm8.example.org")).end(code=1)
    product.simulator.faults.clear()
    for _ in range(3):
        product.sync()
    assert product.entry_of("vm8.example.org")[0] == "unknown"
    product.let_time_pass()
    product.sync()  # reads the job list twice: with the snapshot, and as the job follower
    assert_lost_nothing_and_did_nothing(product, "vm8.example.org")


def test_a_failed_reading_is_no_proof(product: Installation) -> None:
    product.simulator.faults.add("drop_after", method="PUT", path="/2/instances/.*")
    product.start(*shutting_down("vm9.example.org")).end(code=1)
    product.simulator.faults.clear()
    product.let_time_pass()
    product.simulator.faults.add("garbage", path="/2/query/job")
    product.simulator.faults.add("garbage", path="/2/jobs")
    for _ in range(3):
        product.start("sync_clusters").end(code=None)
    assert product.entry_of("vm9.example.org")[0] == "unknown"
    product.find_out()
    assert_done_once(product, "vm9.example.org")


def test_follower_killed_before_it_settled(product: Installation) -> None:
    product.manage(*shutting_down("vm10.example.org"))
    product.simulator.run_jobs()
    product.simulator.forget_requests()
    product.kill_before_it_writes("sync_clusters")
    product.simulator.faults.slow(PATIENCE_S)
    product.kill_while_it_waits("sync_clusters", until=lambda: product.simulator.requests)
    product.write("UPDATE clusters_schedule SET leased_until = NULL")  # the lease of the dead runs out by itself
    product.find_out()
    assert_done_once(product, "vm10.example.org")
