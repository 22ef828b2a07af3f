"""Exports: what happens to the machine meanwhile, and afterwards."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clusters.models import Node
from objectlog.models import Entry, Outcome
from operations.contract import Forbidden, Invalid
from permissions.services import grant
from simulator import Simulator
from tests.moving.conftest import Prepare, do, reason_against, sent
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F205")]
NODE1, NODE2 = "node1.example.org", "node2.example.org"


@pytest.mark.parametrize(
    ("template", "given", "shutdown", "sleeps"),
    [
        ("plain", {}, True, False),
        ("plain", {"keep_running": "on"}, False, False),
        ("file", {}, True, True),
        ("rbd", {"timeout_s": "7"}, True, True),
    ],
)
def test_it_is_started_again_when_its_disks_can_be_left(
    prepare: Prepare, simulator: Simulator, template: str, given: dict[str, str], shutdown: bool, sleeps: bool
) -> None:
    scene = prepare(template)
    assert do(scene, "export", target_node=NODE2, **given).outcome == Outcome.SUCCEEDED
    opcode = sent(simulator)
    assert (opcode["target_node"], opcode["shutdown"], opcode["long_sleep"]) == (NODE2, shutdown, sleeps)
    assert opcode["shutdown_timeout"] == int(given.get("timeout_s", 120)) and not opcode["remove_instance"]
    assert scene.vm.is_running


@pytest.mark.alike
def test_without_snapshots_it_cannot_run_on(prepare: Prepare) -> None:
    with pytest.raises(Invalid, match="can't have snapshots") as refused:
        do(prepare("file"), "export", target_node=NODE2, keep_running="on")
    assert set(refused.value.errors) == {"keep_running"}


@pytest.mark.alike
@pytest.mark.parametrize("verb", ["export", "export-and-remove"])
@pytest.mark.parametrize(
    ("target", "change", "words"),
    [
        ("", {}, "Choose the node"),
        ("nowhere", {}, "no node called nowhere"),
        (NODE2, {"offline": True}, "set offline"),
        (NODE2, {"drained": True}, "drained"),
    ],
)
def test_a_node_that_cannot_keep_it(
    prepare: Prepare, verb: str, target: str, change: dict[str, Any], words: str
) -> None:
    scene = prepare("plain", rights=("admin",))
    Node.objects.filter(name=NODE2).update(**change)
    with pytest.raises(Invalid, match=words) as refused:
        do(scene, verb, target_node=target)
    assert set(refused.value.errors) == {"target_node"} and not Entry.objects.exists()


@pytest.mark.alike
def test_not_from_a_node_that_is_offline(prepare: Prepare) -> None:
    scene = prepare("plain")
    Node.objects.filter(name=NODE1).update(offline=True)
    assert "can't be read" in reason_against(scene, "export")


@pytest.mark.alike
def test_not_without_disks(prepare: Prepare) -> None:
    assert "no disks" in reason_against(prepare("diskless"), "export")


def test_removal_takes_the_right_to_remove_as_well(prepare: Prepare, simulator: Simulator, client: Client) -> None:
    scene = prepare("plain", rights=("export",))
    client.force_login(scene.alice.user)
    url = reverse("vm-do", args=["lab", scene.vm.name, "export-and-remove"])
    assert "needs remove" in reason_against(scene, "export-and-remove")
    assert client.get(url).status_code == 403
    with pytest.raises(Forbidden, match="needs remove"):
        do(scene, "export-and-remove", target_node=NODE2)
    grant(["remove"], scene.alice.user, scene.vm)
    assert reason_against(scene, "export-and-remove") == "" and client.get(url).status_code == 200
    assert client.post(url, {"target_node": NODE2, "typed_name": "another"}).status_code == 422
    assert scene.vm.name in simulator.cluster.instances
    assert do(scene, "export-and-remove", target_node=NODE2).outcome == Outcome.SUCCEEDED
    assert sent(simulator)["remove_instance"] and scene.vm.name not in simulator.cluster.instances
    assert VirtualMachine.objects.get(pk=scene.vm.pk).is_missing


@pytest.mark.alike
def test_the_page_says_for_how_long_it_is_away(prepare: Prepare, client: Client) -> None:
    scene = prepare("file")
    client.force_login(scene.alice.user)
    url = reverse("vm-do", args=["lab", scene.vm.name, "export"])
    assert "started again when its disks are copied" in client.get(url).content.decode()
    VirtualMachine.objects.filter(pk=scene.vm.pk).update(disk_template="drbd")
    assert "as soon as a snapshot" in client.get(url).content.decode()
