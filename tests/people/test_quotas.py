"""Quotas on pages: set, taken back, and shown with what is used."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from objectlog.models import Event
from people.ended import take_quotas_of_ended
from permissions.models import Team, User
from permissions.services import grant, grant_role, make_team, persona_of, set_role
from quotas.amounts import UNLIMITED, Amounts, Limits
from quotas.models import Quota
from quotas.selectors import default_of, limits_of, own_limits
from quotas.services import claim, set_default, set_quota
from tests.factories import make_admin, make_cluster, make_user, make_vm
from virtualmachines.models import VirtualMachine

pytestmark = pytest.mark.django_db
PAGE = "/clusters/lab/quotas/"
DO = "/clusters/lab/do/"


@pytest.fixture
def vm() -> VirtualMachine:
    """Of the team web-team: 4 GiB, 2 vCPUs, 40 GiB, running."""
    team = make_team("web-team", [make_user("alice")])
    return make_vm(make_cluster("lab"), "web1.example.org", owner=persona_of(team))


@pytest.fixture
def page(vm: VirtualMachine, client: Client) -> Client:
    """Of an admin of the cluster."""
    olga = make_user("olga")
    grant(["admin"], olga, vm.cluster)
    client.force_login(olga)
    return client


def text(client: Client, url: str = PAGE) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().replace("\xa0", " ").split())


@pytest.mark.feature("F113", "F114", "F115", "F122", "F257")
def test_default_and_override_are_set_and_taken_back(page: Client, vm: VirtualMachine) -> None:
    """Empty is no limit, 0 is none; the predecessor took 0 for no limit here and there."""
    cluster, persona = vm.cluster, persona_of(Team.objects.get())
    page.post(f"{DO}set-default-quota/", {"memory_mib": "1.5T", "disk_mib": "", "vcpus": "0", "machines": ""})
    assert default_of(cluster) == Limits(memory_mib=1536 * 1024, vcpus=0)
    assert "exceeded by 2" in text(page) and "0 vCPUs" not in text(page)
    filled = page.get(f"{DO}set-default-quota/").context["form"].initial
    assert (filled["memory_mib"], filled["vcpus"]) == ("1536 GiB", "0") and "disk_mib" not in filled
    given = {"who": "@web-team", "memory_mib": "0", "disk_mib": "100 GiB", "vcpus": "", "machines": "3"}
    page.post(f"{DO}set-quota/", given)
    assert own_limits(persona, cluster) == Limits(0, 102400, None, 3)
    event = Event.objects.get(verb="cluster.set-quota")
    said = event.said.replace("\xa0", " ")
    assert said.startswith("Set the quota of @web-team on lab: memory 1.5 TiB → 0 MiB"), said
    again = page.get(f"{DO}set-quota/?who=@web-team").context["form"].initial
    page.post(f"{DO}set-quota/", again)
    assert own_limits(persona, cluster) == Limits(0, 102400, None, 3), "saved as it was opened"
    page.post(f"{DO}remove-quota/", {"who": "@web-team"})
    assert limits_of(persona, cluster) == default_of(cluster)
    assert page.post(f"{DO}remove-quota/", {"who": "@web-team"}).status_code == 422


@pytest.mark.parametrize(
    "given", [{"memory_mib": "-1"}, {"memory_mib": "lots"}, {"vcpus": "-1"}, {"vcpus": "9" * 20}, {"machines": "1.5"}]
)
def test_what_is_no_limit_is_refused(page: Client, vm: VirtualMachine, given: dict[str, str]) -> None:
    assert page.post(f"{DO}set-default-quota/", given).status_code == 422
    assert page.post(f"{DO}set-quota/", {"who": "alice", **given}).status_code == 422
    assert default_of(vm.cluster) == UNLIMITED and not Quota.objects.exists()


def test_what_is_posted_besides_means_nothing(page: Client, vm: VirtualMachine) -> None:
    """The predecessor's admin of one cluster set quotas on any, by the key that was posted."""
    other = make_cluster("other")
    page.post(f"{DO}set-quota/", {"who": "alice", "vcpus": "5", "cluster": other.pk, "target": other.pk})
    assert Quota.objects.get().cluster == vm.cluster
    assert page.post("/clusters/other/do/set-quota/", {"who": "alice", "vcpus": "5"}).status_code == 404
    assert page.post(f"{DO}set-quota/", {"who": "nobody", "vcpus": "5"}).status_code == 422


