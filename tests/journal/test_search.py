"""Words in the journal: an index finds what reading all events finds, whatever is asked and whatever was written."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gwm.journal_found import find_events
from gwm.journal_list import JOURNAL_TABLE
from gwm.journal_search import FEW, Part, find_few, find_first_keys, gives_first
from gwm.journal_triggers import COLUMNS, PARTS, TEXTS
from objectlog.models import Event, EventText
from operations.triggers import install_triggers, remove_triggers
from permissions.journal import list_visible_events
from permissions.models import User
from permissions.services import grant, make_team
from tests.factories import make_admin, make_user
from tests.fixtures.databases import some_in_fast
from tests.fixtures.migrating import migrate, migrate_all
from tests.journal.test_found import find, read, search
from ui.listing import order_rows

pytestmark = pytest.mark.django_db
LETTERS = st.text(st.sampled_from("abAB.-:%_\"'\\*()^ ßéİΣσς漢😀"), max_size=10)
SHARED = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
BEGAN = datetime(2026, 11, 1, tzinfo=timezone.get_default_timezone())


def write(said: Iterable[str], seconds: Iterable[int] = range(10_000), target: str = "") -> list[Event]:
    """Events that say this, so many seconds after one another."""
    return Event.objects.bulk_create(
        Event(at=BEGAN + timedelta(seconds=after), said=text, target_name=target or text, verb="vm.start", text="{}")
        for text, after in zip(said, seconds, strict=False)
    )


@pytest.mark.feature("G052")
@SHARED
@given(data=st.data(), texts=st.lists(LETTERS, min_size=1, max_size=12))
def test_the_index_finds_what_reading_all_events_finds(data: st.DataObject, texts: list[str]) -> None:
    inside = st.sampled_from(texts).flatmap(
        lambda text: st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(
            lambda ends: text[min(ends) : max(ends)]
        )
    )
    words = data.draw(st.lists(LETTERS | inside | inside.map(str.swapcase), min_size=1, max_size=4))
    seconds = data.draw(st.lists(st.integers(0, 5), min_size=len(texts), max_size=len(texts)))
    with transaction.atomic():
        write(texts, seconds)
        for word, column in ((word, column) for word in words for column in COLUMNS):
            parts = (Part(column, word),)
            if not parts[0].is_indexed:
                continue
            there = Event.objects.filter(**{f"{column}__icontains": word})
            few = find_few(parts)
            assert few is not None
            assert set(Event.objects.filter(few)) == set(there)
            if gives_first(Event.objects.all()):
                for order, upwards in ((("-at", "-pk"), False), (("at", "pk"), True)):
                    expected = list(there.order_by(*order).values_list("pk", flat=True))[:2]
                    assert find_first_keys(Event.objects.all(), parts, 2, upwards=upwards) == expected
        transaction.set_rollback(True)


HOSTILE = (
    "100%",
    "a_b",
    "x*y",
    '"q"',
    "o'r",
    "back\\slash",
    "NEAR(",
    "said:",
    "ab",
    "Z",
    "ΔΟΚ",
    "δοκ",
    "Start",
    "^sta",
)


@pytest.mark.parametrize(
    ("sort", "steps"), some_in_fast(itertools.product(["-when", "when", "who"], ["", "&steps=1"]), 5)
)
def test_pages_show_what_has_all_words(sort: str, steps: str) -> None:
    admin = make_admin("root")
    write([f"start {word} {word.lower()}" for word in HOSTILE] * 3, target="web ΔΟΚ 1")
    Event.objects.filter(pk__in=Event.objects.values_list("pk", flat=True)[:10]).update(is_overtaken=True)
    found_any = 0
    for word in (*HOSTILE, "nowhere", "start"):
        typed = "+".join(f'"{part}"' for part in (word.replace("\\", "\\\\").replace('"', '\\"'), "sTa"))
        for query in (f"q={typed}", f"q=what:wEb+{typed}", "q=what:web", "q=what:none", f"q={typed}&kind=vm"):
            address = f"{query.replace('%', '%25')}&sort={sort}{steps}"
            found, matching, by = find(admin, address, 4)
            expected = list(order_rows(matching, JOURNAL_TABLE.orders, by))[:4]
            assert list(order_rows(found, JOURNAL_TABLE.orders, by))[:4] == expected, query
            found_any += len(expected)
    assert found_any > 50


def test_the_name_of_a_cluster_is_found_beside_those_with_it_in_theirs() -> None:
    admin = make_admin("root")
    write(["one", "two"], target="prodigy")
    [event] = write(["three"], target="web1")
    Event.objects.filter(pk=event.pk).update(cluster_name="prod")
    for sort in ("when", "who"):
        assert find(admin, f"q=what:PROD&sort={sort}", 9)[0].count() == 3


def texts() -> dict[int, tuple[str, str]]:
    return {text.pk: (text.said, text.target_name) for text in EventText.objects.all()}


def expected() -> dict[int, tuple[str, str]]:
    return {event.pk: (event.said.upper(), event.target_name.upper()) for event in Event.objects.all()}


def test_no_writer_can_pass_by_the_index() -> None:
    first, second, third, _fourth = write(["one and one", "two and two", "three", "four"])
    second.said = "changed"
    second.save()
    Event.objects.filter(pk=third.pk).update(target_name="another", is_overtaken=True)
    first.delete()
    assert texts() == expected()
    remove_triggers(connection)
    write(["five"])
    third.delete()
    install_triggers(connection)
    assert texts() == expected()
    with transaction.atomic():
        Event.objects.all().delete()
        transaction.set_rollback(True)
    assert [len(having(word)) for word in ("one", "chang", "five")] == [0, 1, 1]
    if connection.vendor == "sqlite":  # raises where the index has more or less than the texts
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {PARTS} ({PARTS}, rank) VALUES ('integrity-check', 1)")  # noqa: S608 - a name of ours


def having(word: str) -> list[Event]:
    """What the index finds."""
    few = find_few((Part("said", word),))
    assert few is not None
    return list(Event.objects.filter(few))


def test_the_index_is_read() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            plan, reading = EventText.objects.filter(said__contains="ABC").explain(), f"Bitmap Index Scan on {PARTS}"
        else:
            with CaptureQueriesContext(connection) as asked:
                having("abc")
            cursor.execute(f"EXPLAIN QUERY PLAN {asked[0]['sql']}")
            plan, reading = str(cursor.fetchall()), f"SCAN {PARTS} VIRTUAL TABLE INDEX"
    assert reading in plan


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_the_index_can_be_taken_back_and_made_anew() -> None:
    [event] = write(["abcd"])
    nodes = MigrationExecutor(connection).loader.graph.nodes
    migrate([each for each in nodes if each[0] == "objectlog" and each[1].startswith("0009")])
    Event.objects.filter(pk=event.pk).update(said="bcde")
    migrate_all()
    assert having("bcde") == [event]
    assert not having("abc")


MANY = ("q=start", "q=start&steps=1", "q=web", "q=what:web", "q=what:web+start", "q=start+-late", "q=late")


def test_of_words_that_many_events_have_the_first_come_first(many: User) -> None:
    """Some of them happened before their turn, and of others something more is asked."""
    for query, sort in itertools.product(MANY, ("-when", "when", "who")):
        assert_first(many, f"{query}&sort={sort}")
    assert search(many, "q=start").as_far_as is None  # however few may be looked at one by one
    if gives_first(Event.objects.all()):
        for order, upwards in ((("-at", "-pk"), False), (("at", "pk"), True)):
            first = list(Event.objects.order_by(*order).values_list("pk", flat=True)[:7])
            assert find_first_keys(Event.objects.all(), (Part("said", "start"),), 7, upwards=upwards) == first


@pytest.mark.parametrize("upwards", [False, True])
def test_what_happened_before_its_turn_is_looked_for_in_that_time_alone(many: User, upwards: bool) -> None:
    """Beyond the keys that the index gave, and no further back than the last of those that are wanted."""
    if not gives_first(Event.objects.all()):
        return
    with CaptureQueriesContext(connection) as asked:
        found = find_first_keys(Event.objects.all(), (Part("said", "start"),), 7, upwards=upwards)
    given = list(Event.objects.order_by("pk" if upwards else "-pk").values_list("pk", "at")[:21])
    end, moment = given[-1][0], sorted((at for _pk, at in given), reverse=not upwards)[6]
    beyond = {"pk__gt": end, "at__lte": moment} if upwards else {"pk__lt": end, "at__gte": moment}
    expected = set(Event.objects.filter(**beyond).values_list("pk", flat=True))
    assert len(asked) == 2 and 0 < len(expected) < FEW / 2
    with connection.cursor() as cursor:
        cursor.execute(asked[1]["sql"])
        looked_at = [row[-1] for row in cursor.fetchall()]
    assert sorted(looked_at) == sorted(expected) and len(set(found)) == 7


def test_words_that_many_events_have_are_found_behind_as_many_without_them(many: User) -> None:
    """By the index; and of what is on a cluster of that name, by its own."""
    others = write(["nothing"] * 1995, range(10_000, 12_000), target="other")
    Event.objects.filter(pk=others[-1].pk).update(cluster_name="web")
    for query in ("q=start", "q=what:web", "q=web"):
        assert_first(many, query)
        assert_first(many, f"{query}&sort=when")


def assert_first(user: User, query: str) -> None:
    """What is found first are the first of all that match."""
    found, matching, by = find(user, query, 7)
    expected = list(order_rows(matching, JOURNAL_TABLE.orders, by))[:7]
    assert len(expected) == 7, query
    assert list(order_rows(found, JOURNAL_TABLE.orders, by))[:7] == expected, query


@pytest.fixture
def many() -> User:
    """More events with a word than are looked up by their keys."""
    moments = [9 * (number % 300) + number // 300 for number in range(FEW + 100)]
    said = [f"start web{number}{' late' if number > FEW else ''}" for number in range(FEW + 100)]
    write(said, moments)
    keys = Event.objects.order_by("-at").values_list("pk", flat=True)
    Event.objects.filter(pk__in=list(keys[1:20:3])).update(is_overtaken=True)
    return make_admin("root")


def test_what_is_overtaken_or_sealed_has_its_text_not_written_again() -> None:
    """An event is, twice: its index would be, too."""
    [event] = write(["start"])
    assert not writes_text(event, is_overtaken=True)
    assert not writes_text(event, number=1, previous="", seal="x")
    assert writes_text(event, said="started")


def writes_text(event: Event, **columns: object) -> bool:
    """Whether the text is, too. On PostgreSQL it stands elsewhere then, and SQLite counts what is written."""
    place = f"ctid::text FROM {TEXTS}" if connection.vendor == "postgresql" else "total_changes()"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {place}")
        before = cursor.fetchone()[0]
        Event.objects.filter(pk=event.pk).update(**columns)
        cursor.execute(f"SELECT {place}")
        after = cursor.fetchone()[0]
    return bool(after != before if connection.vendor == "postgresql" else after - before > 1)


def test_where_there_is_no_index_events_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """On MariaDB, for instance."""
    monkeypatch.setattr("operations.triggers.VENDORS", ())
    write(["start web1", "stop web2"])
    wanted, shown, steps = read(make_admin("root"), "q=start")
    with CaptureQueriesContext(connection) as seen:
        assert [event.said for event in find_events(Event.objects.all(), wanted, shown, steps, 9).rows] == [
            "start web1"
        ]
    assert [each["sql"] for each in seen if PARTS in each["sql"] or TEXTS in each["sql"]] == []


MINE = ("", "q=start", "q=web", "q=what:web", "q=-zz", "q=we", "q=verb:vm.start", "q=via:web", "q=-late", "q=late")


def test_whatever_is_searched_nobody_finds_what_they_may_not_read(many: User) -> None:
    reader = make_user("reader")
    team = make_team("readers")
    grant(["admin"], reader, team)
    keys = Event.objects.order_by("pk").values_list("pk", flat=True)
    Event.objects.filter(pk__in=list(keys[::40])).update(actor=reader)
    Event.objects.filter(pk__in=list(keys[:9])).update(target_kind="team", target_pk=team.pk)
    visible = list_visible_events(reader)
    assert 50 < visible.count() < 100
    for query, sort in itertools.product(MINE, ("-when", "when", "who")):
        wanted, shown, steps = read(reader, f"{query}&sort={sort}")
        found = find_events(visible, wanted, shown, steps, 200).rows
        expected = visible.filter(wanted.asked.condition, is_overtaken=False)
        assert set(found) == set(expected), query
