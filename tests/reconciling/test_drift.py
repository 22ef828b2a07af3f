"""What was changed past this program: noted once, forgotten when it is as it was, never what was done here."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from clusters.models import Cluster, Node
from objectlog.models import Outcome, Via
from objectlog.services import Target, advance, begin
from simulator import Simulator
from tests.lifecycle.conftest import Scene, finish, mine, scene
from tests.lifecycle.conftest import begin as do
from tests.updates.conftest import cluster, track, update
from virtualmachines.drifting import tell_drift_of
from virtualmachines.models import VirtualMachine

__all__ = ["cluster", "mine", "scene", "track"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.feature("G019")]
VM1 = "vm1.example.org"


def drift_of(name: str = VM1) -> dict[str, Any]:
    vm = VirtualMachine.objects.get(name=name)
    assert (vm.drift_since is None) == (not vm.drift)
    return vm.drift


def test_what_is_read_first_was_changed_by_nobody(simulator: Simulator, cluster: Cluster) -> None:
    assert not VirtualMachine.objects.filter(drift_since__isnull=False).exists()
    simulator.outside.add("new.example.org")
    update(cluster)
    assert drift_of("new.example.org") == {}


@pytest.mark.feature("G053")
def test_each_kind_of_change_is_noted_with_what_was_before(simulator: Simulator, cluster: Cluster) -> None:
    before = VirtualMachine.objects.get(name=VM1)
    other = next(name for name in simulator.cluster.nodes if name != str(before.primary_node))
    simulator.outside.modify(VM1, beparams={"maxmem": 4096, "vcpus": 7}, hvparams={"boot_order": "network"}, os="other")
    simulator.outside.migrate(VM1, other)
    update(cluster)
    simulator.outside.rename(VM1, "renamed.example.org")
    update(cluster)
    vm = VirtualMachine.objects.get(pk=before.pk)
    assert vm.drift["name"] == VM1 and vm.drift["primary_node"] == str(before.primary_node)
    assert vm.drift["memory_mib"] == before.memory_mib and vm.drift["vcpus"] == before.vcpus
    assert vm.drift["hvparams.boot_order"] is None and vm.drift["os"] == before.os
    told = {change.field: (change.before, change.after) for change in tell_drift_of(vm, sees_host=True)}
    assert told["name"] == (VM1, "renamed.example.org") and told["vcpus"] == (str(before.vcpus), "7")
    assert told["hvparams.boot_order"] == ("", "network") and told["primary_node"][1] == other


def test_what_is_as_it_was_is_noted_no_more(simulator: Simulator, cluster: Cluster) -> None:
    before = VirtualMachine.objects.get(name=VM1)
    simulator.outside.modify(VM1, beparams={"vcpus": 7})
    update(cluster)
    seen = VirtualMachine.objects.get(name=VM1).drift_since
    simulator.outside.modify(VM1, beparams={"vcpus": 8})
    update(cluster)
    assert drift_of() == {"vcpus": before.vcpus} and VirtualMachine.objects.get(name=VM1).drift_since == seen
    simulator.outside.modify(VM1, beparams={"vcpus": before.vcpus})
    update(cluster)
    assert drift_of() == {}


def test_what_is_done_here_is_no_drift_and_ends_it(mine: Scene) -> None:
    name = mine.vm.name
    VirtualMachine.objects.update(drift={}, drift_since=None)
    mine.simulator.outside.modify(name, tags=["web"])
    update(mine.cluster)
    assert drift_of(name) == {"tags": []}
    finish(mine, do(mine, "add-tags", tags="blue"))
    update(mine.cluster)
    assert drift_of(name) == {} and VirtualMachine.objects.get(name=name).tags == ["blue", "web"]


@pytest.mark.parametrize(
    ("outcome", "ended_s", "is_ours"),
    [
        (None, 0, True),
        (Outcome.SUCCEEDED, 5, True),
        (Outcome.FAILED, 5, True),
        (Outcome.SUCCEEDED, 300, False),
        (Outcome.DONE, 5, False),
        (Outcome.REFUSED, 5, False),
    ],
)
def test_ours_is_what_an_operation_under_way_may_have_done(
    simulator: Simulator, cluster: Cluster, outcome: str | None, ended_s: int, is_ours: bool
) -> None:
    vm = VirtualMachine.objects.get(name=VM1)
    about = Target("vm", vm.pk, vm.name, cluster.slug, cluster.pk, vm.uuid)
    told: dict[str, Any] = {"actor_id": None, "actor_name": "", "persona_name": "", "via": Via.WEB, "params": {}}
    entry = begin(**told, verb="vm.modify", target=about)
    if outcome is not None:
        advance(entry, outcome)
        type(entry).objects.filter(pk=entry.pk).update(finished_at=timezone.now() - timedelta(seconds=ended_s))
    simulator.outside.modify(VM1, beparams={"vcpus": 7})
    update(cluster)
    assert ("vcpus" not in drift_of()) == is_ours


def test_nodes_are_watched_too(simulator: Simulator, cluster: Cluster) -> None:
    node = Node.objects.filter(cluster=cluster).order_by("name")[0]
    Node.objects.filter(pk=node.pk).update(primary_ip="192.0.2.99", serial_no=0)
    update(cluster)
    assert Node.objects.get(pk=node.pk).drift == {"primary_ip": "192.0.2.99"}
