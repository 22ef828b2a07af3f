"""Shut down, rename, start: what keeps a machine from being renamed is done and undone, as a batch of three."""

import json
import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from objectlog.models import Entry
from operations.lanes import work_lane
from operations.models import Batch, BatchItem
from operations.offers import list_offers
from permissions.policy import verbs_on
from permissions.services import grant, revoke
from tests.operations.conftest import Scene
from tests.updates.conftest import update
from updates.cycle import sync_cluster
from virtualmachines.models import VirtualMachine
from virtualmachines.operations import VM_OPERATIONS

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G050", "F196")]
NEW = "shop1.example.org"


@pytest.fixture
def running(scene: Scene, client: Client) -> Client:
    """The machine runs; Alice may rename it, shut it down and start it, and is signed in."""
    update(scene.cluster)
    scene.vm.refresh_from_db()
    grant(["modify"], scene.alice.user, scene.vm)
    client.force_login(scene.alice.user)
    return client


def url_of(scene: Scene) -> str:
    return reverse("vm-do", args=["lab", scene.vm.name, "rename"])


def carry_on(scene: Scene) -> None:
    """What worker, Ganeti and follower do until nothing is left."""
    for _round in range(4):
        work_lane(f"cluster {scene.cluster.pk}")
        scene.simulator.run_jobs()
        sync_cluster(scene.cluster)


def items() -> list[tuple[str, str]]:
    return list(BatchItem.objects.order_by("position").values_list("operation", "state"))


def machine(scene: Scene) -> Any:
    return VirtualMachine.objects.get(pk=scene.vm.pk)


def rename_button(scene: Scene) -> Any:
    offers = list_offers(machine(scene), VM_OPERATIONS, verbs_on(scene.alice.user, scene.vm))
    return next(offer for offer in offers if offer.operation.verb == "rename")


def test_from_the_page_to_the_machine_that_runs_under_its_new_name(scene: Scene, running: Client) -> None:
    assert rename_button(scene).is_usable
    page = running.get(url_of(scene)).content.decode()
    assert "Shut down, rename, start" in page and 'name="detour"' in page and "Shutdown timeout" in page
    answer = running.post(url_of(scene), {"new_name": NEW, "timeout_s": "33", "detour": "1"})
    batch = Batch.objects.get()
    assert answer.headers["Location"] == reverse("batch", args=[batch.uuid])
    assert "Rename vm1.example.org" in running.get(answer.headers["Location"]).content.decode()
    carry_on(scene)
    assert items() == [("vm.shutdown", "done"), ("vm.rename", "done"), ("vm.start", "done")]
    assert (machine(scene).name, machine(scene).status) == (NEW, "running")
    assert scene.simulator.cluster.instances[NEW].uuid == scene.vm.uuid
    told = list(Entry.objects.order_by("pk").values_list("verb", "target_name", "actor_name", "via"))
    assert told == [
        ("vm.shutdown", "vm1.example.org", "alice", "bulk"),
        ("vm.rename", "vm1.example.org", "alice", "bulk"),
        ("vm.start", NEW, "alice", "bulk"),
    ]
    assert Entry.objects.earliest("pk").params == {"timeout_s": 33}
    shown = running.get(reverse("batch", args=[batch.uuid])).content.decode()
    assert reverse("vm", args=["lab", NEW]) in shown


@pytest.mark.parametrize("fails", ["shutdown", "rename"])
def test_when_a_step_fails_those_after_it_are_skipped_and_say_why(scene: Scene, running: Client, fails: str) -> None:
    scene.simulator.faults.refuse(400, "No such luck", method="PUT", path=f"/2/instances/.*/{fails}")
    running.post(url_of(scene), {"new_name": NEW, "detour": "1"})
    carry_on(scene)
    expected = {"shutdown": ["failed", "skipped", "skipped"], "rename": ["done", "failed", "skipped"]}[fails]
    assert [state for _key, state in items()] == expected
    last = BatchItem.objects.latest("position")
    assert "No such luck" in last.reason and "was not done" in last.reason
    assert last.reason.split(":")[0] in running.get(reverse("batch", args=[Batch.objects.get().uuid])).content.decode()


