"""Asking for more: who may ask for what, who decides, and what a decision does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from clusters.models import Cluster
from objectlog.models import Entry, Event
from people.mailing import send_due_letters
from people.models import Letter
from people.request_selectors import count_to_decide, list_requests, may_decide
from permissions.models import Team, User
from permissions.services import delete_account, grant, grant_role, make_team, persona_of, revoke, set_role
from quotas.amounts import Limits
from quotas.models import Request
from quotas.selectors import limits_of, own_limits
from quotas.services import set_default
from tests.factories import make_admin, make_cluster, make_request, make_user, make_vm
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G034")]
ASK_QUOTA, ASK_MACHINE = "/requests/quota/", "/requests/machine/"
MACHINE = {"memory_mib": "4 GiB", "disk_mib": "40 GiB", "vcpus": "2", "reason": "A mail server"}


@pytest.fixture
def cluster() -> Cluster:
    """Where alice has a machine, and may use 4 GiB and 2 vCPUs."""
    cluster = make_cluster("lab")
    make_vm(cluster, "web1.example.org", owner=persona_of(make_user("alice", email="alice@example.org")))
    set_default(cluster, Limits(memory_mib=4096, vcpus=2))
    return cluster


@pytest.fixture
def alice(cluster: Cluster) -> User:
    return User.objects.get(username="alice")


@pytest.fixture
def olga(cluster: Cluster) -> User:
    """An admin of the cluster."""
    olga = make_user("olga", email="olga@example.org")
    grant(["admin"], olga, cluster)
    return olga


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().replace("\xa0", " ").split())


def ask_quota(client: Client, **given: str) -> Any:
    filled = {"cluster": "lab", "memory_mib": "8 GiB", "vcpus": "2", "reason": "The shop grows", **given}
    return client.post(ASK_QUOTA, filled)


def test_more_quota_is_asked_for_and_granted_in_one_step(alice: User, olga: User, cluster: Cluster) -> None:
    own, page = signed_in(alice), signed_in(olga)
    filled = own.get(f"{ASK_QUOTA}?cluster=lab").context["form"].initial
    assert (filled["memory_mib"], filled["vcpus"]) == ("4 GiB", "2"), "as it is now"
    answer = ask_quota(own, cluster="lab")
    asked = Request.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/requests/{asked.pk}/")
    assert (asked.persona, asked.asked_by, asked.limits) == (persona_of(alice), alice, Limits(8192, None, 2))
    assert "/do/approve/" not in text(own, f"/requests/{asked.pk}/")
    assert own.post(f"/requests/{asked.pk}/do/approve/", {"vcpus": "99"}).status_code == 403
    assert "8.0 GiB" in text(page, "/requests/?q=status:open") and "The shop grows" in text(page, answer["Location"])
    form = page.get(f"/requests/{asked.pk}/do/approve/").context["form"]
    page.post(f"/requests/{asked.pk}/do/approve/", {**form.initial, "vcpus": "3", "answer": "Until May"})
    assert own_limits(persona_of(alice), cluster) == Limits(8192, None, 3), "as it was granted, not as it was asked"
    asked.refresh_from_db()
    assert (asked.state, asked.decided_by, asked.vcpus) == ("approved", olga, 3)
    assert "Until May" in text(own, f"/requests/{asked.pk}/")
    events = Event.objects.filter(
        verb__in=["request.ask-quota", "request.approve", "cluster.set-quota"], outcome="done"
    )
    assert sorted(each.verb for each in events) == ["cluster.set-quota", "request.approve", "request.ask-quota"]
    assert "memory 4.0 GiB → 8.0 GiB" in events.get(verb="cluster.set-quota").said.replace("\xa0", " ")


def test_what_is_decided_stays_decided(alice: User, olga: User, cluster: Cluster) -> None:
    asked, page = make_request(alice, cluster), signed_in(olga)
    door = f"/requests/{asked.pk}/do"
    assert page.post(f"{door}/decline/", {"answer": " "}).status_code == 422, "in words"
    page.post(f"{door}/decline/", {"answer": "No room"})
    assert f"Declined request {asked.pk}: No room" in page.get("/about/").content.decode()
    asked.refresh_from_db()
    assert (asked.state, asked.answer) == ("declined", "No room")
    assert page.post(f"{door}/approve/", {"vcpus": "9"}).status_code == 409
    assert signed_in(alice).post(f"{door}/withdraw/").status_code == 409
    assert own_limits(persona_of(alice), cluster) is None
    assert "No room" in Event.objects.get(verb="request.decline", outcome="done").text


def test_it_says_who_asked_and_decided_when_their_accounts_are_deleted(
    alice: User, olga: User, cluster: Cluster
) -> None:
    asked, admin = make_request(alice, cluster), signed_in(make_admin())
    Request.objects.update(persona=persona_of(make_team("shop")))
    signed_in(olga).post(f"/requests/{asked.pk}/do/decline/", {"answer": "No room"})
    for account in (alice, olga):
        delete_account(account)
    page = text(admin, f"/requests/{asked.pk}/")
    assert "by alice" in page and "by olga" in page
    assert "by alice" in text(admin, "/requests/?q=by:Alice") and "by alice" not in text(admin, "/requests/?q=by:olga")
    asked.refresh_from_db()
    assert (asked.asked_by, asked.asker, asked.decided_by, asked.decider) == (None, "alice", None, "olga")


def test_one_at_a_time_and_not_too_often(alice: User, cluster: Cluster) -> None:
    """Whoever asks again and again sends no mail again and again."""
    own = signed_in(alice)
    assert [ask_quota(own).status_code, ask_quota(own).status_code] == [302, 422]
    assert own.post(ASK_MACHINE, {**MACHINE, "cluster": "lab"}).status_code == 302, "another kind"
    assert [own.post(ASK_MACHINE, MACHINE).status_code for _ in range(2)] == [302, 422], "anywhere, once"
    for _ in range(7):
        own.post(f"/requests/{Request.objects.get(kind='quota', state='open').pk}/do/withdraw/")
        assert ask_quota(own).status_code == 302
    own.post(f"/requests/{Request.objects.get(kind='quota', state='open').pk}/do/withdraw/")
    assert b"10 times" in ask_quota(own).content
    Request.objects.update(asked_at=timezone.now() - timedelta(hours=2))
    assert ask_quota(own).status_code == 302


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"memory_mib": "4 GiB"}, "__all__"),  # no more than now
        ({"memory_mib": "2 GiB", "vcpus": "1"}, "__all__"),
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 1001}, "reason"),
        ({"cluster": "other"}, "cluster"),
        ({"cluster": ""}, "cluster"),
        ({"memory_mib": "lots"}, "memory_mib"),
        ({"vcpus": "9" * 20}, "vcpus"),
    ],
)
def test_what_can_not_be_asked_for(alice: User, given: dict[str, str], field: str) -> None:
    make_cluster("other")
    answer = ask_quota(signed_in(alice), **given)
    assert answer.status_code == 422 and field in answer.context["form"].errors
    assert not Request.objects.exists()


def test_others_see_nothing_of_it(alice: User, cluster: Cluster) -> None:
    """Neither strangers nor who administers another cluster; ids that are posted besides mean nothing."""
    asked, other = make_request(alice, cluster), make_cluster("other")
    omar = make_user("omar")
    grant(["admin"], omar, other)
    for client in (signed_in(omar), signed_in(make_user("bob"))):
        assert client.get(f"/requests/{asked.pk}/").status_code == 404
        for verb in ("approve", "decline", "withdraw"):
            done = client.post(f"/requests/{asked.pk}/do/{verb}/", {"answer": "x", "cluster": other.pk})
            assert done.status_code == 404
        assert "The list" not in text(client, "/requests/") and f"/requests/{asked.pk}/" not in text(
            client, "/requests/"
        )
    asked.refresh_from_db()
    assert asked.is_open


def test_a_team_asks_and_its_members_see_it(alice: User, olga: User, cluster: Cluster) -> None:
    team, own = make_team("web-team", [alice, make_user("bob")]), signed_in(alice)
    make_vm(cluster, owner=persona_of(team))
    own.post("/acting/", {"persona": "@web-team"})
    ask_quota(own)
    asked = Request.objects.get()
    assert asked.persona == persona_of(Team.objects.get())
    assert "@web-team" in text(signed_in(User.objects.get(username="bob")), f"/requests/{asked.pk}/")
    signed_in(olga).post(f"/requests/{asked.pk}/do/approve/", {"vcpus": "4"})
    assert limits_of(asked.persona, cluster) == Limits(vcpus=4)
    assert limits_of(persona_of(alice), cluster) == Limits(memory_mib=4096, vcpus=2)


def test_the_journal_keeps_no_figures_of_who_asked(alice: User, cluster: Cluster) -> None:
    signed_in(alice).post(ASK_MACHINE, MACHINE, HTTP_ACCEPT_LANGUAGE="es")
    after = {each["field"]: each["after"] for each in Entry.objects.get(verb="request.ask-machine").changes}
    assert (after["memory_mib"], after["disk_mib"]) == ("4.0\u00a0GiB", "40.0\u00a0GiB")


def test_a_machine_anywhere_is_for_administrators(olga: User, cluster: Cluster) -> None:
    """Somebody new, who sees no cluster at all."""
    new = signed_in(make_user("new"))
    assert b"You know of no cluster" in new.get(ASK_QUOTA).content
    new.post(ASK_MACHINE, MACHINE)
    asked = Request.objects.get()
    assert signed_in(olga).get(f"/requests/{asked.pk}/").status_code == 404
    root = signed_in(make_admin())
    assert "A mail server" in text(root, f"/requests/{asked.pk}/")
    assert root.post(f"/requests/{asked.pk}/do/approve/", {}).status_code == 422, "which one, or why none"
    root.post(f"/requests/{asked.pk}/do/approve/", {"machine": "lab/web1.example.org"})
    asked.refresh_from_db()
    assert (asked.state, asked.machine) == ("approved", "lab/web1.example.org")
    assert VirtualMachine.objects.count() == 1, "nothing is created by that"


def test_a_role_on_every_cluster_is_none_on_what_is_asked_for_anywhere(alice: User, cluster: Cluster) -> None:
    """List, number and right agree."""
    ruth = make_user("ruth")
    grant_role(set_role("keeper", {"cluster": ["admin"]}), ruth, None)
    here, anywhere = make_request(alice, cluster), make_request(alice, None, kind="machine")
    assert list(list_requests(ruth)) == [here] and count_to_decide(ruth) == 1
    assert may_decide(ruth, here) and not may_decide(ruth, anywhere)
    assert list(list_requests(alice)) == [anywhere, here]


def test_those_who_decide_and_who_asked_are_told_by_mail(
    alice: User, olga: User, cluster: Cluster, settings: Any
) -> None:
    make_admin()  # without an address
    otto = make_user("otto", email="otto@example.org")
    grant(["admin"], otto, cluster)
    ask_quota(signed_in(alice))
    assert not Letter.objects.exists(), "no mail is set up"
    Request.objects.all().delete()
    settings.GWM_MAIL_URL, settings.GWM_PUBLIC_URL = "smtp://127.0.0.1", "https://gwm.example.org"
    ask_quota(signed_in(alice))
    asked = Request.objects.get()
    send_due_letters()
    assert Letter.objects.filter(person=otto).exists()
    revoke(["admin"], otto, cluster)
    while send_due_letters():
        pass
    assert [each.to for each in mail.outbox] == [["olga@example.org"]], "and not who decides no more"
    assert f"https://gwm.example.org/requests/{asked.pk}/" in mail.outbox[0].body
    assert "The shop grows" in mail.outbox[0].body and "8.0" in mail.outbox[0].body
    signed_in(olga).post(f"/requests/{asked.pk}/do/decline/", {"answer": "No room"})
    while send_due_letters():
        pass
    assert mail.outbox[1].to == ["alice@example.org"]
    assert "declined" in mail.outbox[1].subject and "No room" in mail.outbox[1].body
