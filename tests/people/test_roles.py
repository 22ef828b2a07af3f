"""Own roles: made, changed and deleted on pages, by administrators alone; the journal has before and after."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from objectlog.models import Event
from objectlog.reading import read_event
from permissions.models import Role, RoleGrant, User
from permissions.policy import can
from permissions.selectors import find_role, list_verbs
from permissions.services import grant, grant_role, make_team, persona_of, set_role
from quotas.amounts import Limits
from quotas.models import Quota
from quotas.services import set_quota
from tests.factories import make_user
from tests.pages.conftest import Site, sign_in, site

__all__ = ["sign_in", "site"]

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G015")]
SignIn = Callable[[User], Client]
PAGE, CREATE = "/rights/", "/rights/roles/create/"


def do(name: str, verb: str) -> str:
    return reverse("role-do", args=[name, verb])


def changes() -> dict[str, tuple[str, str]]:
    return {label: (before, after) for label, before, after in read_event(Event.objects.latest("pk")).changes}


def test_a_role_is_made_changed_and_deleted_by_the_buttons_of_the_page(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.admin)
    assert f'href="{CREATE}"' in client.get(PAGE).content.decode()
    form = client.get(CREATE).content.decode()
    assert 'value="vm.power"' in form and 'value="team.audit"' in form and "node.view" not in form
    answer = client.post(CREATE, {"name": "porter", "description": "At night", "verbs": ["vm.power", "vm.tags"]})
    assert answer.headers["Location"] == PAGE
    porter = Role.objects.get(name="porter")
    assert (porter.description, list_verbs(porter)) == ("At night", ["vm.power", "vm.tags"])
    assert changes() == {"description": ("—", "At night"), "rights": ("—", "vm.power, vm.tags")}
    grant_role(porter, site.alice, site.prod)
    page = client.get(PAGE).content.decode()
    assert do("porter", "edit") in page and do("porter", "delete") in page and "At night" in page
    opened = client.get(do("porter", "edit")).context["form"]["opened"].value()
    given = {"name": "night porter", "description": "At night", "verbs": ["vm.power", "cluster.migrate"]}
    assert client.post(do("porter", "edit"), {**given, "opened": opened}).headers["Location"] == PAGE
    assert changes() == {
        "name": ("porter", "night porter"),
        "rights": ("vm.power, vm.tags", "cluster.migrate, vm.power"),
    }
    assert can(site.alice, "migrate", site.prod), "it counts at once"
    there = do("night porter", "delete")
    assert "alice" in client.get(there).content.decode()
    assert client.post(there, {}).status_code == 422, "its name was not typed"
    assert client.post(there, {"typed_name": "night porter"}).headers["Location"] == PAGE
    assert changes()["holders"] == ("alice", "—")
    assert not Role.objects.filter(name="night porter").exists() and not RoleGrant.objects.exists()
    assert not can(site.alice, "view", site.prod)
    verbs = Event.objects.filter(target_kind="role").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["role.create", "role.edit", "role.delete"]


def test_what_was_there_from_the_beginning_keeps_its_name_and_stays(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.admin)
    page = client.get(PAGE).content.decode()
    for name in ("auditor", "helpdesk", "operator", "owner"):
        assert do(name, "edit") in page and do(name, "delete") not in page
        assert client.post(do(name, "delete"), {"typed_name": name}).status_code == 409
        assert client.post(do(name, "edit"), {"name": "other", "verbs": ["vm.power"]}).status_code == 422
        assert find_role(name) is not None
    client.post(do("helpdesk", "edit"), {"verbs": ["vm.console"]})
    helpdesk = find_role("helpdesk")
    assert helpdesk is not None and list_verbs(helpdesk) == ["vm.console"]
    assert helpdesk.description.startswith("Starts and stops"), "what is not said stays"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "Helpdesk", "verbs": ["vm.power"]}, "name"),
        ({"name": "a/b", "verbs": ["vm.power"]}, "name"),
        ({"name": "..", "verbs": ["vm.power"]}, "name"),
        ({"name": "x" * 101, "verbs": ["vm.power"]}, "name"),
        ({"name": "new", "verbs": []}, "verbs"),
        ({"name": "new", "verbs": ["site.admin"]}, "verbs"),
        ({"name": "new", "verbs": ["vm.power"], "description": "x" * 256}, "description"),
    ],
)
def test_what_is_wrong_with_one_is_said_at_its_field(
    site: Site, sign_in: SignIn, given: dict[str, str | list[str]], field: str
) -> None:
    client, porter = sign_in(site.admin), set_role("porter", {"vm": ["tags"]})
    for url in (CREATE, do("porter", "edit")):
        answer = client.post(url, given)
        assert answer.status_code == 422 and set(answer.context["form"].errors) == {field}, url
    porter.refresh_from_db()
    assert (porter.name, porter.description, list_verbs(porter)) == ("porter", "", ["vm.tags"])
    assert Role.objects.count() == 5


def test_of_two_who_change_one_at_once_the_second_is_told(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.admin)
    set_role("porter", {"vm": ["tags"]})
    opened = client.get(do("porter", "edit")).context["form"]["opened"].value()
    set_role("porter", {"vm": ["tags", "power"]})
    answer = client.post(do("porter", "edit"), {"name": "porter", "verbs": ["vm.console"], "opened": opened})
    assert answer.status_code == 422 and "meanwhile" in answer.content.decode()
    assert list_verbs(Role.objects.get(name="porter")) == ["vm.power", "vm.tags"]


def test_nobody_else_makes_or_changes_one(site: Site, sign_in: SignIn) -> None:
    auditor, erik = find_role("auditor"), make_user("erik")
    assert auditor is not None
    grant_role(auditor, erik, None)
    grant(["admin"], site.alice, site.prod)
    for who, there in ((erik, 403), (site.alice, 404)):
        client = sign_in(who)
        given = {"name": "mine", "verbs": ["cluster.admin"]}
        assert client.get(CREATE).status_code == client.post(CREATE, given).status_code == 403
        for verb in ("edit", "delete"):
            assert client.get(do("helpdesk", verb)).status_code == there
            assert client.post(do("helpdesk", verb), {**given, "typed_name": "helpdesk"}).status_code == there
    page = sign_in(erik).get(PAGE).content.decode()
    assert "helpdesk" in page and CREATE not in page and "/rights/roles/" not in page
    assert Role.objects.count() == 4


@pytest.mark.feature("F103", "F123")
@pytest.mark.parametrize("verb", ["edit", "delete"])
def test_quotas_go_where_a_role_was_the_last_right(site: Site, sign_in: SignIn, verb: str) -> None:
    """On everything and on a cluster alike; who holds something else there keeps theirs, and who had a part of it."""
    planner, bob, carol, dave = set_role("planner", {"cluster": ["create_vm"]}), *map(make_user, ("bob", "carol", "d"))
    team = make_team("ops", [site.alice])
    everywhere, here, both, narrow = site.alice, team, bob, carol
    grant_role(planner, everywhere, None)
    grant_role(planner, here, site.prod)
    grant_role(planner, both, None)
    grant(["tags"], both, site.prod)
    grant_role(planner, narrow, None, tag="web")
    for who in (everywhere, here, both, narrow, dave):
        for cluster in (site.prod, site.edge):
            set_quota(persona_of(who), cluster, Limits(vcpus=1))
    client = sign_in(site.admin)
    client.post(do("planner", verb), {"verbs": ["team.act"], "typed_name": "planner"})
    left = {(each.persona.name, each.cluster.slug) for each in Quota.objects.all()}
    assert left == {
        ("ops", site.edge.slug),
        ("bob", site.prod.slug),
        *((who, cluster.slug) for who in ("carol", "d") for cluster in (site.prod, site.edge)),
    }
    said = Event.objects.get(verb=f"role.{verb}").said
    assert "the quotas went, too" in said and f"@ops ({site.prod.slug})" in said
