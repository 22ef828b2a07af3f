"""Quotas where machines start and grow: taken of, given back, and exceeded only by who may, who says so."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client

from objectlog.models import Event, Outcome
from operations.contract import Invalid, OverQuota
from permissions.models import User
from permissions.services import persona_of
from quotas.amounts import Amounts, Limits
from quotas.models import Claim
from quotas.services import set_quota
from tests.editing.conftest import Desk
from virtualmachines.models import VirtualMachine
from virtualmachines.usage import usage_of

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
