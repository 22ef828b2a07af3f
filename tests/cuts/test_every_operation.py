"""Each operation on machines, ended early at each step by processes that are killed, and by lines that are cut.

Then the product goes on: the cluster has carried it out once at most, and the journal says truly whether it did.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from objectlog.models import OPEN_OUTCOMES, Outcome
from operations.table import OPERATIONS
from simulator import Simulator
from tests.cuts.points import POINTS, Case
from tests.cuts.scene import FOUR, Scene, typed
from tests.races.commands import migrated_database

pytestmark = [pytest.mark.standalone, pytest.mark.feature("G004", "F181")]
SENT = sorted(key for key, operation in OPERATIONS.items() if operation.sends and operation.kind == "vm")
# What hooks of their own can make differ; the rest is the pipeline's, and the same for all.
FEW = ("send", "unheard", "refused", "settle")
CASES = {
    "sqlite": [Case(key, POINTS[name]) for key in SENT for name in (POINTS if key in FOUR else FEW)],
    "postgresql": [Case(key, point) for key in FOUR for point in POINTS.values()],
}
EACH = [(database, case) for database, cases in CASES.items() for case in cases]


class Ended(Scene):
    """Every case has come to its early end, and to what followed."""

    def __init__(self, folder: Path, url: str, simulator: Simulator, cases: list[Case]) -> None:
        super().__init__(folder, url, simulator, cases)
        self.now: dict[str, Any] = {}
        self.later: dict[str, Any] = {}
        self.died: dict[str, bool] = {}
        self.let_end(cases)

    def let_end(self, cases: list[Case]) -> None:
        """All of them, and then whoever looks into it."""
        self.break_lines(cases)
        deeds = [(case.key, case.machine, typed(case), case.point.dies_in) for case in cases]
        died = self.inside("do", deeds)
        self.now = self.inside("tell")
        self.died = {case.machine: each for case, each in zip(cases, died, strict=True)}
        self.simulator.run_jobs()
        settled = [case for case in cases if case.point.dies_in == "settle"]
        died = self.inside("follow", [(case.key, case.machine) for case in settled])
        self.died |= {case.machine: each for case, each in zip(settled, died, strict=True)}
        self.find_out()
        self.later = self.inside("tell")


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    """Every operation."""
    with Simulator(nodes=3) as simulator:
        yield Ended(tmp_path_factory.mktemp("ended"), "", simulator, CASES["sqlite"])


@pytest.fixture(scope="module")
def on_postgresql(postgresql_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    """Where rows are locked one by one: those that make, change, move and delete."""
    with migrated_database(postgresql_url) as url, Simulator(nodes=3) as simulator:
        yield Ended(tmp_path_factory.mktemp("ended"), url, simulator, CASES["postgresql"])


@pytest.mark.parametrize(
    ("database", "case"), [(name, case) for name, cases in CASES.items() for case in cases], ids=str
)
def test_never_twice_and_never_unsaid(request: pytest.FixtureRequest, database: str, case: Case) -> None:
    point, ended = case.point, request.getfixturevalue(f"on_{database}")
    assert ended.died[case.machine] is bool(point.dies_in), "it has to end where the case says"
    before = ended.now["entries"].get(case.machine, [])
    assert [entry["outcome"] for entry in before] == ([point.now] if point.now else [])
    assert (case.machine in ended.now["busy"]) is (point.now in OPEN_OUTCOMES)
    jobs = ended.jobs_about(case.machine)
    assert len(jobs) == point.jobs
    later = ended.later["entries"].get(case.machine, [])
    if point.later is None:
        assert later == []
        return
    [entry] = later
    outcome = point.later
    if outcome == Outcome.NOT_SUBMITTED and OPERATIONS[case.key].unsigned_opcode:
        outcome = Outcome.LOST  # that there is no job of it can't be proved
    assert (entry["verb"], entry["outcome"], entry["jobs"]) == (case.key, outcome, jobs)
    assert entry["words"] or point.later == Outcome.SUCCEEDED


@pytest.mark.parametrize("database", CASES)
def test_nothing_is_left_waiting_and_the_journal_is_whole(request: pytest.FixtureRequest, database: str) -> None:
    ended = request.getfixturevalue(f"on_{database}")
    assert ended.later["busy"] == []
    ended.manage("seal_journal")
    assert "as it was written" in ended.manage("verify_journal")
