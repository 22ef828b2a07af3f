"""Machines of a real Ganeti are moved and exported: what the operations promise is what it does."""

from __future__ import annotations

from typing import Any

import pytest

from clusters.models import Cluster
from objectlog.models import Entry, Outcome, Via
from operations.contract import Actor, Ask
from operations.forms import params_from
from operations.pipeline import run
from operations.table import OPERATIONS
from tests.factories import make_admin
from tests.ganeti.cluster import GanetiCluster
from tests.ganeti.test_sync import machine, track
from tests.updates.conftest import update
from tools.lab.system import wait_until
from updates.follower import follow_cluster
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.ganeti, pytest.mark.django_db]


class Mover:
    """Somebody who may do everything, on a cluster that is followed."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.root = Actor(make_admin(), Via.WEB)

    def do(self, verb: str, name: str, *, dry_run: bool = False, **given: Any) -> Entry:
        """The operation, up to its end and the next update."""
        operation, vm = OPERATIONS[f"vm.{verb}"], machine(self.cluster, name)
        params = params_from(operation, self.root, vm, given)
        entry = run(operation, Ask(self.root, vm, params, dry_run=dry_run))

        def has_ended() -> bool:
            self.cluster.refresh_from_db()
            follow_cluster(self.cluster)
            entry.refresh_from_db()
            return not entry.is_open

        wait_until(has_ended, what=f"the end of {verb}", timeout_s=120.0)
        update(self.cluster)
        return entry

    def node_of(self, name: str) -> str:
        """Where we say that it is."""
        node = machine(self.cluster, name).primary_node
        return node.name if node else ""


@pytest.fixture
def mover(ganeti: GanetiCluster, db: None) -> Mover:
    return Mover(track(ganeti, "real"))


@pytest.mark.feature("F200", "F201", "F202", "F204")
def test_a_kvm_guest_there_and_back(ganeti: GanetiCluster, mover: Mover) -> None:
    first, second = ganeti.nodes[:2]
    name = ganeti.add_guest(node=first)
    update(mover.cluster)
    assert mover.do("migrate", name, dry_run=True, target_node=second).outcome == Outcome.SUCCEEDED
    assert ganeti.instance(name, "pnode") == [first]
    entry = mover.do("migrate", name, target_node=second, mode="live")
    assert (entry.outcome, ganeti.instance(name, "pnode", "status")) == (Outcome.SUCCEEDED, [second, "running"])
    assert mover.node_of(name) == second
    entry = mover.do("cleanup-migration", name, target_node=first)
    assert (entry.outcome, ganeti.instance(name, "pnode", "status")) == (Outcome.SUCCEEDED, [second, "running"])
    entry = mover.do("failover", name, timeout_s="1")
    assert (entry.outcome, ganeti.instance(name, "pnode", "status")) == (Outcome.SUCCEEDED, [first, "running"])
    assert mover.node_of(name) == first
    ganeti.remove(name)


@pytest.mark.feature("F204")
def test_a_stopped_machine_only_changes_its_node(ganeti: GanetiCluster, mover: Mover) -> None:
    first, second = ganeti.nodes[:2]
    name = ganeti.add_fake_instance(node=first, started=False)
    update(mover.cluster)
    assert mover.do("failover", name, target_node=second).outcome == Outcome.SUCCEEDED
    assert ganeti.instance(name, "pnode", "admin_state") == [second, "down"]
    ganeti.remove(name)


@pytest.mark.feature("F205")
def test_exported_and_then_exported_and_removed(ganeti: GanetiCluster, mover: Mover) -> None:
    first, second = ganeti.nodes[:2]
    name = ganeti.fresh_name("exported")
    disk = ["-t", "file", "--file-driver=loop", "--disk=0:size=16M", "-B", "memory=16M,vcpus=1", "-H", "fake"]
    ganeti.gnt("instance", "add", *disk, "-o", "noop", "-n", first, "--no-name-check", "--no-ip-check", name)
    update(mover.cluster)
    entry = mover.do("export", name, target_node=second, timeout_s="1")
    assert entry.outcome == Outcome.SUCCEEDED, entry.message
    assert (second, name) in exports(ganeti) and ganeti.instance(name, "status") == ["running"]
    entry = mover.do("export-and-remove", name, target_node=first, timeout_s="1")
    assert entry.outcome == Outcome.SUCCEEDED, entry.message
    kept = [node for node, kept in exports(ganeti) if kept == name]
    assert kept == [first], "the one on the other node is gone"
    assert name not in ganeti.instance_names()
    assert VirtualMachine.objects.get(name=name).is_missing
    ganeti.gnt("backup", "remove", name)


def exports(ganeti: GanetiCluster) -> list[tuple[str, str]]:
    """Node and name of each; other tests may have left theirs."""
    lines = ganeti.gnt("backup", "list", "--no-headers", "--separator=|").splitlines()
    return [(node, name) for node, name in (line.split("|", 1) for line in lines)]
