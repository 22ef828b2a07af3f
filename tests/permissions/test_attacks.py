"""Rights where somebody pushes: clocks that step, teams emptied, accounts switched off, odd names, very many roles."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from permissions.models import RoleGrant, User
from permissions.policy import can, may_act_for, reach_kept, verbs_on, visible
from permissions.services import grant, grant_role, make_team, persona_of, set_role
from tests.factories import make_admin, make_cluster, make_user, make_vm
from virtualmachines.models import MachineTag, VirtualMachine

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G054")]


def sees(user: User, vm: VirtualMachine, verb: str = "power") -> bool:
    """By list and by object, which must agree."""
    listed = visible(user, verb, VirtualMachine.objects.all()).filter(pk=vm.pk).exists()
    assert listed == bool(can(user, verb, vm))
    return listed


@pytest.mark.parametrize("where", ["machine", "cluster", "everything"])
def test_an_end_counts_by_the_clock_also_where_that_steps_back(where: str) -> None:
    user, vm = make_user(), make_vm(make_cluster())
    end = timezone.now() + timedelta(hours=1)
    role = set_role("operator", {"vm": ["power"]})
    grant_role(role, user, {"machine": vm, "cluster": vm.cluster, "everything": None}[where], until=end)
    for moment, expected in ((-1, True), (0, False), (3600, False), (-1, True)):
        with time_machine.travel(end + timedelta(seconds=moment), tick=False):
            assert sees(user, vm) is expected


def test_a_team_that_is_emptied_gives_nothing_and_who_comes_back_has_it_again() -> None:
    user, cluster = make_user(), make_cluster()
    vm, team = make_vm(cluster), make_team("web", [user])
    grant(["admin"], team, cluster)
    grant_role(set_role("operator", {"vm": ["power"]}), team, None)
    assert sees(user, vm) and sees(user, vm, "forget") and may_act_for(user, persona_of(team))
    team.user_set.clear()
    assert not sees(user, vm) and not sees(user, vm, "forget") and not may_act_for(user, persona_of(team))
    team.user_set.add(user)
    assert sees(user, vm) and may_act_for(user, persona_of(team))
    team.delete()
    assert not sees(user, vm) and verbs_on(user, vm) == frozenset()


def test_a_superuser_who_is_switched_off_may_nothing_not_even_what_was_granted() -> None:
    admin, vm = make_admin(), make_vm(make_cluster())
    grant(["power"], admin, vm)
    grant_role(set_role("operator", {"vm": ["power"]}), admin, None)
    assert sees(admin, vm)
    admin.is_active = False
    assert not sees(admin, vm) and not may_act_for(admin, persona_of(admin))
    admin.is_active, admin.is_superuser = True, False
    assert sees(admin, vm) and not can(admin, "modify", vm)


@pytest.mark.parametrize("name", ["Ünïcödé", "名前", "a'b\"c%s%%d", "<row>", "{}", "\u202egnp", "x" * 128, "a\\b;--"])
def test_names_are_values_and_nothing_else(name: str) -> None:
    user, owner, vm = make_user(name[:100]), make_user("owner"), make_vm(make_cluster())
    role, team = set_role(name[:100], {"vm": ["power"]}), make_team(name[:100], [user])
    grant_role(role, team, None, tag=name)
    grant_role(role, team, vm.cluster, tag=name, owner=persona_of(owner))
    assert not sees(user, vm)
    MachineTag.objects.create(machine=vm, tag=name)
    assert sees(user, vm)
    MachineTag.objects.update(tag=f"{name[:127]}!")
    assert not sees(user, vm)


def test_the_rights_of_one_person_are_not_kept_for_another() -> None:
    alice, bob, vm = make_user("alice"), make_user("bob"), make_vm(make_cluster())
    grant_role(set_role("operator", {"vm": ["power"]}), alice, None)
    with reach_kept():
        assert sees(alice, vm) and not sees(bob, vm) and sees(alice, vm)


@pytest.mark.long
def test_ten_thousand_roles_of_one_person_cost_no_more_queries() -> None:
    user, clusters = make_user(), [make_cluster() for _ in range(20)]
    vms = [make_vm(cluster) for cluster in clusters]
    role = set_role("operator", {"vm": ["power", "tags"]})
    scopes: list[dict[str, Any]] = [{"scope_kind": "vm", "scope_pk": 10**6 + number} for number in range(9_000)]
    scopes += [{"scope_kind": "cluster", "scope_pk": clusters[n % 19].pk, "tag": f"tag{n}"} for n in range(1_000)]
    RoleGrant.objects.bulk_create((RoleGrant(role=role, user=user, **scope) for scope in scopes), batch_size=500)
    grant_role(role, user, clusters[19])
    with CaptureQueriesContext(connection) as asked:
        assert list(visible(user, "power", VirtualMachine.objects.all())) == [vms[19]]
        assert can(user, "tags", vms[19]) and not can(user, "tags", vms[0])
    assert len(asked) == 4
