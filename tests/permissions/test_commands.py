"""Rights on the command line: giving, taking, roles, ends, and why somebody may."""

import io
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from objectlog.models import Entry, Event
from objectlog.reading import read_event
from permissions.journal import list_visible_events
from permissions.models import RoleGrant, User
from permissions.policy import can, verbs_on
from permissions.services import grant, make_team, persona_of
from tests.factories import make_admin, make_cluster, make_job, make_node, make_user, make_vm
from virtualmachines.models import MachineTag, VirtualMachine

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G040", "G054")]


def call(*words: Any) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


@pytest.fixture
def vm() -> VirtualMachine:
    cluster = make_cluster("lab")
    make_admin("root")
    return make_vm(cluster, "web1.example.org")


@pytest.fixture
def alice(vm: VirtualMachine) -> User:
    return make_user("alice")


def test_until_then_and_no_longer(vm: VirtualMachine, alice: User) -> None:
    said = call("grant", "alice", "power", "--on", "lab/web1.example.org", "--until", "12h", "--as", "root")
    assert "given to alice until" in said
    assert can(alice, "power", vm)
    with time_machine.travel(timezone.now() + timedelta(hours=12, seconds=1)):
        assert not can(alice, "power", vm)
        why = call("explain", "alice", "power", "lab/web1.example.org")
        assert "alice may not power on machine web1.example.org." in why
        assert "ended: power on it, granted by root" in why and "granted by: root." in why
    assert Entry.objects.get().params["until"].startswith("20")


@pytest.mark.parametrize(
    "moment",
    [
        *("yesterday", "2001-01-01", "2030-02-31", "0x", "99999999999d", "2030-13-01T10:00"),
        *("9999-12-31T23:30-05:00", "0001-01-01T00:00+05:00", "9999-12-31T23:59", "9999-12-31T10:00+00:00"),
    ],
)
def test_what_is_no_moment_to_come_is_refused(vm: VirtualMachine, alice: User, moment: str) -> None:
    with pytest.raises(CommandError):
        call("grant", "alice", "power", "--on", "lab", "--until", moment, "--as", "root")
    assert not Entry.objects.exists()


@pytest.mark.feature("G015")
def test_a_role_from_its_making_to_its_end(vm: VirtualMachine, alice: User) -> None:
    call("role", "porter", "vm.power", "cluster.migrate", "--as", "root")
    assert call("role", "porter") == "porter: cluster.migrate, vm.power\n"
    call("grant", "alice", "--role", "porter", "--on", "lab", "--as", "root")
    assert verbs_on(alice, vm) == {"view", "power", "console", "migrate"}
    call("role", "porter", "vm.tags", "--as", "root")
    assert verbs_on(alice, vm) == {"view", "tags"}
    assert "tags on it, by role porter, granted by root" in call("explain", "alice", "tags", "lab/web1.example.org")
    call("revoke", "alice", "--role", "porter", "--on", "lab", "--as", "root")
    assert verbs_on(alice, vm) == frozenset()
    assert list(Entry.objects.order_by("pk").values_list("verb", flat=True)) == [
        *("role.create", "cluster.grant-role", "role.edit", "cluster.revoke-role")
    ]
    assert Entry.objects.filter(verb="cluster.grant-role").get().params == {"who": "alice", "role": "porter"}


def test_a_role_for_some_machines_alone(vm: VirtualMachine, alice: User) -> None:
    team = make_team("web", [alice])
    call("role", "porter", "vm.power", "--as", "root")
    owned = ["--on", "everything", "--tag", "blue", "--owner", "@web", "--as", "root"]
    call("grant", "@web", "--role", "porter", *owned)
    told = Event.objects.get(verb="site.grant-role").said
    assert "porter (tag blue, owner @web) on everything" in told, "and not as if it were on every machine"
    assert not can(alice, "power", vm)
    MachineTag.objects.create(machine=vm, tag="blue")
    assert not can(alice, "power", vm)
    VirtualMachine.objects.update(owner=persona_of(team))
    assert can(alice, "power", vm)
    assert "by role porter, through team @web" in call("explain", "alice", "power", "lab/web1.example.org")
    call("revoke", "@web", "--role", "porter", *owned)
    assert not RoleGrant.objects.exists()


def test_who_may_grant_what(vm: VirtualMachine, alice: User) -> None:
    boss = make_user("boss")
    grant(["admin"], boss, vm.cluster)
    call("role", "porter", "vm.power", "--as", "root")
    for words in (
        ["role", "porter", "vm.admin", "--as", "boss"],
        ["grant", "alice", "--role", "porter", "--on", "everything", "--as", "boss"],
        ["grant", "boss", "--role", "porter", "--on", "lab/web1.example.org", "--as", "alice"],
    ):
        with pytest.raises(CommandError):
            call(*words)
    call("grant", "alice", "--role", "porter", "--on", "lab/web1.example.org", "--as", "boss")
    assert can(alice, "power", vm)
    call("grant", "alice", "tags", "--on", "lab/web1.example.org", "--as", "boss")
    assert "granted by boss" in call("explain", "alice", "tags", "lab/web1.example.org")


