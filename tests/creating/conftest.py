"""A simulated cluster that has been read, and Alice, who may create machines on it."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from clusters.models import Cluster, Schedule
from objectlog.models import Entry, Via
from operations.contract import Actor, Ask
from operations.pipeline import run
from permissions.services import grant
from simulator import Simulator
from tests.factories import make_cluster, make_user
from tests.updates.conftest import update
from updates.follower import follow_cluster
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.creating import Create, CreateParams
from virtualmachines.spec import DiskSpec, NicSpec, VMSpec

NEW = "new1.example.org"
SPEC = VMSpec(NEW, os="debootstrap+default", disks=(DiskSpec(10240),), nics=(NicSpec(),))


@dataclass
class Maker:
    """Creates, lets Ganeti go on, and looks."""

    simulator: Simulator
    cluster: Cluster
    alice: Actor

    def ask(self, spec: VMSpec = SPEC, *, dry_run: bool = False, **params: Any) -> Ask[Cluster, CreateParams]:
        """What Alice asks for."""
        self.cluster.refresh_from_db()
        return Ask(self.alice, self.cluster, CreateParams(spec, **params), dry_run=dry_run)

    def create(self, spec: VMSpec = SPEC, **options: Any) -> Entry:
        """Through the pipeline."""
        return run(Create(), self.ask(spec, **options))

    def with_(self, **changes: Any) -> VMSpec:
        """A machine that would do, but for this."""
        return replace(SPEC, **changes)

    def look(self) -> None:
        """The job follower passes by, and does not rest from a pass before that a busy machine made long."""
        Schedule.objects.update(follow_leased_until=None)
        self.cluster.refresh_from_db()
        assert follow_cluster(self.cluster).outcome == "updated"

    def finish(self) -> None:
        """All jobs come to their ends, and are seen to have."""
        self.simulator.run_jobs()
        self.look()

    def update(self) -> None:
        """A whole update."""
        assert update(self.cluster).outcome == "updated"

    def rows(self, name: str = NEW) -> list[VirtualMachine]:
        """All rows of this name."""
        return list(VirtualMachine.objects.filter(name=name))


@pytest.fixture
def maker(db: None, simulator: Simulator) -> Maker:
    cluster = make_cluster(
        "lab",
        host=simulator.host,
        port=simulator.port,
        username=simulator.username,
        password=simulator.password,
        tls_fingerprint=simulator.fingerprint,
        uuid="",
    )
    update(cluster)
    user = make_user("alice")
    grant(["create_vm"], user, cluster)
    simulator.forget_requests()
    return Maker(simulator, cluster, Actor(user, Via.WEB))
