"""Role by address by operation, complete by construction (rows: tests/permissions/matrix.py)."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from clusters.models import Cluster
from clusters.operations.wanted import ClusterSettings
from objectlog.models import Entry, Event, Outcome, Via
from operations.contract import SITE, Actor, AnyOperation, Ask, Forbidden, Refusal
from operations.pipeline import run
from operations.table import OPERATIONS as ALL_OPERATIONS
from people.operations.quotas import PersonaParams, QuotaParams
from people.operations.rights import GrantParams, RoleGrantParams
from people.operations.roles import RoleParams
from people.operations.teams import MemberParams
from permissions.models import Role, SshKey, Token, User
from permissions.selectors import find_role
from permissions.services import grant, grant_role, make_team, persona_of
from tests.factories import (
    make_admin,
    make_batch,
    make_cluster,
    make_job,
    make_key,
    make_node,
    make_request,
    make_template,
    make_token,
    make_user,
    make_vm,
)
from tests.fixtures.databases import some_in_fast
from tests.fixtures.kept import keep, sign_in, signed_in
from tests.permissions.matrix import DOORS, EVERYBODY, OPERATIONS, PAGES, ROLES, WHERE, Row
from tests.words.kept import list_translated
from tests.words.pseudo import spoken
from virtualmachines.models import MachineTemplate, VirtualMachine

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F107", "F108")]


def walk(patterns: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns)
        else:
            yield pattern


def test_every_address_has_a_row() -> None:
    patterns = list(walk(get_resolver().url_patterns))
    assert all(pattern.name for pattern in patterns)
    assert {pattern.name for pattern in patterns} == set(PAGES) | set(DOORS.values())


def test_every_operation_has_a_row() -> None:
    assert set(OPERATIONS) == set(ALL_OPERATIONS)


class World:
    """A cluster, a node, a machine, a job; somebody for each role."""

    def __init__(self) -> None:
        self.cluster = make_cluster("lab")
        self.node = make_node(self.cluster, "node1.example.org")
        self.vm = make_vm(self.cluster, "web1.example.org", primary_node=self.node)
        self.job = make_job(self.cluster, ("instance", "web1.example.org"), ganeti_id=7)
        self.team = make_team("ops")
        self.somebody = make_user("somebody")
        elsewhere = make_cluster("elsewhere")
        make_vm(elsewhere, "web1.example.org")
        self.users: dict[str, User] = {}
        for role in ROLES:
            self.users[role] = make_admin("root") if role == "root" else make_user(role)
            self.users[role].set_password("a password of theirs")
            self.users[role].save()
        User.objects.filter(pk=self.users["staff"].pk).update(is_staff=True)
        auditor = find_role("auditor")
        assert auditor is not None
        grant_role(auditor, self.users["auditor"], None)
        for verb in ("tags", "remove", "modify", "console", "power", "admin"):
            grant([verb], self.users[f"vm_{verb}"], self.vm)
        for verb in ("audit", "tags", "create_vm", "export", "replace_disks", "migrate", "admin"):
            grant([verb], self.users[f"c_{verb}"], self.cluster)
        for role, target in (("vm_admin_by_group", self.vm), ("c_admin_by_group", self.cluster)):
            group = Group.objects.create(name=role)
            self.users[role].groups.add(group)
            grant(["admin"], group, target)
        grant(["admin"], self.users["other_admin"], elsewhere)
        self.team.user_set.add(self.users["t_member"])
        for verb in ("audit", "admin"):
            grant([verb], self.users[f"t_{verb}"], self.team)
        self.vm.owner = persona_of(self.users["owner"])
        self.vm.save()
        make_batch(self.users["root"], **WHERE["batch"])
        self.request = make_request(self.somebody, self.cluster, pk=4711)
        assert self.template.pk and self.key.pk and self.token.pk and self.role.pk
        self._tickets = {role: sign_in(user) for role, user in self.users.items()}

    @property
    def template(self) -> MachineTemplate:
        """There again if somebody has just deleted it: nothing holds them up."""
        found = MachineTemplate.objects.filter(name="small").first()
        if found is None:
            found = make_template("small", self.cluster)
            grant(["use"], self.users["c_create_vm"], found)
        return found

    @property
    def role(self) -> Role:
        """Likewise."""
        return Role.objects.get_or_create(name="porter")[0]

    @property
    def key(self) -> SshKey:
        """There again if somebody has just removed it."""
        return SshKey.objects.filter(person=self.somebody).first() or make_key(self.somebody)

    @property
    def token(self) -> Token:
        """Likewise."""
        return Token.objects.filter(person=self.somebody).first() or make_token(self.somebody)

    def client(self, role: str) -> Client:
        return signed_in(self._tickets[role])

    def target(self, kind: str) -> Cluster | VirtualMachine | Any:
        known: dict[str, Any] = {"vm": self.vm, "cluster": self.cluster, "node": self.node, "job": self.job}
        ours = {"team": self.team, "template": self.template, "person": self.somebody}
        ours["role"] = self.role
        return {**known, **ours, "key": self.key, "token": self.token, "request": self.request}[kind]


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    yield from keep(django_db_blocker, World)


@pytest.fixture
def world(made: World, db: None) -> World:
    return deepcopy(made)


def expected(row: Row, role: str) -> str:
    if role in row.may:
        return "may"
    return "403" if role in row.see else "404"


#: All roles where time is, and once: a second database would answer them as it answers one of each.
ALL_ROLES = [pytest.mark.long, pytest.mark.alike]


def list_roles(row: Row) -> list[str]:
    """All of them, whatever they may; where everybody may nothing is asked, and those who have least and most do."""
    return ["stranger", "owner", "staff", "root"] if row.may == EVERYBODY else list(ROLES)


def one_of_each(row: Row) -> list[str]:
    """A role for each answer that the row expects: the first of those who may, who may least, and who may most of those
    who may not."""
    least = [role for role in ROLES if role in row.may][:1]
    return list({expected(row, role): role for role in (*ROLES, *least)}.values())


def got(response: Any) -> str:
    if response.status_code in (403, 404):
        return str(response.status_code)
    if response.status_code == 302 and "/login/?next=" in response.headers["Location"]:
        return "login"
    assert response.status_code < 500 or response.status_code == 503, response.content
    assert response.status_code != 405, "the row names the wrong method"
    return "may"


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("asked", [one_of_each, pytest.param(list_roles, marks=ALL_ROLES)])
def test_address(world: World, name: str, asked: Callable[[Row], list[str]]) -> None:
    row, url = PAGES[name], reverse(name, kwargs=WHERE.get(name))
    roles = asked(row)
    answers = {role: got(getattr(world.client(role), row.method)(url)) for role in roles}
    assert answers == {role: expected(row, role) for role in roles}
    stranger = getattr(Client(), row.method)(url)
    assert got(stranger) == (expected(row, "stranger") if row.open else "login")


def behind_doors() -> list[list[str]]:
    """All operations without a page of their own, by the door behind which they are."""
    asked = [name for name in OPERATIONS if not ALL_OPERATIONS[name].has_own_page]
    return [[name for name in asked if ALL_OPERATIONS[name].kind == kind] for kind in DOORS]


def test_all_operations_are_asked_for_at_a_door_or_have_a_page() -> None:
    of_doors = sum(len(names) for names in behind_doors())
    assert of_doors == sum(not each.has_own_page for each in ALL_OPERATIONS.values())


#: Fast is one in fifteen behind each door, as the pipeline is asked for every one.
AT_DOORS = [case for names in behind_doors() for case in some_in_fast(names, 15)]


@pytest.mark.parametrize("name", AT_DOORS)
@pytest.mark.parametrize(
    "method",
    [
        pytest.param("get", marks=pytest.mark.long),
        pytest.param("post", marks=pytest.mark.alike),  # the pipeline is asked on both
    ],
)
def test_operation_on_the_web(world: World, name: str, method: str) -> None:
    """Asking needs the same right as doing; nobody is listening at the cluster's address, so nothing can happen."""
    ask_at_its_door(world, name, method, one_of_each(OPERATIONS[name]))


