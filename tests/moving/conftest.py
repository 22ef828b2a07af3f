"""A machine whose disks can be somewhere else, and Alice, who may move it."""

from collections.abc import Callable
from typing import Any

import pytest

from clusters.models import Cluster
from objectlog.models import Entry
from operations.contract import Ask
from operations.forms import params_from
from operations.offers import list_offers
from operations.pipeline import run
from operations.table import OPERATIONS
from permissions.policy import verbs_on
from permissions.services import grant
from simulator import Simulator
from tests.operations.conftest import Scene, scene
from tests.updates.conftest import update
from updates.follower import follow_cluster
from virtualmachines.models import VirtualMachine
from virtualmachines.selectors import get_vm

__all__ = ["Prepare", "Scene", "do", "prepare", "reason_against", "scene", "sent", "where"]
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


def do(scene: Scene, verb: str, **given: Any) -> Entry:
    """What a caller asks for, up to the end of its job and the next update."""
    operation, vm = OPERATIONS[f"vm.{verb}"], VirtualMachine.objects.get(name=scene.vm.name)
    entry = run(operation, Ask(scene.alice, vm, params_from(operation, scene.alice, vm, given)))
    scene.simulator.run_jobs()
    follow_cluster(Cluster.objects.get())
    update(Cluster.objects.get())
    entry.refresh_from_db()
    scene.vm.refresh_from_db()
    return entry


def reason_against(scene: Scene, verb: str) -> str:
    """What the button says."""
    vm = get_vm(scene.alice.user, "lab", scene.vm.name)
    return list_offers(vm, [OPERATIONS[f"vm.{verb}"]], verbs_on(scene.alice.user, vm))[0].reason


def sent(simulator: Simulator) -> dict[str, Any]:
    """The opcode of the last job."""
    return dict(simulator.queue.jobs[max(simulator.queue.jobs)].ops[0])


def where(scene: Scene) -> tuple[str | None, str | None]:
    first, second = scene.vm.primary_node, scene.vm.secondary_node
    return first.name if first else None, second.name if second else None
