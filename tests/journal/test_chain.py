"""The chain: whatever is altered, missing or reordered is found and named; ends, retention and what is not sealed."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction
from django.db.models import F
from django.utils import timezone

from gwm.celery import TIMETABLE
from gwm.tasks import seal_journal
from objectlog.canonical import make_seal
from objectlog.chain import ChainBroken, cut, delete_cut, seal_all, seal_events
from objectlog.models import ChainEnd, Entry, Event, Outcome
from objectlog.reading import read_event
from objectlog.services import advance
from objectlog.verification import Verification
from tests.factories import make_user
from tests.fixtures.databases import some_in_fast
from tests.journal.conftest import write

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G018")]


def find_problems(expected: tuple[int, str] | None = None) -> list[str]:
    """What a verification finds."""
    return list(Verification(expected).problems())


@pytest.fixture
def ten() -> list[Event]:
    """Ten sealed events."""
    alice = make_user("alice")
    for number in range(10):
        entry = write(why=f"reason {number}")
        Event.objects.filter(entry_uuid=entry.uuid).update(actor=alice)
    for event in Event.objects.all():  # as if alice had been known when they were written
        text = {**json.loads(event.text), "actor_pk": alice.pk}
        Event.objects.filter(pk=event.pk).update(text=json.dumps(text))
    seal_all()
    return list(Event.objects.order_by("number"))


def test_sealed_events_are_found_as_they_were(ten: list[Event]) -> None:
    assert [event.number for event in ten] == list(range(1, 11))
    assert [event.previous for event in ten] == ["", *(event.seal for event in ten[:-1])]
    assert find_problems() == []
    assert seal_events() == 0


SEAL = {"number", "previous", "seal"}
COLUMNS = sorted({field.name for field in Event._meta.concrete_fields} - {"id"} - SEAL)


@pytest.mark.parametrize("column", some_in_fast(COLUMNS, 3))
def test_every_column_that_is_altered_is_found(ten: list[Event], column: str) -> None:
    """Also one that is not there yet: the columns are those of the model."""
    field = Event._meta.get_field(column)
    value: Any = {
        models.DateTimeField: timezone.now() - timedelta(days=3),
        models.BigIntegerField: 4711,
        models.BooleanField: True,
        models.UUIDField: "12345678-1234-4234-8234-123456789012",
        models.ForeignKey: make_user("eve"),
    }.get(type(field), "refused")
    Event.objects.filter(number=4).update(**{column: value})
    [problem] = find_problems()
    assert problem.startswith(("Event 4 was altered", f"The event with key {ten[3].pk} is marked"))


@pytest.mark.parametrize("column", ["previous", "seal"])
def test_a_seal_that_is_altered_is_found(ten: list[Event], column: str) -> None:
    Event.objects.filter(number=4).update(**{column: "0" * 64})
    assert "Event 4 was altered: its seal does not fit its text." in find_problems()


def test_who_has_no_key_cannot_seal_anew(ten: list[Event]) -> None:
    """Everything from the altered event on is sealed again, with another key."""
    ten[3].text = ten[3].text.replace("alice", "mallory")
    for before, event in pairwise(ten[2:]):
        event.previous = before.seal
        event.seal = make_seal(b"guessed", event.previous, event.text)
        event.actor_name = json.loads(event.text)["actor_name"]
    Event.objects.bulk_update(ten[3:], ["text", "previous", "seal", "actor_name"])
    assert [f"Event {number} was altered: its seal does not fit its text." for number in range(4, 11)] == [
        problem for problem in find_problems() if "altered" in problem
    ]


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "1", '{"at": 1}', "not JSON"])
def test_a_text_that_was_replaced_before_it_was_sealed_is_found_and_hides_no_other(text: str) -> None:
    write()
    Event.objects.update(text=text)
    write()
    seal_all()
    assert find_problems() == ["Event 1 was altered: text."]
    told = [read_event(event).sentence for event in Event.objects.order_by("pk")]
    assert told == ["This event can't be read: somebody has altered it.", "Rebooted web1"]


def test_missing_events_are_named(ten: list[Event]) -> None:
    Event.objects.filter(number__in=[1, 4, 5]).delete()
    assert find_problems() == ["Event 1 is missing.", "Events 4 to 5 are missing."]


def test_newest_events_cannot_be_cut_off(ten: list[Event]) -> None:
    Event.objects.filter(number__gte=9).delete()
    assert find_problems() == ["Events 9 to 10 are missing."]
    ChainEnd.objects.update(number=8, seal=ten[7].seal)
    assert find_problems() == ["The newest end of the chain was altered or is gone."]
    ChainEnd.objects.all().delete()
    assert "The newest end of the chain was altered or is gone." in find_problems()
    write()
    with pytest.raises(ChainBroken):
        seal_events()


def test_oldest_events_cannot_be_cut_off(ten: list[Event]) -> None:
    ChainEnd.objects.create(name=ChainEnd.REMOVED, number=3, seal=ten[2].seal)
    Event.objects.filter(number__lte=3).delete()
    assert find_problems() == ["The removed end of the chain was altered or is gone."]


def test_a_deleted_event_whose_place_was_closed_is_found(ten: list[Event]) -> None:
    Event.objects.filter(number=4).delete()
    for number in range(5, 11):
        Event.objects.filter(number=number).update(number=F("number") - 1)
    found = find_problems()
    assert "Event 4 does not follow event 3: they were reordered, or one was replaced." in found
    assert "Event 10 is missing." in found


def test_reordered_events_are_named(ten: list[Event]) -> None:
    for old, new in ((4, 99), (5, 4), (99, 5)):
        Event.objects.filter(number=old).update(number=new)
    assert find_problems() == [
        f"Event {number} does not follow event {number - 1}: they were reordered, or one was replaced."
        for number in (4, 5, 6)
    ]


def test_an_event_put_behind_the_end_is_found(ten: list[Event]) -> None:
    write()
    Event.objects.filter(number=None).update(number=11, previous=ten[-1].seal, seal="1" * 64)
    assert find_problems() == ["Event 11 is behind the end of the chain."]


def test_what_has_waited_too_long_for_its_seal_is_named() -> None:
    write()
    assert find_problems() == []
    Event.objects.update(at=timezone.now() - timedelta(minutes=11))
    [problem] = find_problems()
    assert "is not sealed. Does the worker run?" in problem


@pytest.mark.feature("F263")
def test_an_account_that_goes_leaves_the_chain_whole(ten: list[Event]) -> None:
    get_user_model().objects.get(username="alice").delete()
    assert Event.objects.filter(actor=None).count() == 10
    assert find_problems() == []


def test_a_former_newest_event_can_be_expected(ten: list[Event]) -> None:
    former = (8, ten[7].seal)
    assert find_problems(former) == []
    Event.objects.all().delete()
    ChainEnd.objects.all().delete()
    write()
    seal_all()
    assert find_problems() == []
    assert find_problems(former) == ["Event 8, which is expected, is not there."]
    assert find_problems((1, "0" * 64)) == ["Event 1 is not the one that is expected."]


def test_keys_can_be_replaced(ten: list[Event], settings: Any) -> None:
    settings.GWM_JOURNAL_KEYS = ["another", *settings.GWM_JOURNAL_KEYS]
    write()
    seal_all()
    assert find_problems() == []
    settings.GWM_JOURNAL_KEYS = settings.GWM_JOURNAL_KEYS[:1]
    assert len([problem for problem in find_problems() if "altered" in problem]) == 10
    settings.GWM_JOURNAL_KEYS = []
    with pytest.raises(ImproperlyConfigured, match="GWM_JOURNAL_KEYS"):
        find_problems()


def run(*words: str) -> str:
    """What a command said."""
    out = StringIO()
    call_command(*words, stdout=out, stderr=out)
    return out.getvalue()


def test_the_command_says_which_and_fails(ten: list[Event]) -> None:
    assert f"10 events. The newest: 10:{ten[-1].seal}" in run("verify_journal", "--expect", f"3:{ten[2].seal}")
    Event.objects.filter(number=4).update(actor_name="mallory")
    said = StringIO()
    with pytest.raises(CommandError, match="1 problem in 10 events") as failed:
        call_command("verify_journal", stderr=said)
    assert failed.value.returncode == 1
    assert said.getvalue() == "Event 4 was altered: actor_name.\n"


def test_a_journal_that_was_altered_is_not_pruned(ten: list[Event]) -> None:
    Event.objects.filter(number__lte=6).update(at=timezone.now() - timedelta(days=40))
    with pytest.raises(CommandError, match="nothing was removed"):
        run("prune_journal", "--keep-days", "30")
    assert Event.objects.count() == 10
    with pytest.raises(CommandError, match="At least one day"):
        run("prune_journal", "--keep-days", "0")


def test_retention(time_machine: Any) -> None:
    time_machine.move_to("2026-01-01 12:00+00:00", tick=False)
    early = [write() for _ in range(6)]
    still_open = write(outcome=Outcome.SUBMITTING)
    seal_all()
    time_machine.move_to("2026-02-01 12:00+00:00", tick=False)
    late = write()
    advance(still_open, Outcome.SUBMITTED)
    assert run("prune_journal", "--keep-days", "40") == "0 events removed\n"
    assert run("prune_journal", "--keep-days", "30") == "7 events removed\n"
    kept = list(Event.objects.order_by("number"))
    assert [event.number for event in kept] == [8, 9, 10]
    assert kept[-1].said == "Removed the 7 oldest events from the journal, those before 2026-01-02"
    assert find_problems() == []
    assert set(Entry.objects.values_list("pk", flat=True)) == {still_open.pk, late.pk}
    assert not Entry.objects.filter(pk__in=[entry.pk for entry in early]).exists()
    assert run("prune_journal", "--keep-days", "30") == "0 events removed\n"
    Event.objects.filter(number=8).delete()
    assert find_problems() == ["Event 8 is missing."]


def test_a_retention_that_was_killed_is_finished_by_the_next(time_machine: Any) -> None:
    """What was cut off and not yet deleted is no problem."""
    time_machine.move_to("2026-01-01 12:00+00:00", tick=False)
    for _ in range(4):
        write()
    seal_all()
    before = list(Event.objects.order_by("number"))
    time_machine.move_to("2026-02-01 12:00+00:00", tick=False)
    run("prune_journal", "--keep-days", "30")
    Event.objects.bulk_create(before[2:])
    assert find_problems() == []
    delete_cut()
    assert not Event.objects.filter(number__lte=4).exists()


def remove(before: datetime) -> None:
    """What `prune_journal` does once it has verified the journal."""
    cut(before)
    delete_cut()


MEANWHILE: dict[str, Callable[[list[Event]], object]] = {
    "the oldest are removed": lambda ten: remove(ten[6].at),
    "the oldest are cut off, and not yet deleted": lambda ten: cut(ten[6].at),
    "some of what was cut off is deleted": lambda ten: (
        cut(ten[8].at),
        Event.objects.filter(number__in=[1, 2]).delete(),
    ),
    "all are removed": lambda ten: remove(timezone.now()),
    "more are sealed": lambda ten: (write(), seal_all()),
    "more are sealed and all are removed": lambda ten: (write(), seal_all(), remove(timezone.now())),
}


@pytest.mark.parametrize("meanwhile", MEANWHILE)
def test_a_verification_misses_nothing_that_is_removed_or_sealed_meanwhile(ten: list[Event], meanwhile: str) -> None:
    """Whichever of its statements it happens before."""

    def look(before: int) -> tuple[list[str], int]:
        count = 0

        def run_beside(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            nonlocal count
            count += 1
            if count == before:
                MEANWHILE[meanwhile](ten)
            return execute(sql, params, many, context)

        with transaction.atomic():
            verification = Verification()
            with connection.execute_wrapper(run_beside):
                found = list(verification.problems())
            transaction.set_rollback(True)
        return found, count

    _found, statements = look(0)
    assert statements > 5
    assert {before: look(before)[0] for before in range(1, statements + 1)} == {
        before: [] for before in range(1, statements + 1)
    }


def test_what_is_missing_is_named_beside_what_is_removed_meanwhile(ten: list[Event]) -> None:
    Event.objects.filter(number__in=[3, 9]).delete()
    verification = Verification()
    problems = verification.problems()
    assert next(problems) == "Event 3 is missing."
    remove(ten[5].at)
    assert list(problems) == ["Event 9 is missing."]


def test_sealing_takes_few_statements(django_assert_max_num_queries: Callable[..., Any]) -> None:
    for _ in range(20):
        write()
    with django_assert_max_num_queries(12):
        assert seal_events() == 20
    with django_assert_max_num_queries(1):
        assert seal_events() == 0


def test_the_worker_seals_what_waits() -> None:
    """As beat has it do every two seconds; a message that is late is not needed any more."""
    write()
    assert TIMETABLE["seal-journal"]["task"] == seal_journal.name
    assert TIMETABLE["seal-journal"]["schedule"] <= 5
    seal_journal()
    assert Event.objects.get().number == 1
