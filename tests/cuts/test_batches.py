"""A worker dies, or its line is cut, at each step of an item of a batch; another goes on with the batch.

An item is done at once where nothing of it was written, never a second time where it may have been sent, and it ends as
its journal entry does. Then what failed is tried again by hand, and is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator import Simulator
from tests.cuts.points import POINTS, Case
from tests.cuts.scene import FOUR, Scene, typed

pytestmark = [pytest.mark.standalone, pytest.mark.feature("G050")]
CASES = [Case(key, point) for key in FOUR for point in POINTS.values() if point.dies_in != "settle"]


class Batches(Scene):
    """Each case is a batch of its own; each worker dies with the item of its case."""

    def __init__(self, folder: Path, simulator: Simulator) -> None:
        super().__init__(folder, "", simulator, CASES)
        deeds = [(case.key, case.machine, typed(case), case.point.dies_in) for case in CASES]
        self.break_lines(CASES)
        died = self.inside("work", deeds)
        self.died = {case.machine: each for case, each in zip(CASES, died, strict=True)}
        self.now: dict[str, Any] = self.inside("tell")
        self.find_out()
        self.later: dict[str, Any] = self.inside("tell")
        self.jobs = {case.machine: self.jobs_about(case.machine) for case in CASES}
        self.inside("retry")
        self.find_out()
        self.last: dict[str, Any] = self.inside("tell")


@pytest.fixture(scope="module")
def batches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Batches]:
    with Simulator(nodes=3) as simulator:
        yield Batches(tmp_path_factory.mktemp("batches"), simulator)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_item_is_done_once_or_says_that_it_was_not(batches: Batches, case: Case) -> None:
    point = case.point
    assert batches.died[case.machine] is bool(point.dies_in), "it has to end where the case says"
    if point.now:  # where nothing was written the next worker begins it anew
        assert [entry["outcome"] for entry in batches.now["entries"][case.machine]] == [point.now]
    outcome, number = (point.later, point.jobs) if point.later else ("succeeded", 1)
    [entry] = batches.later["entries"][case.machine]
    jobs = batches.jobs[case.machine]
    assert (entry["outcome"], entry["jobs"], len(jobs)) == (outcome, jobs, number)
    state = "done" if outcome == "succeeded" else "failed"
    assert batches.later["items"][case.machine] == [state]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_tried_again_what_failed_is_done_and_nothing_else(batches: Batches, case: Case) -> None:
    assert batches.last["items"][case.machine] == ["done"]
    assert len(batches.jobs_about(case.machine)) == 1
    assert batches.last["busy"] == []
