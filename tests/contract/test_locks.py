"""Two jobs that want the same machine: who waits, what the lock list says, and cancelling the one that waits."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.contract.backends import Backend, RealBackend, SimulatedBackend
from tools.lab.system import growing_pauses

pytestmark = pytest.mark.feature("F299")


@pytest.fixture
def holder(backend: Backend, machine: str) -> Iterator[int]:
    """A job that holds the machine's lock for some seconds."""
    if isinstance(backend, SimulatedBackend):
        simulator = backend.simulator
        simulator.hold_jobs()
        number = backend.submit("POST", f"/2/instances/{machine}/reboot", {})
        simulator.advance(2)
        yield number
        simulator.release_jobs()
    else:
        assert isinstance(backend, RealBackend)
        # with nothing to boot it does not hear that it shall stop: the job is busy until its time-out
        guest = backend.create(hypervisor="kvm", beparams={"memory": 64})
        number = backend.submit("PUT", f"/2/instances/{guest}/shutdown", {"timeout": 12})
        yield number
        backend.wait(number)


def reach(backend: Backend, number: int, status: str) -> None:
    end = time.monotonic() + 20
    pauses = growing_pauses()
    while backend.job(number)["status"] != status:
        assert time.monotonic() < end, backend.job(number)
        if isinstance(backend, SimulatedBackend):
            backend.simulator.advance()
        time.sleep(next(pauses))


def test_waiting_for_a_lock(backend: Backend, holder: int) -> None:
    if isinstance(backend, RealBackend):
        reach(backend, holder, "running")
    name = backend.job(holder)["ops"][0]["instance_name"]
    waiter = backend.submit("PUT", f"/2/instances/{name}/startup")
    if isinstance(backend, SimulatedBackend):
        queue = backend.simulator.queue
        with backend.simulator.cluster.lock:
            queue.advance(queue.jobs[waiter])
            queue.advance(queue.jobs[waiter])
    else:
        reach(backend, waiter, "waiting")
        time.sleep(1)  # it says so before it has asked for the lock
    assert backend.job(holder)["status"] == "running"
    job = backend.job(waiter)
    assert (job["status"], job["opstatus"], job["end_ts"]) == ("waiting", ["waiting"], None)
    assert job["start_ts"] is not None
    rows = {
        row[0][1]: [cell[1] for cell in row[1:]] for row in backend.query("lock", ["name", "mode", "owner", "pending"])
    }
    mode, owner, pending = rows[f"instance/{name}"]
    assert (mode, owner) == ("exclusive", [json.dumps(holder)])
    assert pending == [["exclusive", [json.dumps(waiter)]]]
    assert rows["cluster/BGL"][:2] == ["shared", [json.dumps(holder), json.dumps(waiter)]]
    assert backend.ask("DELETE", f"/2/jobs/{waiter}").json() == [True, "Job successfully cancelled"]
    job = backend.wait(waiter)
    assert (job["status"], job["opstatus"]) == ("canceled", ["canceled"])
    answer = backend.ask("DELETE", f"/2/jobs/{holder}").json()
    assert answer == [False, "Job no longer waiting, can't cancel (informed it anyway)"]
