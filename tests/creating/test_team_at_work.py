"""A team of three with a quota: set up, at work, when somebody leaves, and what an auditor sees of it all."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client

from objectlog.chain import seal_all
from objectlog.verification import Verification
from tests.creating.conftest import Maker
from tests.creating.test_page import TYPED, URL
from tests.factories import make_admin
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.feature("G015", "G016", "G034", "G018")]


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    cache.clear()


class Story:
    """Everybody at their browser; what one does is done and looked at on pages alone."""

    def __init__(self, maker: Maker) -> None:
        self.maker, self.passwords = maker, dict[str, str]()
        self.root = Client()
        self.root.force_login(make_admin("root"))

    def add(self, *names: str) -> list[Client]:
        """Accounts, whose owners sign in with the password that is shown once."""
        for name in names:
            page = self.root.post("/people/add/", {"username": name, "how": "show"})
            self.passwords[name] = page.context["password"]
        return [self.enter(name) for name in names]

    def enter(self, name: str) -> Client:
        client = Client()
        client.post("/login/", {"login": name, "password": self.passwords[name]})
        return client

    def do(self, client: Client, url: str, **typed: str) -> int:
        """What a button's page answers; what it sends to Ganeti comes to its end."""
        status = client.post(url, typed).status_code
        self.maker.finish()
        return status

    def create(self, client: Client, name: str) -> Any:
        answer = client.post(URL, {**TYPED, "name": name})
        if answer.status_code == 302:
            self.maker.finish()
            self.maker.update()
        return answer


def machines(client: Client) -> list[str]:
    return sorted(vm.name for vm in client.get("/vms/").context["page"].object_list)


def text(client: Client, url: str, **asked: str) -> str:
    answer = client.get(url, asked)
    assert answer.status_code == 200, (url, asked)
    return " ".join(answer.content.decode().replace("\N{NO-BREAK SPACE}", " ").split())


def test_it_is_set_up_works_loses_somebody_and_is_accounted_for(maker: Maker) -> None:
    story = Story(maker)
    root, do, create = story.root, story.do, story.create

    # An administrator sets it up, and lets them go.
    ann, ben, cleo = story.add("ann", "ben", "cleo")
    assert do(root, "/teams/do/create/", name="web") == 302
    assert [do(root, "/teams/web/do/add-member/", who=who) for who in ("ann", "ben", "cleo")] == [302] * 3
    assert do(root, "/teams/web/do/add-admin/", who="ann") == 302
    assert do(root, "/clusters/lab/do/grant/", who="@web", verbs="create_vm") == 302
    assert do(root, "/clusters/lab/do/set-quota/", who="@web", machines="2") == 302
    assert machines(ann) == [] and ann.get(URL).status_code == 200

    # Each does a day's work, as the team.
    assert [each.post("/acting/", {"persona": "@web"}).status_code for each in (ann, ben, cleo)] == [302] * 3
    assert create(ann, "web1.example.org").status_code == 302
    assert create(ben, "web2.example.org").status_code == 302
    assert machines(cleo) == ["web1.example.org", "web2.example.org"]
    assert do(ben, "/clusters/lab/vms/web1.example.org/do/shutdown/", timeout="120") == 302
    assert do(cleo, "/clusters/lab/vms/web1.example.org/do/start/") == 302
    assert do(cleo, "/clusters/lab/vms/web1.example.org/do/notes/", notes="Ask Ben first") == 302
    refused = create(cleo, "web3.example.org")
    assert refused.status_code == 422 and "quota" in refused.content.decode()
    assert do(cleo, "/requests/quota/", cluster="lab", machines="3", reason="The shop grows") == 302
    number = cleo.get("/requests/").context["page"].object_list[0].pk
    assert do(ann, f"/requests/{number}/do/approve/", machines="3") == 403, "who looks after the team gives no quota"
    assert do(root, f"/requests/{number}/do/approve/", machines="3") == 302
    assert create(cleo, "web3.example.org").status_code == 302
    assert "web3.example.org" in machines(ann)
    assert ann.get("/clusters/lab/vms/vm1.example.org/").status_code == 404, "what is not theirs is not there"

    # Somebody leaves: at once, and nothing of the team's is lost.
    assert do(root, "/person/ben/do/deactivate/") == 302
    assert ben.get("/vms/")["Location"].startswith("/login/")
    assert story.enter("ben").get("/vms/")["Location"].startswith("/login/")
    assert do(ann, "/teams/web/do/remove-member/", who="ben") == 302
    assert VirtualMachine.objects.get(name="web2.example.org").owner.name == "web"
    assert do(ann, "/clusters/lab/vms/web2.example.org/do/shutdown/", timeout="120") == 302

    # An auditor reads who did what, and why they could; and may do nothing.
    [aud] = story.add("aud")
    assert machines(aud) == [] and "web2" not in text(aud, "/journal/")
    call_command("grant", "aud", "--role=auditor", "--on=everything", "--as=root", stdout=StringIO())
    assert {"vm1.example.org", "web1.example.org"} <= set(machines(aud))
    of_ben = text(aud, "/journal/", q="actor:ben")
    assert "web2.example.org" in of_ben and "web1.example.org" in of_ben and "for web" in of_ben
    assert "create_vm" in text(aud, "/journal/", q="verb:cluster.grant")
    memberships = text(aud, "/journal/", q="what:web verb:team.add-member")
    assert all(who in memberships for who in ("ann", "ben", "cleo"))
    assert "web" in text(aud, "/journal/", q="verb:person.deactivate", columns="")
    lines = list(csv.DictReader(StringIO(_file(aud, "/journal/?format=csv&q=what:web2"))))
    assert {"ann", "ben"} <= {line["actor_name"] for line in lines}
    why = text(aud, "/explain/", who="cleo", on="lab/web2.example.org", verb="power")
    assert "admin (gives power) on it" in why and "through team @web" in why and ", granted by ben" in why
    assert "no" in text(aud, "/explain/", who="ben", on="lab/web2.example.org", verb="power")
    assert do(aud, "/clusters/lab/vms/web2.example.org/do/start/") == 403
    for page in (
        "/clusters/lab/rights/",
        "/teams/web/",
        "/teams/web/machines/",
        "/teams/web/rights/",
        "/teams/web/keys/",
        "/people/",
        "/person/ben/journal/",
        "/clusters/lab/quotas/",
    ):
        assert aud.get(page).status_code == 200, page
    assert do(aud, "/teams/web/do/add-member/", who="aud") == do(aud, "/clusters/lab/do/grant/", who="aud") == 403
    for page in ("/people/add/", "/clusters/lab/vms/web2.example.org/console/", "/health/"):
        assert aud.get(page).status_code == 403, page
    seal_all()
    assert list(Verification().problems()) == []


def _file(client: Client, url: str) -> str:
    answer: Any = client.get(url)
    return b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode()
