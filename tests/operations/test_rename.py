"""A machine gets another name and loses nothing."""

import pytest
from django.test import Client
from django.urls import reverse

from clusters.models import Cluster
from objectlog.models import Entry, Event, Outcome
from operations.contract import Actor, Ask, Invalid, Refusal
from operations.pipeline import run
from permissions.services import grant
from simulator import Simulator
from tests.factories import make_vm
from tests.operations.conftest import Scene
from tests.updates.conftest import update
from updates.follower import follow_cluster
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.rename import Rename, RenameParams

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F196", "G053")]
NEW = "shop1.example.org"


@pytest.fixture
def stopped(scene: Scene, simulator: Simulator) -> Actor:
    """The machine is stopped, and Alice may change it."""
    simulator.outside.stop(scene.vm.name)
    VirtualMachine.objects.update(status="ADMIN_down", admin_state="down")
    scene.vm.refresh_from_db()
    grant(["modify"], scene.alice.user, scene.vm)
    return scene.alice


def rename(scene: Scene, new_name: str = NEW, **checks: bool) -> Entry:
    return run(Rename(), Ask(scene.alice, scene.vm, RenameParams(new_name, **checks)))


def test_from_the_page_to_the_machine_under_its_new_name(
    scene: Scene, stopped: Actor, simulator: Simulator, client: Client
) -> None:
    update(scene.cluster)
    scene.vm.refresh_from_db()
    client.force_login(stopped.user)
    page = reverse("vm", args=["lab", scene.vm.name])
    url = reverse("vm-do", args=["lab", scene.vm.name, "rename"])
    assert f'value="{scene.vm.name}"' in client.get(url).content.decode()
    assert client.post(url, {"new_name": f" {NEW.upper()}"}).status_code == 302
    entry = Entry.objects.get()
    assert (entry.verb, entry.outcome) == ("vm.rename", Outcome.SUBMITTED)
    scene.vm.refresh_from_db()
    assert scene.vm.busy_with == "vm.rename"
    assert "renaming" in client.get(page).content.decode()
    simulator.run_jobs()
    cluster = Cluster.objects.get()
    assert follow_cluster(cluster).outcome == "updated"
    update(cluster)
    scene.vm.refresh_from_db()
    entry.refresh_from_db()
    assert (scene.vm.name, scene.vm.busy_with, entry.outcome) == (NEW, "", Outcome.SUCCEEDED)
    moved = client.get(page)
    assert (moved.status_code, moved.headers["Location"]) == (302, reverse("vm", args=["lab", NEW]))
    shown = client.get(reverse("vm-journal", args=["lab", NEW])).content.decode()
    assert f"Renamed vm1.example.org to {NEW}" in shown
    assert client.get(reverse("job", args=["lab", entry.job_ids[0]])).status_code == 200
    told = Event.objects.filter(entry_uuid=entry.uuid).latest("pk")
    assert "vm1.example.org" in told.text and NEW in told.text


@pytest.mark.parametrize(
    ("name", "checks", "field", "words"),
    [
        ("vm1.example.org", {}, "new_name", "has this name already"),
        ("vm2.example.org", {}, "new_name", "on this cluster already"),
        ("", {}, "new_name", "Type a name"),
        ("a/b", {}, "new_name", "Type a name"),
        ("-web", {}, "new_name", "Type a name"),
        ("web..org", {}, "new_name", "Type a name"),
        ("x" * 64, {}, "new_name", "Type a name"),
        ("Web1", {}, "new_name", "Type a name"),
        ("web1\n", {}, "new_name", "Type a name"),
        (NEW, {"ip_check": True}, "ip_check", "looked up as well"),
    ],
)
def test_what_cannot_be_a_name_is_said_at_its_field(
    scene: Scene, stopped: Actor, name: str, checks: dict[str, bool], field: str, words: str
) -> None:
    make_vm(scene.cluster, "vm2.example.org")
    with pytest.raises(Invalid) as refused:
        rename(scene, name, **checks)
    assert set(refused.value.errors) == {field}
    assert words in refused.value.errors[field]
    assert not Entry.objects.exists()
    assert scene.submissions() == 0


def test_the_name_of_a_missing_machine_and_of_another_cluster_may_be_taken(scene: Scene, stopped: Actor) -> None:
    make_vm(scene.cluster, NEW, missing_since="2026-01-01T00:00:00Z")
    assert rename(scene).outcome == Outcome.SUBMITTED


def test_one_that_runs_is_shut_down_first(scene: Scene, stopped: Actor) -> None:
    VirtualMachine.objects.update(status="running", admin_state="up")
    with pytest.raises(Refusal, match="shut it down first"):
        rename(scene)


def test_what_the_cluster_says_against_it_is_told(scene: Scene, stopped: Actor, simulator: Simulator) -> None:
    simulator.faults.refuse(400, "Instance name in use", method="PUT", path="/2/instances/.*/rename")
    entry = rename(scene)
    assert (entry.outcome, entry.message) == (Outcome.REFUSED, "Instance name in use")
    scene.vm.refresh_from_db()
    assert not scene.vm.is_busy
