"""Every question of the policy, asked of an account that is switched off: whatever it holds, it is told no."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

import permissions.policy as policy
from clusters.models import Cluster, Node
from permissions.models import User
from permissions.services import grant, grant_role, make_team, persona_of, set_role
from tests.factories import make_admin, make_cluster, make_node, make_user, make_vm
from virtualmachines.models import VirtualMachine

pytestmark = pytest.mark.django_db


class World:
    """A machine, its cluster and node, and a team."""

    def __init__(self) -> None:
        self.cluster = make_cluster()
        self.vm = make_vm(self.cluster)
        make_node(self.cluster)
        self.team = make_team("web")
        self.role = set_role("all", {"cluster": {"admin"}, "vm": {"admin"}})

    def somebody(self, is_admin: bool) -> User:
        """Who holds everything, by each way."""
        user = make_admin("somebody") if is_admin else make_user("somebody")
        user.groups.add(self.team)
        for on in (self.cluster, self.vm, self.team):
            grant(["admin"], user, on)
        grant_role(self.role, user, None)
        return user


def _rows(parted: tuple[Any, Any]) -> bool:
    parents, rows = parted
    return parents.exists() or rows.exists()


#: Each of them answers yes to who is not switched off.
DOORS: dict[str, Callable[[User, World], object]] = {
    "can": lambda user, w: policy.can(user, "power", w.vm),
    "can_somewhere": lambda user, w: policy.can_somewhere(user, "create_vm", Cluster),
    "held": lambda user, w: policy.held(user, w.vm),
    "may_act_for": lambda user, w: policy.may_act_for(user, persona_of(w.team)),
    "may_look_after": lambda user, w: policy.may_look_after(user, user),
    "may_speak_as": lambda user, w: policy.may_speak_as(user, user),
    "means_visible": lambda user, w: policy.means_visible(user, "power", VirtualMachine, "pk") is not None,
    "sifting": lambda user, w: policy.sifting(user, "power", VirtualMachine) is not False,
    "teams_to_act_for": lambda user, w: list(policy.teams_to_act_for(user)),
    "verbs_on": lambda user, w: policy.verbs_on(user, w.vm),
    "visible": lambda user, w: list(policy.visible(user, "view", VirtualMachine.objects.all())),
    "visible_by_parent": lambda user, w: _rows(policy.visible_by_parent(user, "view", VirtualMachine.objects.all())),
    "by_parent": lambda user, w: policy.by_parent(user, "view", Node) != policy.by_parent(NOBODY, "view", Node),
}
NOBODY: Any = AnonymousUser()
#: What asks another of them, or is no question of somebody's rights.
OTHERS = {"held_until", "read_visible", "read_ahead", "count_read_ahead"}


def test_each_question_is_here() -> None:
    functions = {name: found for name in policy.__all__ if inspect.isfunction(found := getattr(policy, name))}
    asked = {name for name, found in functions.items() if "user" in list(inspect.signature(found).parameters)[:1]}
    assert asked == DOORS.keys() | OTHERS


@pytest.mark.feature("F108")
@pytest.mark.parametrize("is_admin", [False, True], ids=["with-rights", "administrator"])
@pytest.mark.parametrize("door", DOORS)
def test_who_is_switched_off_is_told_no(door: str, is_admin: bool) -> None:
    world = World()
    user = world.somebody(is_admin)
    assert DOORS[door](user, world)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert not DOORS[door](User.objects.get(pk=user.pk), world)


def test_nobody_else_is_looked_after_or_spoken_for() -> None:
    user, other, admin = make_user("user"), make_user("other"), make_admin()
    assert not policy.may_look_after(user, other) and policy.may_look_after(admin, other)
    assert not policy.may_speak_as(user, other) and not policy.may_speak_as(admin, other)
    assert not policy.may_act_for(user, persona_of(other))
