"""One row, then an error."""

from __future__ import annotations

from collections.abc import Iterator

from tools.bench.rows import Row
from tools.bench.section import Order, run_section


def measure(_: Order) -> Iterator[Row]:
    yield Row("failing.first", "first", 0, 1.0)
    raise RuntimeError("as ordered")


if __name__ == "__main__":
    run_section(measure)
