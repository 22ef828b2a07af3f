"""Pages of the journal: what is asked for is found by an index in the order of time, however few of many it is."""

import html
import itertools
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.http import QueryDict
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gwm.journal_found import Found, find_events
from gwm.journal_list import EVENTS, FOUND, JOURNAL_TABLE
from gwm.views.journal import answer
from objectlog.models import Event
from permissions.models import User
from tests.factories import make_admin
from tests.fixtures.databases import some_in_fast
from ui.filtering import Wanted
from ui.listing import order_rows
from ui.tables import Choice, Shown, show

pytestmark = pytest.mark.django_db
INDEXES = {
    "actor": ["event_by_actor", "event_by_persona"],
    "verb": ["event_by_verb"],
    "cluster": ["event_by_cluster"],
    "kind": ["event_by_kind"],
    "outcome": ["event_by_outcome"],
}
ASKED = {
    "actor": ["alice", "ALICE", "web team", "nobody"],
    "verb": ["vm.reboot", "reboot", "check", "vm.reboot.check", "none"],
    "cluster": ["prod", "Lab", "none"],
    "kind": ["vm", "NODE", "none"],
    "outcome": ["bad", "open", "well", "lost", "submitted", "Bad", "LOST"],
}


@pytest.fixture
def admin() -> User:
    return make_admin("root")


