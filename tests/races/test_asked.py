"""Two who create a machine for one request at the same instant, on two clusters: one is made, the other is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from simulator import Simulator
from simulator.faults import Fault
from tests.processes.commands import PATIENCE_S, wait_for
from tests.races.commands import Product

pytestmark = [pytest.mark.standalone, pytest.mark.feature("G034")]

ASK = """
from permissions.models import User
from permissions.services import persona_of
from quotas.models import Request
persona_of(User.objects.get(username="root"))  # else one waits for the other to make it
bob = User.objects.create_user("bob")
size = {"memory_mib": 128, "disk_mib": 1024, "vcpus": 1}
print(Request.objects.create(kind="machine", persona=persona_of(bob), asked_by=bob, name="new.example.org", **size).pk)
"""
# Each waits for the word to go.
CREATE = """
import sys
from clusters.models import Cluster
from objectlog.models import Via
from operations.contract import Actor, Ask, Refusal
from operations.forms import params_from
from operations.pipeline import run
from operations.table import OPERATIONS
from permissions.models import User
actor, cluster, create = Actor(User.objects.get(username="root"), Via.WEB), Cluster.objects.get(slug={slug!r}), None
create = OPERATIONS["vm.create"]
spec = {{"name": {name!r}, "os": "debootstrap+default", "disks": [{{"size_mib": 1024}}]}}
params = params_from(create, actor, cluster, {{"spec": spec, "asked": {number!r}}})
print("ready", flush=True)
sys.stdin.readline()
try:
    print(run(create, Ask(actor, cluster, params)).outcome, flush=True)
except Refusal as refusal:
    print(refusal, flush=True)
"""
STATE = "from quotas.models import Request; asked = Request.objects.get(); print(asked.state, asked.machine)"


class Two(Product):
    """With a second cluster."""

    def __init__(self, folder: Path, url: str, first: Simulator, second: Simulator) -> None:
        super().__init__(folder, url, first)
        password = folder / "second"
        password.write_text(second.password)
        where = [f"--host={second.host}", f"--port={second.port}", f"--fingerprint={second.fingerprint}"]
        self.manage("add_cluster", "other", *where, f"--user={second.username}", f"--password-file={password}")
        self.sync()
        self.simulators = {"lab": first, "other": second}

    def create(self, number: str, name: str, *held: Fault) -> list[str]:
        """For this request, on both at once; what became of each. One has ended when the answers that are `held` come:
        what the other does is under way all the time."""
        processes = [
            self.start("shell", "-v0", "-c", CREATE.format(slug=slug, name=name, number=number))
            for slug in self.simulators
        ]
        for process in processes:
            assert process.stdout.readline().strip() == "ready"
        with ExitStack() as stack:
            if self.url:  # both have seen that nobody makes it, and come to write that they do
                database = stack.enter_context(psycopg.connect(self.url))
                database.execute("SELECT 1 FROM quotas_request FOR UPDATE")
            for process in processes:
                process.stdin.write("go\n")
                process.stdin.flush()
            if self.url:
                wait_for(lambda: self.waiting() == 2, "both wait for the request's row")
        if held:
            wait_for(lambda: any(process.poll() is not None for process in processes), "one has ended")
            for fault in held:
                fault.released.set()
        return sorted(process.end().strip().splitlines()[-1] for process in processes)

    def waiting(self) -> int:
        """How many processes wait for a lock."""
        told = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        with psycopg.connect(self.url, autocommit=True) as database:
            [(number,)] = database.execute(told).fetchall()
        return int(number)

    def made(self) -> int:
        """How many creations the clusters were asked for; they fail or succeed then."""
        sent = sum(each.count("POST", "/2/instances") for each in self.simulators.values())
        for each in self.simulators.values():
            each.run_jobs()
        self.sync()
        return sent


@pytest.fixture
def two(url_of_its_own: str, tmp_path: Path) -> Iterator[Two]:
    with Simulator(nodes=1) as first, Simulator(nodes=1) as second:
        yield Two(tmp_path, url_of_its_own, first, second)


def test_one_request_is_made_once_and_again_when_that_has_failed(two: Two) -> None:
    number = two.shell(ASK).strip()
    clusters = two.simulators.values()
    refused = [each.faults.refuse(400, "no", path="/2/instances", seconds=PATIENCE_S) for each in clusters]
    already = f"A machine is being created for request {number} already."
    assert two.create(number, "new.example.org", *refused) == [already, "refused"]
    assert two.made() == 1 and two.shell(STATE).split() == ["open"]
    for each, fault in zip(clusters, refused, strict=True):
        each.faults.remove(fault)
    assert two.create(number, "new.example.org") == [already, "submitted"]
    assert two.made() == 2
    state, _space, machine = two.shell(STATE).strip().partition(" ")
    assert state == "approved" and machine.endswith("/new.example.org")
