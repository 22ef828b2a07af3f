"""`./run test`: what is counted, what is said, and when it fails."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.features import describe, list_demanded, load_outcomes, read_table
from tests.servers import demand_signs
from tools.check import apart, files_with, list_gates, list_test_gates, summarise
from tools.gates import NICE, Gate, Outcome, choose, run_gate, run_gates
from tools.lab.prerequisites import missing_prerequisites
from tools.throwaway import Unavailable


def gate(text: str, code: int = 0, *, has_tests: bool = True) -> Gate:
    return Gate("a gate", [sys.executable, "-c", f"print({text!r}); raise SystemExit({code})"], has_tests=has_tests)


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("12 passed in 3.21s", {"passed": 12}),
        (
            "== 1 failed, 10 passed, 2 skipped, 5 deselected, 3 errors in 3.21s ==",
            {"failed": 4, "passed": 10, "skipped": 2},
        ),
        ("24 passed, 1 xfailed in 182.43s (0:03:02)", {"passed": 25}),
    ],
)
def test_the_closing_line_of_pytest_is_counted(line: str, counts: dict[str, int]) -> None:
    assert run_gate(gate(f"7 passed but that is a test's own output\n{line}"), complete=False).counts == counts


def test_a_gate_without_tests_is_left_out_and_in_a_complete_run_fails() -> None:
    assert run_gate(gate("7 deselected in 1.00s", 5), complete=False).state == "left out"
    assert run_gate(gate("7 deselected in 1.00s", 5), complete=True).state == "failed"


def test_what_is_missing_is_said_and_in_a_complete_run_fails(capsys: pytest.CaptureFixture[str]) -> None:
    def unavailable() -> str:
        raise Unavailable("It is not installed.")

    lacking = Gate("a gate", ["false"], lacking=unavailable)
    assert run_gate(lacking, complete=False).state == "left out"
    assert run_gate(lacking, complete=True).state == "failed"
    assert "Not possible here: It is not installed." in capsys.readouterr().out


def test_the_last_line_counts_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = [
        Outcome(gate("", has_tests=False), "passed"),
        Outcome(gate("", has_tests=False), "failed", reason="exit 1"),
        Outcome(gate(""), "passed", counts={"passed": 5, "skipped": 1}),
        Outcome(gate(""), "failed", counts={"passed": 2, "failed": 3}),
        Outcome(gate(""), "failed", reason="exit 4"),
        Outcome(gate(""), "left out", reason="no browser"),
    ]
    assert summarise(outcomes, [], tmp_path / "none") == 1
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == "8 passed, 5 failed, 2 skipped"
    assert any("left out" in line and "no browser" in line for line in said)
    assert summarise(outcomes[:1], [], tmp_path / "none") == 0


def test_a_complete_run_fails_while_a_row_of_the_parts_that_are_done_lacks_a_test(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "outcomes"
    rows = [feature.id for feature in list_demanded(read_table().values())]
    lines = [json.dumps({"feature": row, "test": "a", "outcome": "passed"}) + "\n" for row in rows]
    file.write_text("".join(lines))
    parts = {"core", "safe", "grow", "vm", "people", "install"}
    assert {row.part for row in list_demanded(read_table().values())} == parts
    assert summarise([], [], file, demands_rows=True) == 0
    file.write_text("".join(lines[:-1]))
    assert summarise([], [], file, demands_rows=True) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"
    assert summarise([], [], file) == 0


def test_a_row_is_proven_by_a_passing_test_unless_another_fails(tmp_path: Path) -> None:
    file = tmp_path / "outcomes"
    told = [("F045", "a", "passed"), ("F046", "b", "passed"), ("F046", "c", "failed"), ("F047", "d", "skipped")]
    file.write_text(
        "".join(json.dumps({"feature": row, "test": test, "outcome": how}) + "\n" for row, test, how in told)
    )
    features = load_outcomes(file)
    assert [row for row, feature in features.items() if feature.is_proven] == ["F045"]
    said = "\n".join(describe(features.values()))
    assert "without: F046 (a test fails)" in said
    assert "without: F047 (its tests were skipped)" in said
    assert "without: F045" not in said


def test_the_table_is_read_whole() -> None:
    rows = read_table()
    assert len([row for row in rows if row.startswith("F")]) == 298
    assert len([row for row in rows if row.startswith("G")]) == 54
    parts = {"core", "safe", "grow", "vm", "people", "operate", "install", "api", "later"}
    assert {row.part for row in rows.values()} == parts
    assert rows["G006"].text == "A console that survives: reconnects after a reboot, migration or lost network"


def test_gates_run_side_by_side_and_are_heard_in_their_order(tmp_path: Path) -> None:
    """The first ends only when the second has begun, and is heard whole before it all the same."""
    met = tmp_path / "met"
    path = f"pathlib.Path({str(met)!r})"
    waits = f"import pathlib, time\nprint('one')\nwhile not {path}.exists(): time.sleep(0.01)\nprint('one ends')"
    meets = f"import pathlib\nprint('two')\n{path}.touch()"
    gates = [Gate(title, [sys.executable, "-uc", code]) for title, code in (("first", waits), ("second", meets))]
    said: list[str] = []
    outcomes = run_gates(gates, False, 2, said.append)
    assert [(outcome.gate.title, outcome.state) for outcome in outcomes] == [("first", "passed"), ("second", "passed")]
    assert "".join(said).split("\n") == ["", "=== first ===", "one", "one ends", "", "=== second ===", "two", ""]


def test_a_complete_run_deploys_to_a_server_or_fails_with_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    gates = [
        each
        for each in list_test_gates(tmp_path / "none")
        if "onehost" in each.command[each.command.index("-m", 2) + 1]
    ]
    assert [each.command[-1] for each in gates] == ["tests/deploy/test_production.py"]
    assert [run_gate(gates[0], complete).state for complete in (True, False)] == ["failed", "left out"]
    assert capsys.readouterr().out.count("Not possible here: It takes root.") == 2


def test_gates_begin_in_order_while_there_are_cores() -> None:
    def of(cores: float = 1) -> Gate:
        return Gate("a gate", [], cores=cores)

    gates = [of(2), of(), of(), of(), of(4)]
    assert choose(gates, [0, 1, 2, 3, 4], [], 2) == [0]
    assert choose(gates, [1, 2, 3, 4], [], 2) == [1, 2]
    assert choose(gates, [3, 4], [2], 2) == [3]
    assert choose(gates, [4], [], 2) == [4], "one that wants more cores than there are gets them all"
    assert choose(gates, [4, 3], [2], 2) == [], "nobody is overtaken"
    assert choose(gates, [0, 1], [], 1) == [0]
    assert choose([of(), of(0.5), of(0.5), of(0.5)], [0, 1, 2, 3], [], 2) == [0, 1, 2]


def test_what_fills_pauses_runs_beside_all_but_those_without_any() -> None:
    whole, one, other, normal = Gate("", [], cores=2), Gate("", [], fills=True), Gate("", [], fills=True), Gate("", [])
    gates = [whole, one, other, normal, normal, normal]
    assert choose(gates, [0, 1, 2, 3, 4, 5], [], 2) == [0]
    assert choose(gates, [1, 2, 3, 4, 5], [], 2) == [1, 3, 4]
    assert choose(gates, [2, 5], [3, 4], 2) == [2], "when one is through the other takes its place"
    assert choose(gates, [5], [2, 4], 2) == [5], "nobody waits for it"
    assert choose(gates, [2], [1, 3, 4], 2) == [], "the others are enough for all cores"
    assert choose(gates, [2], [1, 3], 2) == [2], "what is left of a core is filled by both"
    assert choose(gates, [2, 0], [1, 3], 2) == [], "beside none that waits for all cores"
    assert choose(gates, [1, 2], [], 2) == [1, 2]
    assert choose([one, one, one], [1, 2], [0], 2) == [1], "there are never three"
    assert choose(gates, [1, 3], [], 1) == [1], "one by one it is like all others"
    assert choose(gates, [3], [1], 1) == []


def test_what_fills_pauses_steps_back_behind_the_others() -> None:
    said: list[str] = []
    tells = [sys.executable, "-c", "import os; print(os.nice(0))"]
    run_gate(Gate("fills", tells, fills=True), False, said.append)
    assert said[-1] == f"{NICE}\n"


def test_every_test_is_in_a_gate_and_a_browser_has_a_network_of_its_own(tmp_path: Path) -> None:
    gates = {gate.title: gate for gate in list_gates(tmp_path / "none")}
    expected = set() if missing_prerequisites() else {title for title in gates if "a browser" in title}
    assert {title for title, gate in gates.items() if "--net" in gate.command} == expected
    assert [gate.title for gate in gates.values() if gate.is_fast and gate.has_tests] == [
        "Tests on SQLite and the simulator"
    ]


@pytest.mark.ganeti
def test_what_runs_apart_sees_no_interface_that_comes_or_goes() -> None:
    seen = subprocess.run(apart(["ls", "/sys/class/net"]), capture_output=True, text=True, check=True)
    assert seen.stdout.split() == ["lo"]


def test_files_of_a_gate_that_looks_at_few_show_its_mark(tmp_path: Path) -> None:
    """Did they not, the gate would not find them."""
    assert "tests/up/test_servers.py" in files_with("redis")
    assert {"tests/browser/test_lists.py", "tests/vncproxy/test_page.py"} <= {*files_with("browser")}
    assert files_with("browser", "ganeti") == sorted({*files_with("browser")} & {*files_with("ganeti")})
    file = tmp_path / "test_some.py"
    some: Any = SimpleNamespace(path=file, iter_markers=lambda: [SimpleNamespace(name="standalone")])
    file.write_text("pytestmark = pytest.mark.standalone")
    demand_signs([some])
    file.write_text("from elsewhere import pytestmark")
    with pytest.raises(pytest.UsageError, match="does not show it"):
        demand_signs([some])


@pytest.mark.parametrize("cores", [2, 4])
def test_the_browser_and_the_labs_begin_together_and_others_fill_what_they_leave(tmp_path: Path, cores: int) -> None:
    gates = list_test_gates(tmp_path / "none", cores)
    numbers = {gate.title: number for number, gate in enumerate(gates)}
    waiting = list(range(len(gates)))
    assert choose(gates, waiting, [], cores) == [numbers["Tests on SQLite and the simulator"]]
    longest = [number for title, number in numbers.items() if "browser" in title or "a real Ganeti" in title]
    begun = choose(gates, waiting[1:], [], cores)
    fills = [number for number, gate in enumerate(gates) if gate.fills]
    assert begun[:4] == [fills[0], *longest]
    assert not set(fills[1:]) & set(begun)
    left = [number for number in waiting[1:] if number not in begun]
    assert choose(gates, left, begun[1:], cores), "when the browser is through somebody takes its place"


def test_what_a_gate_and_its_processes_used_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    burns = "import time\nwhile time.process_time() < 0.3: pass"
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burns!r}])\n{burns}"
    outcome = run_gate(Gate("a gate", [sys.executable, "-c", code]), complete=False)
    assert outcome.state == "passed" and outcome.cpu_seconds > 0.5
    summarise([outcome], [], tmp_path / "none")
    assert f"{outcome.cpu_seconds:6.1f} s of CPU  a gate" in capsys.readouterr().out


def test_a_gate_that_cannot_be_started_fails_and_the_others_run(capsys: pytest.CaptureFixture[str]) -> None:
    gates = [Gate("lost", ["/nowhere/at/all"]), gate("1 passed in 1s")]
    assert [outcome.state for outcome in run_gates(gates, False, 2)] == ["failed", "passed"]
    assert "/nowhere/at/all" in capsys.readouterr().out
