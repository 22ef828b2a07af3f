"""The pages on which administrators look after accounts."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from objectlog.models import Entry, Event
from permissions.models import User
from permissions.services import grant, grant_role, make_team, persona_of, set_role
from tests.factories import make_admin, make_cluster, make_user, make_vm

pytestmark = pytest.mark.django_db


@pytest.fixture
def root():
    return make_admin("root")


@pytest.fixture
def client(root):
    client = Client()
    client.force_login(root)
    return client


def names(client, query):
    return [row["username"] for row in client.get(f"/people/?format=json&{query}").json()["people"]]


@pytest.mark.feature("F010")
def test_what_the_list_can_be_asked_for(client):
    alice = make_user("alice", email="alice@example.org", first_name="Alice", last_name="Liddell")
    bob = make_user("bob", is_active=False, email="bob@example.net")
    make_team("Web", [alice]), make_team("web", [alice])
    make_vm(make_cluster("lab"), "web1.example.org", owner=persona_of(alice))
    User.objects.filter(pk=bob.pk).update(last_login="2020-01-01T00:00Z")
    for query, found in {
        "": ["alice", "bob", "root"],
        "q=liddell": ["alice"],
        "q=example.net": ["bob"],
        "q=name=ali": [],
        "status=deactivated": ["bob"],
        "status=administrator": ["root"],
        "q=-status:administrator status:active": ["alice"],
        "q=team:web": ["alice"],
        "q=-team:web": ["bob", "root"],
        "q=machines>0": ["alice"],
        "q=seen<2021-01-01": ["bob"],
        "q=seen<soon": [],
        "sort=-machines&q=machines>=0": ["alice", "root", "bob"],
    }.items():
        assert names(client, query) == found, query


def test_queries_do_not_grow_with_people(client):
    def ask(url):
        client.get(url)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        return len(captured)

    def grow(number):
        cluster = make_cluster()
        for _each in range(number):
            person = make_user()
            team = make_team(f"team of {person}", [person, alice])
            vm = make_vm(cluster, owner=persona_of(person))
            make_vm(make_cluster(), owner=persona_of(alice))
            grant(["power"], alice, vm)
            grant(["tags"], team, vm)
            grant_role(role, alice, vm)

    alice, role = make_user("alice"), set_role("operator", {"vm": ["power"]})
    urls = ["/people/?per_page=100", "/person/alice/", "/person/alice/rights/", "/person/alice/journal/"]
    grow(2)
    few = {url: ask(url) for url in urls}
    grow(20)
    assert {url: ask(url) for url in urls} == few
    assert max(few.values()) <= 22, few


@pytest.mark.feature("F010")
def test_a_password_is_shown_once(client):
    page = client.post("/people/add/", {"username": "alice", "first_name": "Alice", "how": "show"})
    password = re.search(r'data-copy="([^"]+)"', page.content.decode())[1]
    assert page.status_code == 200 and page["Cache-Control"] == "no-store, private"
    assert Client().post("/login/", {"login": "alice", "password": password}).status_code == 302
    assert password not in f"{[*Entry.objects.values(), *Event.objects.values()]}"
    assert User.objects.get(username="alice").first_name == "Alice"
    for url in ("/people/", "/person/alice/", "/person/alice/journal/"):
        assert password not in client.get(url).content.decode()
    again = client.post("/people/add/", {"username": "alice", "how": "show"})
    assert again.status_code == 422 and "already exists" in again.content.decode()


def test_what_a_browser_posts_adds_an_account_where_no_mail_is_sent(client, settings):
    settings.GWM_MAIL_URL = ""
    asked = client.get("/people/add/").content.decode()
    names = set(re.findall(r'<(?:input|select)[^>]*name="(\w+)"', asked)) - {"csrfmiddlewaretoken", "q"}
    assert "how" not in names
    page = client.post("/people/add/", dict.fromkeys(names, "") | {"username": "alice"})
    assert page.status_code == 200 and "data-copy" in page.content.decode()


def test_an_error_of_a_field_that_is_not_seen_is_said(client):
    asked = {"step": "settings", "host": "", "port": "x", "slug": "lab"}
    page = client.post("/clusters/add/", asked).content.decode()
    assert "<li>Port: " in page


@pytest.mark.parametrize("name", [".", "..", "@", "two words", "", "a/b"])
def test_a_name_that_no_page_could_have(client, name):
    assert client.post("/people/add/", {"username": name, "how": "show"}).status_code == 422
    assert User.objects.count() == 1


@pytest.mark.parametrize("name", ["add", "rights", "a.b+c@d-e_f", "Ärger"])
def test_an_odd_name_has_pages(client, name):
    client.post("/people/add/", {"username": name, "how": "show"})
    link = re.search(r'href="(/person/[^"]+)">' + re.escape(name), client.get("/people/").content.decode())[1]
    page = client.get(link)
    assert page.status_code == 200
    for there in re.findall(r'href="(/person/[^"]+)"', page.content.decode()):
        assert client.get(there).status_code == 200


@pytest.mark.feature("F011")
def test_what_is_done_on_the_page(client, root):
    alice = make_user("alice", email="old@example.org")
    client.post("/person/alice/do/edit/", {"email": "new@example.org", "first_name": "Alice", "last_name": ""})
    client.post("/person/alice/do/set-password/", {"password": "four words in a row"})
    client.post("/person/alice/do/deactivate/")
    alice.refresh_from_db()
    assert (alice.email, alice.first_name, alice.is_active) == ("new@example.org", "Alice", False)
    assert alice.check_password("four words in a row")
    page = client.get("/person/alice/").content.decode()
    assert "deactivated" in page and "do-activate" in page and "do-deactivate" not in page
    refused = client.post("/person/root/do/deactivate/")
    assert refused.status_code == 409 and "Ask another administrator" in refused.content.decode()
    own = client.post("/person/root/do/set-password/", {"password": "four words in a row"})
    assert own.status_code == 409 and client.get("/people/").status_code == 200


def test_of_these_pages_nobody_has_their_own(client):
    """Who is asked for may not be told what administrators see; what one may do oneself stands on the profile."""
    alice = Client()
    alice.force_login(make_user("alice"))
    for url in ("/person/alice/", "/person/alice/rights/", "/person/alice/journal/", "/person/nobody/"):
        assert alice.get(url).status_code == 404
    for verb in ("edit", "promote", "set-password"):
        assert alice.get(f"/person/alice/do/{verb}/").status_code == 403
        assert alice.post(f"/person/alice/do/{verb}/", {"first_name": "x"}).status_code == 403


@pytest.mark.feature("F017")
def test_who_deletes_is_told_what_is_lost_and_types_the_name(client):
    alice = make_user("alice")
    cluster = make_cluster("lab")
    vm = make_vm(cluster, "web1.example.org", owner=persona_of(alice))
    grant(["power", "tags"], alice, vm)
    grant(["migrate"], alice, cluster)
    grant(["admin"], make_team("web", [alice]), cluster)
    page = " ".join(client.get("/person/alice/do/delete/").content.decode().split())
    assert "have no owner then</dt><dd>1</dd>" in page
    assert "rights are lost</dt><dd>2</dd>" in page
    assert client.post("/person/alice/do/delete/").status_code == 422
    answer = client.post("/person/alice/do/delete/", {"typed_name": "alice"})
    assert (answer.status_code, answer["Location"]) == (302, "/people/")
    vm.refresh_from_db()
    assert vm.owner is None and not User.objects.filter(username="alice").exists()


@pytest.mark.feature("F012", "F104")
def test_all_that_somebody_holds(client, root):
    alice = make_user("alice")
    team = make_team("web", [alice])
    cluster = make_cluster("lab")
    vm = make_vm(cluster, "web1.example.org")
    grant(["power"], alice, vm, by=root, until="2999-01-01T00:00Z")
    grant(["tags"], alice, vm, until="2001-01-01T00:00Z")
    grant(["migrate"], team, cluster)
    grant_role(set_role("operator", {"vm": ["power"]}), alice, cluster, tag="web")
    page = client.get("/person/alice/rights/")
    rows = {(row.name, row.belongs_to, row.held.name, *sorted(row.held.verbs)): row for row in page.context["rows"]}
    assert set(rows) == {
        ("web1.example.org", "lab", "alice", "power"),
        ("lab", "", "@web", "migrate"),
        ("web", "", "@web", "act"),
        ("lab", "", "alice"),
    }
    for key, row in rows.items():
        assert bool(row.revoke) == (key[2] == "alice"), "what a team holds is changed there"
    for row in rows.values():
        for url in filter(None, (row.change, row.revoke)):
            assert client.get(url).status_code == 200
    assert (
        client.post(rows["lab", "", "alice"].revoke, {"who": "alice", "role": "operator", "tag": "web"}).status_code
        == 302
    )
    assert not alice.role_grants.exists()


@pytest.mark.feature("F104")
@pytest.mark.parametrize(
    ("typed", "there"), [("lab", "/clusters/lab/do/grant/"), ("lab/web1", "/clusters/lab/vms/web1")]
)
def test_rights_are_given_from_the_persons_page(client, typed, there):
    make_user("alice"), make_vm(make_cluster("lab"), "web1")
    answer = client.get("/person/alice/rights/", {"on": typed})
    assert answer["Location"].startswith(there) and "who=alice" in answer["Location"]
    assert 'value="alice"' in client.get(answer["Location"]).content.decode()


@pytest.mark.parametrize("typed", ["nowhere", "lab/nothing", "a\0b", "alice", "/", "x" * 5000])
def test_nothing_is_called_so(client, typed):
    make_user("alice"), make_cluster("lab")
    assert client.get("/person/alice/rights/", {"on": typed}).status_code in (200, 400)


@pytest.mark.feature("F014", "F260")
def test_the_journal_of_a_person(client):
    make_user("alice"), make_user("bob", is_superuser=True)
    client.post("/person/alice/do/edit/", {"first_name": "Alice"})
    bob = Client()
    bob.force_login(User.objects.get(username="bob"))
    bob.post("/person/root/do/edit/", {"first_name": "Root"})
    told = {
        name: [row["sentence"] for row in client.get(f"/person/{name}/journal/?format=json").json()["journal"]]
        for name in ("alice", "bob", "root")
    }
    assert told == {
        "alice": ["Edited account alice"],
        "bob": ["Edited account root"],
        "root": ["Edited account root", "Edited account alice"],
    }


@pytest.mark.feature("F015")
def test_keys_and_tokens_of_somebody_are_reached_from_their_page(client):
    make_user("alice")
    page = client.get("/person/alice/").content.decode()
    links = re.findall(r'href="([^"]*/alice/(?:keys|tokens)/)"', page)
    assert len(links) == 2
    for link in links:
        assert 'href="/person/alice/"' in client.get(link).content.decode()
