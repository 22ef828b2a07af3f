"""A machine that Alice may do everything to, as it was read."""

from typing import Any

import pytest

from clusters.models import Cluster
from objectlog.models import Entry
from operations.contract import Ask
from operations.forms import params_from
from operations.pipeline import run
from operations.table import OPERATIONS
from permissions.services import grant
from tests.operations.conftest import Scene, scene
from tests.updates.conftest import update
from updates.follower import follow_cluster
from virtualmachines.models import VirtualMachine

__all__ = ["Scene", "begin", "finish", "mine", "scene"]


@pytest.fixture
def mine(scene: Scene) -> Scene:
    """Alice holds `admin` on it."""
    update(scene.cluster)
    scene.vm.refresh_from_db()
    grant(["admin"], scene.alice.user, scene.vm)
    return scene


def begin(scene: Scene, verb: str, **given: Any) -> Entry:
    """What a caller asks for."""
    operation, vm = OPERATIONS[f"vm.{verb}"], VirtualMachine.objects.get(pk=scene.vm.pk)
    return run(operation, Ask(scene.alice, vm, params_from(operation, scene.alice, vm, given)))


def finish(scene: Scene, entry: Entry) -> Entry:
    """The jobs end, and are followed."""
    scene.simulator.run_jobs()
    follow_cluster(Cluster.objects.get())
    entry.refresh_from_db()
    return entry