@pytest.mark.feature("F024", "F115", "F146", "F013")
def test_usage_is_shown_to_whom_it_is_of(page: Client, vm: VirtualMachine) -> None:
    cluster, alice = vm.cluster, User.objects.get(username="alice")
    set_default(cluster, Limits(memory_mib=3072, disk_mib=102400, machines=0))
    with transaction.atomic():
        claim(persona_of(Team.objects.get()), cluster, Amounts(vcpus=3), uuid4(), Amounts)
    own = Client()
    own.force_login(alice)
    shown = text(own, "/teams/web-team/usage/")
    for there in (
        "4.0 GiB of 3.0 GiB, exceeded by 1.0 GiB",
        "40.0 GiB of 100 GiB",
        "5, no limit",
        "1 of 0, exceeded by 1",
    ):
        assert there in shown, there
    assert "alice uses nothing" in text(own, "/usage/")
    own.post("/acting/", {"persona": "@web-team"})
    assert "exceeded by 1.0 GiB" in text(own, "/usage/")
    root = Client()
    root.force_login(make_admin())
    assert "alice uses nothing" in text(root, "/person/alice/usage/")
    stranger = Client()
    stranger.force_login(make_user("bob"))
    assert stranger.get("/teams/web-team/usage/").status_code == 404
    assert stranger.get(PAGE).status_code == 404
    assert "@web-team" in text(page) and own.get(PAGE).status_code == 404


def test_everybody_on_a_cluster_is_shown_by_as_few_queries_as_one(page: Client, vm: VirtualMachine) -> None:
    def count() -> int:
        page.get(PAGE)
        with CaptureQueriesContext(connection) as captured:
            page.get(PAGE)
        return len(captured)

    few = count()
    for number in range(30):
        persona = persona_of(make_user(f"user{number}"))
        make_vm(vm.cluster, owner=persona)
        set_quota(persona, vm.cluster, Limits(vcpus=number))
    assert count() == few
    rows = page.get(f"{PAGE}?sort=-vcpus&q=name:web").context["page"].object_list
    assert [row.name for row in rows] == ["@web-team"]


@pytest.mark.feature("F103", "F123")
def test_who_loses_the_last_right_on_a_cluster_loses_the_quota_there(page: Client, vm: VirtualMachine) -> None:
    alice, role = User.objects.get(username="alice"), set_role("operator", {"cluster": ["migrate"]})
    persona = persona_of(alice)
    grant(["create_vm", "tags"], alice, vm.cluster)
    grant_role(role, alice, vm.cluster)
    set_quota(persona, vm.cluster, Limits(vcpus=1))
    set_quota(persona, make_cluster("other"), Limits(vcpus=1))
    for verb, given in (
        ("revoke", {"verbs": ["create_vm"]}),
        ("set-rights", {"verbs": []}),
        ("revoke-role", {"role": role.name}),
    ):
        assert Quota.objects.filter(cluster=vm.cluster).exists(), verb
        page.post(f"{DO}{verb}/", {"who": "alice", **given})
    assert [each.cluster.slug for each in Quota.objects.all()] == ["other"]
    assert "the quota went, too" in Event.objects.get(verb="cluster.revoke-role").said


