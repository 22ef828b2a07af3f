"""What is written down in one language is read in another: no column keeps a translated word.

That no operation leaves one when it is denied or refused is asked of all of them in tests/permissions/test_matrix.py,
and who has to take sentences from objectlog.words stands in tests/architecture/test_words.py.
"""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy

from clusters.models import Cluster, Job
from objectlog.messages import as_data, read
from objectlog.models import Event
from objectlog.reading import read_event
from objectlog.words import Told, as_kept, gettext, in_english, is_quoted, joined, mib, moment, ngettext, say, told
from operations.contract import Ask, Invalid, Refusal
from operations.lanes import work_lane
from operations.models import BatchItem
from operations.pipeline import run
from operations.planning import plan
from tests.operations.test_batches import Yard, let_wait
from tests.updates.following import let_deadline_pass
from tests.words.kept import list_translated
from tests.words.pseudo import accent, spoken
from updates.cycle import sync_cluster
from updates.follower import follow_cluster
from virtualmachines.operations.power import Shutdown, ShutdownParams, Start

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def lazily(words: str) -> Any:
    return gettext_lazy(words)


@pytest.mark.parametrize(
    ("sentence", "english"),
    [
        (lambda: gettext("It is running already."), "It is running already."),
        (lambda: gettext("At 100 %"), "At 100 %"),
        (lambda: gettext("%s is gone.") % "zz", "zz is gone."),
        (lambda: gettext("%(what)s: %(why)s") % {"what": "100%s", "why": gettext("no answer")}, "100%s: no answer"),
        (
            lambda: gettext("Tried %(number)d times: %(why)s") % {"number": 6, "why": Refusal(gettext("no"))},
            "Tried 6 times: no",
        ),
        (lambda: gettext("“%(what)s”") % {"what": lazily("Rename")}, "“Rename”"),
        (lambda: gettext("“%(what)s”") % {"what": ""}, "“”"),
        (lambda: ngettext("%(n)d step", "%(n)d steps", 1) % {"n": 1}, "1 step"),
        (lambda: ngettext("%(n)d step", "%(n)d steps", 2) % {"n": 2}, "2 steps"),
        (lambda: told(lazily("Rename")), "Rename"),
        (lambda: told("zz"), "zz"),
        (lambda: joined(" ", [gettext("One."), "", gettext("Two.")]), "One. Two."),
        (lambda: joined(" ", ["zz", ""]), "zz"),
        (lambda: joined(" ", []), ""),
        (lambda: str(Refusal(gettext("no"))), "no"),
        (lambda: Invalid({"a": gettext("One."), "b": gettext("Two.")}).args[0], "One. Two."),
        (lambda: pickle.loads(pickle.dumps(gettext("%s is gone.") % "zz")), "zz is gone."),  # noqa: S301 - our own
    ],
)
def test_a_sentence_is_kept_and_said_in_any_language(db: None, sentence: Any, english: str) -> None:
    with spoken():
        here = sentence()
        cluster = Cluster.objects.create(slug="zz", last_error=here)
        cluster.refresh_from_db()
        assert cluster.last_error == here == say(as_kept(here))
    assert list_translated() == []
    assert in_english(here) == say(as_kept(here)) == read(as_data(here)) or not here
    cluster.refresh_from_db()
    assert cluster.last_error == english
    assert list(Cluster.objects.values_list("last_error", flat=True)) == [english]
    assert not english or Cluster.objects.filter(last_error__icontains=english[:5]).exists(), "it can be searched"


def test_a_translation_that_does_not_fit_gives_way_to_the_words_as_they_were_written() -> None:
    assert say({"said": "%s is gone.", "values": []}) == "%s is gone."
    assert say({"said": "%(a)s", "values": {"b": "x"}}) == "%(a)s"


def test_words_of_others_are_no_sentence_of_ours(db: None) -> None:
    words = 'No \x02{"said": "%999999999s", "values": ["x"]}'
    Cluster.objects.create(slug="zz", last_error=words)
    kept = Cluster.objects.get().last_error
    assert kept == words.replace("\x02", "") and not isinstance(kept, Told)
    Cluster.objects.update(last_error=gettext("%s is gone.") % "zz")
    assert isinstance(Cluster.objects.get().last_error, Told)


