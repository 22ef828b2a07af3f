"""The page that says what somebody may do, and why, and why not; and the way to it from what was refused."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from objectlog.models import Event
from permissions.journal import list_visible_events
from permissions.models import User
from permissions.policy import access_of, verbs_on
from permissions.services import grant, grant_role, make_team, set_role
from tests.factories import FINGERPRINT, make_job, make_key, make_node, make_token, make_user
from tests.pages.conftest import Site, sign_in, site

__all__ = ["sign_in", "site"]
pytestmark = [pytest.mark.django_db, pytest.mark.feature("G054")]
SignIn = Callable[[User], Client]
WEB, DB, OTHER = "prod/web1.example.org", "prod/db1.example.org", "edge/web1.example.org"


def ask(client: Client, on: str, **more: str) -> dict[str, tuple[bool, str]]:
    """Verb by verb: whether, and why."""
    answer = client.get("/explain/", {"on": on, **more})
    assert answer.status_code == 200
    return {
        each.verb: (each.may, " ".join([*each.ways, *each.ended, each.reason])) for each in answer.context["answers"]
    }


@pytest.mark.feature("G015")
def test_it_says_of_each_verb_what_the_policy_does_with_its_way(site: Site, sign_in: SignIn) -> None:
    team = make_team("web team", [site.alice])
    grant(["console"], team, site.db, until=timezone.now() + timedelta(days=1))
    told = ask(sign_in(site.alice), DB)
    assert set(told) == access_of(type(site.db)).every
    assert {verb for verb, (may, _why) in told.items() if may} == verbs_on(site.alice, site.db)
    assert "power (gives console) on it" in told["console"][1] and "through team @web team" in told["console"][1]
    assert "needs remove" in told["remove"][1]
    page = sign_in(site.alice).get("/explain/", {"on": DB, "verb": "remove"}).content.decode()
    assert "It comes with admin or remove on the machine; admin on its cluster." in re.sub(r"\s+", " ", page)
    assert "granted by: root" in re.sub(r"\s+", " ", page)


def test_of_others_it_tells_only_who_may_grant_there(site: Site, sign_in: SignIn) -> None:
    bob = make_user("bob")
    grant(["tags"], bob, site.web)
    assert ask(sign_in(site.alice), WEB, who="bob")["tags"][0], "she administers the machine"
    assert "You may" not in ask(sign_in(site.alice), WEB, who="bob")["remove"][1], "it is bob who may not"
    assert sign_in(site.alice).get("/explain/", {"on": DB, "who": "bob"}).status_code == 403
    assert sign_in(bob).get("/explain/", {"on": WEB, "who": "alice"}).status_code == 403
    assert sign_in(bob).get("/explain/", {"on": "everything", "who": "root"}).status_code == 403
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert ask(sign_in(site.alice), WEB, who="bob")["tags"] == (False, "The account is deactivated.")
    assert "nobody called zoe" in sign_in(site.admin).get("/explain/", {"on": WEB, "who": "zoe"}).content.decode()
    assert not ask(sign_in(site.admin), "everything", who="bob")["add_cluster"][0]
    assert ask(sign_in(site.admin), "everything")["add_cluster"] == (True, "as a superuser ")


def test_an_auditor_of_a_cluster_asks_about_others_there_and_reads_what_they_did(site: Site, sign_in: SignIn) -> None:
    """On its machines and nodes as well; of what is elsewhere and of accounts nothing."""
    erik, node = make_user("erik"), make_node(site.prod, "node9.example.org")
    grant(["audit"], erik, site.prod)
    assert ask(sign_in(erik), WEB, who="alice")["admin"][0] and not ask(sign_in(erik), DB, who="alice")["admin"][0]
    assert not ask(sign_in(erik), f"prod/{node.name}", who="alice")["view"][0]
    for on, status in ((OTHER, 404), ("everything", 403)):
        assert sign_in(erik).get("/explain/", {"on": on, "who": "alice"}).status_code == status
    for kind, about in (("vm", site.web), ("cluster", site.prod), ("node", node), ("person", site.alice)):
        Event.objects.create(
            at=timezone.now(), verb="x", outcome="done", said=kind, text="{}", target_kind=kind, target_pk=about.pk
        )
    assert {event.said for event in list_visible_events(erik)} == {"vm", "cluster", "node"}
    assert not verbs_on(erik, site.web) - {"view", "audit"}


def test_what_one_may_not_see_is_not_there(site: Site, sign_in: SignIn) -> None:
    """Neither by its name nor by asking about somebody who may."""
    make_node(site.edge, "node9.example.org")
    make_job(site.edge, ("instance", site.other.name), ganeti_id=4711)
    client = sign_in(site.alice)
    for on in (OTHER, "edge", "edge/node9.example.org", "edge/4711", "edge/nothing.example.org", "@nobody", "alice"):
        for who in ("", "root", "zoe"):
            answer = client.get("/explain/", {"on": on, "who": who})
            assert answer.status_code == 404, (on, who)
            assert "edge/" not in answer.content.decode().replace(f'value="{on}"', "")


REFUSED = [
    (f"/clusters/prod/vms/{WEB[5:]}/do/migrate/", "vm", WEB, "migrate"),
    (f"/clusters/prod/vms/{DB[5:]}/rights/", "vm", DB, "admin"),
    ("/health/", "", "everything", "see_health"),
]


@pytest.mark.parametrize(("url", "kind", "on", "verb"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_was_refused_leads_there(site: Site, sign_in: SignIn, url: str, kind: str, on: str, verb: str) -> None:
    client = sign_in(site.alice)
    refused = client.get(url)
    assert refused.status_code == 403
    link = re.search(r'href="(/explain/\?[^"]*)"', refused.content.decode())
    assert link is not None
    answer = client.get(link[1].replace("&amp;", "&"))
    assert answer.status_code == 200 and answer.context["on"] == on and answer.context["kind"] == kind
    assert [each.may for each in answer.context["answers"] if each.verb == verb] == [False]


def test_what_is_not_there_leads_nowhere(site: Site, sign_in: SignIn, client: Client) -> None:
    assert "/explain/" not in sign_in(site.alice).get("/clusters/edge/").content.decode()
    assert "/explain/" not in client.post("/clusters/edge/do/refresh/").content.decode()


def test_of_what_nobody_can_hold_a_right_on_nothing_is_explained(site: Site, sign_in: SignIn) -> None:
    make_token(site.alice, "hook")
    make_key(site.alice)
    client = sign_in(site.admin)
    for on in ("alice", "alice/hook", f"alice/{FINGERPRINT}"):
        assert client.get("/explain/", {"on": on}).status_code == 404
    refused = sign_in(site.admin).post("/people/alice/tokens/", {"name": "x", "on": "everything", "until": "30d"})
    assert refused.status_code == 403 and "/explain/" not in refused.content.decode()


def test_it_reads_as_often_for_many_rights_as_for_one(site: Site, sign_in: SignIn) -> None:
    """Whatever they are held by: rows of grants are read together, one query a table."""

    def count(name: str) -> int:
        client = sign_in(User.objects.get(username=name))
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/explain/", {"on": WEB}).status_code == 200
        return len(queries)

    bob = make_user("bob")
    grant(["tags"], bob, site.web)
    grant_role(set_role("one", {"vm": ["tags"]}), bob, site.web)
    few = count("bob")
    grant(["admin", "power", "console", "modify", "remove"], bob, site.web)
    for name in ("two", "three"):
        grant_role(set_role(name, {"vm": ["admin", "power"]}), bob, site.web)
    assert count("bob") <= few
