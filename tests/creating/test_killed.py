"""Whoever creates is killed, or cut off, at any step: there is one machine or none, one row, and the row says which."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator import Simulator
from tests.operations.installation import Installation
from tests.processes.commands import PATIENCE_S

pytestmark = [pytest.mark.feature("F181", "G004"), pytest.mark.standalone]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Simulator(nodes=2, instances=1) as simulator:
        folder: Path = tmp_path_factory.mktemp("product")
        yield Installation(folder, simulator)


@pytest.fixture(autouse=True)
def without_faults(product: Installation) -> Iterator[None]:
    product.simulator.forget_requests()
    yield
    product.simulator.faults.clear()


def creating(name: str) -> list[str]:
    spec = {"name": name, "os": "debootstrap+default", "disks": [{"size_mib": 1024}]}
    return ["operate", "vm.create", "lab", "--as=root", f"--set=spec={json.dumps(spec)}"]


def jobs(product: Installation, name: str) -> int:
    return sum(op.get("instance_name") == name for job in product.simulator.queue.jobs.values() for op in job.ops)


def has_arrived(product: Installation) -> bool:
    return any(method == "POST" and path.startswith("/2/instances") for method, path in product.simulator.requests)


def row(product: Installation, name: str) -> tuple[str, bool, bool]:
    """Its only row: uuid, whether it is missing (or was never made), whether it is busy."""
    found = product.rows(
        "SELECT uuid, missing_since IS NOT NULL, busy_entry IS NOT NULL"
        " FROM virtualmachines_virtualmachine WHERE name = ?",
        name,
    )
    assert len(found) == 1, found
    return found[0]


def assert_none(product: Installation, name: str) -> None:
    assert product.entry_of(name)[0] == "not_submitted" and product.entry_of(name)[2]
    assert row(product, name) == ("", True, False)
    assert jobs(product, name) == 0 and name not in product.simulator.cluster.instances


def assert_one(product: Installation, name: str) -> None:
    assert product.entry_of(name)[0] == "succeeded"
    assert row(product, name) == (product.simulator.cluster.instances[name].uuid, False, False)
    assert jobs(product, name) == 1


def test_before_the_first_transaction(product: Installation) -> None:
    product.kill_before_it_writes(*creating("a.example.org"))
    assert product.rows("SELECT 1 FROM virtualmachines_virtualmachine WHERE name = 'a.example.org'") == []
    assert not has_arrived(product)


def test_before_sending(product: Installation) -> None:
    product.kill_before_it_sends(*creating("b.example.org"))
    assert row(product, "b.example.org") == ("", False, True), "it is being created, for all that is known"
    product.find_out()
    assert_none(product, "b.example.org")


@pytest.mark.parametrize("fault", ["hang", "drop"])
def test_before_ganeti_took_it(product: Installation, fault: str) -> None:
    name = f"{fault}.example.org"
    product.simulator.faults.add(fault, method="POST", path="/2/instances")
    if fault == "hang":
        product.kill_while_it_waits(*creating(name), until=lambda: has_arrived(product))
    else:
        assert "no answer" in product.start(*creating(name)).end(code=1)
    product.find_out()
    assert_none(product, name)


@pytest.mark.parametrize("fault", ["hang_after", "drop_after"])
def test_before_the_answer(product: Installation, fault: str) -> None:
    name = f"{fault.replace('_', '-')}.example.org"
    product.simulator.faults.add(fault, method="POST", path="/2/instances")
    if fault == "hang_after":
        product.kill_while_it_waits(*creating(name), until=lambda: jobs(product, name))
    else:
        assert "no answer" in product.start(*creating(name)).end(code=1)
    product.find_out()
    assert_one(product, name)


def test_after_the_answer_before_it_was_written_down(product: Installation) -> None:
    product.kill_before_it_writes_the_answer_down(
        *creating("c.example.org"),
        method="POST",
        path="/2/instances",
        is_taken=lambda: jobs(product, "c.example.org"),
    )
    product.find_out()
    assert_one(product, "c.example.org")


def test_a_machine_that_was_made_before_anybody_looked_for_the_job(product: Installation) -> None:
    """Killed before the answer, and all of the job is over when the first update comes by."""
    product.simulator.faults.add("hang_after", method="POST", path="/2/instances")
    product.kill_while_it_waits(*creating("d.example.org"), until=lambda: jobs(product, "d.example.org"))
    product.simulator.faults.clear()
    product.simulator.run_jobs()
    product.sync()
    product.sync()
    assert_one(product, "d.example.org")


def test_a_follower_killed_before_it_settled(product: Installation) -> None:
    assert "job" in product.manage(*creating("e.example.org"))
    product.simulator.run_jobs()
    product.simulator.faults.slow(PATIENCE_S)
    product.simulator.forget_requests()
    product.kill_while_it_waits("sync_clusters", until=lambda: product.simulator.requests)
    product.write("UPDATE clusters_schedule SET leased_until = NULL")  # the lease of the dead runs out by itself
    product.find_out()
    assert_one(product, "e.example.org")


def test_given_up_and_tried_again_there_is_one(product: Installation) -> None:
    assert_none(product, "b.example.org")
    product.manage(*creating("b.example.org"))
    product.find_out()
    assert_one(product, "b.example.org")
