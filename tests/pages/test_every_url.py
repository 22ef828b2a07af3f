"""Every URL by every method, with and without an object, with parameters and fields that nobody means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils.datastructures import MultiValueDict
from pytest_django import DjangoDbBlocker

from clusters.filters import JOBS, NODES
from gwm.cluster_list import CLUSTERS
from gwm.journal_list import EVENTS
from operations.columns import BATCHES
from operations.table import OPERATIONS
from people.account_columns import PEOPLE
from people.quota_columns import QUOTAS
from people.request_columns import REQUESTS
from people.team_columns import MEMBERS, TEAMS
from permissions.services import make_team
from tests.factories import make_admin, make_batch, make_cluster, make_job, make_node, make_template, make_user, make_vm
from tests.fixtures.kept import keep, sign_in, signed_in
from tests.permissions.matrix import DOORS, WHERE
from tests.permissions.test_matrix import walk
from tests.up.running import ROOT
from virtualmachines.filters import MACHINES
from virtualmachines.template_columns import TEMPLATES

pytestmark = pytest.mark.django_db
TAKEN = ("GET", "POST")
REFUSED = ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
ONLY_POSTED = (
    *("logout", "lists", "view-as-stop", "reconciliation-batch", "vm-console-picture", "vm-console-ticket"),
    *("vms-batch", "vms-create-live", "batch-do"),
    *("end-session", "end-other-sessions", "passkey-sign-in"),
    *("openid-begin", "openid-connect", "openid-disconnect"),
)
HUGE = str(2**63)
#: What one database takes and another does not; and what is the same to both, or comes to none.
BEYOND = (HUGE, f"-{HUGE}")
NUMBERS = ("9" * 20, "0", "-1", "٣", "NaN", "Infinity", "-Infinity", "1e400", "9" * 5000, "²")
ODD_TEXTS = ("a%00b", "%ed%a0%80", "%ff", "x" * 3000)
OF_DATABASE, OTHERS = pytest.param(BEYOND, id="beyond"), pytest.param(NUMBERS, marks=pytest.mark.alike, id="others")
NUL = "a\0b"


def make_people() -> dict[str, str]:
    """The objects of WHERE, somebody who sees them all, and somebody who sees none, both signed in."""
    cluster = make_cluster("lab")
    node = make_node(cluster, "node1.example.org")
    vm = make_vm(cluster, "web1.example.org", primary_node=node)
    make_job(cluster, ("instance", vm.name), ganeti_id=7)
    root = make_admin("root")
    make_batch(root, **WHERE["batch"])
    make_template("small", cluster)
    make_user("somebody")
    make_team("ops")
    return {"root": sign_in(root), "stranger": sign_in(make_user("stranger"))}


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, str]]:
    yield from keep(django_db_blocker, make_people)


@pytest.fixture
def people(made: dict[str, str], db: None) -> dict[str, str]:
    return made


def urls() -> Iterator[tuple[str, dict[str, object]]]:
    """The name of every URL with what it leads to; a door once for each operation behind it."""
    kinds = {door: kind for kind, door in DOORS.items()}
    for pattern in walk(get_resolver().url_patterns):
        assert pattern.name is not None
        if pattern.name not in kinds:
            yield pattern.name, WHERE.get(pattern.name, {})
            continue
        for operation in OPERATIONS.values():
            if operation.kind == kinds[pattern.name] and not (operation.is_on_site and operation.has_own_page):
                yield pattern.name, {**WHERE[pattern.name], "verb": operation.verb}


URLS = list(urls())
#: Those without the operations that share a door with another: what the door does before it looks for one.
SHORT = [URLS[0], *(url for before, url in pairwise(URLS) if url[0] != before[0])]
OF_OBJECTS = [(name, where) for name, where in SHORT if where]
LEADS_NOWHERE: dict[type, object] = {UUID: UUID(int=1), str: "nothing.example.org", int: 999_999}


def label(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(value)
    return value if isinstance(value, str) else "-".join(str(each) for each in value.values())


KEPT_NOWHERE = "no-store, private"


def ask(client: Client, method: str, url: str) -> tuple[int, str]:
    answer = client.generic(method, url, content_type="application/x-www-form-urlencoded")
    assert answer.headers["Cache-Control"] == KEPT_NOWHERE, (method, url)
    return answer.status_code, answer.headers.get("Allow", "")


def list_methods() -> Iterator[Any]:
    """For each URL the one of two that may be refused and, for each fourth in turn, one that always is; all others
    where time is."""
    for number, (name, where) in enumerate(SHORT):
        in_turn = [REFUSED[number // 4 % len(REFUSED)]] if number % 4 == 0 else []
        asked = ("GET" if name in ONLY_POSTED else "POST", *in_turn)
        others = tuple(method for method in (*TAKEN, *REFUSED) if method not in asked)
        yield name, where, asked
        yield pytest.param(name, where, others, marks=pytest.mark.long)


@pytest.mark.alike
@pytest.mark.parametrize(("name", "where", "methods"), list(list_methods()), ids=label)
def test_a_method_that_is_not_taken_is_refused_before_anything_is_looked_up_and_no_answer_may_be_kept(
    people: dict[str, str], name: str, where: dict[str, object], methods: tuple[str, ...]
) -> None:
    nowhere = {
        key: value if key == "verb" else ("nowhere" if key == "slug" else LEADS_NOWHERE[type(value)])
        for key, value in where.items()
    }
    asked = (("root", reverse(name, kwargs=where)), ("stranger", reverse(name, kwargs=nowhere)))
    taken = set()
    for method in methods:
        # Whoever looked anything up would answer these two differently. A browser for each, as one method signs out.
        answers = {ask(signed_in(people[who]), method, url) for who, url in asked}
        refused = [answer for answer in answers if answer[0] == 405]
        assert len(refused) == 0 or len(answers) == 1, (method, answers)
        if not refused:
            taken.add(method)
        else:
            assert refused[0][1]
    assert taken <= set(TAKEN)
    assert "GET" not in methods or ("GET" in taken) == (name not in ONLY_POSTED)


@pytest.mark.long
@pytest.mark.alike
@pytest.mark.parametrize("who", ["root", "stranger", ""])
def test_nobody_may_keep_an_answer_and_a_head_is_that_of_the_page(people: dict[str, str], who: str) -> None:
    for name, where in SHORT:
        url = reverse(name, kwargs=where)
        answers = {
            method: ask(signed_in(people[who]) if who else Client(), method, url)
            for method in ("GET", "HEAD", *(["POST"] if who != "root" else []))
        }
        assert answers["HEAD"] == answers["GET"], url


def parameters() -> list[str]:
    """The names of all parameters that the code reads from the query of a URL, and all keys of filters."""
    reads = re.compile(r'GET(?:\.get(?:list)?\(|\[)"(\w+)"')
    tuples = re.compile(r"for name in \(([^)]*)\)")
    languages = (MACHINES, NODES, JOBS, CLUSTERS, EVENTS, BATCHES, TEMPLATES, PEOPLE, TEAMS, MEMBERS, QUOTAS, REQUESTS)
    found = {"q", *(name for each in languages for name in (*each.keys, *each.aliases))}
    for source in (*ROOT.glob("*/views/*.py"), *(ROOT / "ui").glob("*.py")):
        text = source.read_text(encoding="utf-8")
        found |= set(reads.findall(text))
        for names in tuples.findall(text):
            found |= set(re.findall(r'"(\w+)"', names))
    return sorted(found)


PARAMETERS = parameters()


def test_the_parameters_were_found() -> None:
    assert {"page", "per_page", "sort", "q", "status", "since", "actor", "verb", "node"} <= set(PARAMETERS)


PAGES = [(name, where) for name, where in URLS if "verb" not in where and name not in ONLY_POSTED]


@pytest.mark.long
@pytest.mark.parametrize(("name", "where"), PAGES, ids=label)
@pytest.mark.parametrize("numbers", [OF_DATABASE, OTHERS])
def test_numbers_that_nobody_means_in_a_query(
    people: dict[str, str], name: str, where: dict[str, object], numbers: tuple[str, ...]
) -> None:
    client, url = signed_in(people["root"]), reverse(name, kwargs=where)
    for number in numbers:
        asked = {**dict.fromkeys(PARAMETERS, number), "q": f"status:{number} {number}"}
        answer = client.get(url, asked)
        assert answer.status_code in (200, 204, 302, 401, 403, 404), (number[:30], answer.status_code)


@pytest.mark.long
@pytest.mark.alike  # refused before the database is asked
def test_a_nul_in_any_parameter_is_refused(people: dict[str, str]) -> None:
    client = signed_in(people["root"])
    for parameter in PARAMETERS:
        answer = client.get("/vms/", {parameter: NUL})
        assert answer.status_code == 400
        assert "Traceback" not in answer.content.decode()


@pytest.mark.long
@pytest.mark.alike
def test_a_nul_in_a_query_is_refused_everywhere(people: dict[str, str]) -> None:
    client = signed_in(people["root"])
    for name, where in PAGES:
        for asked in (dict.fromkeys(PARAMETERS, NUL), {NUL: "x"}):
            answer = client.get(reverse(name, kwargs=where), asked)
            assert answer.status_code == 400, name
            assert "Traceback" not in answer.content.decode()


def leading_to_objects() -> Iterator[Any]:
    """A second database is asked where a number or a UUID is meant, and once about a text, which is like any other."""
    for name, where in OF_OBJECTS:
        is_text = all(isinstance(value, str) for value in where.values())
        yield pytest.param(name, where, marks=[pytest.mark.alike] if is_text and name != "vm" else [])


@pytest.mark.long
@pytest.mark.parametrize(("name", "where"), list(leading_to_objects()), ids=label)
@pytest.mark.parametrize("values", [pytest.param((*BEYOND, *ODD_TEXTS), id="beyond and odd"), OTHERS])
def test_values_that_nobody_means_in_a_url(
    people: dict[str, str], name: str, where: dict[str, object], values: tuple[str, ...]
) -> None:
    client, url = signed_in(people["root"]), reverse(name, kwargs=where)
    for key, value in where.items():
        # Where a text is meant a number is one like others; one that is none, and the longest, are tried there, too.
        for nasty in values if values != NUMBERS or isinstance(value, int) else ("²", "9" * 5000):
            if nasty == str(value):
                continue
            strange = url.replace(f"/{value}/", f"/{nasty}/", 1)
            assert strange != url, key
            answer = client.get(strange)
            assert answer.status_code in (400, 401, 404, 405), (strange[:60], answer.status_code)


def fields_of(page: str) -> set[str]:
    return set(re.findall(r'<(?:input|select|textarea|button)\b[^>]*\bname="([^"]+)"', page)) - {"csrfmiddlewaretoken"}


TAKES_FORMS = [
    (name, where)
    for name, where in URLS
    if "verb" in where
    or name in ("login", "cluster-add", "cluster-edit", "vms-create")
    or name in ("template-create", "template-edit", "person-add")
]


def fill(client: Client, url: str, filled: list[dict[str, str]]) -> None:
    for number, given in enumerate(filled):
        # Each from elsewhere: who fails to sign in too often from one address is sent away.
        answer = client.post(url, given, REMOTE_ADDR=f"10.{number // 256}.{number % 256}.1")
        assert answer.status_code in (200, 302, 404, 409, 422), (str(given)[:80], answer.status_code)


@pytest.mark.long
@pytest.mark.parametrize(("name", "where"), TAKES_FORMS, ids=label)
def test_fields_that_nobody_fills_so(people: dict[str, str], name: str, where: dict[str, object]) -> None:
    url = reverse(name, kwargs=where)
    client = Client() if name == "login" else signed_in(people["root"])
    fields = fields_of(client.get(url).content.decode())
    # All at once, as a form looks at each of its fields; and each by itself, as some are only looked at without others.
    is_sqlite = connection.vendor == "sqlite"
    fill(
        client,
        url,
        [dict.fromkeys(fields, nasty) for nasty in ((*BEYOND, *NUMBERS) if is_sqlite else BEYOND) if fields],
    )
    if not is_sqlite:
        return  # numbers so large SQLite is not given either, and a NUL never comes as far as a database
    fill(client, url, [{field: HUGE} for field in sorted(fields)])
    for field in sorted({"next", *fields})[:2]:
        assert client.post(url, {field: NUL}).status_code == 400
    if fields:
        together = MultiValueDict({field: [HUGE, "NaN"] for field in fields})
        assert client.post(url, together).status_code in (200, 302, 404, 409, 422)


def test_a_cookie_with_a_nul_is_no_cookie(people: dict[str, str]) -> None:
    client = signed_in(people["root"])
    client.cookies["gwm_session"] = '"\\000' + 40 * "a" + '"'
    assert client.get("/").status_code == 302
    client.cookies["theme"] = '"\\000"'
    assert client.get("/login/").status_code == 200
