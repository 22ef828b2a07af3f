"""Quotas where machines start and grow: taken of, given back, and exceeded only by who may, who says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from objectlog.models import Event, Outcome
from operations.contract import Ask, Invalid, OverQuota
from operations.forms import params_from
from operations.lanes import work_lane
from operations.models import BatchItem
from operations.table import OPERATIONS
from permissions.models import User
from permissions.services import persona_of
from quotas.amounts import Amounts, Limits
from quotas.models import Claim
from quotas.selectors import claimed_by
from quotas.services import set_default, set_quota
from tests.editing.conftest import Desk
from tests.factories import make_cluster, make_user, make_vm
from tests.updates.conftest import update
from virtualmachines.models import VirtualMachine
from virtualmachines.usage import amounts_of_machine, amounts_to_run, usage_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stopped(desk: Desk) -> Desk:
    """vm1 is alice's, and stopped: of her quota it uses disk alone."""
    VirtualMachine.objects.filter(pk=desk.vm.pk).update(owner=persona_of(desk.alice.user))
    desk.stop()
    return desk


def limit(desk: Desk, **limits: int) -> None:
    set_quota(persona_of(desk.alice.user), desk.vm.cluster, Limits(**limits))


@pytest.mark.feature("F117", "F116")
def test_a_start_takes_of_the_quota_and_a_limit_of_nothing_is_one(stopped: Desk) -> None:
    """The predecessor took 0 vCPUs for no limit, and let two starts at once pass together."""
    vm = stopped.vm
    for limits in ({"memory_mib": vm.memory_mib - 1}, {"vcpus": 0}, {"memory_mib": 0}):
        limit(stopped, **limits)
        with pytest.raises(OverQuota, match="exceeds the quota of alice"):
            stopped.do("start")
    assert stopped.scene.submissions() == 0 and not Claim.objects.exists()
    limit(stopped, memory_mib=vm.memory_mib, vcpus=vm.vcpus, disk_mib=0, machines=0)
    entry = stopped.do("start")
    assert Claim.objects.get().amounts == Amounts(memory_mib=vm.memory_mib, vcpus=vm.vcpus)
    stopped.settle(entry)
    assert not Claim.objects.exists()
    assert usage_of(persona_of(stopped.alice.user), vm.cluster).memory_mib == vm.memory_mib


@pytest.mark.parametrize(("verb", "given"), [("start", {}), ("grow-disk", {"disk": "0", "more_mib": "1024"})])
def test_what_the_machine_shows_while_the_job_still_runs_counts_once(
    stopped: Desk, verb: str, given: dict[str, str]
) -> None:
    vm, alice = stopped.vm, persona_of(stopped.alice.user)
    entry = stopped.do(verb, **given)
    wanted = usage_of(alice, vm.cluster) + claimed_by(alice, vm.cluster)
    if verb == "start":
        stopped.there.admin_state = "up"
    else:
        stopped.there.disks[0].size += 1024
    stopped.simulator.cluster.bump(stopped.there)
    update(vm.cluster)
    entry.refresh_from_db()
    assert entry.is_open and usage_of(alice, vm.cluster) == wanted
    assert claimed_by(alice, vm.cluster) == Amounts()
    stopped.settle(entry)
    assert usage_of(alice, vm.cluster) + claimed_by(alice, vm.cluster) == wanted


@pytest.mark.feature("F117")
def test_a_start_that_failed_or_was_refused_gives_back(stopped: Desk) -> None:
    limit(stopped, memory_mib=stopped.vm.memory_mib)
    entry = stopped.do("start")
    gone = stopped.simulator.cluster.instances.pop(stopped.vm.name)
    stopped.simulator.run_jobs()
    stopped.simulator.cluster.instances[stopped.vm.name] = gone
    assert Claim.objects.exists()
    assert stopped.settle(entry).outcome == Outcome.FAILED and not Claim.objects.exists()
    stopped.simulator.faults.refuse(500, "not today", path=r".*/startup")
    assert stopped.do("start").outcome == Outcome.REFUSED
    assert not Claim.objects.exists()


@pytest.mark.feature("F121")
def test_only_an_administrator_who_says_so_goes_beyond_it_and_the_journal_tells(stopped: Desk) -> None:
    limit(stopped, memory_mib=0)
    for actor in (stopped.root, replace(stopped.alice, over_quota=True)):
        with pytest.raises(Invalid, match="exceeds the quota"):
            stopped.do("start", actor)
    entry = stopped.do("start", replace(stopped.root, over_quota=True))
    assert Claim.objects.get().memory_mib == stopped.vm.memory_mib, "it counts all the same"
    stopped.settle(entry)
    assert "may be exceeded" in str(entry.changes)
    assert any("may be exceeded" in event.text for event in Event.objects.filter(verb="vm.start"))


@pytest.mark.feature("F121", "F146")
def test_the_page_offers_the_tick_to_administrators_once_it_was_refused(stopped: Desk) -> None:
    limit(stopped, memory_mib=0)
    url = f"/clusters/lab/vms/{stopped.vm.name}/do/start/"
    for user, is_offered in ((stopped.root.user, True), (User.objects.get(username="alice"), False)):
        client = Client()
        client.force_login(user)
        assert "over_quota" not in client.get(url).content.decode()
        answer = client.post(url)
        page = answer.content.decode()
        assert answer.status_code == 422 and "exceeds the quota" in page
        assert ('name="over_quota"' in page) is is_offered
        assert client.post(url, {"over_quota": "1"}).status_code == (302 if is_offered else 422)
        if is_offered:
            VirtualMachine.objects.update(busy_entry=None, busy_with="")
            Claim.objects.all().delete()


