"""Disks grow, come and go, and are converted; what that means is said before."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from objectlog.models import Entry, Outcome
from operations.contract import Actor, Ask, Forbidden, Invalid, Refusal
from operations.forms import form_for, params_from
from operations.pipeline import run
from operations.table import OPERATIONS
from permissions.services import grant, persona_of
from quotas.amounts import Limits
from quotas.models import Claim
from quotas.services import set_quota
from simulator.model import Disk
from tests.editing.conftest import Desk
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F195")]


@pytest.mark.parametrize("given", [{"size_mib": 20480}, {"more_mib": 1024}, {"more_mib": "1 GiB"}])
def test_a_disk_grows_to_a_size_or_by_an_amount(desk: Desk, given: dict[str, Any]) -> None:
    before = desk.there.disks[0].size
    after = given.get("size_mib") or before + 1024
    entry = desk.do("grow-disk", disk=0, **given)
    desk.simulator.cluster.instances[desk.vm.name].disks[0].size = before
    assert desk.settle(entry).outcome == Outcome.SUCCEEDED
    assert desk.there.disks[0].size == after == desk.vm.disks[0]["size_mib"]
    [told] = entry.changes or []
    assert told["field"] == "disks.0.size_mib" and told["before"] != told["after"]


def test_what_grew_meanwhile_does_not_grow_twice(desk: Desk) -> None:
    before = desk.there.disks[0].size
    entry = desk.do("grow-disk", disk=0, more_mib=1024)
    desk.there.disks[0].size = before + 1024
    desk.settle(entry)
    assert desk.there.disks[0].size == before + 1024


@pytest.mark.alike
@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"disk": 1, "more_mib": 1}, "disk"),
        ({"disk": 0}, "size_mib"),
        ({"disk": 0, "size_mib": 1 << 20, "more_mib": 1}, "size_mib"),
        ({"disk": 0, "size_mib": 1}, "size_mib"),
        ({"disk": 0, "more_mib": 0}, "more_mib"),
        ({"disk": 0, "more_mib": -5}, "more_mib"),
    ],
)
def test_what_cannot_grow_so_is_said_at_its_field(desk: Desk, given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as invalid:
        desk.do("grow-disk", **given)
    assert set(invalid.value.errors) == {field}
    assert desk.scene.submissions() == 0


@pytest.mark.alike
@pytest.mark.parametrize("given", [{"size_mib": 4096}, {"more_mib": 3072}])
def test_the_policy_is_asked_before_ganeti(desk: Desk, given: dict[str, Any]) -> None:
    """Ganeti refuses what its policy does not allow, too, but a form says it at the field."""
    policy = desk.simulator.cluster.settings["ipolicy"]
    desk.simulator.outside.change_defaults(ipolicy={"minmax": [_up_to(policy["minmax"][0], 4095)]})
    desk.stop()
    with pytest.raises(Invalid, match="policy allows") as invalid:
        desk.do("grow-disk", disk=0, **given)
    assert set(invalid.value.errors) == set(given)
    desk.do("grow-disk", disk=0, size_mib=4095)


@pytest.mark.alike
def test_a_kind_of_disks_that_the_policy_does_not_allow(desk: Desk) -> None:
    desk.there.disk_template = "plain"
    desk.simulator.cluster.settings["enabled_disk_templates"] = ["plain", "file"]
    desk.simulator.outside.change_defaults(ipolicy={"disk-templates": ["plain"]})
    desk.simulator.cluster.bump(desk.there)
    desk.stop()
    with pytest.raises(Invalid, match="policy allows these kinds of disks here: plain") as invalid:
        desk.do("convert-disks", disk_template="file")
    assert set(invalid.value.errors) == {"disk_template"}


def _up_to(pair: dict[str, Any], most: int) -> dict[str, Any]:
    return {**pair, "max": {**pair["max"], "disk-size": most}}


def test_growth_is_claimed(desk: Desk) -> None:
    persona = persona_of(desk.alice.user)
    VirtualMachine.objects.filter(pk=desk.vm.pk).update(owner=persona)
    set_quota(persona, desk.vm.cluster, Limits(disk_mib=desk.vm.disk_mib + 1024))
    with pytest.raises(Invalid, match="exceeds the quota"):
        desk.do("grow-disk", disk=0, more_mib=1025)
    entry = desk.do("grow-disk", disk=0, more_mib=1024)
    assert Claim.objects.get().disk_mib == 1024
    desk.settle(entry)
    assert not Claim.objects.exists()


def test_a_disk_is_detached_and_attached_by_who_administers_the_cluster(desk: Desk) -> None:
    desk.there.disks.append(Disk(2048, name="data"))
    desk.simulator.cluster.bump(desk.there)
    desk.read()
    with pytest.raises(Refusal, match="running"):
        desk.do("detach-disk", disk=1)
    desk.stop()
    uuid = desk.there.disks[1].uuid
    entry = desk.settle(desk.do("detach-disk", disk=1))
    assert entry.outcome == Outcome.SUCCEEDED and len(desk.there.disks) == 1
    assert entry.params == {"disk": 1, "uuid": uuid, "size_mib": 2048}, "without it nobody could attach it again"
    with pytest.raises(Forbidden):
        desk.do("attach-disk", uuid=uuid)
    assert [uuid in offered_to(actor, desk.vm) for actor in (desk.root, desk.alice)] == [True, False]
    assert f">2.0\N{NO-BREAK SPACE}GiB, {desk.vm.name}, " in offered_to(desk.root, desk.vm)
    with pytest.raises(Invalid, match="no uuid"):
        desk.do("attach-disk", desk.root, uuid="data")
    desk.settle(desk.do("attach-disk", desk.root, uuid=uuid))
    assert [disk.uuid for disk in desk.there.disks][1:] == [uuid]
    assert uuid not in offered_to(desk.root, desk.vm)


def test_entries_of_the_release_before_have_the_uuid_in_their_words_alone(desk: Desk) -> None:
    desk.stop()
    uuid = desk.there.disks[0].uuid
    entry = desk.settle(desk.do("detach-disk", disk=0))
    Entry.objects.filter(pk=entry.pk).update(params={"disk": 0})
    assert f'value="{uuid}">1.0\N{NO-BREAK SPACE}GiB, {desk.vm.name}, ' in offered_to(desk.root, desk.vm)


def test_how_disks_that_were_detached_elsewhere_are_found_is_said_to_who_may_attach_them(desk: Desk) -> None:
    said = [str(form_for(OPERATIONS["vm.attach-disk"])(target=desk.vm, actor=who)) for who in (desk.root, desk.alice)]
    assert ["/var/lib/ganeti/config.data" in each for each in said] == [True, False]
    disk = Disk(512)
    desk.simulator.cluster.detached[disk.uuid] = disk
    assert desk.settle(desk.do("attach-disk", desk.root, uuid=disk.uuid)).outcome == Outcome.SUCCEEDED
    assert desk.there.disks[-1].uuid == disk.uuid


@pytest.mark.parametrize("verb", ["detach-disk", "grow-disk"])
def test_a_disk_that_was_chosen_stays_the_one_that_is_meant(desk: Desk, verb: str) -> None:
    """Somebody else takes out the one before it, and the numbers move on: another disk must not be hit."""
    desk.there.disks += [Disk(2048, name="data"), Disk(4096, name="logs")]
    desk.simulator.cluster.bump(desk.there)
    desk.stop()
    more = {"more_mib": 1024} if verb == "grow-disk" else {}
    chosen = {"disk": desk.there.disks[1].uuid, **more}
    assert [chosen["disk"] in str(form_for(OPERATIONS[f"vm.{verb}"])(target=desk.vm, actor=desk.alice))] == [True]
    operation, seen = OPERATIONS[f"vm.{verb}"], desk.vm
    asked = Ask(desk.alice, seen, params_from(operation, desk.alice, seen, chosen))
    desk.settle(desk.do("detach-disk", disk=0))
    with pytest.raises(Invalid, match="changed meanwhile") as invalid:
        run(operation, asked)
    assert set(invalid.value.errors) == {"disk"}
    before = {disk.uuid: disk.size for disk in desk.there.disks}
    desk.settle(desk.do(verb, **chosen))
    after = {disk.uuid: disk.size for disk in desk.there.disks}
    expected = (
        {**before, chosen["disk"]: 3072} if more else {uuid: before[uuid] for uuid in before.keys() - {chosen["disk"]}}
    )
    assert after == expected
    with pytest.raises(Invalid, match="no disk with this number"):
        desk.do(verb, **{**chosen, "disk": "9"})


def offered_to(actor: Actor, vm: VirtualMachine) -> str:
    """The form that asks which disk."""
    return str(form_for(OPERATIONS["vm.attach-disk"])(target=vm, actor=actor))


def test_disks_are_converted_and_what_is_lost_is_said(desk: Desk, client: Client) -> None:
    url = reverse("vm-do", args=["lab", desk.vm.name, "convert-disks"])
    client.force_login(desk.alice.user)
    assert "old disks are deleted" in client.get(url).content.decode()
    desk.stop()
    old = desk.vm.disk_template
    new = "plain" if old != "plain" else "file"
    answer = client.post(url, {"disk_template": new, "secondary": ""})
    assert answer.status_code == 422 and desk.scene.submissions() == 0, "its name must be typed"
    assert client.post(url, {"disk_template": new, "typed_name": desk.vm.name}).status_code == 302
    desk.settle(Entry.objects.get())
    assert desk.there.disk_template == new == desk.vm.disk_template


@pytest.mark.alike
@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"disk_template": "diskless"}, "disk_template"),
        ({"disk_template": "blockdev"}, "disk_template"),
        ({"disk_template": "nonsense"}, "disk_template"),
        ({"disk_template": "drbd"}, "secondary"),
        ({"disk_template": "drbd", "secondary": "nowhere"}, "secondary"),
        ({"disk_template": "file", "secondary": "node1"}, "secondary"),
    ],
)
def test_what_cannot_be_converted_is_said_at_its_field(desk: Desk, given: dict[str, Any], field: str) -> None:
    desk.there.disk_template = "plain"
    desk.simulator.cluster.settings["enabled_disk_templates"] = ["plain", "drbd", "file", "diskless", "blockdev"]
    desk.simulator.outside.change_defaults(ipolicy={"disk-templates": ["plain", "drbd", "file"]})
    desk.simulator.cluster.bump(desk.there)
    desk.stop()
    form = form_for(OPERATIONS["vm.convert-disks"])(target=desk.vm, actor=desk.alice)
    assert "node2.example.org: " in str(form["secondary"]) and "free" in str(form["secondary"]), "where there is room"
    before = desk.scene.submissions()
    with pytest.raises(Invalid) as invalid:
        desk.do("convert-disks", **given)
    assert set(invalid.value.errors) == {field}
    assert desk.scene.submissions() == before


def test_a_running_machine_is_stopped_converted_and_started(desk: Desk, client: Client) -> None:
    grant(["power"], desk.alice.user, desk.vm)
    client.force_login(desk.alice.user)
    page = client.get(reverse("vm-do", args=["lab", desk.vm.name, "convert-disks"])).content.decode()
    assert "Shut down, convert, start" in page