@pytest.mark.feature("F103", "F123")
def test_a_role_on_everything_is_a_right_on_each_cluster(page: Client, vm: VirtualMachine) -> None:
    alice, other = User.objects.get(username="alice"), make_cluster("other")
    of_clusters, of_machines = set_role("planner", {"cluster": ["create_vm"]}), set_role("console", {"vm": ["console"]})
    grant(["tags"], alice, vm.cluster)
    for each in (vm.cluster, other):
        set_quota(persona_of(alice), each, Limits(vcpus=1))
    for role in (of_clusters, of_machines):
        grant_role(role, alice, None)
    grant_role(of_clusters, alice, None, tag="web")
    root = Client()
    root.force_login(make_admin())

    def left() -> set[str]:
        return set(Quota.objects.values_list("cluster__slug", flat=True))

    page.post(f"{DO}revoke/", {"who": "alice", "verbs": ["tags"]})
    for given in ({"role": of_machines.name}, {"role": of_clusters.name, "tag": "web"}):
        root.post("/rights/do/revoke-role/", {"who": "alice", **given})
        assert left() == {vm.cluster.slug, "other"}, "the role on everything is left"
    grant(["tags"], alice, vm.cluster)
    root.post("/rights/do/revoke-role/", {"who": "alice", "role": of_clusters.name})
    assert left() == {vm.cluster.slug}, "something is held on that one"
    assert "the quotas went, too: other." in Event.objects.filter(verb="site.revoke-role").latest("pk").said


@pytest.mark.feature("F103", "F123")
def test_a_quota_goes_with_the_last_right_that_ends_by_itself(page: Client, vm: VirtualMachine) -> None:
    """Revoking took the quota along, and an end that came by itself left it."""
    alice, bob, team = User.objects.get(username="alice"), make_user("bob"), Team.objects.get()
    now, cluster = timezone.now(), vm.cluster
    for who in (alice, bob, team):
        grant(["create_vm"], who, cluster, until=now + timedelta(hours=1))
        set_quota(persona_of(who), cluster, Limits(vcpus=1))
    grant(["tags"], bob, cluster)
    assert take_quotas_of_ended() == 0
    with time_machine.travel(now + timedelta(hours=2)):
        assert take_quotas_of_ended() == 2 and take_quotas_of_ended() == 0
    with time_machine.travel(now + timedelta(hours=3)), CaptureQueriesContext(connection) as asked:
        assert take_quotas_of_ended() == 0
        assert not any("quotas_quota" in each["sql"] for each in asked), "nothing ended since"
        assert [each.persona for each in Quota.objects.all()] == [persona_of(bob)], "who still holds something"
        said = [event.said for event in Event.objects.filter(verb="cluster.remove-quota")]
        assert len(said) == 2 and any("@web-team" in each for each in said)
        set_quota(persona_of(alice), cluster, Limits(vcpus=2))
        cache.clear()  # so that all is looked at once more
        assert take_quotas_of_ended() == 0, "it was set after the end"
        Quota.objects.update(set_at=None)
        cache.clear()
        assert take_quotas_of_ended() == 0, "by a release that did not keep when"


@pytest.mark.feature("F103", "F123")
def test_quotas_go_with_a_role_on_everything_that_ends_by_itself(page: Client, vm: VirtualMachine) -> None:
    """Taking the role took them along, and its end left them."""
    alice, bob, carol, dave = User.objects.get(username="alice"), *map(make_user, ("bob", "carol", "dave"))
    now, team, other = timezone.now(), Team.objects.get(), make_cluster("other")
    of_clusters, of_machines = set_role("planner", {"cluster": ["create_vm"]}), set_role("console", {"vm": ["console"]})
    end = now + timedelta(hours=1)
    for who in (alice, bob, team):
        grant_role(of_clusters, who, None, until=end)
    grant(["tags"], bob, other)
    grant_role(of_machines, carol, None, until=end)
    grant_role(of_clusters, dave, None, tag="web", until=end)
    for who in (alice, bob, team, carol, dave):
        for cluster in (vm.cluster, other):
            set_quota(persona_of(who), cluster, Limits(vcpus=1))
    assert take_quotas_of_ended() == 0
    with time_machine.travel(now + timedelta(hours=2)):
        set_quota(persona_of(alice), other, Limits(vcpus=2))
        assert take_quotas_of_ended() == 4 and take_quotas_of_ended() == 0
    left = {(each.persona.name, each.cluster.slug) for each in Quota.objects.all()}
    assert left == {
        ("alice", "other"),  # set after the end
        ("bob", "other"),
        *((who, slug) for who in ("carol", "dave") for slug in ("lab", "other")),
    }
    assert Event.objects.filter(verb="cluster.remove-quota").count() == 4
