"""Roles on everything: who has them is seen, and they are given and taken, on a page."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from objectlog.models import Event
from operations.table import list_operations
from permissions.models import RoleGrant, User
from permissions.policy import can
from permissions.selectors import find_role
from permissions.services import grant, grant_role, make_team, persona_of
from quotas.amounts import Limits
from quotas.models import Quota
from quotas.services import set_quota
from tests.factories import ED25519, make_key, make_request, make_template, make_token, make_user
from tests.pages.conftest import Site, sign_in, site
from ui.places import tabs_of

__all__ = ["sign_in", "site"]

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F107")]
SignIn = Callable[[User], Client]
PAGE = "/rights/"


def test_a_role_is_given_with_an_end_and_taken_by_the_buttons_of_the_page(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.admin)
    assert f'href="{PAGE}"' in client.get("/people/").content.decode()
    give = reverse("site-do", args=["grant-role"])
    assert f'href="{give}"' in client.get(PAGE).content.decode()
    form = client.get(give).content.decode()
    assert "Grant a role on everything?" in form and 'value="helpdesk"' in form and reverse("names") in form
    answer = client.post(give, {"who": "alice", "role": "auditor", "until": "30d"}, follow=True)
    assert answer.redirect_chain == [(PAGE, 302)]
    assert "Gave role auditor on everything to alice" in answer.content.decode()
    [given] = RoleGrant.objects.all()
    assert (given.user, given.scope_kind, given.granted_by) == (site.alice, "", site.admin)
    assert given.expires_at is not None and given.expires_at > timezone.now() + timedelta(days=29)
    assert can(site.alice, "audit", site.edge)
    page = client.get(PAGE).content.decode()
    [take] = re.findall(r'<a class="btn is-small" href="([^"]+revoke-role[^"]+)"', page)
    client.post(take.replace("&amp;", "&"), {"who": "alice", "role": "auditor"})
    assert not RoleGrant.objects.exists() and not can(site.alice, "audit", site.edge)
    verbs = Event.objects.filter(target_kind="site", outcome="done").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["site.grant-role", "site.revoke-role"]


def test_narrowed_roles_ended_ones_and_teams_each_as_they_are(site: Site, sign_in: SignIn) -> None:
    operator, team = find_role("operator"), make_team("web", [site.alice])
    assert operator is not None
    grant_role(operator, team, None, tag="web")
    grant_role(operator, make_user("bob"), None, owner=persona_of(site.alice))
    grant_role(operator, make_user("carol"), None, until=timezone.now() - timedelta(days=1))
    grant_role(operator, make_user("dave"), site.prod)
    client = sign_in(site.admin)
    rows = client.get(PAGE).context["rows"]
    assert {(row.held.name, *row.held.narrowed.items()) for row in rows} == {
        ("@web", ("tag", "web")),
        ("bob", ("owner", "alice")),
    }
    for row in rows:
        client.post(row.revoke, {"who": row.held.name, "role": "operator", **row.held.narrowed})
    assert set(RoleGrant.objects.values_list("user__username", flat=True)) == {"carol", "dave"}


def test_an_auditor_of_everything_looks_on_and_others_do_not(site: Site, sign_in: SignIn) -> None:
    auditor, erik = find_role("auditor"), make_user("erik")
    assert auditor is not None
    grant_role(auditor, erik, None)
    page = sign_in(erik).get(PAGE).content.decode()
    assert "<strong>erik</strong>" in page and reverse("site-do", args=["grant-role"]) not in page
    assert "revoke-role" not in page
    for verb in ("grant-role", "revoke-role"):
        given = {"who": "erik", "role": "owner"}
        assert sign_in(erik).post(reverse("site-do", args=[verb]), given).status_code == 403
    assert sign_in(site.alice).get(PAGE).status_code == 403


@pytest.mark.feature("F010", "F012", "F014", "F115", "G040")
def test_an_auditor_of_everything_reads_accounts_quotas_and_requests_and_changes_nothing(
    site: Site, sign_in: SignIn
) -> None:
    auditor, erik = find_role("auditor"), make_user("erik")
    assert auditor is not None
    make_key(site.alice)
    make_token(site.alice)
    set_quota(persona_of(site.alice), site.prod, Limits(vcpus=7))
    asked = [make_request(site.alice, cluster, reason="The shop grows") for cluster in (site.prod, None)]
    pages = {
        "/people/": "alice",
        **{f"/person/alice/{tab}": "alice" for tab in ("", "usage/", "rights/", "journal/")},
        "/people/alice/keys/": "SHA256:",
        "/people/alice/tokens/": "hook",
        "/clusters/prod/quotas/": "7",
        "/requests/": "alice",
        **{f"/requests/{each.pk}/": "The shop grows" for each in asked},
    }
    client = sign_in(erik)
    assert [url for url in pages if client.get(url).status_code == 200] == ["/requests/"]
    grant_role(auditor, erik, None)
    assert 'href="/people/"' in client.get("/").content.decode()
    for url, there in pages.items():
        answer = client.get(url)
        assert answer.status_code == 200 and there in answer.content.decode(), url
        work = answer.content.decode().partition("<main")[2]
        assert not re.search(r'href="[^"]*(/do/|/people/add/)[^"]*"', work), url
        assert set(re.findall(r'method="post" action="([^"]*)"|method="post"', work)) <= {
            "/lists/",
            "/clusters/prod/do/refresh/",
        }, url
    assert client.get("/person/alice/rights/?on=prod").status_code == 200, "it leads nowhere"
    before = (User.objects.count(), Quota.objects.count())
    assert client.post("/people/alice/keys/", {"key": ED25519}).status_code == 403
    assert client.get("/people/add/").status_code == 403
    assert client.post("/clusters/prod/do/set-quota/", {"who": "alice", "vcpus": "9"}).status_code == 403
    assert client.post(f"/requests/{asked[0].pk}/do/approve/", {"vcpus": "9"}).status_code == 403
    assert (User.objects.count(), Quota.objects.count()) == before


def test_a_persons_page_leads_there_and_takes_back(site: Site, sign_in: SignIn) -> None:
    client, page = sign_in(site.admin), reverse("person-rights", args=["alice"])
    there = client.get(page, {"on": "everything"})
    assert there.status_code == 302 and there.headers["Location"].startswith(reverse("site-do", args=["grant-role"]))
    assert 'value="alice"' in client.get(there.headers["Location"]).content.decode()
    client.post(there.headers["Location"], {"who": "alice", "role": "helpdesk"})
    [row] = [each for each in client.get(page).context["rows"] if each.held.on is None]
    assert client.post(row.revoke, {"who": "alice", "role": "helpdesk", "next": page}).headers["Location"] == page
    assert not RoleGrant.objects.exists()


def test_an_auditor_of_everything_sees_teams_and_templates_wholly_and_changes_nothing(
    site: Site, sign_in: SignIn
) -> None:
    auditor, erik, team = find_role("auditor"), make_user("erik"), make_team("ops", [site.alice])
    assert auditor is not None
    grant(["admin"], site.alice, team)
    site.web.owner = persona_of(team)
    site.web.save()
    for cluster in (site.prod, None):
        make_template("small", cluster)
    client = sign_in(erik)
    assert client.get("/teams/ops/").status_code == client.get("/templates/-/small/").status_code == 404
    grant_role(auditor, erik, None)
    assert "ops" in client.get("/teams/").content.decode() and "small" in client.get("/templates/").content.decode()
    objects = {"team": ["ops"], "template": ["-", "small"]}
    for kind, where in [*objects.items(), ("template", ["prod", "small"])]:
        page = client.get(reverse(kind, args=where)).content.decode()
        tabs = [tab.url for tab in tabs_of(kind, where, "", {"admin", "act", "audit"})]
        assert all(f'href="{tab}"' in page and client.get(tab).status_code == 200 for tab in tabs), tabs
        for tab in tabs:
            assert not re.search(r'href="[^"]*/do/[^"]*"', client.get(tab).content.decode()), tab
        for operation in list_operations(kind):
            if not operation.has_own_page:
                url = reverse(f"{kind}-do", args=[*where, operation.verb])
                assert client.get(url).status_code == client.post(url).status_code == 403, url
    assert "web1.example.org" in client.get("/teams/ops/machines/").content.decode()


def test_a_teams_page_tells_what_it_holds_to_who_may_see_that(site: Site, sign_in: SignIn) -> None:
    operator, team, ann = find_role("operator"), make_team("ops", [site.alice]), make_user("ann")
    assert operator is not None
    grant(["power"], team, site.other)
    grant(["create_vm"], team, site.prod)
    grant_role(operator, team, None, tag="web")
    for who in (site.alice, ann):
        grant(["admin"], who, team)
    page = reverse("team-rights", args=["ops"])
    root = sign_in(site.admin)
    rows = {row.name: row for row in root.get(page).context["holds"]}
    assert {"web1.example.org", "prod", "everything"} <= set(rows)
    given = {"who": "@ops", "role": "operator", "tag": "web", "next": page}
    assert root.post(rows["everything"].revoke, given).headers["Location"] == page
    root.post(rows["prod"].revoke, {"who": "@ops", "verbs": ["create_vm"]})
    assert set(rows) - {row.name for row in root.get(page).context["holds"]} == {"prod", "everything"}
    assert not can(site.alice, "create_vm", site.prod)
    of_alice = sign_in(site.alice).get(page)
    assert all(not row.change and not row.revoke for row in of_alice.context["holds"])
    assert "web1.example.org" in of_alice.content.decode()
    assert "web1.example.org" not in sign_in(ann).get(page).content.decode(), "who is no member does not see it"


def test_what_a_team_holds_is_read_by_as_many_queries_however_much_it_is(site: Site, sign_in: SignIn) -> None:
    team, client, page = make_team("ops", []), sign_in(site.admin), reverse("team-rights", args=["ops"])
    numbers = []
    for machines in ([site.web], [site.db, site.other]):
        for vm in machines:
            grant(["power"], team, vm, by=site.alice)
        client.get(page)
        with CaptureQueriesContext(connection) as queries:
            client.get(page)
        numbers.append(len(queries))
    assert numbers[0] == numbers[1]
