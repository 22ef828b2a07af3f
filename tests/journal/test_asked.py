"""Pages of the journal with filters and in other orders, where they are asked of the first of many."""

import html
import itertools
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from gwm import journal_found
from gwm.journal_list import EVENTS, JOURNAL_TABLE
from objectlog.models import Event
from permissions.journal import list_visible_events
from permissions.models import User
from tests.factories import make_admin, make_cluster, make_node, make_user, make_vm
from tests.fixtures.databases import few_on_both, some_in_fast
from tests.journal.test_found import read as read_query
from tests.journal.test_some import HELD, give
from ui import paging
from ui.filtering import Wanted
from ui.listing import order_rows

pytestmark = pytest.mark.django_db
ASKED = (
    "",
    "q=via:web",
    "q=-via:web",
    "outcome=bad",
    "outcome=well",
    "verb=vm.reboot",
    "q=verb:vm.reboot+actor:alice",
    "kind=vm",
    "q=kind:vm+kind:node",
    "cluster=prod",
    "q=what:web1",
    "q=started",
    "q=-started+kind:vm",
    "q=unobtainium",
)
ORDERS = ("-when", "when", "who", "-target", "outcome")
# Of how many it is looked who may read them, and how many are read that an index tells of.
LOOKED_AT = ((30, 12), (12, 30), (1000, 1000))
CASES = list(itertools.product(LOOKED_AT, (*HELD, "all")))


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def events(alice: User) -> None:
    """All that is asked for differs, in turns that do not meet; some at the same moment, some for two reasons hers."""
    clusters = [make_cluster("prod"), make_cluster("lab")]
    about: list[tuple[str, int, str]] = [("cluster", each.pk, each.slug) for each in clusters]
    about += [("node", make_node(each).pk, each.slug) for each in clusters]
    about += [("vm", make_vm(each).pk, each.slug) for each in clusters for _ in range(3)]
    about += [("vm", 0, "gone"), ("person", alice.pk, "")]
    verbs = itertools.cycle(["vm.reboot", "vm.delete", "node.forget"])
    outcomes = itertools.cycle(["submitted", "succeeded", "failed", "lost", "done"])
    ways = itertools.cycle(["web", "cli", "api", "cli", "web", "cli", "cli"])
    now = timezone.now()
    Event.objects.bulk_create(
        Event(
            at=now - timedelta(seconds=number // 3),
            actor=alice if number % 5 == 1 else None,
            actor_name="alice" if number % 5 == 1 else "bob",
            verb=next(verbs),
            outcome=next(outcomes),
            target_kind=kind,
            target_pk=pk,
            target_name=f"web{number % 23}",
            cluster_name=slug,
            entry_uuid=uuid4(),
            is_overtaken=number % 4 == 0,
            said="started" if number % 2 else "stopped",
            text=f'{{"via":"{next(ways)}"}}',
        )
        for number, (kind, pk, slug) in zip(range(180), itertools.cycle(about), strict=False)
    )


def tell(client: Client, query: str) -> tuple[list[int], Any]:
    """The keys of what all pages show, and the context of the last."""
    told: list[int] = []
    for number in itertools.count(1):
        context = client.get(f"/journal/?per_page=20&{query}&page={number}").context
        told += [event.pk for event in context["page"].object_list]
        if not context["page"].has_next():
            return told, context
    raise AssertionError


def expect(user: User, query: str, sort: str, as_far_as: Any) -> list[int]:
    """What matches as far as a page says it looked: the plain way."""
    rows = list_visible_events(user).filter(Wanted.parse(EVENTS, QueryDict(query)).asked.condition)
    rows = rows if "steps" in query else rows.filter(is_overtaken=False)
    if as_far_as is not None:
        rows = rows.filter(at__lte=as_far_as) if sort == "when" else rows.filter(at__gte=as_far_as)
    return [event.pk for event in order_rows(rows, JOURNAL_TABLE.orders, sort)]


# A second database is asked with each kind of rights once: the numbers move where it is cut, not what is asked.
@pytest.mark.parametrize(("numbers", "what"), some_in_fast(few_on_both(CASES, *CASES[::3]), 8))
def test_a_page_shows_all_that_matches_as_far_as_it_says(
    alice: User, events: None, what: str, numbers: tuple[int, int], monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    reader = make_admin() if what == "all" else alice
    if what != "all":
        give(alice, what)
    monkeypatch.setattr("permissions.journal.MOST", 3)
    monkeypatch.setattr(journal_found, "MOST_PASSED", numbers[0])
    monkeypatch.setattr(journal_found, "MOST_FETCHED", numbers[1])
    client.force_login(reader)
    was_cut = set()
    for number, (asked, sort) in enumerate(itertools.product(ASKED, ORDERS)):
        query = f"{asked}&sort={sort}{'&steps=1' * (number % 2)}"
        told, context = tell(client, query)
        end = context["as_far_as"]
        assert told == expect(reader, query, sort, end), (query, end)
        if end is not None and sort not in was_cut:
            was_cut.add(sort)
            assert "None of the entries you may read" not in client.get(f"/journal/?{query}").content.decode()
            [link] = re.findall(
                r'href="\?([^"]*far=1[^"]*)"', client.get(f"/journal/?per_page=200&{query}").content.decode()
            )
            far, context = tell(client, html.unescape(link).replace("per_page=200", ""))
            assert context["as_far_as"] is None and far == expect(reader, query, sort, None), query
    assert bool(was_cut) == (numbers[0] < 180)


def test_where_something_is_asked_pages_end_sooner(
    alice: User, events: None, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    monkeypatch.setattr("gwm.views.journal.DEEPEST_SEARCHED", 40)
    client.force_login(make_admin())
    assert len(tell(client, "steps=1")[0]) == 180
    for query in ("steps=1&sort=who", "steps=1&q=-zz"):
        assert len(tell(client, query)[0]) == 40, query
        page = client.get(f"/journal/?per_page=20&{query}&page=2").content.decode()
        assert "Only the first 40 are paged through" in page
        assert len(client.get(f"/journal/?{query}&format=csv").content.splitlines()) == 181
    assert paging.DEEPEST_SEARCHED < paging.DEEPEST


def test_the_way_that_leads_further_is_taken_and_no_more_are_read_than_on_it(
    alice: User, events: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(alice, "a cluster")
    monkeypatch.setattr(journal_found, "MOST_PASSED", 60)
    monkeypatch.setattr(journal_found, "MOST_FETCHED", 14)
    moments = list(Event.objects.filter(is_overtaken=False).order_by("-at").values_list("at", flat=True))
    read_keys = journal_found._keys_as_far_as
    read: list[int] = []

    def count_keys(*args: Any) -> set[int]:
        keys = read_keys(*args)
        read.append(len(keys))
        return keys

    monkeypatch.setattr(journal_found, "_keys_as_far_as", count_keys)
    for sort in ("-when", "when", "who"):
        for query, is_further in (("kind=node", True), ("kind=vm", False), ("outcome=bad", False)):
            wanted, shown, steps = read_query(alice, f"{query}&sort={sort}")
            found = journal_found.find_asked_near(list_visible_events(alice), wanted, shown, steps, 500)
            assert found is not None and found.as_far_as is not None
            passed = moments[::-1][60] if sort == "when" else moments[60]
            further = found.as_far_as > passed if sort == "when" else found.as_far_as < passed
            assert further == is_further, (query, sort)
            assert read.pop() <= (14 if is_further else 60) + 3, (query, sort)  # three at the same moment
