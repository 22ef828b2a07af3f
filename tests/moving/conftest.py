"""A machine whose disks can be somewhere else, and Alice, who may move it."""

from collections.abc import Callable

import pytest

from clusters.models import Cluster
from permissions.services import grant
from simulator import Simulator
from tests.operations.conftest import Scene, scene
from tests.updates.conftest import update

__all__ = ["Prepare", "prepare", "scene"]
Prepare = Callable[..., Scene]


@pytest.fixture
def prepare(scene: Scene, simulator: Simulator) -> Prepare:
    """Give the machine a disk template, and have it read: `prepare("drbd")`, with node2 as its secondary node."""

    def make(template: str, *, rights: tuple[str, ...] = ("migrate", "replace_disks", "export")) -> Scene:
        machine = simulator.cluster.instances[scene.vm.name]
        machine.disk_template = template
        machine.secondary = "node2.example.org" if template == "drbd" else None
        update(scene.cluster)
        scene.vm.refresh_from_db()
        grant(rights, scene.alice.user, Cluster.objects.get())
        return scene

    return make
