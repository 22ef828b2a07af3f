"""Looking at the pages as somebody else sees them: for administrators, for looking alone, and in the journal."""

from __future__ import annotations

from itertools import cycle

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from objectlog.models import Entry, Event
from permissions.models import User
from permissions.services import grant
from tests.factories import make_admin, make_cluster, make_user, make_vm
from tests.permissions.matrix import PAGES, WHERE

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G017")]
VM = "/clusters/lab/vms/web1.example.org/"


@pytest.fixture
def alice() -> User:
    """May power web1, and nothing else."""
    alice = make_user("alice")
    cluster = make_cluster("lab")
    grant(["power"], alice, make_vm(cluster, "web1.example.org"))
    make_vm(cluster, "db1.example.org")
    return alice


@pytest.fixture
def root(client: Client) -> Client:
    client.force_login(make_admin())
    return client


def machines(client: Client) -> list[str]:
    return [vm.name for vm in client.get("/vms/").context["page"].object_list]


def test_pages_are_as_the_other_sees_them_until_it_is_ended(root: Client, alice: User) -> None:
    assert len(machines(root)) == 2
    assert root.post("/view-as/", {"who": "alice"}).status_code == 302
    assert machines(root) == ["web1.example.org"]
    page = root.get(VM).content.decode()
    assert 'id="viewed-by"' in page and "<strong>root</strong>" in page and 'name="live-note"' not in page
    assert root.get("/clusters/lab/").status_code == 404 and root.get("/health/").status_code == 403
    assert root.get("/view-as/").status_code == 403, "for alice may not"
    assert root.post("/view-as/stop/").status_code == 302
    assert len(machines(root)) == 2 and 'id="viewed-by"' not in root.get(VM).content.decode()
    said = [(event.actor_name, event.said) for event in Event.objects.order_by("pk")]
    assert said == [("root", "Began to view pages as alice"), ("root", "Ended viewing pages as alice")]
    assert {event.target_pk for event in Event.objects.all()} == {alice.pk}


@pytest.mark.alike
def test_nothing_can_be_posted_whatever_it_is(root: Client, alice: User) -> None:
    """Every address there is, as it is found, each also by one method more: a console's ticket among them."""
    root.post("/view-as/", {"who": "alice"})
    before = Entry.objects.count(), Event.objects.count()
    posted = 0
    for name, other in zip(PAGES, cycle(("put", "patch", "delete")), strict=False):
        if name in ("logout", "view-as-stop") or name not in _names():
            continue
        for method in ("post", other):
            answer = getattr(root, method)(reverse(name, kwargs=WHERE.get(name)), {"who": "alice", "persona": "alice"})
            assert answer.status_code in (403, 405), (name, method)
            posted += answer.status_code == 403
    assert posted > 40 and (Entry.objects.count(), Event.objects.count()) == before
    answer = root.post(f"{VM}do/shutdown/", {})
    assert answer.status_code == 403 and "nothing can be changed" in answer.content.decode()
    assert root.post(f"{VM}console/ticket/").status_code == 403


def _names() -> set[str]:
    return {str(name) for name in get_resolver().reverse_dict if isinstance(name, str)}


def test_who_is_no_administrator_looks_as_nobody(alice: User, client: Client) -> None:
    bob = make_user("bob")
    client.force_login(bob)
    assert client.post("/view-as/", {"who": "alice"}).status_code == 403
    session = client.session
    session["viewing_as"] = alice.pk
    session.save()
    assert machines(client) == []
    root = make_admin("root")
    client.force_login(root)
    client.post("/view-as/", {"who": "alice"})
    assert machines(client) == ["web1.example.org"]
    User.objects.filter(pk=root.pk).update(is_superuser=False)
    assert machines(client) == [], "as themselves, who see nothing"
    assert Event.objects.order_by("pk").last().verb == "person.stop-viewing"


def test_only_somebody_who_could_sign_in_is_looked_as(root: Client, alice: User) -> None:
    make_user("gone", is_active=False)
    for who in ("gone", "nobody", ""):
        assert root.post("/view-as/", {"who": who}).status_code == 422
    root.post("/view-as/", {"who": "alice"})
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert len(machines(root)) == 2
    assert [event.said for event in Event.objects.order_by("pk")][-1] == "Ended viewing pages as alice"
    User.objects.filter(pk=alice.pk).update(is_active=True)
    assert len(machines(root)) == 2, "it does not begin again by itself"
    root.post("/logout/")
    assert root.get("/vms/").status_code == 302
