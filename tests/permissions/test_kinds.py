"""The table of kinds: whatever there is, is in it once, is found by what it is called, and leads to its page."""

from dataclasses import replace
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError
from django.db.models import Model
from django.http import Http404
from django.urls import resolve
from django.utils import timezone

from clusters.models import Network, NodeGroup
from clusters.moved import Moved
from operations.table import OPERATIONS
from people.explaining import answer_all, answer_for_site
from people.words import list_kinds_with_rights, read_any
from permissions.access import Access
from permissions.kinds import KINDS, Kind, add_kind, kind_of, name_of_kind, places_of
from permissions.policy import SITE_VERBS, access_of, reach_kept
from permissions.services import grant, make_team, set_role
from tests.factories import (
    FINGERPRINT,
    make_admin,
    make_cluster,
    make_job,
    make_key,
    make_node,
    make_request,
    make_template,
    make_token,
    make_user,
    make_vm,
)

TYPED = {
    "person": "carol",
    "team": "@web",
    "cluster": "lab",
    "job": "lab/7",
    "node": "lab/node1.example.org",
    "nodegroup": "lab/default",
    "network": "lab/lan",
    "vm": "lab/web1.example.org",
    "template": "lab/small",
    "key": f"dave/{FINGERPRINT}",
    "token": "dave/hook",
    "request": "4711",
    "role": "porter",
}


@pytest.fixture
def objects(db: None) -> dict[str, Model]:
    """One of each kind."""
    cluster = make_cluster("lab")
    dave = make_user("dave")
    vm = make_vm(cluster, "web1.example.org", uuid="00000000-0000-4000-8000-000000000001")
    return {
        "person": make_user("carol"),
        "team": make_team("web"),
        "cluster": cluster,
        "job": make_job(cluster, ("instance", vm.name), ganeti_id=7),
        "node": make_node(cluster, "node1.example.org"),
        "nodegroup": NodeGroup.objects.create(cluster=cluster, name="default"),
        "network": Network.objects.create(cluster=cluster, name="lan"),
        "vm": vm,
        "template": make_template("small", cluster),
        "key": make_key(dave),
        "token": make_token(dave, "hook"),
        "request": make_request(dave, cluster, pk=4711),
        "role": set_role("porter", {"vm": ["power"]}),
    }


def test_whatever_can_be_granted_or_done_something_to_is_a_kind() -> None:
    declared = {model: getattr(model, "access", None) for model in apps.get_models()}
    granted = {model: access.kind for model, access in declared.items() if isinstance(access, Access) and access.kind}
    assert granted.items() <= {kind.model: kind.name for kind in KINDS.values()}.items()
    assert {operation.kind for operation in OPERATIONS.values() if not operation.is_on_site} <= set(KINDS)
    assert set(TYPED) == set(KINDS)


@pytest.mark.parametrize("name", TYPED)
def test_each_is_found_by_what_it_is_called_and_by_nobody_who_may_not(objects: dict[str, Model], name: str) -> None:
    kind, admin, stranger = KINDS[name], make_admin(), make_user("stranger")
    where = kind.parse(TYPED[name])
    assert where is not None
    assert kind.find(admin, **where) == objects[name]
    with pytest.raises(Http404):
        kind.find(stranger, **where)
    assert kind_of(objects[name]) is kind and kind.noun
    assert read_any(TYPED[name]) == objects[name]


@pytest.mark.feature("G054")
@pytest.mark.parametrize("name", sorted(kind.name for kind in list_kinds_with_rights()))
def test_each_right_is_explained_in_words_of_its_own_whether_one_has_it_or_not(
    objects: dict[str, Model], name: str
) -> None:
    answers = [
        answer
        for who in (make_admin(), make_user("stranger"))
        for answer in answer_all(who, objects[name], is_asking=True)
    ]
    assert {answer.verb for answer in answers} == access_of(KINDS[name].model).every
    assert [answer.verb for answer in answers if not answer.says or answer.says == answer.verb] == []
    generic = Access().refuse("").partition("(")[0]
    assert [each.verb for each in answers if not (each.ways or each.reason) or each.reason.startswith(generic)] == []
    for may in (True, False):
        told = [answer.says for answer in answers if answer.may is may]
        assert len(set(told)) == len(told), "no two say the same"


