"""Replacing mirrored disks: which copy, of which disks, and where a new one goes."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clusters.models import Cluster, Node
from objectlog.models import Outcome
from operations.contract import Invalid
from simulator import Simulator
from tests.moving.conftest import Prepare, Scene, do, reason_against, sent, where
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F203")]
NODE1, NODE2, NODE3 = (f"node{number}.example.org" for number in (1, 2, 3))


@pytest.fixture
def mirrored(prepare: Prepare, simulator: Simulator) -> Scene:
    """On node1 and node2, of three."""
    simulator.outside.add_node(NODE3)
    return prepare("drbd")


@pytest.mark.parametrize(
    ("given", "expected", "second"),
    [
        ({}, {"mode": "replace_auto", "disks": []}, NODE2),
        ({"mode": "replace_on_primary", "disks": "0"}, {"mode": "replace_on_primary", "disks": [0]}, NODE2),
        ({"mode": "replace_on_secondary"}, {"mode": "replace_on_secondary", "disks": []}, NODE2),
        ({"mode": "replace_new_secondary", "target_node": NODE3}, {"remote_node": NODE3, "iallocator": None}, NODE3),
        ({"mode": "replace_new_secondary"}, {"remote_node": None, "iallocator": "hail"}, NODE3),
    ],
)
def test_what_is_sent(
    mirrored: Scene, simulator: Simulator, given: dict[str, str], expected: dict[str, Any], second: str
) -> None:
    assert do(mirrored, "replace-disks", **given).outcome == Outcome.SUCCEEDED
    opcode = sent(simulator)
    assert {name: opcode.get(name) or ([] if name == "disks" else None) for name in expected} == expected
    assert where(mirrored) == (NODE1, second)


@pytest.mark.alike
@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"mode": "replace_auto", "disks": "0"}, "disks", "Single disks"),
        ({"mode": "replace_new_secondary", "disks": "0"}, "disks", "Single disks"),
        ({"mode": "replace_on_primary", "disks": "7"}, "disks", "7"),
        ({"mode": "replace_on_primary", "target_node": NODE3}, "target_node", "for a new secondary node only"),
        ({"mode": "replace_new_secondary", "target_node": NODE1}, "target_node", "it is there now"),
        ({"mode": "replace_new_secondary", "target_node": NODE2}, "target_node", "it is there now"),
        ({"mode": "replace_new_secondary", "target_node": "nowhere"}, "target_node", "no node called"),
        ({"mode": "sideways"}, "mode", "sideways"),
    ],
)
def test_what_is_refused_before_it_is_sent(mirrored: Scene, given: dict[str, str], field: str, words: str) -> None:
    before = mirrored.submissions()
    with pytest.raises(Invalid, match=words) as refused:
        do(mirrored, "replace-disks", **given)
    assert set(refused.value.errors) == {field} and mirrored.submissions() == before


def test_a_secondary_node_that_is_offline_is_left_for_another(mirrored: Scene, simulator: Simulator) -> None:
    simulator.outside.modify_node(NODE2, offline=True)
    Node.objects.filter(name=NODE2).update(offline=True)
    with pytest.raises(Invalid, match="choose a new one"):
        do(mirrored, "replace-disks", mode="replace_on_secondary")
    assert do(mirrored, "replace-disks", mode="replace_new_secondary", target_node=NODE3).outcome == Outcome.SUCCEEDED


@pytest.mark.alike
def test_without_an_allocator_a_node_must_be_chosen(mirrored: Scene) -> None:
    Cluster.objects.update(info={})
    with pytest.raises(Invalid, match="no allocator"):
        do(mirrored, "replace-disks", mode="replace_new_secondary")


@pytest.mark.alike
@pytest.mark.parametrize(
    ("change", "words"),
    [({"disk_template": "plain"}, "its are plain"), ({"secondary_node": None}, "no secondary node")],
)
def test_where_it_is_offered(mirrored: Scene, change: dict[str, Any], words: str) -> None:
    assert reason_against(mirrored, "replace-disks") == ""
    VirtualMachine.objects.filter(pk=mirrored.vm.pk).update(**change)
    assert words in reason_against(mirrored, "replace-disks")


@pytest.mark.alike
def test_not_while_its_node_is_offline(mirrored: Scene) -> None:
    Node.objects.filter(name=NODE1).update(offline=True)
    assert "fail it over first" in reason_against(mirrored, "replace-disks")


@pytest.mark.alike
def test_the_page_names_nodes_disks_and_what_stays_free(mirrored: Scene, client: Client) -> None:
    client.force_login(mirrored.alice.user)
    page = client.get(reverse("vm-do", args=["lab", mirrored.vm.name, "replace-disks"])).content.decode()
    assert f"The copy on {NODE1}, from that on {NODE2}" in page and "Disk 0, 1.0\u00a0GiB" in page
    assert f"{NODE3}: " in page and "stay free" in page
    assert f'<option value="{NODE1}" disabled>' in page