@pytest.mark.long
@pytest.mark.alike
@pytest.mark.parametrize("name", [name for names in behind_doors() for name in names])
def test_a_door_tells_all_roles_apart(world: World, name: str) -> None:
    """All who get the same answer are treated alike by it, as by the pipeline."""
    ask_at_its_door(world, name, "post", list_roles(OPERATIONS[name]))


def ask_at_its_door(world: World, name: str, method: str, roles: list[str]) -> None:
    row, door = OPERATIONS[name], DOORS[ALL_OPERATIONS[name].kind]
    url = reverse(door, kwargs={**WHERE[door], "verb": ALL_OPERATIONS[name].verb})
    answers = {}
    for role in roles:
        if not Cluster.objects.filter(slug="lab").exists():
            raise AssertionError(f"{role} has removed the cluster without typing its name")
        assert world.template.pk and world.key.pk and world.token.pk and world.role.pk
        before = Entry.objects.count()
        answers[role] = got(getattr(world.client(role), method)(url))
        if answers[role] != "may":
            assert Entry.objects.count() == before
    assert answers == {role: expected(row, role) for role in roles}
    assert got(getattr(Client(), method)(url)) == "login"


def params_for(operation: AnyOperation, world: World) -> Any:
    """Such as are taken apart only after the right was asked for; of rights such as change nothing."""
    who, role = world.users["stranger"], world.role
    given = {
        ClusterSettings: ClusterSettings("lab", "127.0.0.1"),
        GrantParams: GrantParams(who, ["fly"]),
        RoleGrantParams: RoleGrantParams(who, role, until=timezone.now()),
        RoleParams: RoleParams(),
        MemberParams: MemberParams(who),
        QuotaParams: QuotaParams(who=persona_of(who)),
        PersonaParams: PersonaParams(persona_of(who)),
    }
    return given[operation.params_type] if operation.params_type in given else operation.params_type()


