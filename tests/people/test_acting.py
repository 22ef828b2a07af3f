"""As whom one acts: chosen in the header, asked again whenever it counts, named by the journal."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from objectlog.models import Entry
from permissions.models import Team, User
from permissions.services import grant, make_team, persona_of, remove_member
from quotas.amounts import Limits
from quotas.models import Request
from quotas.services import set_default
from tests.factories import make_admin, make_cluster, make_template, make_user, make_vm
from virtualmachines.models import MachineTemplate, VirtualMachine

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G016")]
NOTES = "/clusters/lab/vms/web1.example.org/do/notes/"


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def team(alice: User) -> Team:
    return make_team("web-team", [alice])


@pytest.fixture
def vm(alice: User, team: Team) -> VirtualMachine:
    vm = make_vm(make_cluster("lab"), "web1.example.org")
    grant(["admin"], alice, vm)
    grant(["create_vm"], alice, vm.cluster)
    return vm


@pytest.fixture
def page(alice: User, team: Team, client: Client) -> Client:
    client.force_login(alice)
    return client


def header(client: Client) -> str:
    text = " ".join(client.get("/about/").content.decode().split())
    begin = text.index('<details class="menu persona">')
    return text[begin : text.index("</details>", begin)]


def choose(client: Client, name: str) -> int:
    return client.post("/acting/", {"persona": name}).status_code


def test_a_team_is_chosen_and_the_header_and_the_journal_say_so(page: Client, vm: VirtualMachine) -> None:
    assert "acting as" not in header(page)
    assert 'value="@web-team"' in page.get("/acting/").content.decode()
    assert choose(page, "@web-team") == 302
    assert "acting as" in header(page) and "<strong>web-team</strong" in header(page)
    page.post(NOTES, {"notes": "Ask Bob"})
    entry = Entry.objects.get(verb="vm.notes")
    assert (entry.actor_name, entry.persona_name) == ("alice", "web-team")
    assert choose(page, "alice") == 302
    assert "acting as" not in header(page)
    page.post(NOTES, {"notes": "Ask Carol"})
    assert Entry.objects.latest("pk").persona_name == "alice"


def test_the_list_and_the_default_owner_follow_and_all_is_one_click_away(page: Client, vm: VirtualMachine) -> None:
    choose(page, "@web-team")
    nav = page.get("/vms/").content.decode()
    assert 'href="/vms/?owner=%40web-team"' in nav
    make_vm(vm.cluster, "theirs1.example.org", owner=persona_of(Team.objects.get()))
    grant(["admin"], User.objects.get(username="alice"), VirtualMachine.objects.get(name="theirs1.example.org"))
    shown = page.get("/vms/?owner=@web-team")
    assert [row.name for row in shown.context["page"].object_list] == ["theirs1.example.org"]
    assert "Without owner:@web-team" in " ".join(shown.content.decode().split())
    assert page.get("/vms/create/").context["form"].personas()[0].name == "web-team"
    choose(page, "alice")
    assert page.get("/vms/create/").context["form"].personas()[0].name == "alice"
    assert 'href="/vms/"' in page.get("/vms/").content.decode()


@pytest.mark.parametrize("name", ["@other", "bob", "other", "web-team", "", "@", "0", "root"])
def test_what_is_posted_is_never_believed(page: Client, name: str) -> None:
    """The predecessor took the owner from the form as it came, whoever that was."""
    other = make_team("other", [make_user("bob")])
    make_admin("root")
    answer = page.post("/acting/", {"persona": name, "persona_id": other.pk, "acting_as": persona_of(other).pk})
    assert answer.status_code == 422
    assert "acting as" not in header(page)


def test_administrators_act_for_anybody(alice: User, vm: VirtualMachine) -> None:
    client = Client()
    client.force_login(make_admin())
    for name in ("alice", "@web-team"):
        assert choose(client, name) == 302
        client.post(NOTES, {"notes": name})
        entry = Entry.objects.latest("pk")
        assert (entry.actor_name, entry.persona_name) == ("root", name.removeprefix("@"))
    assert choose(client, "nobody") == 422


REQUEST = {"memory_mib": "4 GiB", "disk_mib": "40 GiB", "vcpus": "2", "reason": "A mail server"}
#: What is made for whom one acts, and says so on its page alone: address and what is typed.
FOR_WHOM = {
    "ask-machine": ("/requests/machine/", REQUEST),
    "ask-quota": ("/requests/quota/?cluster=lab", {"cluster": "lab", "memory_mib": "64 GiB", "reason": "A shop"}),
    "copy": ("/templates/lab/small/do/copy/", {"name": "copied", "cluster": "lab"}),
}


@pytest.mark.parametrize("what", FOR_WHOM)
@pytest.mark.parametrize(("first", "then"), [("@web-team", "alice"), ("alice", "@web-team")])
def test_for_another_than_the_page_said_nothing_is_made(
    page: Client, vm: VirtualMachine, alice: User, what: str, first: str, then: str
) -> None:
    """It was chosen in another tab meanwhile."""
    set_default(vm.cluster, Limits(memory_mib=1024))
    grant(["use"], alice, make_template("small", vm.cluster))
    address, typed = FOR_WHOM[what]
    choose(page, first)
    there = re.search(r'name="opened" value="(\d+)"', page.get(address).content.decode())
    assert there is not None
    made: Any = Request.objects.all() if what != "copy" else MachineTemplate.objects.filter(name="copied")
    choose(page, then)
    answer = page.post(address, {**typed, "opened": there[1]})
    assert answer.status_code == 422 and not made.exists()
    assert f"You act for {then} by now." in answer.content.decode().replace("&#x27;", "'")
    again = re.search(r'name="opened" value="(\d+)"', answer.content.decode())
    assert again is not None and again[1] != there[1]
    assert page.post(address, {**typed, "opened": again[1]}).status_code == 302
    [row] = made.all()
    whose = row.owner if isinstance(row, MachineTemplate) else row.persona
    assert whose is not None and whose.name == then.removeprefix("@")


@pytest.mark.parametrize("lost", ["member", "team"])
def test_who_may_act_for_it_no_more_does_nothing_for_it_and_nothing_instead(
    page: Client, vm: VirtualMachine, team: Team, alice: User, lost: str
) -> None:
    choose(page, "@web-team")
    if lost == "team":
        team.delete()
    else:
        remove_member(team, alice)
    answer = page.post(NOTES, {"notes": "for whom?"})
    assert answer.status_code == 403 and "From now on you act for yourself" in answer.content.decode()
    vm.refresh_from_db()
    assert not vm.notes and not Entry.objects.exists()
    assert "acting as" not in header(page)
    page.post(NOTES, {"notes": "for myself"})
    assert Entry.objects.get().persona_name == "alice"


def test_it_costs_who_acts_for_themselves_nothing_and_others_one_query(page: Client, alice: User) -> None:
    for number in range(50):
        make_team(f"team{number}", [alice])

    def count() -> int:
        page.get("/about/")
        with CaptureQueriesContext(connection) as captured:
            page.get("/about/")
        return len([query for query in captured if "permissions_persona" in query["sql"]])

    assert count() == 0
    choose(page, "@team7")
    assert count() == 1


def test_it_is_chosen_by_post_alone_and_ends_with_the_session(page: Client, alice: User) -> None:
    page.get("/acting/?persona=@web-team")
    assert "acting as" not in header(page)
    answer = page.post("/acting/", {"persona": "@web-team", "next": "//evil.example/"})
    assert answer["Location"] == "/"
    page.post("/logout/")
    page.force_login(alice)
    assert "acting as" not in header(page)


@pytest.mark.feature("F110", "F111")
def test_the_form_of_a_machine_names_as_owner_whom_one_acts_for(page: Client, vm: VirtualMachine) -> None:
    """It said "You" for the team whose the machine then was."""

    def owners() -> list[tuple[str, str]]:
        shown = page.get("/vms/create/").content.decode().partition('<select name="owner"')[2].partition("</select>")[0]
        return re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)<', shown)

    assert owners() == [("", "You (alice)"), ("@web-team", "@web-team")]
    choose(page, "@web-team")
    assert owners() == [("", "@web-team"), ("alice", "alice")]
