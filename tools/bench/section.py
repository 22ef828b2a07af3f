"""What a section of the bench gets, and how it hands its rows back.

A section is a module run as a program of its own, so that it may be a Django process, a Twisted one or neither, and
starts with a fresh memory. It reads an ``Order`` from its standard input and prints its rows as the last line of what
it says.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field

from tools.bench.rows import Row, dump_rows, load_rows


@dataclass(frozen=True)
class Order:
    """What to measure against.

    ``size`` is the count of instances the cluster holds (0 for sections without a cluster); ``rows`` are those that
    sections before this one measured, to build ratios with. ``lab`` is the name of the lab, for sections that change
    something behind the product's back.
    """

    size: int
    runs: int
    lab: str = ""
    host: str = ""
    port: int = 0
    fingerprint: str = ""
    username: str = ""
    password: str = ""
    rows: list[Row] = field(default_factory=list)

    def dump(self) -> str:
        return json.dumps({**asdict(self), "rows": dump_rows(self.rows)})

    @staticmethod
    def load(text: str) -> Order:
        parsed = json.loads(text)
        return Order(**{**parsed, "rows": load_rows(parsed["rows"])})


def run_section(measure: Callable[[Order], Iterable[Row]]) -> None:
    """Call this from a section's ``__main__``."""
    rows = list(measure(Order.load(sys.stdin.read())))
    print(dump_rows(rows))