@pytest.fixture
def events() -> None:
    """All that differs, in turns; some at the same moment."""
    who = itertools.cycle([("alice", "alice"), ("Alice", "web team"), ("bob", "bob"), ("bob", "alice"), ("", "")])
    verbs = itertools.cycle(["vm.reboot", "vm.reboot.check", "reboot", "node.forget"])
    outcomes = itertools.cycle(["submitted", "succeeded", "failed", "lost", "denied", "unknown", "done"])
    now = timezone.now()
    Event.objects.bulk_create(
        Event(
            at=now - timedelta(seconds=number // 2),
            actor_name=actor,
            persona_name=persona,
            verb=next(verbs),
            outcome=next(outcomes),
            target_kind="vm" if number % 3 else "node",
            target_name=f"web{number}",
            cluster_name="prod" if number % 4 else "lab",
            entry_uuid=uuid4(),
            is_overtaken=number % 5 == 0,
            said="",
            text="{}",
        )
        for number, (actor, persona) in zip(range(160), who, strict=False)
    )


def read(user: User, query: str) -> tuple[Wanted, Shown, str]:
    """What a page is asked for."""
    request = RequestFactory().get(f"/journal/?{query}")
    request.user = user
    return (
        Wanted.parse(EVENTS, QueryDict(query)),
        show(request, JOURNAL_TABLE, Choice()),
        "1" if "steps" in query else "",
    )


def search(user: User, query: str, events: Any = None, *, most_walked: int | None = 40) -> Found:
    """What is found for a page of seven, of every step."""
    wanted, shown, steps = read(user, f"{query}&steps=1")
    events = Event.objects.all() if events is None else events
    return find_events(events, wanted, shown, steps, 7, most_walked=most_walked)


def find(user: User, query: str, most: int) -> tuple[Any, Any, str]:
    """What is found for a page, all that match, and their order."""
    wanted, shown, steps = read(user, query)
    matching = Event.objects.filter(wanted.asked.condition)
    if not steps:
        matching = matching.filter(is_overtaken=False)
    return find_events(Event.objects.all(), wanted, shown, steps, most).rows, matching, shown.sort


@pytest.mark.parametrize("key", some_in_fast(FOUND, 2))
def test_the_first_of_what_is_found_are_the_first_that_match(admin: User, events: None, key: str) -> None:
    seen = 0
    for value, more, order in itertools.product(ASKED[key], ["", "&steps=1", "&q=-kind:vm"], ["-when", "when", "who"]):
        found, matching, sort = find(admin, f"{key}={value}&sort={order}{more}", 7)
        expected = list(order_rows(matching, JOURNAL_TABLE.orders, sort))[:7]
        assert list(order_rows(found, JOURNAL_TABLE.orders, sort))[:7] == expected, (value, more, order)
        seen += len(expected)
    assert seen > 50


WALKED = {
    # no index knows these, so of 160 events in 80 seconds the 40 that come first are looked at
    **dict.fromkeys(("q=zz", "q=-web", "q=-kind:vm+-kind:node", "q=via:cli", "q=from:192.0.2.", "q=what:zz"), 40),
    # of those of one kind their first 40
    "q=kind:node+zz": 40 * 3,
    "q=kind:node+-verb:vm.reboot": 40 * 3,
    "q=kind:node+kind:vm": 40,
}
ASKED_OF_INDEXES = ("", "q=web", "q=kind:node", "q=actor:bob", "q=what:web15", "q=since<1d", "q=kind:node+what:web15")


@pytest.mark.parametrize("sort", ["-when", "when"])
def test_for_what_no_index_knows_the_first_of_many_are_looked_at_and_it_is_said(
    admin: User, events: None, sort: str
) -> None:
    moments = sorted(Event.objects.values_list("at", flat=True), reverse=sort == "-when")
    for query, looked_at in WALKED.items():
        end = search(admin, f"{query}&sort={sort}").as_far_as
        assert end is not None, query
        assert abs((moments[looked_at] - end).total_seconds()) <= 2, query
        assert search(admin, f"{query}&sort={sort}", most_walked=None).as_far_as is None
    # Of either name no more than so many: of the one two in five have it, of the other one.
    end = search(admin, f"q=actor:bob+zz&sort={sort}", most_walked=20).as_far_as
    assert end is not None and abs((moments[20 * 5 // 2] - end).total_seconds()) <= 2
    for query in ASKED_OF_INDEXES:
        assert search(admin, f"{query}&sort={sort}").as_far_as is None, query
    assert search(admin, f"q=zz&sort={sort}", Event.objects.filter(cluster_name="lab")).as_far_as is None
    assert search(admin, "q=zz&sort=who").as_far_as is None
    assert search(admin, f"q=zz&sort={sort}", most_walked=160).as_far_as is None


def test_what_is_beyond_is_found_when_one_asks_for_all(admin: User, events: None) -> None:
    oldest = Event.objects.filter(is_overtaken=False).earliest("at")
    Event.objects.filter(pk=oldest.pk).update(said="once zz")

    def page(query: str) -> str:
        request = RequestFactory().get(f"/journal/?{query}")
        request.user, request.session = admin, SessionStore()
        answered = answer(request, Event.objects.all(), "gwm/_journal_list.html", {}, most_walked=40)
        return b"".join(answered).decode()  # type: ignore[arg-type]

    first = page("q=zz&per_page=5")
    assert "This search reads one entry after the other, and stopped at" in first and "No entry matches" in first
    [link] = re.findall(r'href="\?([^"]*far=1[^"]*)"', first)
    all_of_it = page(html.unescape(link))
    assert "No entry matches" not in all_of_it and "one after the other" not in all_of_it
    assert "one entry after the other" not in page("q=-zz&per_page=5")  # enough was found before the end
    assert len(page("q=zz&format=csv").splitlines()) == 2


def explain(sql: str) -> str:
    """How the database reads for a statement."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{sql}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


@pytest.fixture
def others(admin: User) -> None:
    """Many events of which nothing is asked for: knowing of none, PostgreSQL takes any of two indexes of one cost."""
    now = timezone.now()
    Event.objects.bulk_create(
        Event(
            at=now - timedelta(seconds=number),
            actor_name="zoe",
            persona_name="zoe",
            verb="cluster.edit",
            outcome="succeeded",
            target_kind="job",
            target_name="17",
            cluster_name="elsewhere",
            entry_uuid=uuid4(),
            said="",
            text="{}",
        )
        for number in range(2000)
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE objectlog_event")


@pytest.mark.parametrize("key", FOUND)
def test_it_is_found_by_its_index(others: None, admin: User, key: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    for steps in ("", "&steps=1"):
        with CaptureQueriesContext(connection) as asked:
            find(admin, f"{key}={ASKED[key][0]}{steps}", 7)
        plan = explain(asked.captured_queries[-1]["sql"])
        assert set(INDEXES[key]) <= {word for word in plan.replace("(", " ").split() if word.startswith("event_")}, plan


@pytest.mark.parametrize(
    ("sort", "index"),
    [("who", "actor"), ("target", "target"), ("outcome", "outcome"), ("cluster", "cluster"), ("verb", "verb")],
)
def test_it_is_put_in_order_by_an_index(admin: User, sort: str, index: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    for order in (sort, f"-{sort}"):
        rows, _matching, by = find(admin, f"sort={order}", 7)
        assert f"event_by_{index}" in order_rows(rows, JOURNAL_TABLE.orders, by)[:7].explain()
