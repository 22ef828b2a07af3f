"""A machine is deleted once, for good, and nothing of it comes to a namesake."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clusters.models import Cluster
from clusters.sync.rows import Plan
from objectlog.models import Entry, Outcome
from operations.contract import Refusal
from permissions.models import User
from permissions.services import grant, make_team, persona_of
from simulator import Simulator
from tests.factories import make_user, make_vm
from tests.lifecycle.conftest import Scene, begin, finish
from tests.updates.conftest import update
from ui.templatetags.units import mib
from virtualmachines.deleted import leave_out_deleted
from virtualmachines.models import VirtualMachine, VMUserGrant

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F198", "F140", "G013")]
NAME = "vm1.example.org"


def text_of(client: Client, url: str, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status
    return answer.content.decode()


def test_from_the_button_to_the_page_that_says_it_was_deleted(mine: Scene, client: Client) -> None:
    VirtualMachine.objects.update(owner=persona_of(mine.alice.user), notes="keep this")
    grant(["power"], make_team("web"), mine.vm)
    client.force_login(mine.alice.user)
    page, url = reverse("vm", args=["lab", NAME]), reverse("vm-do", args=["lab", mine.vm.uuid, "delete"])
    asked = text_of(client, url)
    size = sum(disk["size_mib"] for disk in VirtualMachine.objects.get(pk=mine.vm.pk).disks)
    for said in (f"0: {mib(size)}", "alice", "1 person, 1 team", "9 characters", "loses what they have on it"):
        assert said in asked, said
    assert "This is not its name" in client.post(url, {"typed_name": "vm1", "timeout_s": "5"}).content.decode()
    assert mine.submissions() == 0
    answer = client.post(url, {"typed_name": NAME, "timeout_s": "5"})
    assert (answer.status_code, answer.headers["Location"]) == (302, page)
    assert "deleting" in text_of(client, page)
    entry = finish(mine, Entry.objects.get(verb="vm.delete"))
    assert entry.outcome == Outcome.SUCCEEDED
    assert not VirtualMachine.objects.filter(name=NAME).exists()
    assert NAME not in mine.simulator.cluster.instances
    told = text_of(client, page, 410)
    assert "was deleted by alice" in told and "live-note" not in told.split("</head>")[1]
    assert "was deleted by alice" in text_of(client, reverse("vm-jobs", args=["lab", mine.vm.uuid]), 410)
    assert "was deleted by alice" in text_of(client, reverse("vm-do", args=["lab", mine.vm.name, "delete"]), 410)
    client.force_login(make_user("stranger"))
    assert "deleted" not in text_of(client, page, 404)


def test_a_namesake_starts_with_nothing(mine: Scene, simulator: Simulator) -> None:
    old = mine.vm.pk
    entry = finish(mine, begin(mine, "delete"))
    simulator.outside.add(NAME)
    update(Cluster.objects.get())
    new = VirtualMachine.objects.get(name=NAME)
    assert new.pk != old and new.uuid != mine.vm.uuid
    assert (new.owner, new.notes, VMUserGrant.objects.count()) == (None, "", 0)
    assert not mine.alice.user.is_superuser and entry.target_pk == old


@pytest.mark.parametrize("is_protected", [True, False])
def test_refused_while_protected(mine: Scene, is_protected: bool) -> None:
    if is_protected:
        assert begin(mine, "protect").outcome == Outcome.DONE
        with pytest.raises(Refusal, match="protected from deletion"):
            begin(mine, "delete")
        assert mine.submissions() == 0
        assert begin(mine, "unprotect").outcome == Outcome.DONE
    assert begin(mine, "delete").outcome == Outcome.SUBMITTED


def test_another_machine_of_this_name_is_left_alone(mine: Scene, simulator: Simulator) -> None:
    simulator.cluster.instances[NAME].uuid = "99999999-0000-4000-8000-000000000001"
    entry = begin(mine, "delete")
    assert entry.outcome == Outcome.REFUSED and "another machine" in entry.message
    assert NAME in simulator.cluster.instances


def test_a_reading_from_before_does_not_bring_it_back(mine: Scene) -> None:
    """The rows are gone when an update that still saw it comes to write."""
    before = timezone.now()
    finish(mine, begin(mine, "delete"))
    plan = Plan(new={mine.vm.uuid: {"name": NAME}, "other": {"name": "vm9"}})
    leave_out_deleted(mine.cluster, plan, before)
    assert set(plan.new) == {"other"}
    late = Plan(new={mine.vm.uuid: {"name": NAME}})
    leave_out_deleted(mine.cluster, late, timezone.now())
    assert set(late.new) == {mine.vm.uuid}


def test_a_failed_deletion_leaves_everything(mine: Scene, simulator: Simulator) -> None:
    simulator.outside.modify_node(simulator.cluster.instances[NAME].primary, offline=True)
    entry = finish(mine, begin(mine, "delete"))
    vm = VirtualMachine.objects.get(pk=mine.vm.pk)
    assert entry.outcome == Outcome.FAILED and "offline node" in entry.message and not vm.is_busy
    assert VMUserGrant.objects.filter(content_object=vm).exists()


@pytest.mark.feature("F199")
def test_of_what_ganeti_has_no_more_only_the_row_is_forgotten(mine: Scene, client: Client) -> None:
    gone = make_vm(mine.cluster, "old.example.org", missing_since=timezone.now())
    client.force_login(User.objects.create_superuser("root"))
    page = text_of(client, reverse("vm", args=["lab", gone.uuid]))
    assert 'id="do-forget"' in page and 'id="do-delete"' not in page
