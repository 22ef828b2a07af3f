"""A simulated cluster, its row, and the rows of its machines."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from clusters.models import Cluster
from objectlog.models import Entry, Via
from operations.contract import Actor, Ask, Submission
from permissions.services import grant
from rapi.trust import normalize_fingerprint
from simulator import Simulator
from tests.factories import make_cluster, make_user, make_vm
from tests.updates.conftest import update
from updates.follower import follow_cluster
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.power import Shutdown, ShutdownParams

# Operations that need disks on two nodes.
MOVES = ("vm.migrate", "vm.failover", "vm.cleanup-migration", "vm.replace-disks")

CDS = ("vm.insert-cd", "vm.eject-cd")


@dataclass
class Scene:
    """Alice may power vm1, which runs."""

    simulator: Simulator
    cluster: Cluster
    vm: VirtualMachine
    alice: Actor

    def submissions(self) -> int:
        """How many requests could have started a job."""
        return sum(method != "GET" and "/query/" not in path for method, path in self.simulator.requests)

    def put_cd_in(self) -> None:
        """Its cluster lists a CD, and it is in the drive."""
        Cluster.objects.update(cd_images=[{"name": "Debian", "path": "/srv/debian.iso"}])
        self.simulator.outside.modify(self.vm.name, hvparams={"cdrom_image_path": "/srv/debian.iso"})
        update(Cluster.objects.get())

    def start(self) -> None:
        """It runs again."""
        self.simulator.outside.start(self.vm.name)
        update(self.cluster)

    def tag(self) -> None:
        """It has a tag, "old"."""
        self.simulator.outside.modify(self.vm.name, tags=["old"])
        update(self.cluster)

    def set_offline(self) -> None:
        """It is stopped, and holds no memory."""
        self.simulator.outside.stop(self.vm.name)
        self.simulator.outside.modify(self.vm.name, admin_state="offline")
        update(self.cluster)

    def mirror_disks(self) -> None:
        """Its disks are on node2, too."""
        self.simulator.outside.modify(self.vm.name, disk_template="drbd", secondary="node2.example.org")
        update(self.cluster)


class Watched(Shutdown):
    """Before Ganeti's answer is here its job has ended, and the follower has seen that."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    def send(self, ask: Ask[VirtualMachine, ShutdownParams], entry: Entry, fence: Callable[[], None]) -> Submission:
        submission = super().send(ask, entry, fence)
        self.simulator.run_jobs()
        follow_cluster(ask.target.cluster)
        return submission


@pytest.fixture
def scene(db: None, simulator: Simulator) -> Scene:
    cluster = make_cluster(
        "lab",
        host=simulator.host,
        port=simulator.port,
        username=simulator.username,
        password=simulator.password,
        tls_fingerprint=normalize_fingerprint(simulator.fingerprint),
        uuid="",
    )
    vm = make_vm(cluster, "vm1.example.org", uuid=simulator.cluster.instances["vm1.example.org"].uuid)
    user = make_user("alice")
    grant(["power"], user, vm)
    return Scene(simulator, cluster, vm, Actor(user, Via.WEB))
