"""The page of rights of a cluster and a machine: who holds what, by which way, and what is changed there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.test import Client
from django.utils import timezone

from objectlog.models import Event
from permissions.models import Token, User
from permissions.policy import can, granted_verbs
from permissions.services import grant, grant_role, make_team, set_role
from tests.factories import make_admin, make_cluster, make_template, make_token, make_user, make_vm
from virtualmachines.models import MachineTag, VirtualMachine

pytestmark = pytest.mark.django_db

VM = "/clusters/lab/vms/web1.example.org/"
PAGE = f"{VM}rights/"


@pytest.fixture
def vm() -> VirtualMachine:
    return make_vm(make_cluster("lab"), "web1.example.org")


@pytest.fixture
def owner(vm: VirtualMachine) -> User:
    user = make_user("olga")
    grant(["admin"], user, vm)
    return user


@pytest.fixture
def page(owner: User, client: Client) -> Client:
    client.force_login(owner)
    return client


def text(client: Client, url: str = PAGE) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize(("kept", "there"), [(["console"], VM), ([], "/vms/")])
def test_who_gives_up_their_own_rights_goes_on_to_what_they_still_see(
    page: Client, owner: User, vm: VirtualMachine, kept: list[str], there: str
) -> None:
    grant(kept, owner, vm)
    done = page.post(f"{VM}do/revoke/", {"who": "olga", "verbs": ["admin"], "next": PAGE})
    assert done["Location"] == there and page.get(there).status_code == 200


@pytest.mark.feature("F100", "F057", "F105", "F138")
def test_each_way_stands_in_a_row(page: Client, vm: VirtualMachine) -> None:
    alice, team = make_user("alice"), make_team("web-team", [make_user("bob")])
    grant(["power", "tags"], alice, vm, by=make_admin(), until=timezone.now() + timedelta(days=3))
    grant(["migrate"], team, vm.cluster)
    grant(["tags"], make_user("carol"), vm.cluster)  # gives nothing on its machines
    MachineTag.objects.create(machine=vm, tag="web")
    grant_role(set_role("operator", {"vm": ["power"]}), team, vm.cluster, tag="web")
    grant_role(set_role("other", {"vm": ["power"]}), make_user("dora"), vm.cluster, tag="db")
    grant_role(set_role("auditor", {"vm": ["tags"]}), make_user("erik"), None)
    shown = text(page)
    for there in ("<strong>alice</strong>", "<strong>@web-team</strong>", "role operator", "tag web", "everything"):
        assert there in shown, there
    for hidden in ("carol", "dora"):
        assert hidden not in shown, hidden


@pytest.mark.feature("F101", "F102", "F103", "F097")
def test_given_changed_and_taken_back_from_the_page(page: Client, vm: VirtualMachine) -> None:
    alice = make_user("alice")
    back = {"next": PAGE}
    asked = text(page, f"{VM}do/grant/?next={PAGE}")
    assert "Use its console" in asked and f'name="next" value="{PAGE}"' in asked
    answer = page.post(f"{VM}do/grant/", {"who": "alice", "verbs": ["power", "tags"], **back})
    assert answer.status_code == 302 and answer["Location"] == PAGE
    assert granted_verbs(alice, vm) == {"power": None, "tags": None}
    assert "Gave power, tags on web1.example.org to alice" in text(page, "/about/")
    filled = text(page, f"{VM}do/set-rights/?who=alice&next={PAGE}")
    assert filled.count(" checked") == 2
    page.post(f"{VM}do/set-rights/", {"who": "alice", "verbs": ["modify", "tags"], "until": "30d", **back})
    held = granted_verbs(alice, vm)
    assert held.keys() == {"modify", "tags"} and None not in held.values()
    event = Event.objects.get(verb="vm.set-rights")
    assert event.said.startswith("Changed the rights of alice on web1.example.org: rights power, tags → modify")
    with timezone.override("Asia/Kathmandu"):
        again = page.get(f"{VM}do/set-rights/?who=alice").context["form"]
        page.post(f"{VM}do/set-rights/", {"who": "alice", **again.initial, **back})
    assert granted_verbs(alice, vm) == held, "saved as it was opened, nothing is other than before"
    page.post(f"{VM}do/set-rights/", {"who": "alice", **back})
    assert granted_verbs(alice, vm) == {}
    role = set_role("operator", {"vm": ["power"]})
    page.post(f"{VM}do/grant-role/", {"who": "alice", "role": role.name, **back})
    assert can(alice, "power", vm)
    page.post(f"{VM}do/revoke-role/", {"who": "alice", "role": role.name, **back})
    assert not can(alice, "power", vm)


def test_what_was_typed_wrongly_is_said_at_its_field(page: Client, vm: VirtualMachine) -> None:
    make_user("alice")
    for given, words in (
        ({"who": "nobody", "verbs": ["power"]}, "There is no user “nobody”."),
        ({"who": "alice", "verbs": ["fly"]}, "“fly” cannot be granted"),
        ({"who": "alice", "verbs": []}, "This field is required"),
        ({"who": "alice", "verbs": ["power"], "until": "2001-01-01"}, "This moment has passed already."),
    ):
        answer = page.post(f"{VM}do/grant/", given)
        assert answer.status_code == 422 and words in answer.content.decode(), given


def test_who_may_open_a_console(page: Client, vm: VirtualMachine) -> None:
    make_admin("root")
    grant(["power"], make_team("web-team", [make_user("bob"), make_user("gone", is_active=False)]), vm)
    grant(["tags"], make_user("carol"), vm)
    assert "May do it, administrators included: bob, olga, root" in text(page, f"{PAGE}?verb=console")
    assert "carol" not in text(page, f"{PAGE}?verb=console")
    assert "carol" in text(page, f"{PAGE}?verb=no-such-verb")


def test_who_does_not_administer_it_has_no_tab(client: Client, vm: VirtualMachine) -> None:
    user = make_user("alice")
    grant(["power"], user, vm)
    client.force_login(user)
    assert PAGE not in text(client, VM)
    answer = client.get(PAGE)
    assert answer.status_code == 403
    assert client.post(f"{VM}do/grant/", {"who": "alice", "verbs": ["admin"]}).status_code == 403
    assert not can(user, "admin", vm)


def test_a_page_of_another_host_is_never_gone_back_to(page: Client, vm: VirtualMachine) -> None:
    make_user("alice")
    answer = page.post(f"{VM}do/grant/", {"who": "alice", "verbs": ["power"], "next": "https://evil.example/"})
    assert answer.status_code == 302 and "evil" not in answer["Location"]
    assert "evil" not in text(page, f"{VM}do/grant/?next=https://evil.example/").replace("next=https://evil", "")


@pytest.mark.feature("F101")
@pytest.mark.parametrize("on", ["lab", ""])
def test_the_rights_on_a_template_have_a_tab(on: str, client: Client) -> None:
    """For who has `admin` on it."""
    cluster = make_cluster("lab")
    template, olga, bob = make_template("small", cluster if on else None), make_user("olga"), make_user("bob")
    grant(["admin"], olga, template)
    grant(["use"], bob, template)
    for who in (olga, bob):  # who creates machines nowhere sees no templates of clusters
        grant(["create_vm"], who, cluster)
    url = f"/templates/{on or '-'}/small/"
    client.force_login(olga)
    page = client.get(f"{url}rights/").content.decode()
    assert f"{url}do/set-rights/?who=bob" in page and f"{url}rights/" in client.get(url).content.decode()
    client.post(f"{url}do/grant/", {"who": "bob", "verbs": ["admin"]})
    assert "admin" in granted_verbs(bob, template)
    client.post(f"{url}do/revoke/", {"who": "bob", "verbs": ["admin", "use"]})
    client.force_login(bob)
    assert client.get(f"{url}rights/").status_code == 404


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_an_end_on_the_last_day_of_all_calendars_breaks_no_page(page: Client, vm: VirtualMachine, zone: str) -> None:
    """East of Greenwich the clocks have no such day: who had given it would have kept everybody there off the page."""
    alice, last = make_user("alice"), datetime.max.replace(microsecond=0, tzinfo=UTC)
    grant(["power"], alice, vm, until=last)
    grant_role(set_role("operator", {"vm": ["power"]}), alice, vm, until=last)
    make_token(User.objects.get(username="olga"))
    Token.objects.update(expires_at=last)
    User.objects.filter(username="olga").update(time_zone=zone)
    for url in (
        PAGE,
        f"{VM}do/set-rights/?who=alice",
        "/account/tokens/",
        "/explain/?who=alice&on=lab/web1.example.org",
    ):
        assert page.get(url).status_code == 200, url
    assert "9999-12-31 23:59 UTC" in text(page) or zone == "Pacific/Pago_Pago"
    assert (
        page.post(f"{VM}do/grant/", {"who": "alice", "verbs": ["tags"], "until": "9999-12-31 23:59"}).status_code == 422
    )
    with timezone.override(zone):
        assert Template("{% load times %}{% day when %}").render(Context({"when": last})) == "9999-12-31"
