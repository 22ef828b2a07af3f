"""What is asked for twice is done once: the second time changes nothing, and the journal does not say that it has."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from objectlog.models import Event, Via
from operations.contract import SITE, Actor, Ask, Refusal, Unchanged
from operations.forms import params_from
from operations.pipeline import run
from operations.table import OPERATIONS
from people.tokens import make_secret
from permissions.models import User
from permissions.policy import granted_verbs
from permissions.services import grant, grant_role, persona_of
from quotas.amounts import Limits
from quotas.selectors import own_limits
from quotas.services import set_default, set_quota
from tests.factories import ED25519
from tests.permissions.test_matrix import World, made, world

__all__ = ["made", "world"]
pytestmark = [pytest.mark.django_db, pytest.mark.feature("G053", "F103")]
OF_PEOPLE = [key for key, each in OPERATIONS.items() if type(each).__module__.startswith("people.")]
#: Each time they do something: end sessions, replace a password.
EACH_TIME = {"person.sign-out", "person.set-password"}
#: What they need stands in files of their own, where they are refused when there is nothing left to take or to use.
ELSEWHERE = {"person.invite", "person.use-email", "person.reset-factors", "person.disconnect"}
ROLE = {"who": "somebody", "role": "porter"}
GIVEN: dict[str, dict[str, Any]] = {
    "grant": {"who": "somebody", "verbs": "admin", "until": "30d"},
    "revoke": {"who": "somebody", "verbs": "admin"},
    "set-rights": {"who": "somebody", "verbs": "admin", "until": "30d"},
    "grant-role": {**ROLE, "until": "30d"},
    "revoke-role": ROLE,
    "role.create": {"name": "carrier", "verbs": "vm.power"},
    "role.edit": {"verbs": "vm.power", "description": "carries"},
    "person.add": {"username": "carol", "password": "a password of theirs"},
    "person.edit": {"first_name": "Some", "last_name": "Body", "email": "s@example.org"},
    "key.add": {"key": ED25519.replace("INdam", "INdan")},
    "key.edit": {"comment": "desk"},
    "token.add": {"name": "hook2", "on": "everything", "until": "30d", "secret": make_secret()},
    "cluster.set-default-quota": {"vcpus": "4"},
    "cluster.set-quota": {"who": "somebody", "vcpus": "4"},
    "cluster.remove-quota": {"who": "somebody"},
    "request.ask-quota": {"cluster": "lab", "vcpus": "8", "reason": "more"},
    "request.ask-machine": {"cluster": "lab", "memory_mib": "1 GiB", "disk_mib": "1 GiB", "vcpus": "1", "reason": "x"},
    "request.approve": {"vcpus": "8"},
    "request.decline": {"answer": "no"},
    "team.create": {"name": "others"},
    "team.rename": {"name": "others"},
    "team.add-member": {"who": "somebody"},
    "team.remove-member": {"who": "t_member"},
    "team.add-admin": {"who": "t_member"},
    "team.remove-admin": {"who": "t_admin"},
}


def prepare(world: World, verb: str, target: Any) -> None:
    """What there must be, to be taken away."""
    if verb == "revoke":
        grant(["admin"], world.somebody, target)
    if verb == "revoke-role":
        grant_role(world.role, world.somebody, None if target is SITE else target)
    if verb == "remove-quota":
        set_quota(persona_of(world.somebody), target, Limits())
    if verb == "ask-quota":
        set_default(world.cluster, Limits(vcpus=1))
    if verb in ("activate", "demote"):
        User.objects.filter(pk=target.pk).update(is_active=verb == "demote", is_superuser=verb == "demote")


@pytest.mark.alike
@pytest.mark.parametrize("verb", sorted({OPERATIONS[key].verb for key in OF_PEOPLE}))
def test_what_is_asked_for_twice_is_done_once(world: World, verb: str) -> None:
    asked = [key for key in OF_PEOPLE if OPERATIONS[key].verb == verb and key not in ELSEWHERE]
    for key in sorted(asked, key=lambda key: key == "person.delete"):  # all else is made with that person
        operation = OPERATIONS[key]
        target: Any = SITE if operation.is_on_site else world.target(operation.target_kind)
        actor = Actor(target if key == "token.add" else world.users["root"], Via.WEB)
        if key == "token.add":
            User.objects.filter(pk=target.pk).update(is_superuser=True)
            actor.user.refresh_from_db()
        prepare(world, verb, target)
        if target is not SITE:
            target.refresh_from_db()
        given = GIVEN.get(key) or GIVEN.get(verb) or ({"password": "another of theirs"} if "password" in verb else {})

        def ask(operation: Any = operation, actor: Actor = actor, target: Any = target, given: Any = given) -> None:
            run(operation, Ask(actor, target, params_from(operation, actor, target, given)))

        before = Event.objects.count()
        ask()
        told = Event.objects.count()
        assert told == before + (2 if key == "request.approve" else 1), key  # one of the quota, too
        if key in EACH_TIME:
            continue
        if target is not SITE and type(target)._default_manager.filter(pk=target.pk).exists():
            target.refresh_from_db()
        with pytest.raises(Refusal):
            ask()
        assert Event.objects.count() == told, key


def test_an_end_a_giver_and_a_quota_of_ones_own_are_changes(world: World) -> None:
    root, boss = Actor(world.users["root"], Via.WEB), Actor(world.users["c_admin"], Via.WEB)
    key = OPERATIONS["cluster.set-quota"]
    set_default(world.cluster, Limits(vcpus=4))
    params = params_from(key, root, world.cluster, GIVEN[key.key])
    run(key, Ask(root, world.cluster, params))
    assert own_limits(params.who, world.cluster) == Limits(vcpus=4), "as the default, and stays when that is changed"
    with pytest.raises(Unchanged, match="It is so already"):
        run(key, Ask(boss, world.cluster, params))
    gives = OPERATIONS["cluster.grant"]
    for until in ("2100-01-01", "2101-01-01", ""):
        given = {"who": "somebody", "verbs": "tags", "until": until}
        run(gives, Ask(root, world.cluster, params_from(gives, root, world.cluster, given)))
    assert granted_verbs(world.somebody, world.cluster) == {"tags": None}
    assert Event.objects.filter(verb="cluster.grant").count() == 3


def test_commands_say_how_it_is_when_they_run_again(world: World) -> None:
    """Scripts run them again and again."""
    words = ["grant", "somebody", "tags", "--on", "lab", "--as", "root"]
    for command in (words, ["role", "porter", "vm.power", "--as", "root"]):
        told = []
        for _time in range(2):
            out = StringIO()
            call_command(*command, stdout=out)
            told.append(out.getvalue())
        assert told[0] == told[1] != ""
    assert Event.objects.count() == 2
