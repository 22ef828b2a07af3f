"""Migration, clean-up and failover: where they are offered, what is sent, and what becomes of the machine."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clusters.models import Cluster, Node
from objectlog.models import Entry, Event, Outcome
from objectlog.reading import read_event
from operations.contract import Invalid
from operations.offers import find_obstacle
from operations.table import OPERATIONS
from simulator import Simulator
from tests.fixtures.databases import few_on_both, some_in_fast
from tests.moving.conftest import Prepare, do, reason_against, sent, where
from tests.updates.conftest import update
from virtualmachines.models import VirtualMachine

pytestmark = pytest.mark.django_db
NODE1, NODE2 = "node1.example.org", "node2.example.org"


@pytest.mark.feature("F200")
def test_a_mirrored_machine_migrates_to_its_secondary_node(prepare: Prepare, simulator: Simulator) -> None:
    scene = prepare("drbd")
    entry = do(scene, "migrate", mode="live")
    assert (entry.outcome, where(scene)) == (Outcome.SUCCEEDED, (NODE2, NODE1))
    assert sent(simulator)["mode"] == "live" and not sent(simulator).get("target_node")
    told = read_event(Event.objects.filter(entry_uuid=entry.uuid).latest("pk")).sentence
    assert "node1.example.org → node2.example.org" in told


@pytest.mark.alike
@pytest.mark.feature("F200")
@pytest.mark.parametrize(("given", "target"), [({"target_node": NODE2}, NODE2), ({}, None)])
def test_a_machine_on_shared_storage_migrates_where_one_says_or_the_allocator(
    prepare: Prepare, simulator: Simulator, given: dict[str, str], target: str | None
) -> None:
    scene = prepare("rbd")
    assert do(scene, "migrate", **given).outcome == Outcome.SUCCEEDED
    assert where(scene) == (NODE2, None)
    assert sent(simulator).get("target_node") == target


@pytest.mark.alike
@pytest.mark.feature("F202")
@pytest.mark.parametrize(
    ("template", "change", "words"),
    [
        ("plain", {}, "gnt-instance move"),
        ("file", {}, "gnt-instance move"),
        ("drbd", {"status": "ADMIN_down", "admin_state": "down"}, "Fail it over instead"),
        ("drbd", {"hypervisor": "lxc"}, "can't move running machines"),
        ("drbd", {"secondary_node": None}, "no secondary node"),
    ],
)
def test_migration_is_offered_where_it_can_work(
    prepare: Prepare, template: str, change: dict[str, Any], words: str
) -> None:
    scene = prepare(template)
    VirtualMachine.objects.filter(pk=scene.vm.pk).update(**change)
    assert words in reason_against(scene, "migrate")
    assert ("" if template == "drbd" and "secondary_node" not in change else words) in reason_against(scene, "failover")


@pytest.mark.alike
@pytest.mark.feature("F202")
@pytest.mark.parametrize(
    ("node", "change", "words", "failover"),
    [
        (NODE2, {"offline": True}, "secondary node node2.example.org is set offline", "is set offline"),
        (NODE2, {"drained": True}, "is drained", "is drained"),
        (NODE1, {"offline": True}, "fail it over instead", ""),
    ],
)
def test_nodes_that_are_away_are_named(
    prepare: Prepare, node: str, change: dict[str, Any], words: str, failover: str
) -> None:
    scene = prepare("drbd")
    Node.objects.filter(name=node).update(**change)
    assert words in reason_against(scene, "migrate")
    assert (failover in reason_against(scene, "failover")) and bool(failover) == bool(reason_against(scene, "failover"))


@pytest.mark.alike
@pytest.mark.feature("F200")
@pytest.mark.parametrize(
    ("template", "target", "words"),
    [
        ("drbd", "node3.example.org", "it can go there only"),
        ("rbd", NODE1, "it is there now"),
        ("rbd", "nowhere.example.org", "no node called nowhere"),
    ],
)
def test_a_node_that_cannot_be_is_refused_before_anything_is_sent(
    prepare: Prepare, template: str, target: str, words: str
) -> None:
    scene = prepare(template)
    before = scene.submissions()
    for verb in ("migrate", "failover"):
        with pytest.raises(Invalid, match=words) as refused:
            do(scene, verb, target_node=target)
        assert set(refused.value.errors) == {"target_node"}
    assert scene.submissions() == before and not Entry.objects.exists()


@pytest.mark.alike
@pytest.mark.feature("F200", "F204")
@pytest.mark.parametrize("verb", ["migrate", "failover"])
def test_without_an_allocator_a_node_must_be_chosen(prepare: Prepare, verb: str, client: Client) -> None:
    scene = prepare("rbd")
    Cluster.objects.update(info={})
    with pytest.raises(Invalid, match="no allocator"):
        do(scene, verb)
    client.force_login(scene.alice.user)
    page = client.get(reverse("vm-do", args=["lab", scene.vm.name, verb])).content.decode()
    assert "Automatic" not in page and f'<option value="{NODE2}" selected>' in page


@pytest.mark.alike
@pytest.mark.feature("F204")
@pytest.mark.parametrize("template", ["drbd", "rbd"])
def test_failover_takes_a_machine_from_a_node_that_is_gone(
    prepare: Prepare, simulator: Simulator, template: str
) -> None:
    scene = prepare(template)
    simulator.outside.modify_node(NODE1, offline=True)
    update(scene.cluster)
    entry = do(scene, "failover", ignore_consistency="on", timeout_s="7")
    assert (entry.outcome, where(scene)[0]) == (Outcome.SUCCEEDED, NODE2)
    assert (sent(simulator)["ignore_consistency"], sent(simulator)["shutdown_timeout"]) == (True, 7)


@pytest.mark.alike
@pytest.mark.feature("F201")
@pytest.mark.parametrize(("template", "given"), [("drbd", {}), ("rbd", {"target_node": NODE2})])
def test_cleaning_up_finds_where_it_runs(
    prepare: Prepare, simulator: Simulator, template: str, given: dict[str, str]
) -> None:
    """The migration broke off after the guest had gone: Ganeti's configuration names the old node still."""
    scene = prepare(template)
    simulator.cluster.instances[scene.vm.name].runs_on = NODE2
    entry = do(scene, "cleanup-migration", **given)
    assert (entry.outcome, where(scene)[0]) == (Outcome.SUCCEEDED, NODE2)
    assert sent(simulator)["cleanup"] is True


