"""What machines use is the same by whatever way it is asked for, of one as of all, stopped or not."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from permissions.services import make_team, persona_of
from quotas.amounts import Amounts
from rapi.shapes import INSTANCE_STATUSES
from tests.factories import make_cluster, make_user, make_vm
from virtualmachines.models import VirtualMachine
from virtualmachines.spec import Defaults, VMSpec
from virtualmachines.usage import (
    amounts_of_machine,
    amounts_to_run,
    growth_of,
    usage_by_cluster,
    usage_by_owner,
    usage_of,
    usage_of_all,
)

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F116")]
ADMIN_STATES = ("up", "down", "offline", "")
STATES = list(itertools.product(ADMIN_STATES, (*INSTANCE_STATUSES, "")))


@pytest.fixture(params=[False, True], ids=["what runs", "all"])
def counts_stopped(request: pytest.FixtureRequest, settings: Any) -> bool:
    """Whether memory and vCPUs of stopped machines count, too."""
    settings.GWM_QUOTAS_COUNT_STOPPED = request.param
    return bool(request.param)


def holds(vm: VirtualMachine, counts_stopped: bool) -> bool:
    """The rule, once more in words: stopped is what is to be, and is."""
    is_stopped = vm.admin_state in ("down", "offline") and vm.status not in ("running", "ERROR_up")
    return counts_stopped or not is_stopped


def test_of_a_machine_in_whatever_state_each_way_tells_the_same(counts_stopped: bool) -> None:
    cluster, alice = make_cluster(), persona_of(make_user())
    for admin_state, status in STATES:
        vm = make_vm(cluster, owner=alice, memory_mib=1000, disk_mib=10, vcpus=3)
        VirtualMachine.objects.filter(pk=vm.pk).update(admin_state=admin_state, status=status)
        vm.refresh_from_db()
        used = Amounts(1000, 10, 3, 1) if holds(vm, counts_stopped) else Amounts(0, 10, 0, 1)
        assert usage_of(alice, cluster) == amounts_of_machine(vm) == used, (admin_state, status)
        more = amounts_to_run(vm)
        assert (Amounts(1000, 10, 3, 1) if more is None else used + more) == Amounts(1000, 10, 3, 1)
        assert (more is None) == holds(vm, counts_stopped)
        larger = VMSpec(vm.name, beparams={"maxmem": 1500, "vcpus": 5})
        grown = growth_of(vm, larger, Defaults())
        assert replace(grown, disk_mib=0) == (Amounts(500, 0, 2, 0) if holds(vm, counts_stopped) else Amounts())
        vm.delete()


def test_all_that_there_is_is_counted_once_for_its_owner_on_its_cluster(counts_stopped: bool) -> None:
    clusters = [make_cluster(), make_cluster()]
    owners = [persona_of(make_user()), persona_of(make_team("web")), None]
    machines: list[VirtualMachine] = []
    for number, (cluster, owner, (admin_state, status)) in enumerate(
        itertools.product(clusters, owners, [("up", "running"), ("down", "ADMIN_down"), ("", "")])
    ):
        size: Any = {"memory_mib": 100 + number, "disk_mib": 1000 + number, "vcpus": 1 + number}
        machines.append(make_vm(cluster, owner=owner, admin_state=admin_state, status=status, **size))
        make_vm(cluster, owner=owner, admin_state=admin_state, status=status, missing_since=timezone.now(), **size)
    expected: dict[tuple[int, int], Amounts] = {}
    for vm in machines:
        if vm.owner_id is not None:
            key = (vm.owner_id, vm.cluster_id)
            expected[key] = expected.get(key, Amounts()) + amounts_of_machine(vm)
    assert usage_of_all() == expected and len(expected) == 4
    for owner in filter(None, owners):
        assert usage_by_cluster(owner) == {where: used for (who, where), used in expected.items() if who == owner.pk}
        for cluster in clusters:
            assert usage_of(owner, cluster) == expected[owner.pk, cluster.pk]
            [some, *_others] = [vm for vm in machines if (vm.owner_id, vm.cluster_id) == (owner.pk, cluster.pk)]
            assert usage_of(owner, cluster, without=some) == expected[owner.pk, cluster.pk] - amounts_of_machine(some)
    for cluster in clusters:
        assert usage_by_owner(cluster) == {who: used for (who, where), used in expected.items() if where == cluster.pk}
