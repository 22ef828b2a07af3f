"""Teams: administrators make and delete them, their admins look after them, and nothing reaches beyond the team."""

from __future__ import annotations

import pytest
from django.test import Client

from objectlog.models import Entry, Event, Via
from operations.contract import SITE, Actor, Ask, Invalid
from operations.table import OPERATIONS
from people.operations.teams import TeamParams
from permissions.models import Team, User
from permissions.policy import can, granted_verbs, may_act_for
from permissions.selectors import find_group
from permissions.services import add_member, grant, grant_role, make_team, persona_of, set_role
from quotas.amounts import Limits
from quotas.models import Quota
from quotas.services import set_quota
from tests.factories import make_admin, make_cluster, make_key, make_user, make_vm

pytestmark = pytest.mark.django_db
PAGE = "/teams/web-team/"


@pytest.fixture
def olga() -> User:
    """An admin of the team, and a member."""
    return make_user("olga")


@pytest.fixture
def team(olga: User) -> Team:
    team = make_team("web-team", [olga, make_user("bob", first_name="Robert", last_name="Tables")])
    grant(["admin"], olga, team)
    return team


@pytest.fixture
def page(team: Team, olga: User, client: Client) -> Client:
    client.force_login(olga)
    return client


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(client: Client, url: str, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status
    return " ".join(answer.content.decode().split())


@pytest.mark.feature("F019", "F025", "F256")
def test_an_administrator_makes_renames_and_deletes_one() -> None:
    root = signed_in(make_admin())
    answer = root.post("/teams/do/create/", {"name": "web-team", "permissions": ["1"], "user_set": ["1"]})
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    team = Team.objects.get()
    assert not team.permissions.exists() and not team.user_set.exists(), "nothing but the name is read"
    persona, cluster = persona_of(team), make_cluster()
    vm = make_vm(cluster, owner=persona)
    set_quota(persona, cluster, Limits(machines=3))
    root.post(f"{PAGE}do/rename/", {"name": "Web people"})
    team.refresh_from_db()
    assert team.name == "Web people" and "Web people" in text(root, "/teams/Web%20people/")
    root.post("/teams/Web%20people/do/delete/", {"typed_name": "web people"})
    assert Team.objects.exists(), "another name was typed"
    root.post("/teams/Web%20people/do/delete/", {"typed_name": "Web people"})
    vm.refresh_from_db()
    assert not Team.objects.exists() and vm.owner is None and not Quota.objects.exists()
    assert Entry.objects.get(verb="team.delete").message == "1 machine has no owner now."
    said = [event.said for event in Event.objects.filter(verb__startswith="team.").order_by("pk")]
    assert said[0] == "Created team @web-team"
    assert said[1].startswith("Renamed team @web-team to Web people")


NAMES = ("", "a/b", "@web", " web", "web ", "a,b", "a\nb", "-web", "x" * 151, "..", "WEB-TEAM")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_could_not_be_typed_or_is_taken_is_refused(team: Team, name: str) -> None:
    root = signed_in(make_admin())
    if name.strip() != name and name.strip():
        root.post("/teams/do/create/", {"name": name})  # spaces around it are none of it
        assert find_group(name.strip()) is not None
        return
    assert root.post("/teams/do/create/", {"name": name}).status_code == 422
    assert Team.objects.count() == 1
    if name != "WEB-TEAM":
        assert root.post(f"{PAGE}do/rename/", {"name": name}).status_code == 422
    other = make_team("other")
    assert root.post("/teams/other/do/rename/", {"name": name}).status_code == 422
    other.refresh_from_db()
    assert other.name == "other"


@pytest.mark.feature("F021", "F022", "F023", "F020")
def test_its_admin_looks_after_members_and_admins(page: Client, team: Team) -> None:
    carol = make_user("carol")
    assert "Robert Tables" in text(page, PAGE)
    page.post(f"{PAGE}do/add-member/", {"who": "carol"})
    assert may_act_for(carol, persona_of(team))
    page.post(f"{PAGE}do/add-admin/", {"who": "carol"})
    assert can(carol, "admin", team) and "team admin" in text(page, PAGE)
    page.post(f"{PAGE}do/remove-admin/", {"who": "carol"})
    assert not can(carol, "admin", team) and team.user_set.filter(pk=carol.pk).exists()
    grant(["admin", "act"], carol, team)
    grant_role(set_role("carers", {"team": ["admin"]}), carol, team)
    page.post(f"{PAGE}do/remove-member/", {"who": "carol"})
    assert not granted_verbs(carol, team) and not can(carol, "view", team), "what was granted on it goes, too"
    said = [event.said for event in Event.objects.filter(verb__startswith="team.").order_by("pk")]
    assert said[0] == "Added carol to @web-team" and said[-1] == "Removed carol from @web-team"


def test_a_member_with_a_right_of_their_own_still_acts_for_the_team(page: Client, team: Team) -> None:
    grant(["audit"], make_user("carol"), team)
    add_member(team, User.objects.get(username="carol"))
    row = page.get(PAGE).content.decode().partition("<strong>carol</strong>")[2].partition("</tr>")[0]
    assert "acts for the team" in row and "audit" in row


def test_what_makes_no_sense_is_said_at_its_field(page: Client, team: Team) -> None:
    make_user("carol")
    for verb, who, words in (
        ("add-member", "nobody", "There is no user “nobody”."),
        ("add-member", "bob", "bob is a member already."),
        ("remove-member", "carol", "carol is no member of web-team."),
        ("add-admin", "carol", "carol is no member of web-team."),
        ("add-admin", "olga", "olga is an admin of the team already."),
        ("remove-admin", "bob", "bob is no admin of the team."),
    ):
        answer = page.post(f"{PAGE}do/{verb}/", {"who": who})
        assert answer.status_code == 422 and words in answer.content.decode(), (verb, who)


def test_a_team_is_not_called_like_another(team: Team) -> None:
    for alike in ("Web-Team", "web-te\u0430m"):
        with pytest.raises(Invalid, match="There is a team “web-team” already"):
            OPERATIONS["team.create"].check(Ask(Actor(make_user(), Via.CLI), SITE, TeamParams(alike)))


@pytest.mark.feature("F022")
def test_its_admin_grants_within_it_and_nothing_beyond(page: Client, team: Team) -> None:
    """The predecessor let them delete it, and took the key of the object from what was posted."""
    carol, other, vm = make_user("carol"), make_team("other"), make_vm(make_cluster("lab"), "web1.example.org")
    make_team("mates", [find("olga")])
    for verb, given in (
        ("grant", {"who": "carol", "verbs": ["admin"]}),
        ("grant", {"who": "@mates", "verbs": ["act"]}),
        ("set-rights", {"who": "carol", "verbs": ["admin"]}),
        ("grant-role", {"who": "carol", "role": set_role("carers", {"team": ["admin"]}).name}),
    ):
        answer = page.post(f"{PAGE}do/{verb}/", {**given, "target": other.pk, "team": other.pk, "vm": vm.pk})
        assert answer.status_code == 422 and "is no member of web-team" in answer.content.decode(), verb
    page.post(f"{PAGE}do/grant/", {"who": "bob", "verbs": ["admin"], "target": other.pk, "name": "other", "vm": vm.pk})
    assert granted_verbs(find("bob"), team).keys() == {"admin"} and not granted_verbs(find("bob"), other)
    assert not can(carol, "view", team)
    for url in (f"{PAGE}do/delete/", "/teams/do/create/"):
        assert page.post(url, {"name": "mine", "typed_name": "web-team"}).status_code == 403
    for url in ("/teams/other/", "/teams/other/do/add-member/", "/teams/other/rights/"):
        assert page.get(url).status_code == 404
    assert page.post("/teams/other/do/add-member/", {"who": "olga"}).status_code == 404
    root = signed_in(make_admin())
    assert root.post(f"{PAGE}do/grant/", {"who": "carol", "verbs": ["act"]}).status_code == 302


def find(name: str) -> User:
    return User.objects.get(username=name)


@pytest.mark.feature("F018", "F024")
def test_who_sees_which_teams_and_tabs(page: Client, team: Team) -> None:
    make_team("other", [make_user("erik")])
    make_vm(make_cluster(), "mine1.example.org", owner=persona_of(team))
    assert [row.name for row in page.get("/teams/").context["page"].object_list] == ["web-team"]
    row = signed_in(make_admin()).get("/teams/").context["page"].object_list[1]
    assert (row.name, row.members, row.machines) == ("web-team", 2, 1)
    bob = signed_in(find("bob"))
    shown = text(bob, PAGE)
    assert "olga" in shown and "do/add-member" not in shown and f"{PAGE}rights/" not in shown
    assert bob.get(f"{PAGE}rights/").status_code == 403
    assert "mine1" not in text(bob, f"{PAGE}machines/"), "owning grants nothing"
    assert "mine1" in text(signed_in(find("root")), f"{PAGE}machines/")
    assert bob.post(f"{PAGE}do/add-admin/", {"who": "bob"}).status_code == 403
    assert "You are in no team" in text(signed_in(make_user("carol")), "/teams/")
    page.post(f"{PAGE}do/add-member/", {"who": "carol"})
    assert "Added carol" in text(page, f"{PAGE}journal/")


@pytest.mark.feature("F021", "F101")
def test_names_are_told_to_who_knows_them(page: Client, team: Team) -> None:
    """The predecessor told all names to whoever asked, without signing in."""
    make_user("bertha")
    make_team("business", [make_user("bernd")])
    answer = Client().get("/names/?of=who&who=b")
    assert answer.status_code == 302 and "/login/" in answer["Location"]
    assert offered(page, "who=b") == ["bob"]
    assert offered(page, "who=tab") == ["bob"], "by name, too"
    assert offered(page, "who=w&teams=1") == ["@web-team"]
    assert offered(page, "who=@&teams=1") == ["@web-team"]
    assert offered(page, "who=@") == []
    root = signed_in(make_admin())
    assert offered(root, "who=b&teams=1") == ["bernd", "bertha", "bob", "@business"]
    for number in range(20):
        make_user(f"bill{number}")
    assert len(offered(root, "who=b&teams=1")) == 10
    assert 'hx-get="/names/?of=who&amp;teams=1"' in text(page, f"{PAGE}do/grant/")
    assert 'hx-get="/names/?of=who"' in text(page, f"{PAGE}do/add-member/")


def offered(client: Client, query: str) -> list[str]:
    parts = client.get(f"/names/?of=who&{query}").content.decode().split('value="')[1:]
    return [part.partition('"')[0] for part in parts]


@pytest.mark.feature("F015")
def test_the_keys_of_its_members_are_for_who_looks_after_it(page: Client, team: Team) -> None:
    bob = User.objects.get(username="bob")
    make_key(bob, "laptop of bob")
    make_key(make_user("stranger"), "of nobody here")
    shown = text(page, f"{PAGE}keys/")
    assert "laptop of bob" in shown and "of nobody here" not in shown
    assert signed_in(bob).get(f"{PAGE}keys/").status_code == 403