@pytest.mark.parametrize(
    ("words", "is_theirs"),
    [
        ("No room", True),
        ("", True),
        (joined("\n", ["No room", "None at all"]), True),
        (gettext("%s is gone.") % "zz", False),
        (joined(": ", ["lab:5080", gettext("Nothing listens there.")]), False),
    ],
)
def test_it_is_known_who_said_it(words: str, is_theirs: bool) -> None:
    assert is_quoted(words) is is_theirs


@pytest.fixture
def yard(db: None, make_simulator: Any) -> Yard:
    return Yard(make_simulator(nodes=2, instances=4))


def test_what_comes_of_an_operation(yard: Yard) -> None:
    vm1, vm2, vm3, vm4 = (yard.vms(number).get() for number in (1, 2, 3, 4))
    with spoken():
        entry = run(Shutdown(), Ask(yard.root, vm1, ShutdownParams()))
        assert Job.objects.get().title == f"{accent('Shut down')} vm1.example.org"
        assert list_translated() == [], "before anybody else writes the job"
        with pytest.raises(Refusal):
            run(Shutdown(), Ask(yard.root, vm1, ShutdownParams()))
        yard.simulator.faults.add("drop", path="/2/instances/.*", times=1)
        lost = run(Shutdown(), Ask(yard.root, vm2, ShutdownParams()))
        yard.simulator.faults.refuse(500, "zz", path="/2/instances/.*", times=1)
        run(Shutdown(), Ask(yard.root, vm3, ShutdownParams()))
        yard.simulator.outside.submit("INSTANCE_REBOOT", instance_name=vm4.name, reboot_type="soft")
        follow_cluster(yard.cluster)
        let_deadline_pass()
        for _ in range(3):
            yard.end_jobs()
            follow_cluster(yard.cluster)
    assert list_translated() == []
    lost.refresh_from_db()
    entry.refresh_from_db()
    assert (entry.outcome, lost.outcome) == ("succeeded", "not_submitted")
    assert "it was not carried out" in lost.message
    assert sorted(Job.objects.values_list("title", flat=True)) == [
        "Reboot vm4.example.org",
        "Shut down vm1.example.org",
    ]
    with spoken():
        lost.refresh_from_db()
        assert accent("it was not carried out") in lost.message
        last = Event.objects.filter(entry_uuid=lost.uuid).latest("pk")
        assert accent("it was not carried out") in read_event(last).words
    assert "it was not carried out" in last.said, "which is what a search looks in"


def test_what_comes_of_a_batch(yard: Yard) -> None:
    with spoken():
        batch = plan(Start(), yard.root, yard.vms(), {})
        assert set(batch.items.values_list("state", flat=True)) == {"skipped"}
        yard.shut_down(1, 2, 3)
        yard.vms(1).delete()
        yard.simulator.faults.refuse(500, "zz", path="/2/instances/.*", times=1)
        for _ in range(3):
            work_lane(yard.lane)
            yard.end_jobs()
            let_wait()
    assert list_translated() == []
    reasons = set(BatchItem.objects.values_list("reason", flat=True))
    assert {"It is running already.", "vm1.example.org is gone."} <= reasons


@pytest.mark.alike
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("refuse", {"code": 401}),
        ("refuse", {"code": 502}),
        ("garbage", {"path": "/2/info"}),
        ("drop", {}),
        ("garbage", {"mentions": "oper_ram"}),
    ],
)
def test_what_is_wrong_with_a_cluster(yard: Yard, kind: str, options: dict[str, Any]) -> None:
    yard.simulator.faults.add(kind, **options)
    with spoken():
        report = sync_cluster(yard.cluster)
    assert report.error or report.live_error
    assert list_translated() == []
    cluster = Cluster.objects.get()
    assert cluster.last_error or cluster.live_error


def test_sizes_and_moments_are_told_in_the_readers_figures_and_zone(db: None) -> None:
    with translation.override("es"), timezone.override("Asia/Tokyo"):
        sentence = gettext("%(size)s since %(when)s") % {"size": mib(4096), "when": moment(NOON)}
        Cluster.objects.create(slug="zz", last_error=sentence)
        assert Cluster.objects.get().last_error == "4,0\u00a0GiB since 2026-11-26 21:00 JST"
        assert as_data(mib(4096)) == "4.0\u00a0GiB", "as the journal keeps what is before and after"
        assert read(as_data(joined(", ", [mib(4096), "zz"]))) == "4,0\u00a0GiB, zz"
    assert Cluster.objects.get().last_error == "4.0\u00a0GiB since 2026-11-26 12:00 UTC"
    assert Cluster.objects.filter(last_error__startswith="4.0\u00a0GiB since").exists()
