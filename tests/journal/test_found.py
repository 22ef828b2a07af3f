"""Pages of the journal: what is asked for is found by an index in the order of time, however few of many it is."""

import itertools
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import RequestFactory
from django.utils import timezone

from gwm.journal_list import EVENTS, FOUND, JOURNAL_TABLE
from gwm.views.journal import find_events
from objectlog.models import Event
from permissions.models import User
from tests.factories import make_admin
from ui.filtering import Wanted
from ui.listing import order_rows
from ui.tables import Choice, show

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


def find(user: User, query: str, most: int) -> tuple[Any, Any, str]:
    """What is found for a page, all that match, and their order."""
    request = RequestFactory().get(f"/journal/?{query}")
    request.user = user
    shown = show(request, JOURNAL_TABLE, Choice())
    wanted = Wanted.parse(EVENTS, QueryDict(query))
    steps = "1" if "steps" in query else ""
    matching = Event.objects.filter(wanted.asked.condition)
    if not steps:
        matching = matching.filter(is_overtaken=False)
    return find_events(Event.objects.all(), wanted, shown, steps, most), matching, shown.sort


@pytest.mark.parametrize("key", FOUND)
def test_the_first_of_what_is_found_are_the_first_that_match(admin: User, events: None, key: str) -> None:
    seen = 0
    for value, more, order in itertools.product(ASKED[key], ["", "&steps=1", "&q=-kind:vm"], ["-when", "when", "who"]):
        found, matching, sort = find(admin, f"{key}={value}&sort={order}{more}", 7)
        expected = list(order_rows(matching, JOURNAL_TABLE.orders, sort))[:7]
        assert list(order_rows(found, JOURNAL_TABLE.orders, sort))[:7] == expected, (value, more, order)
        seen += len(expected)
    assert seen > 50


@pytest.mark.parametrize("key", FOUND)
def test_it_is_found_by_its_index(admin: User, key: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    for steps in ("", "&steps=1"):
        plan = find(admin, f"{key}={ASKED[key][0]}{steps}", 7)[0].explain()
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