# Each way to take of alice's quota, of which nothing is left; bob has none at all.
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "start": ("stopped", {}),
    "modify": ("running", {"wanted": {"beparams": {"vcpus": 7}}}),
    "grow-disk": ("running", {"disk": "0", "more_mib": "1024"}),
    "set-owner": ("running", {"owner": "bob"}),
    "adopt": ("running", {}),
}


def with_nothing_left(desk: Desk, state: str) -> Desk:
    """vm1 is alice's, and its tag names bob."""
    if state == "stopped":
        desk.stop()
    else:
        desk.read()
    make_user("bob")
    for who in ("alice", "bob"):
        set_quota(persona_of(User.objects.get(username=who)), desk.vm.cluster, Limits(0, 0, 0, 0))
    VirtualMachine.objects.filter(pk=desk.vm.pk).update(owner=persona_of(desk.alice.user), owner_tag="bob")
    return desk


def test_all_ways_are_tried() -> None:
    """A creation, of whatever, is tried in tests/creating/test_over_quota.py."""
    taking = {key for key, each in OPERATIONS.items() if each.takes_quota}
    assert taking == {"vm.create", *(f"vm.{verb}" for verb in WAYS)}


@pytest.mark.feature("F117", "F118", "F120", "F121")
@pytest.mark.parametrize("verb", WAYS)
def test_each_way_is_refused_and_done_when_an_administrator_ticks(desk: Desk, verb: str) -> None:
    state, given = WAYS[verb]
    with_nothing_left(desk, state)
    assert OPERATIONS[f"vm.{verb}"].takes_quota, "or a plan of many would offer no tick"
    with pytest.raises(OverQuota) as refused:
        desk.do(verb, desk.root, **given)
    assert refused.value.on == "lab"
    entry = desk.do(verb, replace(desk.root, over_quota=True), **given)
    assert "may be exceeded" in str(entry.changes)


@pytest.mark.feature("F121")
def test_what_takes_of_no_quota_is_not_said_to_exceed_one(desk: Desk) -> None:
    desk.read()
    entry = desk.do("reboot", replace(desk.root, over_quota=True), type="hard")
    assert "may be exceeded" not in str(entry.changes)


@pytest.mark.feature("F121")
@pytest.mark.parametrize("is_ticked", [True, False])
def test_a_batch_exceeds_a_quota_when_that_was_ticked_as_it_was_confirmed(desk: Desk, is_ticked: bool) -> None:
    with_nothing_left(desk, "running")
    client = Client()
    client.force_login(desk.root.user)
    plan = client.post("/vms/batch/", {"vm": [desk.vm.pk], "verb": "set-owner"})["Location"]
    assert 'name="over_quota"' in client.get(plan).content.decode()
    client.post(f"{plan}do/begin/", {"owner": "bob", **({"over_quota": "1"} if is_ticked else {})})
    while work_lane(""):
        pass
    item = BatchItem.objects.get(position=0)
    assert (item.state, desk.vm.owner.name) == (("done", "bob") if is_ticked else ("skipped", "alice"))


@pytest.mark.feature("F121")
def test_a_plan_offers_the_tick_only_for_machines_of_clusters_with_limits(desk: Desk) -> None:
    desk.read()
    elsewhere = make_vm(make_cluster("elsewhere"), "far.example.org")
    set_default(elsewhere.cluster, Limits(machines=1))
    client = Client()
    client.force_login(desk.root.user)
    for machines, is_offered in (([desk.vm], False), ([desk.vm, elsewhere], True)):
        chosen = {"vm": [each.pk for each in machines], "verb": "set-owner"}
        plan = client.get(client.post("/vms/batch/", chosen)["Location"]).content.decode()
        assert ('name="over_quota"' in plan) is is_offered


@pytest.mark.feature("F118", "F121")
@pytest.mark.parametrize("verb", WAYS)
def test_each_way_says_so_before_anything_is_planned_or_sent(desk: Desk, verb: str) -> None:
    """On a page that asks Ganeti first, in a plan, and where *Save and restart* offers the tick."""
    state, given = WAYS[verb]
    with_nothing_left(desk, state)
    wanted = OPERATIONS[f"vm.{verb}"]
    params = params_from(wanted, desk.root, desk.vm, given)
    with pytest.raises(OverQuota) as refused:
        wanted.check(Ask(desk.root, desk.vm, params))
    assert list(refused.value.errors) == [{"grow-disk": "more_mib", "set-owner": "owner"}.get(verb, "")]
    wanted.check(Ask(replace(desk.root, over_quota=True), desk.vm, params))


@pytest.mark.feature("F116")
def test_a_setting_has_stopped_machines_count_in_full(desk: Desk, settings: Any) -> None:
    with_nothing_left(desk, "stopped")
    vm, alice = desk.vm, persona_of(desk.alice.user)
    assert usage_of(alice, vm.cluster) == Amounts(0, vm.disk_mib, 0, 1) == amounts_of_machine(vm)
    settings.GWM_QUOTAS_COUNT_STOPPED = True
    everything = Amounts(vm.memory_mib, vm.disk_mib, vm.vcpus, 1)
    assert usage_of(alice, vm.cluster) == everything == amounts_of_machine(vm)
    assert amounts_to_run(vm) is None, "it counts already"
    with pytest.raises(OverQuota):  # larger is more, whether it runs or not
        desk.do("modify", desk.root, wanted={"beparams": {"vcpus": 7}})
