"""Signs of life of processes: who is there, gone, hung, or of another release, and who says so."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gwm import VERSION
from gwm.models import Process
from gwm.signs import EVERY_S, FORGOTTEN_AFTER, GONE_AFTER, HUNG_AFTER, Signs, forget_gone, judge, read_signs
from tests.monitoring.test_health import part
from tests.monitoring.test_metrics import figures

pytestmark = [pytest.mark.feature("G029"), pytest.mark.django_db]


def make_process(kind: str = "worker", host: str = "a.example.org", pid: int = 7, **fields: object) -> Process:
    now = timezone.now()
    given = {"version": VERSION, "started_at": now, "seen_at": now, "worked_at": now, **fields}
    return Process.objects.create(kind=kind, host=host, pid=pid, **given)


def age(**ages: Any) -> dict[str, Any]:
    """With times in place of ages, of now: what is collected long before is tried later."""
    return {name: timezone.now() - each if isinstance(each, timedelta) else each for name, each in ages.items()}


def test_a_process_says_who_it_is_in_one_write_and_takes_it_back_when_it_ends() -> None:
    signs = Signs("worker", "gwm")
    signs.write()
    [seen] = read_signs()
    assert (seen.kind, seen.pid, seen.queue, seen.version) == ("worker", os.getpid(), "gwm", VERSION)
    began = seen.started_at
    with CaptureQueriesContext(connection) as queries:
        signs.write()
    assert len(queries) == 1, [query["sql"] for query in queries]
    [seen] = read_signs()
    assert seen.started_at == began and seen.state(timezone.now()) == "well"
    signs.take_back()
    assert read_signs() == []


def test_whose_thread_goes_on_while_it_does_nothing_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr("gwm.signs.time.monotonic", lambda: clock[0])
    signs = Signs("beat")
    clock[0] += HUNG_AFTER.total_seconds() + 1
    signs.write()
    assert [seen.state(timezone.now()) for seen in read_signs()] == ["hung"]
    signs.worked()
    signs.write()
    assert [seen.state(timezone.now()) for seen in read_signs()] == ["well"]


@pytest.mark.parametrize(
    ("fields", "state", "kind", "said"),
    [
        ({}, "well", "ok", ""),
        ({"seen_at": GONE_AFTER * 2}, "gone", "bad", "no sign of life since"),
        # killed while the clock was ahead, which has been put back
        ({"seen_at": -timedelta(days=1), "worked_at": -timedelta(days=1)}, "gone", "bad", "no sign of life since"),
        ({"worked_at": HUNG_AFTER * 2}, "hung", "bad", "has done no work since"),
        ({"version": "0.9"}, "other version", "warn", f"runs release 0.9, and this is {VERSION}"),
    ],
)
def test_health_and_figures_say_how_it_is(fields: dict[str, Any], state: str, kind: str, said: str) -> None:
    make_process(**age(**fields))
    make_process("web")
    make_process("beat", **age(started_at=HUNG_AFTER * 2))
    told = part("processes")
    assert told["kind"] == kind and said in told["detail"]
    assert ("worker on a.example.org (7)" in told["detail"]) == bool(told["remedy"]) == (kind != "ok")
    found = figures()
    assert found["gwm_processes worker " + state] == found["gwm_processes web well"] == 1
    assert sum(value for name, value in found.items() if name.startswith("gwm_processes ")) == 3


@pytest.mark.parametrize(
    "beat", [None, {"seen_at": GONE_AFTER * 2}, {"worked_at": HUNG_AFTER * 2}, {"started_at": HUNG_AFTER / 2}]
)
def test_a_worker_whom_nobody_asks_for_anything_does_not_hang(beat: dict[str, timedelta] | None) -> None:
    make_process(**age(worked_at=HUNG_AFTER * 2))
    if beat is not None:
        make_process("beat", **age(**{"started_at": HUNG_AFTER * 3} | beat))
    assert [state for each, state in judge(read_signs()).items() if each.kind == "worker"] == ["well"]


def test_who_has_the_number_of_one_that_was_killed_tells_of_itself() -> None:
    """As in a container, where each is the first process."""
    signs = Signs("worker", "gwm")
    make_process("worker", str(signs._who["host"]), os.getpid(), version="0.9", **age(started_at=FORGOTTEN_AFTER))
    signs.write()
    [seen] = read_signs()
    assert (seen.version, seen.queue) == (VERSION, "gwm") and seen.started_at > timezone.now() - HUNG_AFTER


def test_what_was_killed_is_forgotten_by_the_next_of_its_kind_on_its_host() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    signs = Signs("worker")
    here = str(signs._who["host"])
    for kind, host, pid in (
        *(("worker", here, ended.pid), ("worker", here, os.getppid()), ("beat", here, ended.pid)),
        ("worker", "elsewhere", ended.pid),
    ):
        make_process(kind, host, pid)
    signs.write()
    assert {(each.kind, each.host, each.pid) for each in read_signs()} == {
        *(("worker", here, os.getpid()), ("worker", here, os.getppid()), ("beat", here, ended.pid)),
        ("worker", "elsewhere", ended.pid),
    }


def test_after_a_day_it_is_forgotten() -> None:
    make_process(**age(seen_at=FORGOTTEN_AFTER + timedelta(minutes=1)))
    make_process(pid=8, **age(seen_at=FORGOTTEN_AFTER - timedelta(minutes=1)))
    assert [seen.pid for seen in read_signs()] == [8], "nor is it shown until then"
    forget_gone()
    assert [each.pid for each in Process.objects.all()] == [8]


def test_four_rows_a_minute_are_written_at_most() -> None:
    assert EVERY_S >= 15 and GONE_AFTER.total_seconds() >= 3 * EVERY_S, "a slow write is no death"