@pytest.mark.alike
@pytest.mark.feature("F201")
def test_cleaning_up_with_shared_storage_needs_the_node(prepare: Prepare) -> None:
    with pytest.raises(Invalid, match="Choose the node that it was"):
        do(prepare("rbd"), "cleanup-migration")


@pytest.mark.alike
@pytest.mark.feature("F200")
def test_the_page_says_where_it_will_be_and_what_stays_free(prepare: Prepare, client: Client) -> None:
    scene = prepare("drbd")
    client.force_login(scene.alice.user)
    for verb in ("migrate", "failover"):
        page = client.get(reverse("vm-do", args=["lab", scene.vm.name, verb])).content.decode()
        assert "It will be on node2.example.org" in page and "stay free" in page
    Node.objects.filter(name=NODE2).update(memory_free_mib=1)
    page = client.get(reverse("vm-do", args=["lab", scene.vm.name, "migrate"])).content.decode()
    assert "It would be on node2.example.org" in page and "of memory too little" in page


@pytest.mark.feature("F200", "F203", "F204")
@pytest.mark.parametrize("verb", some_in_fast(few_on_both(["migrate", "failover", "replace-disks"], "migrate"), 2))
@pytest.mark.parametrize("fault", ["drop", "drop_after"])
def test_a_line_that_is_cut_moves_it_once_or_not_at_all(
    prepare: Prepare, simulator: Simulator, verb: str, fault: str
) -> None:
    """And what became of it is found out, not guessed."""
    scene = prepare("drbd")
    simulator.faults.add(fault, path=f"/2/instances/.*/{verb}", times=1)
    entry = do(scene, verb, **({"mode": "replace_on_secondary"} if verb == "replace-disks" else {}))
    assert len(simulator.queue.jobs) == (fault == "drop_after")
    if fault == "drop_after":
        assert entry.outcome == Outcome.SUCCEEDED
        assert where(scene) == ((NODE1, NODE2) if verb == "replace-disks" else (NODE2, NODE1))
    else:
        assert entry.outcome in (Outcome.REFUSED, Outcome.UNKNOWN) and where(scene) == (NODE1, NODE2)


def test_whose_node_did_not_answer_is_not_taken_for_stopped(prepare: Prepare) -> None:
    """It waits with a migration, without leaving out the machine; to fail it over is for just that case."""
    scene = prepare("drbd")
    scene.vm.status = "ERROR_nodedown"
    assert find_obstacle(OPERATIONS["vm.migrate"], scene.vm) == "Its primary node did not answer."
    assert OPERATIONS["vm.migrate"].obstacle(scene.vm) is None
    assert find_obstacle(OPERATIONS["vm.failover"], scene.vm) is None
