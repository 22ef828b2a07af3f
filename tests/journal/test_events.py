"""What is written for every step, in the transaction of the step, and how it is read."""

import json
from collections.abc import Callable
from itertools import product

import pytest
from django.db import transaction
from django.utils import translation

from objectlog.canonical import REPEATED
from objectlog.chain import seal_all
from objectlog.changes import Change, tell
from objectlog.messages import Message, read
from objectlog.models import Entry, Event, Outcome, Via
from objectlog.sentences import SENTENCES, compose
from objectlog.services import Target, advance, begin, note
from objectlog.verification import Verification
from tests.journal.conftest import WEB, write

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G018")]
Said = Callable[[], list[str]]


def test_every_step_is_told(events: Said) -> None:
    entry = write(outcome=Outcome.SUBMITTING)
    advance(entry, Outcome.UNKNOWN, message="Timed out")
    advance(entry, Outcome.SUBMITTED, job_ids=[17])
    advance(entry, Outcome.SUCCEEDED)
    assert not advance(entry, Outcome.FAILED)
    assert events() == [
        "Reboot of web1 begun",
        "Reboot of web1: no answer\nTimed out",
        "Reboot of web1 accepted by Ganeti",
        "Rebooted web1",
    ]
    assert list(Event.objects.order_by("pk").values_list("is_overtaken", flat=True)) == [True, True, True, False]
    last = json.loads(Event.objects.order_by("pk").last().text)  # type: ignore[union-attr]
    assert (last["job_ids"], last["words"], last["via"], last["target_uuid"]) == ([17], "", "web", WEB.uuid)


def test_a_refused_reboot_was_refused(events: Said) -> None:
    entry = write(outcome=Outcome.SUBMITTING)
    advance(entry, Outcome.REFUSED, message="Instance is down")
    assert events()[-1] == "Reboot of web1 refused\nInstance is down"


@pytest.mark.alike
def test_every_verb_has_a_sentence_for_every_outcome() -> None:
    given = {"who": "alice", "verbs": ["power"], "address": "::1", "count": 3, "before": "2026-01-01"}
    for verb, params in product([*SENTENCES, "verb-of-another-release"], [given, {}]):
        said = {read(compose(verb, outcome, "web1", params).as_data()) for outcome in Outcome.values}
        assert len(said) == len(Outcome.values) - 1, f"all of {verb} differ, but done and succeeded"
        assert not any("%" in each for each in said)


@pytest.mark.parametrize("undone", ["begin", "advance", "note"])
def test_what_is_undone_is_not_told(undone: str, events: Said) -> None:
    entry = write(outcome=Outcome.SUBMITTING)
    before = events()
    with pytest.raises(KeyError), transaction.atomic():
        if undone == "begin":
            write()
        elif undone == "advance":
            advance(entry, Outcome.SUBMITTED)
        else:
            note(actor_id=None, actor_name="", via=Via.WEB, verb="person.sign-in", outcome=Outcome.FAILED)
        assert len(events()) == 2
        raise KeyError
    assert events() == before
    assert Entry.objects.get(pk=entry.pk).outcome == Outcome.SUBMITTING


def test_text_repeats_the_columns() -> None:
    write("grant", who="bob", verbs=["power"])
    event = Event.objects.get()
    text = json.loads(event.text)
    assert {name: text[name] for name in REPEATED} == {
        name: str(event.entry_uuid) if name == "entry_uuid" else getattr(event, name) for name in REPEATED
    }
    assert event.said == "Gave power on web1 to bob"


@pytest.mark.feature("G053")
def test_changes_are_told_and_secrets_never(events: Said) -> None:
    changes = [
        Change("tls_trust", "trust", Message("pin"), Message("CA")),
        Change("password", "password", "old secret", "new secret", is_hidden=True),
        Change("description", "description", "", "Lab"),
    ]
    entry = begin(
        actor_id=None,
        actor_name="alice",
        persona_name="alice",
        via=Via.WEB,
        verb="cluster.edit",
        target=Target("cluster", 1, "lab"),
        params={},
        outcome=Outcome.DONE,
        changes=changes,
    )
    assert events() == ["Edited cluster lab: trust pin → CA, password changed, description — → Lab"]
    assert "secret" not in Event.objects.get().text + json.dumps(Entry.objects.get(pk=entry.pk).changes)


def test_many_changes_are_counted_and_new_values_are_not_told() -> None:
    five = [Change(f"f{number}", f"field {number}", number, number + 1).as_data() for number in range(6)]
    assert tell(five) == "field 0 0 → 1, field 1 1 → 2, field 2 2 → 3, field 3 3 → 4, 2 more"
    assert tell([Change("host", "host", None, "192.0.2.1").as_data()]) == ""


def test_a_sentence_is_read_in_the_language_of_its_reader() -> None:
    """Words that Django itself translates stand for ours; what doesn't fit its values stays as it was written."""
    inner = Message("yes")
    data = json.loads(json.dumps(Message("%(what)s, %(who)s", {"what": inner, "who": "alice"}).as_data()))
    assert read(data) == "yes, alice"
    with translation.override("de"):
        assert read(Message("Yes").as_data()) == "Ja"
    assert read({"message": "%(gone)s of %(object)s", "values": {"object": "web1"}}) == "%(gone)s of %(object)s"
    assert read({"message": "", "values": {}}) == ""


@pytest.mark.parametrize("value", ["a\x00b", "line\nline", "“quoted” 100 %", "%(object)s", "\u2028", "🦆", "x" * 5000])
def test_any_value_is_kept(value: str, events: Said) -> None:
    params = {"who": value, "verbs": ["power"]}
    note(actor_id=None, actor_name="", via=Via.CLI, verb="grant", outcome=Outcome.DONE, target=WEB, params=params)
    assert json.loads(Event.objects.get().text)["sentence"]["values"]["who"] == value
    assert events() == [f"Gave power on web1 to {value}".replace("\x00", "")]
    seal_all()
    assert list(Verification().problems()) == []


@pytest.mark.parametrize("name", ["n" * 255, "🦆" * 255])
def test_the_longest_names_fit(name: str, events: Said) -> None:
    note(
        actor_id=None,
        actor_name=name,
        via=Via.API,
        verb="vm.reboot",
        outcome=Outcome.DENIED,
        target=Target("vm", 1, name),
        params={"any": {"set": {1}}},
    )
    assert events() == [f"Reboot of {name} not allowed"]