def test_what_is_wrong_with_the_name_is_said_before_anything_is_done(scene: Scene, running: Client) -> None:
    for wrong in ("", "a/b", "vm1.example.org"):
        answer = running.post(url_of(scene), {"new_name": wrong, "detour": "1"})
        assert answer.status_code == 422 and 'name="detour"' in answer.content.decode()
    answer = running.post(url_of(scene), {"new_name": NEW, "timeout_s": "-1", "detour": "1"})
    assert answer.status_code == 422 and "cannot be negative" in answer.content.decode()
    assert not Batch.objects.exists()


def test_without_the_right_to_shut_it_down_there_is_no_such_way(scene: Scene, running: Client) -> None:
    revoke(["power"], scene.alice.user, scene.vm)
    assert "shut it down first" in rename_button(scene).reason
    page = running.get(url_of(scene)).content.decode()
    assert 'name="detour"' not in page and "shut it down first" in page
    assert running.post(url_of(scene), {"new_name": NEW, "detour": "1"}).status_code == 403
    assert not Batch.objects.exists() and not Entry.objects.exists()


def test_it_is_only_taken_by_who_asked_for_it(scene: Scene, running: Client) -> None:
    """The page was opened while the machine was stopped; by now it runs."""
    answer = running.post(url_of(scene), {"new_name": NEW})
    assert answer.status_code == 409 and not Batch.objects.exists() and scene.submissions() == 0


def test_what_is_not_needed_any_more_is_not_done(scene: Scene, running: Client) -> None:
    VirtualMachine.objects.update(status="ADMIN_down", admin_state="down")
    answer = running.post(url_of(scene), {"new_name": NEW, "detour": "1"})
    assert answer.status_code == 409 and "Nothing is in its way" in answer.content.decode()
    assert not Batch.objects.exists()


def test_sent_twice_it_is_done_once(scene: Scene, running: Client) -> None:
    data = {"new_name": NEW, "detour": "1"}
    assert [running.post(url_of(scene), data).status_code for _ in range(2)] == [302, 409]
    assert Batch.objects.count() == 1


@pytest.mark.parametrize("away", ["unreachable_since", "busy"])
def test_what_else_is_in_the_way_stays_there(scene: Scene, running: Client, away: str) -> None:
    if away == "busy":
        VirtualMachine.objects.update(busy_with="vm.reboot", busy_entry="00000000-0000-4000-8000-000000000001")
    else:
        type(scene.cluster).objects.update(unreachable_since="2026-01-01T00:00:00Z")
    assert not rename_button(scene).is_usable
    assert re.search(r"<button[^>]* disabled", running.get(url_of(scene)).content.decode())
    assert running.post(url_of(scene), {"new_name": NEW, "detour": "1"}).status_code == 409
    assert not Batch.objects.exists()


def operate(*words: str) -> str:
    out = StringIO()
    call_command("operate", "vm.rename", "lab/vm1.example.org", "--as=alice", *words, stdout=out)
    return out.getvalue()


def test_on_the_command_line(scene: Scene, running: Client) -> None:
    with pytest.raises(CommandError, match="shut it down first"):
        operate(f"--set=new_name={NEW}")
    with pytest.raises(CommandError, match="no parameter speed"):
        operate(f"--set=new_name={NEW}", "--set=speed=9", "--detour")
    said = operate(f"--set=new_name={NEW}", "--set=timeout_s=7", "--detour", "--json")
    assert json.loads(said) == {"batch": str(Batch.objects.get().uuid)}
    with pytest.raises(CommandError, match="in progress already"):
        operate(f"--set=new_name={NEW}", "--detour")
    carry_on(scene)
    assert [state for _key, state in items()] == ["done"] * 3 and machine(scene).name == NEW
