"""One row, then nothing until it is told to end; what it put up is the file that PUT_UP names."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

from tools.bench.rows import Row
from tools.bench.section import Order, run_section


def measure(_: Order) -> Iterator[Row]:
    put_up = Path(os.environ["PUT_UP"])
    put_up.touch()
    try:
        yield Row("waiting.first", "first", 0, 1.0)
        while True:
            signal.pause()
    finally:
        put_up.unlink()


if __name__ == "__main__":
    run_section(measure)
