"""The bench's table, and the turns it takes when timing."""

from __future__ import annotations

import time
from pathlib import Path

from tools.bench.databases import keys_in
from tools.bench.rows import Row, dump_rows, find_row, format_table, load_rows
from tools.bench.section import Order
from tools.bench.timing import median_times_s


def test_a_limit_is_the_most_or_the_least() -> None:
    assert Row("a", "a", 0, 1.3, "x", limit=1.3).verdict == "ok"
    assert Row("a", "a", 0, 1.31, "x", limit=1.3).verdict == "MISSED"
    assert Row("a", "a", 0, 199.0, "B/s", limit=200.0, at_least=True).verdict == "MISSED"
    assert Row("a", "a", 0, 1.0).verdict == ""


def test_the_table_names_value_limit_and_verdict() -> None:
    lines = format_table(
        [Row("a", "cycle to RAPI", 1000, 1.25, "x", limit=1.3), Row("b", "rows", 0, 1234.0, "")]
    ).split("\n")
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == [
        "cycle to RAPI",
        "1,000",
        "1.25 \u00d7",
        "≤ 1.30 \u00d7",
        "ok",
    ]
    assert [cell.strip() for cell in lines[3].split("|")[1:-1]] == ["rows", "", "1,234", "", ""]
    assert len({len(line) for line in lines}) == 1


def test_an_order_carries_the_rows_of_earlier_sections() -> None:
    order = Order(size=1000, runs=3, host="h", rows=[Row("rapi.bulk", "bulk", 1000, 0.5)])
    there = Order.load(order.dump())
    assert there == order
    assert find_row(there.rows, "rapi.bulk", 1000) == order.rows[0]
    assert find_row(there.rows, "rapi.bulk", 6000) is None
    assert load_rows(dump_rows(order.rows)) == order.rows


def test_rows_that_are_kept_have_the_keys_by_which_they_were_written(tmp_path: Path) -> None:
    kept = tmp_path / "sqlite"
    keys = keys_in(kept)
    assert len({*keys.values()}) == len(keys) == 4
    assert keys_in(kept) == keys != keys_in(tmp_path / "postgresql")
    assert [path.stat().st_mode & 0o077 for path in kept.iterdir()] == [0]


def test_actions_take_turns_and_long_ones_run_once() -> None:
    ran: list[str] = []

    def slow() -> None:
        ran.append("slow")
        end = time.perf_counter() + 0.4
        while time.perf_counter() < end:
            pass

    took = median_times_s(
        {"a": lambda: ran.append("a"), "slow": slow, "b": lambda: ran.append("b")}, runs=2, long_s=0.3
    )
    assert ran == ["a", "slow", "b", "a", "b", "a", "b"]
    assert took["slow"] >= 0.4