@pytest.mark.parametrize(
    "words",
    [
        ["alice", "--on", "lab"],
        ["alice", "power", "--role", "porter", "--on", "lab"],
        ["alice", "power", "--on", "everything"],
        ["alice", "power", "--tag", "x", "--on", "lab"],
        ["alice", "create_vm", "--on", "lab/web1.example.org"],
        ["alice", "power", "--on", "lab"],
        ["alice", "--role", "nothing", "--on", "lab"],
        ["alice", "--role", "porter", "--tag", "x", "--on", "lab/web1.example.org"],
        ["nobody", "power", "--on", "lab"],
        ["@nobody", "power", "--on", "lab"],
        ["alice", "act", "--on", "@nobody"],
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(vm: VirtualMachine, alice: User, words: list[str]) -> None:
    call("role", "porter", "vm.power", "--as", "root")
    with pytest.raises(CommandError):
        call("grant", *words, "--as", "root")
    assert Entry.objects.count() == 1 and not RoleGrant.objects.exists()
    assert verbs_on(alice, vm) == verbs_on(alice, vm.cluster) == frozenset()


@pytest.mark.parametrize("verbs", [["power"], ["vm.fly"], ["node.view"], ["vm.power", "moon.admin"]])
def test_a_role_holds_what_exists(vm: VirtualMachine, verbs: list[str]) -> None:
    with pytest.raises(CommandError, match=r"known: .*vm\.admin"):
        call("role", "porter", *verbs, "--as", "root")
    assert not Entry.objects.exists()


def test_rights_on_a_team(vm: VirtualMachine, alice: User) -> None:
    team = make_team("web")
    call("grant", "alice", "admin", "--on", "@web", "--as", "root")
    assert verbs_on(alice, team) == {"view", "admin", "act", "audit"}
    assert list_visible_events(alice).get().verb == "team.grant"
    assert not list_visible_events(make_user("carol")).exists()
    call("grant", "alice", "power", "--on", "lab/web1.example.org", "--as", "root")
    bob = make_user("bob")
    bob.groups.add(team)
    assert "as a member of @web" in call("explain", "bob", "view", "@web")
    assert "may not admin on team web" in call("explain", "bob", "admin", "@web")
    assert "Rights on it can be granted by: alice, root." in call("explain", "bob", "admin", "@web")


def test_explaining_whatever_there_is(vm: VirtualMachine, alice: User, django_assert_max_num_queries: Any) -> None:
    make_node(vm.cluster, "node1.example.org")
    make_job(vm.cluster, ("instance", vm.name), ganeti_id=7)
    grant(["power"], alice, vm)
    grant(["migrate"], alice, vm.cluster)
    assert "power (gives cancel) on its machine" in call("explain", "alice", "cancel", "lab/7")
    assert "power (gives console) on it" in call("explain", "alice", "console", "lab/web1.example.org")
    assert "migrate (gives view) on its cluster" in call("explain", "alice", "view", "lab/node1.example.org")
    assert "as a superuser" in call("explain", "root", "forget", "lab/web1.example.org")
    assert "alice may not add_cluster: Only administrators" in call("explain", "alice", "add_cluster", "everything")
    no = call("explain", "alice", "remove", "lab/web1.example.org")
    assert "It comes with admin or remove on the machine; admin on its cluster." in no
    assert "Nobody can hold “fly”" in call("explain", "alice", "fly", "lab")
    with pytest.raises(CommandError):
        call("explain", "alice", "power", "lab/nothing")
    User.objects.filter(username="alice").update(is_active=False)
    assert "deactivated" in call("explain", "alice", "power", "lab/web1.example.org")


def changes_of(command: list[str]) -> dict[str, tuple[str, str]]:
    """What the newest event tells of before and after."""
    call(*command)
    told = read_event(Event.objects.latest("pk"))
    return {label: (before, after) for label, before, after in told.changes}


@pytest.mark.feature("G018", "G053")
def test_the_journal_keeps_what_was_held_before_and_after(vm: VirtualMachine, alice: User) -> None:
    on = ["alice", "--on", "lab/web1.example.org", "--as", "root"]
    assert changes_of(["grant", *on[:1], "tags", *on[1:]]) == {"rights": ("—", "tags")}
    assert changes_of(["grant", *on[:1], "power", *on[1:]]) == {"rights": ("tags", "power, tags")}
    until = changes_of(["grant", *on[:1], "tags", *on[1:], "--until", "2100-01-01"])
    assert until["rights"][0] == "power, tags" and until["rights"][1].startswith("power, tags until 2")
    assert changes_of(["revoke", *on[:1], "tags", *on[1:]])["rights"][1] == "power"
    newest = Event.objects.latest("pk")
    call("revoke", *on[:1], "tags", *on[1:])
    assert Event.objects.latest("pk") == newest, "a second time nothing changes"
    assert changes_of(["revoke", *on[:1], "power", *on[1:]]) == {"rights": ("power", "—")}


@pytest.mark.feature("G018", "G053")
def test_the_journal_keeps_roles_before_and_after(vm: VirtualMachine, alice: User) -> None:
    assert changes_of(["role", "porter", "vm.power", "--as", "root"]) == {"rights": ("—", "vm.power")}
    assert changes_of(["role", "porter", "vm.tags", "vm.power", "--as", "root"]) == {
        "rights": ("vm.power", "vm.power, vm.tags")
    }
    on = ["alice", "--role", "porter", "--on", "lab", "--as", "root"]
    assert changes_of(["grant", *on]) == {"roles": ("—", "porter")}
    assert changes_of(["grant", *on, "--tag", "web"]) == {"roles": ("porter", "porter, porter (tag web)")}
    assert changes_of(["revoke", *on]) == {"roles": ("porter, porter (tag web)", "porter (tag web)")}
    assert read_event(Event.objects.latest("pk")).sentence.startswith("Took role porter on lab from alice")