@pytest.mark.feature("F094", "F096")
@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("asked", [one_of_each, pytest.param(list_roles, marks=ALL_ROLES)])
def test_operation_in_the_pipeline(world: World, name: str, asked: Callable[[Row], list[str]]) -> None:
    """The check that the command line and all later callers pass through."""
    operation, row = ALL_OPERATIONS[name], OPERATIONS[name]
    world.cluster.unreachable_since = world.cluster.synced_at  # whoever may comes as far as the refusal
    world.cluster.save()
    if name in ("cluster.remove", "cluster.edit", "cluster.add", "person.delete", "team.delete"):
        roles: Any = EVERYBODY.intersection(asked(row)) - row.may
    else:
        roles = asked(row)
    for role in sorted(roles):
        target: Any = SITE if operation.is_on_site else world.target(operation.target_kind)
        if target is not SITE:
            target.refresh_from_db()
        try:
            with spoken():
                run(operation, Ask(Actor(world.users[role], Via.CLI), target, params_for(operation, world)))
            answer = "may"
        except Refusal:
            answer = "may"
        except Forbidden:
            answer = "forbidden"
            told = Event.objects.latest("pk")
            assert (told.verb, told.outcome, told.actor_name) == (name, Outcome.DENIED, role), "who tried is told"
        assert answer == ("may" if role in row.may else "forbidden"), role
    assert list_translated() == []


def test_account_that_is_switched_off_is_signed_out(world: World) -> None:
    client = world.client("c_admin")
    User.objects.filter(username="c_admin").update(is_active=False)
    assert got(client.get(reverse("vms"))) == "login"


def test_unknown_objects_and_verbs(world: World) -> None:
    client = world.client("root")
    for name, kwargs in (
        ("vm", {"slug": "lab", "name": "nothing"}),
        ("vm", {"slug": "nowhere", "name": "web1.example.org"}),
        ("node", {"slug": "lab", "name": "web1.example.org"}),
        ("job", {"slug": "lab", "number": 8}),
        ("vm-do", {"slug": "lab", "name": "web1.example.org", "verb": "remove-cluster"}),
        ("cluster-do", {"slug": "lab", "verb": "start"}),
    ):
        assert client.get(reverse(name, kwargs=kwargs)).status_code == 404
