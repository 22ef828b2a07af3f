"""Pages of the journal for who may read some of it, however far from the newest: gone past, or looked up by reasons."""

import itertools
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clusters.models import Cluster
from gwm import journal_found
from gwm.journal_found import Found, Sparse, find_among, find_by_ways, find_near
from gwm.journal_list import JOURNAL_TABLE
from objectlog.models import Event
from permissions.journal import list_visible_events, read_few_visible_events, ways_to_read
from permissions.models import User
from permissions.services import grant
from tests.factories import make_cluster, make_node, make_user, make_vm
from tests.journal.test_found import explain, read
from ui.listing import order_rows
from ui.tables import Shown
from virtualmachines.models import VirtualMachine

pytestmark = pytest.mark.django_db
HELD = ("nothing", "machines", "a cluster", "both")


@pytest.fixture(autouse=True)
def nobody_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_found, "_looks", {})


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def events(alice: User) -> None:
    """About machines, nodes and clusters, some at the same moment, some for two reasons hers."""
    clusters = [make_cluster("prod"), make_cluster("lab")]
    about: list[Any] = [("cluster", each.pk) for each in clusters]
    about += [("node", make_node(each).pk) for each in clusters]
    about += [("vm", make_vm(each).pk) for each in clusters for _ in range(3)]
    about += [("vm", 0), ("person", alice.pk)]
    actors, now = itertools.cycle([None, alice, None, None, None]), timezone.now()
    Event.objects.bulk_create(
        Event(
            at=now - timedelta(seconds=(180 - number) // 3),
            actor=actor,
            verb="vm.reboot",
            outcome="done",
            target_kind=kind,
            target_pk=pk,
            entry_uuid=uuid4(),
            is_overtaken=number % 4 == 0,
            said="",
            text="{}",
        )
        for number, (kind, pk), actor in zip(range(180), itertools.cycle(about), actors, strict=False)
    )


def give(user: User, what: str) -> None:
    """What she holds of it."""
    prod, lab = Cluster.objects.order_by("pk")
    if what in ("machines", "both"):
        for vm in VirtualMachine.objects.filter(cluster=lab).order_by("pk")[:2]:
            grant(["admin"], user, vm)
    if what in ("a cluster", "both"):
        grant(["admin"], user, prod)


@pytest.mark.parametrize("what", HELD)
def test_what_is_looked_up_by_reasons_is_what_is_gone_past(alice: User, events: None, what: str) -> None:
    give(alice, what)
    every = list_visible_events(alice)
    ends = itertools.cycle(Event.objects.order_by("at").values_list("at", flat=True)[7::37])
    for order, steps, most in itertools.product(("-when", "when"), ("", "&steps=1"), (1, 7, 40, 500)):
        _wanted, shown, all_steps = read(alice, f"sort={order}{steps}")
        rows = every if steps else every.filter(is_overtaken=False)
        expected = [each.pk for each in order_rows(rows, JOURNAL_TABLE.orders, order)][:most]
        found = find_by_ways(every, ways_to_read(alice, looked_up=True), shown, all_steps, most)
        assert found.keys == expected, (order, steps, most)
        near = find_near(every, shown, all_steps, most, alice.pk)
        assert isinstance(near, Sparse) or near.keys == expected, (order, steps, most)
        end = next(ends)
        found = find_by_ways(every, ways_to_read(alice, looked_up=True), shown, all_steps, most, end)
        assert found.keys == expected, (order, steps, most, end)
        assert expected


@pytest.mark.parametrize("what", HELD)
@pytest.mark.parametrize(
    "numbers",
    [
        {"NEAR_EACH": 1, "DENSE": 1, "MOST": 3},  # by reasons
        {"NEAR_EACH": 1, "DENSE": 1000, "MOST": 3},  # gone past, after a look
        {"MOST_NEAR": 10, "SAMPLE": 2, "MOST": 3},
        {},
    ],
)
def test_no_line_is_twice_or_missing_on_whatever_page(
    alice: User, events: None, what: str, numbers: dict[str, int], monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    give(alice, what)
    expected = [each.pk for each in order_rows(list_visible_events(alice), JOURNAL_TABLE.orders, "-when")]
    for name, value in numbers.items():
        monkeypatch.setattr("permissions.journal.MOST" if name == "MOST" else f"gwm.journal_found.{name}", value)
    client.force_login(alice)
    told: list[int] = []
    for number in itertools.count(1):
        page = client.get(f"/journal/?steps=1&per_page=20&page={number}").context["page"]
        told += [event.pk for event in page.object_list]
        if not page.has_next():
            break
    assert told == expected


def test_a_look_at_the_newest_says_how_close_they_stand(
    alice: User, events: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(alice, "machines")
    every, shown = list_visible_events(alice), JOURNAL_TABLE.plain()
    monkeypatch.setattr(journal_found, "MOST_NEAR", 30)
    monkeypatch.setattr(journal_found, "SAMPLE", 30)
    assert isinstance(find_near(every, shown, "1", 40, alice.pk), Found)  # a quarter is hers
    monkeypatch.setattr(journal_found, "DENSE", 2)
    sparse = find_near(every, shown, "1", 14, alice.pk)
    assert isinstance(sparse, Sparse) and sparse.end is not None
    assert 14 < every.filter(at__gte=sparse.end).count() < 40
    monkeypatch.setattr(journal_found, "MOST_NEAR", 20)
    with CaptureQueriesContext(connection) as asked:
        assert find_near(every, shown, "1", 14, alice.pk) == sparse
    assert len(asked) == 2, "where the keys begin and where they end: whoever turns pages is not looked at anew"
    monkeypatch.setattr(journal_found, "ROOM", 1000)
    assert find_near(every, shown, "1", 14, alice.pk) == Sparse(), "there are no more than that"


@pytest.mark.parametrize("order", ["-when", "when"])
def test_how_far_they_reach_is_told_by_keys(events: None, order: str) -> None:
    """Gone past were 10 of the keys: 5 times as many are gone past by a key 50 away, whatever else lies between."""
    keys = list(Event.objects.order_by("-pk" if order == "-when" else "pk").values_list("pk", "at"))
    assert journal_found._reckon_end(order, keys[10][0], 10, 5) == keys[50][1]
    Event.objects.filter(pk__in=[pk for pk, _at in keys[20:51]]).delete()
    assert journal_found._reckon_end(order, keys[10][0], 10, 5) == keys[51][1]
    # Where the newest have old keys, as many are counted as were passed.
    assert journal_found._reckon_end(order, keys[0][0], 12, 5) == keys[60][1]
    assert journal_found._reckon_end(order, keys[10][0], 10, 10_000) is None


@pytest.mark.parametrize("steps", ["", "1"])
def test_no_long_row_is_read_to_find_out_who_may_read_it(alice: User, events: None, steps: str) -> None:
    give(alice, "machines")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
            # Knowing nothing of the table, it takes whichever index of the same cost comes first.
            cursor.execute("ANALYZE objectlog_event")
    shown: Shown = JOURNAL_TABLE.plain()
    plans = []
    for find in (
        lambda: find_by_ways(list_visible_events(alice), ways_to_read(alice, looked_up=True), shown, steps, 7),
        *([] if steps else [lambda: find_near(list_visible_events(alice), shown, steps, 7, alice.pk)]),
    ):
        with CaptureQueriesContext(connection) as asked:
            find()
        plans.append(explain(asked.captured_queries[-1]["sql"]))
    by = "COVERING INDEX" if connection.vendor == "sqlite" else "Index Only Scan"
    for index, plan in [
        ("event_about", plans[0]),
        ("event_of_actor", plans[0]),
        *(("event_listed", p) for p in plans[1:]),
    ]:
        lines = [line for line in plan.splitlines() if index in line]
        assert lines and all(by in line for line in lines), plan


@pytest.mark.parametrize(
    "query", ["verb=vm.reboot", "kind=vm", "cluster=prod", "outcome=done", "verb=vm.reboot&kind=vm"]
)
def test_few_are_looked_up_by_their_keys_whatever_is_asked_of_them(alice: User, events: None, query: str) -> None:
    give(alice, "machines")
    wanted, shown, _steps = read(alice, query)
    few = read_few_visible_events(alice)
    assert few is not None
    rows = few.filter(wanted.asked.condition)
    with CaptureQueriesContext(connection) as asked:
        found = find_among(rows, shown.sort, 7)
    assert found.keys == [each.pk for each in order_rows(rows, JOURNAL_TABLE.orders, "-when")][:7]
    if connection.vendor == "sqlite":
        assert "objectlog_event USING INTEGER PRIMARY KEY" in explain(asked.captured_queries[-1]["sql"])


def test_what_stands_far_apart_is_paged_through_less_deep(
    alice: User, events: None, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    give(alice, "machines")
    for name, value in {"MOST_NEAR": 30, "SAMPLE": 10, "DENSE": 1}.items():
        monkeypatch.setattr(journal_found, name, value)
    monkeypatch.setattr("gwm.views.journal.DEEPEST_SEARCHED", 20)
    monkeypatch.setattr("permissions.journal.MOST", 3)
    client.force_login(alice)
    page = client.get("/journal/?steps=1&per_page=10&page=200").context["page"]
    assert page.number == 2 and page.paginator.is_cut
