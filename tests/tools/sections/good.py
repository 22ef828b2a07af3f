"""One row, the count of those before it."""

from __future__ import annotations

from collections.abc import Iterator

from tools.bench.rows import Row
from tools.bench.section import Order, run_section


def measure(order: Order) -> Iterator[Row]:
    yield Row("good.before", "rows before", 0, len(order.rows), "")


if __name__ == "__main__":
    run_section(measure)
