"""Entries from before there were events have one each, which is sealed and verified like the others."""

import json
from datetime import UTC, datetime

import pytest

from objectlog.chain import seal_all
from objectlog.models import Entry, Event, Outcome, Via
from objectlog.sentences import SENTENCES
from objectlog.services import advance
from objectlog.verification import Verification
from tests.factories import make_user
from tests.fixtures.migrating import migrate, migrate_all

BEFORE = [("objectlog", "0005_events")]


@pytest.mark.long
@pytest.mark.feature("G018")
@pytest.mark.django_db(transaction=True)
def test_old_entries_are_told_by_one_event_each() -> None:
    alice = make_user("alice")
    migrate(BEFORE)
    at = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    verbs = [verb for verb in SENTENCES if verb not in ("person.sign-in", "site.prune-journal")]
    outcomes = [outcome for outcome in Outcome.values if outcome not in ("denied", "turned_away")]
    for verb in [*verbs, "vm.verb-of-another-release"]:
        for outcome in outcomes:
            Entry.objects.create(
                actor=alice,
                actor_name="alice",
                via=Via.WEB,
                verb=verb,
                target_kind="vm",
                target_pk=7,
                target_name="web1",
                params={"who": "bob", "verbs": ["power", "tags"]},
                message="Ganeti's “words”",
                outcome=outcome,
                finished_at=None if outcome == "submitted" else at,
                created_at=at,
                job_ids=[17],
                changes=None,
            )
    migrate_all()
    assert Event.objects.count() == Entry.objects.count() == (len(verbs) + 1) * len(outcomes)
    for entry in Entry.objects.all():
        event = Event.objects.get(entry_uuid=entry.uuid)
        text = json.loads(event.text)
        assert (event.at, event.actor, text["told_later"]) == (at, alice, True)
        assert event.said.endswith("\nGaneti's “words”") and "%" not in event.said
    still_open = Entry.objects.get(verb="vm.reboot", outcome="submitted")
    assert advance(still_open, Outcome.SUCCEEDED)
    [last] = Event.objects.filter(entry_uuid=still_open.uuid, is_overtaken=False)
    assert last.said == "Rebooted web1"
    said = set(Event.objects.filter(is_overtaken=False).values_list("said", flat=True))
    words = "\nGaneti's “words”"
    assert {f"Reboot of web1 failed{words}", f"Gave power, tags on web1 to bob{words}"} <= said
    seal_all()
    assert list(Verification().problems()) == []
