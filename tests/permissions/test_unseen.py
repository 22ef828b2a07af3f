"""What one may not see is told from what is not there by no field of any form, nor by what is checked then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django import forms
from django.core.management import CommandError, call_command
from django.utils.datastructures import MultiValueDict

from objectlog.models import Via
from operations.contract import Actor, AnyOperation, Ask, Invalid
from operations.forms import NamingField, OperationForm, form_for, form_for_many
from operations.table import OPERATIONS as ALL_OPERATIONS
from permissions.models import Team, User
from permissions.policy import granted_verbs
from permissions.services import grant, grant_role, make_team, persona_of, set_role
from quotas.amounts import Limits
from quotas.services import set_quota
from tests.factories import make_cluster, make_node, make_request, make_template, make_user, make_vm
from tests.permissions.matrix import OPERATIONS
from tests.permissions.test_matrix import World, made, world

__all__ = ["made", "world"]
pytestmark = [pytest.mark.django_db, pytest.mark.feature("F108")]
#: In each only `unseen` is there; the other word is as long and is nothing.
VALUES = (
    "@unseen",
    "unseen",
    "unseen/unseen.example.org",
    "unseen.example.org",
)
#: What some fields need so that the others are looked at.
GIVEN = {"verbs": ["admin"], "role": ["porter"], "on": ["everything"], "name": ["one"], "reason": ["why"]}
#: No two are called alike, so whoever names something learns that a name is taken.
NAMES_ANEW = {("team.rename", "name")}
ASKED = [key for key, row in OPERATIONS.items() if row.may - {"root", "auditor"}]


def filled(form: OperationForm) -> dict[str, list[str]]:
    """What it has at first, and what it needs."""
    at_first = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    told = {name: [value] for name, value in at_first.items() if isinstance(value, str)}
    return {**{name: GIVEN[name] for name in form.fields if name in GIVEN}, **told}


def answer(operation: AnyOperation, form: OperationForm) -> dict[str, str]:
    """What a form says of what is typed into it, and what is said of it all if the form takes it."""
    said = dict(form.errors)
    if not said and type(form) is form_for(operation) and form.actor is not None:
        # one for many makes no parameters: its plan asks the other
        try:
            operation.check(Ask(form.actor, form.target, form.params(operation)))
        except Invalid as invalid:
            said = {name: [words] for name, words in invalid.errors.items()}
    return {name: " ".join(map(str, words)).replace("absent", "unseen") for name, words in said.items()}


@pytest.mark.alike
def test_a_field_says_the_same_of_what_is_hidden_and_of_what_is_not_there(world: World) -> None:
    hidden = make_cluster("unseen")
    make_vm(hidden, "unseen.example.org", owner=persona_of(make_team("unseen")))
    make_node(hidden, "unseen.example.org")
    make_template("unseen", hidden)
    named: set[tuple[str, str]] = set()
    tried: set[tuple[str, str]] = set()
    for key in ASKED:
        operation = ALL_OPERATIONS[key]
        target: Any = None if operation.is_on_site else world.target(operation.target_kind)
        actor = Actor(world.users[max(OPERATIONS[key].may - {"root", "auditor"})], Via.WEB)
        for form_type in {form_for(operation), form_for_many(operation)}:
            empty = form_type(target=target, actor=actor)
            data = filled(empty)
            for name, field in empty.fields.items():
                named |= {(key, name)} if isinstance(field, NamingField) else set()
                if not isinstance(field, forms.CharField | forms.ChoiceField) or field.widget.is_hidden:
                    continue
                if (key, name) in NAMES_ANEW:
                    continue
                for value in VALUES:
                    tried.add((key, name))
                    there, not_there = (
                        answer(
                            operation,
                            form_type(MultiValueDict({**data, name: [typed]}), target=target, actor=actor),
                        )
                        for typed in (value, value.replace("unseen", "absent"))
                    )
                    assert there == not_there, (key, name, value)
    assert len(named) > 20 and len(tried) > 80, (named, tried)


#: By what somebody knows of a team, besides being in it.
def owns_a_machine(team: Team, user: User, world: World) -> None:
    world.vm.owner = persona_of(team)
    world.vm.save()


def asks(team: Team, user: User, world: World) -> None:
    asked = make_request(make_user("asks"), world.cluster)
    asked.persona = persona_of(team)
    asked.save()


def holds(team: Team, user: User, world: World) -> None:
    grant(["tags"], team, world.cluster)


def narrows(team: Team, user: User, world: World) -> None:
    grant_role(set_role("owned", {"vm": ["power"]}), user, world.cluster, owner=persona_of(team))


def has_a_quota(team: Team, user: User, world: World) -> None:
    set_quota(persona_of(team), world.cluster, Limits(vcpus=1))


def is_audited(team: Team, user: User, world: World) -> None:
    grant(["audit"], user, team)


@pytest.mark.parametrize("known", [owns_a_machine, asks, holds, narrows, has_a_quota, is_audited])
def test_a_team_is_there_for_whom_a_page_names_it(world: World, known: Callable[[Team, User, World], None]) -> None:
    team, user = make_team("unseen"), world.users["c_admin"]
    client, url = world.client("c_admin"), "/clusters/lab/do/grant/"
    given = {"who": "@unseen", "verbs": ["export"]}
    refused = client.post(url, given)
    assert refused.status_code == 422 and "There is no team “unseen”." in refused.content.decode()
    assert granted_verbs(team, world.cluster) == {}
    known(team, user, world)
    assert client.post(url, given).status_code == 302
    assert "export" in granted_verbs(team, world.cluster)


def test_what_a_team_holds_is_told_to_who_audits_it_alone(world: World) -> None:
    """One who may do something else there, and has the form made for them by a command."""
    team = make_team("unseen")
    grant(["power"], team, world.vm)
    with pytest.raises(CommandError, match="There is no team “unseen”"):
        call_command("grant", "@unseen", "power", "--on", "lab/web1.example.org", "--as", "vm_power")
