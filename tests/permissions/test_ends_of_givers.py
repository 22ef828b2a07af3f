"""Who may grant for a while grants for no longer: neither to others nor to themselves."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from objectlog.models import Entry, Via
from operations.contract import Actor, Ask, Invalid
from operations.pipeline import run
from operations.table import OPERATIONS
from people.operations.rights import GRANTED_ON, GrantParams, RoleGrantParams
from people.operations.teams import MemberParams
from permissions.models import User
from permissions.policy import granted_roles, granted_verbs, held_until
from permissions.services import grant, grant_role, make_team, set_role
from tests.factories import make_admin, make_cluster, make_template, make_user, make_vm
from ui.moments import tell

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F105", "G040")]
MAKE: dict[str, Callable[[], Model]] = {
    "cluster": lambda: make_cluster("lab"),
    "vm": lambda: make_vm(make_cluster("lab"), "web1.example.org"),
    "template": lambda: make_template("small", make_cluster("lab")),
    "team": lambda: make_team("web", [make_user("alice")]),
}
GIVING = ("grant", "set-rights", "grant-role")


@pytest.fixture
def end() -> datetime:
    return timezone.now() + timedelta(days=2)


@pytest.fixture
def boss() -> User:
    return make_user("boss")


def somebody() -> User:
    return User.objects.filter(username="alice").first() or make_user("alice")


def give(verb: str, kind: str, target: Any, giver: User, until: datetime | None, *, to: User | None = None) -> None:
    """As a page or a command does."""
    who = to or somebody()
    params: Any = GrantParams(who, ["admin"], until)
    if verb == "grant-role":
        params = RoleGrantParams(who, set_role("carers", {kind: ["admin"]}), until=until)
    run(OPERATIONS[f"{kind}.{verb}"], Ask(Actor(giver, Via.WEB), target, params))


def ends(target: Any, who: User) -> set[datetime | None]:
    held = {each.expires_at for each in granted_roles(who, target)}
    return held | set(granted_verbs(who, target).values())


def test_each_kind_on_which_rights_are_granted_is_tried() -> None:
    assert set(MAKE) == set(GRANTED_ON)


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize("verb", GIVING)
def test_nobody_grants_beyond_the_end_of_their_own_right(verb: str, kind: str, end: datetime, boss: User) -> None:
    target: Any = MAKE[kind]()
    grant(["admin"], boss, target, until=end)
    for until in (None, end + timedelta(seconds=1)):
        with pytest.raises(Invalid, match="You may grant here until") as refused:
            give(verb, kind, target, boss, until)
        assert set(refused.value.errors) == {"until"}
    assert ends(target, somebody()) == set() and held_until(boss, "admin", target) == end
    give(verb, kind, target, boss, end)
    assert ends(target, somebody()) == {end}
    give(verb, kind, target, make_admin(), None)
    assert ends(target, somebody()) == {None}


@pytest.mark.parametrize("verb", GIVING)
def test_nobody_puts_off_their_own_end(verb: str, end: datetime, boss: User) -> None:
    vm = MAKE["vm"]()
    grant(["admin"], boss, vm, until=end)
    for until in (None, end + timedelta(days=300)):
        with pytest.raises(Invalid):
            give(verb, "vm", vm, boss, until, to=boss)
    assert held_until(boss, "admin", vm) == end


def test_the_last_of_all_ways_counts_and_one_without_end_is_none(end: datetime, boss: User) -> None:
    vm: Any = MAKE["vm"]()
    grant(["admin"], boss, vm, until=end - timedelta(days=1))
    grant_role(set_role("keepers", {"vm": ["admin"]}), boss, vm.cluster, until=end)
    grant(["power"], boss, vm)
    assert held_until(boss, "admin", vm) == end and held_until(boss, "power", vm) is None
    give("grant", "vm", vm, boss, end)
    with pytest.raises(Invalid):
        give("grant", "vm", vm, boss, None)
    grant(["admin"], make_team("ops", [boss]), vm.cluster)
    give("grant", "vm", vm, boss, None)
    assert ends(vm, somebody()) == {None}


def test_what_somebody_holds_already_is_left_and_can_be_taken_back(end: datetime, boss: User) -> None:
    vm: Any = MAKE["vm"]()
    alice = somebody()
    grant(["admin"], boss, vm, until=end)
    grant(["power", "tags"], alice, vm)

    def set_rights(*verbs: str) -> None:
        run(OPERATIONS["vm.set-rights"], Ask(Actor(boss, Via.WEB), vm, GrantParams(alice, verbs)))

    set_rights("power")
    assert granted_verbs(alice, vm) == {"power": None}
    with pytest.raises(Invalid):
        set_rights("power", "modify")
    set_rights()
    assert granted_verbs(alice, vm) == {}


@pytest.mark.feature("F022")
def test_an_admin_of_a_team_for_a_while_makes_others_admin_for_no_longer(end: datetime, boss: User) -> None:
    team: Any = MAKE["team"]()
    grant(["admin"], boss, team, until=end)
    add = OPERATIONS["team.add-admin"]
    run(add, Ask(Actor(boss, Via.WEB), team, MemberParams(somebody())))
    assert ends(team, somebody()) == {end}
    assert Entry.objects.latest("pk").message.startswith("They are admin until 2")


@pytest.mark.feature("F101")
def test_the_form_has_the_end_of_who_grants(end: datetime, boss: User, client: Client) -> None:
    vm: Any = MAKE["vm"]()
    grant(["admin"], boss, vm, until=end)
    client.force_login(boss)
    for verb in ("grant", "grant-role"):
        page = client.get(f"/clusters/lab/vms/web1.example.org/do/{verb}/").content.decode()
        assert f'value="{timezone.localtime(end):%Y-%m-%dT%H:%M:%S}"' in page
        assert "Empty: for good." not in page and f"until {tell(end)} at most" in page
    typed = {"who": "boss", "verbs": ["admin"], "until": ""}
    answer = client.post("/clusters/lab/vms/web1.example.org/do/grant/", typed)
    assert answer.status_code == 422 and "Type an end that is no later." in answer.content.decode()
