"""Ganeti is told by a tag whose a machine is; what such a tag says counts for nothing here."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusters.models import Cluster
from clusters.tags import LONGEST
from objectlog.models import Entry, Outcome, Via
from operations.contract import Actor, Ask, Operation
from operations.forms import params_from
from operations.lanes import carry_on, work_lane
from operations.models import Batch, BatchItem, BatchLane, BatchState, ItemState, Verdict
from operations.pipeline import run
from operations.planning import begin_batch, plan
from operations.selectors import tally_items, with_numbers
from operations.table import OPERATIONS
from permissions.policy import verbs_on
from permissions.services import make_team, persona_of
from tests.factories import make_admin, make_batch, make_user
from tests.operations.conftest import Scene
from tests.updates.conftest import update
from updates.follower import follow_cluster
from virtualmachines.models import VirtualMachine
from virtualmachines.tags import owner_tag_for, owner_told_by

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.feature("F091")]
# Ganeti's own: lib/objects.py, VALID_TAG_RE
_TAKEN = re.compile(r"^[\w.+*/:@-]+$", re.ASCII)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_every_name_that_a_tag_can_hold_comes_back_as_it_was(name: str) -> None:
    tag = owner_tag_for(name)
    if not tag:
        assert not name or len(name.encode()) * 3 > LONGEST - len("gwm:owner:")
        return
    assert _TAKEN.match(tag) and len(tag) <= LONGEST
    assert owner_told_by(["web", tag]) == name or not name.isprintable()


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        (["gwm:owner:alice"], "alice"),
        (["gwm:owner:@web+20team"], "@web team"),
        (["gwm:owner:bob", "gwm:owner:alice"], "alice\nbob"),
        (["gwm:owner:alice", "gwm:owner:ali+63e", "gwm:owner:"], "alice"),
        (["gwm:owner:alice+0Abob"], "alice+0Abob"),
        ([f"gwm:owner:{letter * 100}" for letter in "ab"], f"{'a' * 100}\n{'b' * 27}"),
        (["gwm:owner:a+FFb"], "a+FFb"),
        (["gwm:owner:a+00b"], "a+00b"),
        (["gwm:owner:a+0"], "a+0"),
        (["owner:alice"], ""),
    ],
)
def test_what_others_wrote_is_read_with_care(tags: list[str], told: str) -> None:
    assert owner_told_by(tags) == told


def set_owner(scene: Scene, owner: str) -> Entry:
    admin = Actor(make_admin(f"admin{Entry.objects.count()}"), Via.WEB)
    vm = VirtualMachine.objects.get(pk=scene.vm.pk)
    operation = OPERATIONS["vm.set-owner"]
    return run(operation, Ask(admin, vm, params_from(operation, admin, vm, {"owner": owner})))


def work(scene: Scene) -> BatchItem:
    """The worker comes by, Ganeti carries out what it was sent, and somebody looks; the item of the tag."""
    for lane in BatchLane.objects.values_list("name", flat=True):
        work_lane(lane)
    scene.simulator.run_jobs()
    follow_cluster(Cluster.objects.get())
    for lane in BatchLane.objects.values_list("name", flat=True):
        work_lane(lane)
    return BatchItem.objects.filter(operation="vm.write-owner-tag").latest("pk")


def tags_of(scene: Scene) -> list[str]:
    return sorted(scene.simulator.cluster.instances[scene.vm.name].tags)


@pytest.fixture
def people(scene: Scene) -> Scene:
    """Bob and a team may own."""
    make_user("bob")
    make_team("web team")
    update(scene.cluster)
    VirtualMachine.objects.update(drift={})
    return scene


def test_whoever_is_made_the_owner_is_told_to_ganeti_and_who_was_is_no_more(people: Scene) -> None:
    people.simulator.outside.modify(people.vm.name, tags=["db"])
    update(people.cluster)
    for owner, tags in (
        ("alice", ["db", "gwm:owner:alice"]),
        ("@web team", ["db", "gwm:owner:@web+20team"]),
        ("", ["db"]),
    ):
        assert set_owner(people, owner).outcome == Outcome.DONE
        assert work(people).state == ItemState.DONE
        assert tags_of(people) == tags
        update(people.cluster)
        vm = VirtualMachine.objects.get(pk=people.vm.pk)
        assert (vm.owner_tag, vm.tags) == (owner, ["db"]) and "owner_tag" not in vm.drift
    assert set(Batch.objects.values_list("state", flat=True)) == {BatchState.DONE}
    assert Entry.objects.filter(verb="vm.write-owner-tag", outcome=Outcome.SUCCEEDED).count() == 3


def test_tags_that_are_written_afterwards_are_no_further_machines(people: Scene) -> None:
    vms = VirtualMachine.objects.order_by("pk")
    batch = make_batch(make_admin(), operation="vm.set-owner")
    for position, (vm, own) in enumerate([(vms[0], ""), (vms[1], ""), (vms[0], "vm.write-owner-tag")]):
        will = {"verdict": Verdict.WILL, "kind": "vm", "target_pk": vm.pk, "target_name": vm.name}
        BatchItem.objects.create(batch=batch, position=position, operation=own, **will)
    assert (tally_items(batch).targets, tally_items(batch).will) == (2, 3)
    [listed] = with_numbers(Batch.objects.all())
    assert listed.n_targets == 2


def test_a_tag_that_ganeti_does_not_take_is_said_and_the_owner_stays(people: Scene) -> None:
    people.simulator.faults.refuse(400, "No tags today", method="PUT", path="/2/instances/.*/tags")
    set_owner(people, "bob")
    item = work(people)
    assert item.state == ItemState.FAILED and "No tags today" in item.reason
    assert Entry.objects.get(verb="vm.write-owner-tag").outcome == Outcome.REFUSED
    owner = VirtualMachine.objects.get(pk=people.vm.pk).owner
    assert owner is not None and owner.name == "bob"


def test_what_could_be_removed_no_more_is_said(people: Scene) -> None:
    people.simulator.outside.modify(people.vm.name, tags=["gwm:owner:alice"])
    update(people.cluster)
    people.simulator.faults.refuse(500, "Queue drained", method="DELETE", path="/2/instances/.*/tags")
    set_owner(people, "bob")
    assert work(people).state == ItemState.DONE
    assert tags_of(people) == ["gwm:owner:alice", "gwm:owner:bob"]
    assert "Queue drained" in str(Entry.objects.get(verb="vm.write-owner-tag").message)


def test_an_owner_who_is_another_before_the_tag_is_written_leaves_none_behind(people: Scene) -> None:
    set_owner(people, "alice")
    carry_on()
    assert len(people.simulator.queue.open_jobs()) == 1, "it is under way"
    set_owner(people, "bob")
    assert work(people).state == ItemState.WAITING
    BatchItem.objects.update(try_at=None)
    assert work(people).state == ItemState.DONE
    assert tags_of(people) == ["gwm:owner:bob"]


def test_in_a_batch_the_tags_are_further_items_of_it(people: Scene) -> None:
    operation, admin = OPERATIONS["vm.set-owner"], Actor(make_admin(), Via.WEB)
    batch = plan(operation, admin, VirtualMachine.objects.all(), {"owner": "bob"})
    machines = batch.items.count()
    assert machines == 3 and begin_batch(batch, {"owner": "bob"})
    carry_on()
    batch.refresh_from_db()
    assert batch.state == BatchState.RUNNING and batch.items.count() == 2 * machines
    work(people)
    batch.refresh_from_db()
    assert batch.state == BatchState.DONE == Batch.objects.get().state
    assert {tuple(vm.tags) for vm in people.simulator.cluster.instances.values()} == {("gwm:owner:bob",)}


def test_a_tag_behind_our_back_makes_nobody_an_owner_and_gives_no_right(people: Scene) -> None:
    people.simulator.outside.modify(people.vm.name, tags=["gwm:owner:bob"])
    update(people.cluster)
    vm = VirtualMachine.objects.get(pk=people.vm.pk)
    bob = persona_of(make_user("robert"))
    assert (vm.owner, vm.owner_tag, vm.tags) == (None, "bob", [])
    assert bob.user is not None and not verbs_on(bob.user, vm)
    people.simulator.outside.modify(people.vm.name, tags=["gwm:owner:robert"])
    set_owner(people, "alice")
    update(people.cluster)
    vm.refresh_from_db()
    assert vm.owner is not None and vm.owner.name == "alice" and not verbs_on(bob.user, vm)


def test_a_machine_is_made_with_the_tag_of_its_owner(people: Scene) -> None:
    admin, cluster = Actor(make_admin(), Via.WEB), Cluster.objects.get()
    operation: Operation[Any, Any] = OPERATIONS["vm.create"]
    spec = {"name": "new.example.org", "os": "debootstrap+default", "disks": [{"size_mib": 1024}], "tags": ["web"]}
    run(operation, Ask(admin, cluster, params_from(operation, admin, cluster, {"spec": spec, "owner": "@web team"})))
    people.simulator.run_jobs()
    made = people.simulator.cluster.instances["new.example.org"]
    assert sorted(made.tags) == ["gwm:owner:@web+20team", "web"]
    update(people.cluster)
    assert VirtualMachine.objects.get(name="new.example.org").drift == {}


def test_what_follows_needs_the_same_right_and_sends_what_could_not_be_undone() -> None:
    for operation in OPERATIONS.values():
        for each in operation.then:
            assert each.needs == operation.needs and not operation.sends and OPERATIONS[each.key] is not None
