"""What was confirmed of a machine is done to it as it was: elsewhere by now, or with other disks, it is refused."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from objectlog.models import Entry, Outcome, Via
from operations.batches import next_items
from operations.contract import Actor, Ask, Invalid
from operations.forms import form_for, params_from
from operations.lanes import work_lane
from operations.models import Batch
from operations.pipeline import run
from operations.planning import begin_batch, plan
from operations.retrying import retry
from operations.table import OPERATIONS
from permissions.models import User
from permissions.services import grant, persona_of
from simulator import Simulator
from simulator.model import Disk
from tests.factories import make_admin, make_user
from tests.moving.conftest import Prepare, Scene, do, sent, where
from tests.updates.conftest import update
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F200", "F203", "F204")]
NODE1, NODE2, NODE3 = (f"node{number}.example.org" for number in (1, 2, 3))
MOVED = "It was on node1.example.org (secondary node node2.example.org) when this was asked for, and is on "


@pytest.fixture
def mirrored(prepare: Prepare, simulator: Simulator) -> Scene:
    """On node1, mirrored to node2; there is a node3. Alice may do all of it."""
    simulator.outside.add_node(NODE3)
    scene = prepare("drbd")
    grant(["admin"], scene.alice.user, scene.vm)
    return scene


def swap(scene: Scene, *, is_read: bool = True) -> None:
    """Somebody else has moved it to its secondary node."""
    machine = scene.simulator.cluster.instances[scene.vm.name]
    machine.primary, machine.secondary, machine.runs_on = NODE2, NODE1, NODE2
    scene.simulator.cluster.bump(machine)
    if is_read:
        update(scene.cluster)


@pytest.mark.parametrize("verb", ["migrate", "failover", "replace-disks"])
def test_a_page_that_was_opened_before_it_moved_moves_nothing(mirrored: Scene, client: Client, verb: str) -> None:
    """And says what has changed; who sends it again has read that."""
    client.force_login(mirrored.alice.user)
    url = reverse("vm-do", args=["lab", mirrored.vm.name, verb])
    [opened] = re.findall(r'name="opened" value="([^"]*)"', client.get(url).content.decode())
    data = {"opened": opened, "mode": "replace_on_primary" if verb == "replace-disks" else "", "timeout_s": "60"}
    swap(mirrored)
    before = mirrored.submissions()
    answer = client.post(url, data)
    page = answer.content.decode()
    assert answer.status_code == 422 and f"{MOVED}{NODE2} (secondary node {NODE1}) by now." in page
    assert mirrored.submissions() == before and not Entry.objects.exists()
    [again] = re.findall(r'name="opened" value="([^"]*)"', page)
    assert client.post(url, {**data, "opened": again}).status_code == 302


@pytest.mark.parametrize("verb", ["migrate", "failover", "cleanup-migration", "replace-disks"])
def test_what_moved_in_ganeti_and_was_not_read_yet_is_not_moved_back(mirrored: Scene, verb: str) -> None:
    swap(mirrored, is_read=False)
    before = mirrored.submissions()
    entry = do(mirrored, verb)
    assert entry.outcome == Outcome.REFUSED and f"{MOVED}{NODE2}" in entry.message
    assert mirrored.submissions() == before


def test_nor_to_a_secondary_node_that_is_another(mirrored: Scene) -> None:
    mirrored.simulator.cluster.instances[mirrored.vm.name].secondary = NODE3
    entry = do(mirrored, "migrate")
    assert entry.outcome == Outcome.REFUSED and f"{MOVED}{NODE1} (secondary node {NODE3}) by now." in entry.message


def test_a_plan_sends_each_where_it_said(mirrored: Scene) -> None:
    actor = Actor(make_admin(), Via.WEB)
    machines = VirtualMachine.objects.filter(pk=mirrored.vm.pk)
    batch = plan(OPERATIONS["vm.migrate"], actor, machines, {})
    begin_batch(batch, {"mode": "", "allow_failover": False, "target_node": "", "opened": ""})
    swap(mirrored)
    lane = batch.items.get().lane
    assert next_items(lane)
    before = mirrored.submissions()
    work_lane(lane)
    item = batch.items.get()
    assert item.state == "failed" and MOVED in item.reason and mirrored.submissions() == before
    mirrored.vm.refresh_from_db()
    assert where(mirrored) == (NODE2, NODE1)


@pytest.fixture
def refused(mirrored: Scene) -> Batch:
    """A plan to migrate it and another, carried out when it had moved meanwhile, and the other was refused."""
    other = VirtualMachine.objects.exclude(pk=mirrored.vm.pk).order_by("name")[0]
    mirrored.simulator.outside.modify(other.name, disk_template="drbd", secondary=NODE3)
    update(mirrored.cluster)
    grant(["admin"], mirrored.alice.user, other)
    machines = VirtualMachine.objects.filter(pk__in=[mirrored.vm.pk, other.pk])
    batch = plan(OPERATIONS["vm.migrate"], mirrored.alice, machines, {})
    begin_batch(batch, {"mode": "live", "allow_failover": True, "target_node": "", "opened": ""})
    swap(mirrored)
    mirrored.simulator.faults.refuse(503, "not today", path=r".*/migrate")
    work_lane(batch.items.all()[0].lane)
    mirrored.simulator.faults.clear()
    assert set(batch.items.values_list("state", flat=True)) == {"failed"}
    return batch


def test_what_moved_meanwhile_is_tried_again_by_a_new_plan(mirrored: Scene, client: Client, refused: Batch) -> None:
    """Which says where it goes now, and asks; what is as it was is done as it was confirmed."""
    client.force_login(mirrored.alice.user)
    answer = client.post(reverse("batch-do", args=[refused.uuid, "retry"]), follow=True)
    anew = Batch.objects.exclude(pk=refused.pk).get()
    assert answer.redirect_chain[-1][0] == reverse("batch", args=[anew.uuid]) and anew.state == "planned"
    page = answer.content.decode()
    assert "1 item is no longer as it was when this was confirmed." in page and "1 item is tried again." in page
    assert f"It will be on {NODE1}" in page
    form = answer.context["form"]
    assert (form["mode"].value(), form["allow_failover"].value()) == ("live", True)
    before = mirrored.submissions()
    lane = anew.items.get().lane
    work_lane(lane)
    states = dict(refused.items.values_list("target_name", "state"))
    assert states.pop(mirrored.vm.name) == "failed" and list(states.values()) == ["running"]
    assert mirrored.submissions() == before + 1
    client.post(reverse("batch-do", args=[anew.uuid, "begin"]), {"mode": "live"})
    work_lane(lane)
    mirrored.simulator.run_jobs()
    update(mirrored.cluster)
    mirrored.vm.refresh_from_db()
    assert where(mirrored) == (NODE1, NODE2)


def test_what_a_new_plan_moved_is_asked_about_when_it_is_back(mirrored: Scene, refused: Batch) -> None:
    """By chance it is where it was when the old plan was confirmed; the new one has moved it since."""
    _number, anew = retry(refused, mirrored.alice)
    assert anew is not None and begin_batch(anew, {"mode": "live"})
    work_lane(anew.items.get().lane)
    mirrored.simulator.run_jobs()
    update(mirrored.cluster)
    assert where(mirrored) == (NODE1, NODE2)
    number, again = retry(refused, mirrored.alice)
    assert number == 0 and again is not None and again.items.get().target_pk == mirrored.vm.pk
    again.delete()
    Batch.objects.filter(pk=anew.pk).update(state="planned", began_at=None)
    assert retry(refused, mirrored.alice) == (1, None), "what is only planned has moved nothing"


def test_nobody_is_asked_anew_about_what_they_may_not_see(refused: Batch) -> None:
    """It is tried again, and fails for that."""
    assert retry(refused, Actor(make_user("carol"), Via.WEB)) == (2, None)


def test_a_plan_for_owners_binds_each_to_its_own(mirrored: Scene) -> None:
    """However many owners they have."""
    root, bob = make_admin(), persona_of(make_user("bob"))
    mine, other = VirtualMachine.objects.order_by("pk")[:2]
    VirtualMachine.objects.filter(pk=mine.pk).update(owner=persona_of(mirrored.alice.user))
    machines = VirtualMachine.objects.filter(pk__in=[mine.pk, other.pk])
    batch = plan(OPERATIONS["vm.set-owner"], Actor(root, Via.WEB), machines, {})
    begin_batch(batch, {"owner": "bob", "opened": ""})
    VirtualMachine.objects.filter(pk=other.pk).update(owner=persona_of(User.objects.get(username="alice")))
    work_lane("")
    states = {item.target_pk: item.state for item in batch.items.filter(operation="")}
    assert states == {mine.pk: "done", other.pk: "failed"}
    mine.refresh_from_db()
    assert mine.owner == bob


def give_disks(scene: Scene) -> list[str]:
    """It has three."""
    machine = scene.simulator.cluster.instances[scene.vm.name]
    machine.disks += [Disk(2048, name="data"), Disk(4096, name="logs")]
    scene.simulator.cluster.bump(machine)
    return [disk.uuid for disk in machine.disks]


def take_first(scene: Scene, *, is_read: bool = True) -> None:
    """Somebody else takes out the first disk: the numbers move on."""
    machine = scene.simulator.cluster.instances[scene.vm.name]
    machine.disks.pop(0)
    scene.simulator.cluster.bump(machine)
    if is_read:
        update(scene.cluster)
        scene.vm.refresh_from_db()


GIVEN: dict[str, dict[str, Any]] = {"replace-disks": {"mode": "replace_on_primary"}, "recreate-disks": {}}


@pytest.fixture(params=sorted(GIVEN))
def verb(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def three(mirrored: Scene, verb: str) -> list[str]:
    """The disks of a machine to which it can be done."""
    uuids = give_disks(mirrored)
    if verb == "recreate-disks":
        mirrored.simulator.outside.stop(mirrored.vm.name)
    update(mirrored.cluster)
    mirrored.vm.refresh_from_db()
    return uuids


def test_disks_that_were_chosen_stay_those_that_are_meant(mirrored: Scene, three: list[str], verb: str) -> None:
    operation, seen = OPERATIONS[f"vm.{verb}"], mirrored.vm
    page = str(form_for(operation)(target=seen, actor=mirrored.alice))
    assert all(uuid in page for uuid in three) and "Disk 1, 2.0" in page
    chosen = {**GIVEN[verb], "disks": [three[1]]}
    asked = Ask(mirrored.alice, seen, params_from(operation, mirrored.alice, seen, chosen))
    assert asked.params.disks == (1,)
    take_first(mirrored)
    with pytest.raises(Invalid, match="changed meanwhile") as invalid:
        run(operation, asked)
    assert set(invalid.value.errors) == {"disks"}
    with pytest.raises(Invalid, match="changed meanwhile"):
        do(mirrored, verb, **GIVEN[verb], disks=[three[0]])
    with pytest.raises(Invalid, match="has no disk 2"):
        do(mirrored, verb, **GIVEN[verb], disks="0, 2")
    do(mirrored, verb, **GIVEN[verb], disks=[three[2], three[1]])
    assert [disk if isinstance(disk, int) else disk[0] for disk in sent(mirrored.simulator)["disks"]] == [0, 1]


def test_nor_are_others_hit_whose_numbers_moved_in_ganeti_alone(mirrored: Scene, three: list[str], verb: str) -> None:
    take_first(mirrored, is_read=False)
    before = mirrored.submissions()
    entry = do(mirrored, verb, **GIVEN[verb], disks="1")
    assert entry.outcome == Outcome.REFUSED and "changed meanwhile" in entry.message
    assert mirrored.submissions() == before


def test_nor_does_another_grow(mirrored: Scene) -> None:
    give_disks(mirrored)
    update(mirrored.cluster)
    take_first(mirrored, is_read=False)
    entry = do(mirrored, "grow-disk", disk="1", more_mib="1024")
    assert entry.outcome == Outcome.REFUSED and "changed meanwhile" in entry.message
