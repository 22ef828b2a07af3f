"""A worker of a batch that stands still, while another takes over, and one that makes two calls at the same time.

Real processes on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from simulator import Simulator
from tests.processes.commands import PATIENCE_S, Command, wait_for
from tests.races.commands import Product

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
while not (begun := sum(work_lane(name, calls={calls}) for name in claim_lanes())):
    time.sleep(0.2)
print("begun:", begun)
"""
RETRY = """
from operations.models import Batch
from operations.planning import retry_failed
print("again:", retry_failed(Batch.objects.get()))
"""


class Batches(Product):
    """A product whose batches are looked at from outside."""

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        if self.url:
            with psycopg.connect(self.url, autocommit=True) as connection:
                return connection.execute(statement.encode()).fetchall()
        with closing(sqlite3.connect(self.folder / "gwm.sqlite3", timeout=120)) as database:
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

    def worker(self, calls: int = 1) -> Command:
        return self.start("shell", "-v0", "-c", WORK.format(calls=calls))

    def carry_on(self) -> None:
        """What worker, follower and jobs do in the next minutes."""
        for _pass in range(2):
            self.manage("sync_clusters")
            self.simulator.run_jobs()
        self.manage("sync_clusters")


@pytest.fixture
def product(url_of_its_own: str, tmp_path: Path) -> Iterator[Batches]:
    with Simulator(nodes=1, instances=3) as simulator:
        yield Batches(tmp_path, url_of_its_own, simulator)
        simulator.faults.clear()


def test_who_stood_still_sends_nothing_after_another_took_over(product: Batches) -> None:
    """It is stopped after it wrote the entry and before it sends; the lease that it no longer renews runs out."""
    product.shell(PLAN)
    pause = product.simulator.faults.slow(PATIENCE_S, path="/2/query/instance", times=1)
    product.simulator.forget_requests()
    first = product.worker()
    wait_for(lambda: pause.hits, "it asks whether it is the same machine")
    until, holder = product.lease()
    wait_for(lambda: product.lease()[0] > until, "while it waits its lease is renewed")
    assert product.lease()[1] == holder and product.sent() == []
    first.send_signal(signal.SIGSTOP)
    try:
        assert "begun: 2" in product.worker().end()
        assert product.sent() == ["vm2.example.org", "vm3.example.org"]
        assert product.items() == ["running"] * 3, "what the first began is left to it"
        product.simulator.faults.remove(pause)
    finally:
        first.send_signal(signal.SIGCONT)
    end_of_first = first.end()
    assert "begun: 1" in end_of_first, end_of_first
    assert product.sent() == ["vm2.example.org", "vm3.example.org"], "it came too late to send anything"
    assert sorted(product.items()) == ["failed", "running", "running"]
    product.simulator.run_jobs()
    product.manage("sync_clusters")
    assert "again: 1" in product.shell(RETRY)
    product.carry_on()
    assert product.items() == ["done"] * 3
    assert product.sent() == ["vm1.example.org", "vm2.example.org", "vm3.example.org"]


def test_while_one_call_waits_for_its_answer_others_are_sent(product: Batches) -> None:
    product.shell(PLAN)
    pause = product.simulator.faults.slow(PATIENCE_S, path="/2/query/instance", times=1)
    product.simulator.forget_requests()
    worker = product.worker(calls=2)
    wait_for(lambda: len(product.sent()) == 2, "both others are sent")
    assert pause.hits == 1 and product.items().count("running") == 3
    product.simulator.faults.remove(pause)
    end = worker.end()
    assert "begun: 3" in end, end
    assert product.sent() == ["vm1.example.org", "vm2.example.org", "vm3.example.org"]
    product.carry_on()
    assert product.items() == ["done"] * 3 and len(product.sent()) == 3