@pytest.mark.feature("G054")
@pytest.mark.django_db
def test_what_is_done_to_the_site_is_explained_in_words_of_its_own() -> None:
    for who in (make_admin(), make_user("stranger")):
        answers = answer_for_site(who)
        assert len({answer.says for answer in answers if answer.says}) == len(answers) == len(SITE_VERBS)
        assert all(answer.ways or answer.reason for answer in answers)


@pytest.mark.parametrize("name", TYPED)
def test_its_page_is_one_of_its_own(objects: dict[str, Model], name: str) -> None:
    kind, admin = KINDS[name], make_admin()
    url = kind.url_of(objects[name])
    if not url:
        assert name in ("person", "team", "nodegroup", "network", "key", "token", "role")
        return
    found = resolve(url)
    assert kind.find(admin, **found.kwargs) == objects[name]
    places = places_of(admin, [(name, objects[name].pk), (name, None), ("moon", 1)])
    assert places == {(name, objects[name].pk): kind.place(objects[name])}
    assert not places_of(make_user("stranger"), [(name, objects[name].pk)])


def test_places_cost_a_query_for_each_kind_and_two_more(
    objects: dict[str, Model], django_assert_num_queries: object
) -> None:
    alice = make_user("alice")
    grant(["admin"], alice, objects["cluster"])
    for number in range(8, 20):
        make_vm(objects["vm"].cluster, f"web{number}.example.org")  # type: ignore[attr-defined]
    made = list(type(objects["vm"])._default_manager.values_list("pk", flat=True))
    keys = [("vm", pk) for pk in made] + [
        (name, objects[name].pk + more) for name in ("job", "node") for more in (0, 1)
    ]
    # One tells how far rights reach, one which machines are theirs one by one: for their jobs, too.
    with reach_kept(), django_assert_num_queries(2 + 3):  # type: ignore[operator]
        assert len(places_of(alice, keys)) == len(made) + 2


@pytest.mark.parametrize("kind", ["vm", "node"])
def test_what_is_missing_is_called_by_its_identity(objects: dict[str, Model], kind: str) -> None:
    row: Any = objects[kind]
    name, by_identity = f"lab/{row.name}", f"lab/{row.uuid}"
    type(row).objects.update(missing_since=timezone.now())
    with pytest.raises(Moved):
        KINDS[kind].find(make_admin(), slug="lab", name=row.name)
    with pytest.raises(CommandError) as said:
        read_any(name)
    assert str(said.value) == f"Ganeti no longer lists {name}. For what is kept of it, type {by_identity}."
    assert read_any(by_identity) == row


@pytest.mark.parametrize("name", ["vm", "node", "job", "cluster"])
@pytest.mark.parametrize("text", ["", "@lab", "/", "lab/", "/web1", "lab/a/b", "lab/99999999999999999999"])
@pytest.mark.django_db
def test_what_nothing_can_be_called_is_no_error(name: str, text: str) -> None:
    where = KINDS[name].parse(text)
    if where is not None:
        with pytest.raises(Http404):
            KINDS[name].find(make_admin(), **where)


def test_words_of_ganeti() -> None:
    assert {word: name_of_kind(word) for word in ("instance", "group", "cluster", "moon", "")} == {
        **{"instance": "vm", "group": "nodegroup", "cluster": "cluster", "moon": "", "": ""},
    }


def test_two_of_one_name_or_of_one_model_are_an_error_at_the_start() -> None:
    kind: Kind = KINDS["vm"]
    for other in (kind, replace(kind, name="machine"), replace(kind, model=Model)):
        with pytest.raises(ValueError, match="two kinds"):
            add_kind(other)
