"""A machine of the simulator as it was read, and people who may change it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from clusters.models import Cluster
from objectlog.models import Entry, Via
from operations.contract import Actor, Ask, Invalid
from operations.forms import params_from
from operations.pipeline import run
from operations.table import OPERATIONS
from permissions.services import grant
from simulator import Simulator
from simulator.model import Instance
from tests.factories import make_admin
from tests.operations.conftest import Scene, scene
from tests.updates.conftest import update
from updates.follower import follow_cluster
from virtualmachines.models import VirtualMachine

__all__ = ["Desk", "desk", "scene"]


@dataclass
class Desk:
    """Alice may change vm1, and nothing else; root administers everything."""

    scene: Scene
    alice: Actor
    root: Actor

    @property
    def simulator(self) -> Simulator:
        """The cluster."""
        return self.scene.simulator

    @property
    def vm(self) -> VirtualMachine:
        """The row as it is now."""
        return VirtualMachine.objects.get(pk=self.scene.vm.pk)

    @property
    def there(self) -> Instance:
        """The machine at Ganeti's."""
        return self.simulator.cluster.instances[self.scene.vm.name]

    def do(self, verb: str, actor: Actor | None = None, **given: Any) -> Entry:
        """Begin it."""
        operation, actor = OPERATIONS[f"vm.{verb}"], actor or self.alice
        return run(operation, Ask(actor, self.vm, params_from(operation, actor, self.vm, given)))

    def faults(self, wanted: Mapping[str, Any]) -> Mapping[str, str]:
        """What is wrong with a change that Alice wants."""
        operation = OPERATIONS["vm.modify"]
        params = params_from(operation, self.alice, self.vm, {"wanted": wanted})
        try:
            operation.check(Ask(self.alice, self.vm, params))
        except Invalid as invalid:
            return invalid.errors
        return {}

    def edit(self, actor: Actor | None = None, *, wanted: Mapping[str, Any], **given: Any) -> Entry:
        """Change settings, and see it end."""
        return self.settle(self.do("modify", actor, wanted=wanted, **given))

    def settle(self, entry: Entry) -> Entry:
        """Let Ganeti work, and look."""
        self.read()
        entry.refresh_from_db()
        return entry

    def read(self) -> None:
        """Ganeti has worked, and is read."""
        self.simulator.run_jobs()
        follow_cluster(Cluster.objects.get())
        update(Cluster.objects.get())

    def stop(self) -> None:
        """The machine is stopped, and known to be."""
        self.simulator.outside.stop(self.scene.vm.name)
        self.read()


@pytest.fixture
def desk(scene: Scene) -> Desk:
    update(scene.cluster)
    grant(["modify"], scene.alice.user, scene.vm)
    return Desk(scene, scene.alice, Actor(make_admin(), Via.WEB))
