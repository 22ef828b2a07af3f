"""The bench keeps the rows it has when a section fails or somebody ends it, and takes down what it put up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.databases import some_in_fast
from tools.bench.rows import Row, load_rows
from tools.bench.section import print_rows

PROJECT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 30.0
SCRIPT = """
import sys
from tools.bench.__main__ import Section, main
names = sys.argv[1].split(",")
sections = {name: Section(f"tests.tools.sections.{name}", needs_lab=False) for name in names}
sys.exit(main(["--json", sys.argv[2]], sections))
"""


def start_bench(names: str, rows: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, names, str(rows)],
        cwd=PROJECT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_section_that_fails_takes_no_rows_along(tmp_path: Path) -> None:
    kept = tmp_path / "rows.json"
    with start_bench("failing,good", kept) as bench:
        table, said = bench.communicate(timeout=TIMEOUT_S)
    assert bench.returncode == 2
    assert "tests.tools.sections.failing failed with status 1" in said
    assert [(row.key, row.value) for row in load_rows(kept.read_text())] == [("failing.first", 1), ("good.before", 1)]
    assert "| first" in table
    assert "| rows before" in table


@pytest.mark.parametrize("number", some_in_fast([signal.SIGTERM, signal.SIGINT, signal.SIGHUP], 3))
def test_told_to_end_it_keeps_the_rows_and_takes_down(tmp_path: Path, number: signal.Signals) -> None:
    kept, put_up = tmp_path / "rows.json", tmp_path / "put-up"
    with start_bench("waiting,good", kept, PUT_UP=str(put_up)) as bench:
        assert bench.stderr is not None
        for line in bench.stderr:
            if "first" in line:
                break
        assert put_up.exists()
        bench.send_signal(number)
        table, _ = bench.communicate(timeout=TIMEOUT_S)
    assert bench.returncode == 128 + number
    assert not put_up.exists()
    assert [row.key for row in load_rows(kept.read_text())] == ["waiting.first"]
    assert "| first" in table


def test_what_a_section_put_up_goes_also_when_its_rows_cannot_be_told() -> None:
    ended = []

    def measure() -> Iterator[Row]:
        try:
            yield Row("a", "a", 0, 1j)  # type: ignore[arg-type]  # JSON has no such numbers
        finally:
            ended.append(True)

    with pytest.raises(TypeError) as kept:  # and what is kept keeps the rows
        print_rows(measure())
    assert ended, kept
