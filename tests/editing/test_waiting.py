"""What waits for a restart is known whoever changed it, and forgotten whoever restarted the machine."""

from itertools import pairwise
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from permissions.services import grant
from tests.editing.conftest import Desk
from tests.factories import make_user
from tests.operations.test_checks import TO
from virtualmachines.models import VirtualMachine
from virtualmachines.sync.waiting import merge_waiting

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F192", "G012")]


def change_outside(desk: Desk, **beparams: Any) -> None:
    desk.simulator.outside.submit("INSTANCE_SET_PARAMS", instance_name=desk.vm.name, beparams=beparams)
    desk.read()


def test_a_change_of_a_running_machine_waits_with_the_value_it_runs_with(desk: Desk, client: Client) -> None:
    assert desk.vm.waiting_since is None
    desk.edit(wanted={"beparams": {"vcpus": 3}})
    assert desk.vm.waiting == {"beparams.vcpus": 1} and desk.vm.waiting_since is not None
    client.force_login(desk.alice.user)
    page = client.get(reverse("vm", args=["lab", desk.vm.name])).content.decode()
    assert "restart needed" in page and "Virtual CPUs" in page
    apply = 'id="waiting-do-apply-settings"'
    assert apply in page
    viewer = make_user("viewer")
    grant(["console"], viewer, desk.vm)
    client.force_login(viewer)
    assert apply not in client.get(reverse("vm", args=["lab", desk.vm.name])).content.decode(), "nor offered in vain"
    client.force_login(desk.alice.user)
    listed = client.get(reverse("vms") + "?q=restart:needed").content.decode()
    assert desk.vm.name in listed and "restart needed" in listed
    assert desk.vm.name not in client.get(reverse("vms") + "?q=-restart:needed").content.decode()
    assert desk.vm.name not in client.get(reverse("vms") + "?q=restart:no").content.decode()
    desk.edit(wanted={"beparams": {"vcpus": 1}})
    assert desk.vm.waiting == {} and desk.vm.waiting_since is None, "back to what it runs with"


def test_what_is_stopped_waits_for_nothing(desk: Desk) -> None:
    desk.stop()
    desk.edit(wanted={"beparams": {"vcpus": 3}})
    assert desk.vm.waiting_since is None


@pytest.mark.parametrize(
    ("opcode", "params", "is_over"),
    [
        ("INSTANCE_REBOOT", {"reboot_type": "hard"}, True),
        ("INSTANCE_REBOOT", {"reboot_type": "full"}, True),
        ("INSTANCE_REBOOT", {"reboot_type": "soft"}, False),
        ("INSTANCE_SHUTDOWN", {}, True),
        ("BACKUP_EXPORT", {**TO, "shutdown": True}, True),
        ("BACKUP_EXPORT", {**TO, "shutdown": False}, False),
    ],
)
def test_whoever_restarts_it_ends_the_wait(desk: Desk, opcode: str, params: dict[str, Any], is_over: bool) -> None:
    desk.there.disk_template = "plain"  # of which an export can take a copy while it runs
    change_outside(desk, vcpus=3)
    assert desk.vm.waiting == {"beparams.vcpus": 1}, "whoever changed it"
    job = desk.simulator.outside.submit(opcode, instance_name=desk.vm.name, **params)
    desk.read()
    assert job.status == "success"
    assert (desk.vm.waiting_since is None) is is_over
    assert (desk.vm.waiting == {}) is is_over


_NAMES = ("a", "b", "migration_mode")
values = st.tuples(*[st.integers(0, 2)] * 3)


@settings(deadline=None)
@given(told=st.lists(values, min_size=2, max_size=6))
def test_whatever_was_changed_in_between_it_waits_for_what_differs_from_the_start(
    told: list[tuple[int, ...]],
) -> None:
    history = [dict(zip(_NAMES, each, strict=True)) for each in told]
    waiting: dict[str, Any] = {}
    for old, new in pairwise(history):
        waiting = merge_waiting(waiting, {"hvparams": old}, {"hvparams": new})
    first, last = history[0], history[-1]
    differing = {name for name in first.keys() | last.keys() if first.get(name) != last.get(name)}
    assert set(waiting) == {f"hvparams.{name}" for name in differing - {"migration_mode"}}
    assert all(waiting[f"hvparams.{name}"] == first.get(name) for name in differing - {"migration_mode"})


@pytest.mark.parametrize("field", ["nic.macs", "nic.modes", "nic.links", "nic.networks", "nic.vlans"])
def test_a_card_that_is_connected_otherwise_waits(field: str) -> None:
    """The node connects it when the guest is started."""
    before = {"hvparams": {}, "beparams": {}, "nic.uuids": ["u1"], field: ["old"]}
    waiting = merge_waiting({}, before, {**before, field: ["new"]})
    assert set(waiting) == {"nics"}
    assert not merge_waiting(waiting, {**before, field: ["new"]}, before)


def test_so_does_one_whose_vlan_on_a_bridge_is_another() -> None:
    """Of a bridge Ganeti tells it among the card's own parameters alone."""
    before = {"hvparams": {}, "beparams": {}, "nic.uuids": ["u1"], "nic.vlans": [None], "custom_nicparams": [{}]}
    after = {**before, "custom_nicparams": [{"vlan": ".12:20"}]}
    waiting = merge_waiting({}, before, after)
    assert set(waiting) == {"nics"}
    assert not merge_waiting(waiting, after, before)
    assert not merge_waiting({}, before, {**before, "custom_nicparams": [{"mode": "bridged"}]}), "it is told above"


def test_the_list_of_what_waits_is_found_by_its_index(db: None) -> None:
    assert "vm_waiting" in {index.name for index in VirtualMachine._meta.indexes}
