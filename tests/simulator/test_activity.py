"""What goes on in the demo by itself, for weeks; and opcodes that say no more than they must."""

from __future__ import annotations

import logging
import re
import threading
from typing import Any

import pytest

from simulator import Simulator
from simulator.demo import build_demo
from simulator.demo_activity import Activity
from simulator.errors import HttpError
from simulator.opcodes import OPCODES, checked

GIVEN: dict[str, Any] = {
    "instance_name": "vm1.example.org",
    "node_name": "node2.example.org",
    "group_name": "default",
    "network_name": "lan",
    "kind": "cluster",
    "new_name": "new.example.org",
    "network": "10.0.0.0/24",
    "network_mode": "bridged",
    "network_link": "br0",
    "target_node": "node2.example.org",
    "disk": 0,
    "amount": 1,
}


def least_of(kind: str) -> Any:
    """Some value of a type as the table of opcodes names it."""
    if kind.startswith("one of "):
        return kind.split()[2]
    if kind.startswith("list of str"):
        return ["a"]
    return {"dict": {}, "bool": True}.get(kind, [] if kind.startswith("list") else "x")


def least_parameters(opcode: str) -> dict[str, Any]:
    """Only what the opcode demands."""
    params: dict[str, Any] = {}
    while True:
        try:
            checked(opcode, params)
        except HttpError as refusal:
            [name] = re.findall(rf"OP_{opcode}\.(\w+)' fails", refusal.message)
            assert name not in params, f"no value for {opcode}.{name}"
            params[name] = GIVEN.get(name, least_of(OPCODES[opcode]["params"][name]["type"]))
        else:
            return params


@pytest.mark.parametrize("opcode", sorted(OPCODES))
def test_an_opcode_without_its_optional_parameters_comes_to_an_end(
    opcode: str, make_simulator: Any, caplog: pytest.LogCaptureFixture
) -> None:
    simulator: Simulator = make_simulator(nodes=3, instances=2)
    job = simulator.outside.submit(opcode, **least_parameters(opcode))
    simulator.run_jobs()
    assert job.status in ("success", "error")
    assert "error of the simulator" not in caplog.text


def test_a_mistake_in_an_executor_ends_its_job_alone(make_simulator: Any, caplog: pytest.LogCaptureFixture) -> None:
    simulator: Simulator = make_simulator(nodes=2, instances=2)
    broken = simulator.outside.submit("INSTANCE_REBOOT", instance_name="vm1.example.org", reboot_type="hard")
    del broken.ops[0]["reboot_type"]
    well = simulator.outside.submit("INSTANCE_REBOOT", instance_name="vm2.example.org", reboot_type="hard")
    simulator.run_jobs()
    assert (broken.status, well.status) == ("error", "success")
    assert "error of the simulator" in caplog.text


@pytest.mark.parametrize("seed", range(5))
def test_the_demo_goes_on_for_days(seed: int) -> None:
    cluster, _, _ = build_demo("demo.example.org", 15900)
    cluster.random.seed(seed)
    with Simulator(cluster) as simulator:
        activity = Activity(simulator)
        for _ in range(60):
            activity.act()
            simulator.run_jobs()
        opcodes = {job.ops[0]["OP_ID"] for job in simulator.queue.jobs.values()}
    assert opcodes >= {"OP_INSTANCE_REBOOT", "OP_INSTANCE_MIGRATE", "OP_CLUSTER_REDIST_CONF", "OP_INSTANCE_CREATE"}


class Counting(logging.Handler):
    """Lets a test wait for records."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = threading.Semaphore(0)

    def emit(self, record: logging.LogRecord) -> None:
        assert record.exc_info
        self.seen.release()


def test_what_it_throws_is_logged_and_it_goes_on(make_simulator: Any) -> None:
    simulator: Simulator = make_simulator(nodes=1, instances=1)
    simulator.cluster.instances["vm1.example.org"].tags = None  # type: ignore[assignment]
    activity, counting = Activity(simulator, first=0.0, least=0.0, most=0.01), Counting()
    logger = logging.getLogger("simulator")
    logger.addHandler(counting)
    activity.start()
    try:
        assert counting.seen.acquire(timeout=120)
        assert counting.seen.acquire(timeout=120), "it goes on"
    finally:
        activity.stop()
        logger.removeHandler(counting)
