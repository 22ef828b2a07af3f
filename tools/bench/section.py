"""What a section of the bench gets, and how it hands its rows back.

A section is a module run as a program of its own, so that it may be a Django process, a Twisted one or neither, and
starts with a fresh memory. It reads an ``Order`` from its standard input and prints each row as soon as it has it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tools.bench.rows import Row, dump_rows, load_rows
from tools.endings import end_in_order

_PROJECT = Path(__file__).resolve().parents[2]
_MARK = "row: "
_ENDING_TIMEOUT_S = 60.0  # to take down a product, a database or two hundred consoles


class SectionFailed(Exception):
    """A section did not come to its end; the text names it."""


@dataclass(frozen=True)
class Order:
    """What to measure against.

    ``size`` is the count of instances the cluster holds (0 for sections without a cluster); ``rows`` are those that
    sections before this one measured, to build ratios with. ``lab`` is the name of the lab, for sections that change
    something behind the product's back. ``kept`` is where rows that take long to make stay for another time, if any.
    """

    size: int
    runs: int
    lab: str = ""
    host: str = ""
    port: int = 0
    fingerprint: str = ""
    username: str = ""
    password: str = ""
    kept: str = ""
    rows: list[Row] = field(default_factory=list)

    def dump(self) -> str:
        return json.dumps({**asdict(self), "rows": dump_rows(self.rows)})

    @staticmethod
    def load(text: str) -> Order:
        parsed = json.loads(text)
        return Order(**{**parsed, "rows": load_rows(parsed["rows"])})


def run_section(measure: Callable[[Order], Iterable[Row]]) -> None:
    """Call this from a section's ``__main__``."""
    end_in_order()
    print_rows(measure(Order.load(sys.stdin.read())))


def print_rows(rows: Iterable[Row]) -> None:
    """Hand rows to the program that reads this one with `read_section`."""
    try:
        for row in rows:
            print(_MARK + dump_rows([row]), flush=True)
    finally:
        if isinstance(rows, Generator):
            rows.close()  # now: what it put up is taken down before the program ends, not while it does


def read_section(
    arguments: list[str], *, order: str = "", environment: Mapping[str, str] | None = None
) -> Generator[Row, None, None]:
    """Run a module and yield its rows as they come; SectionFailed when it fails. Closed early, it ends the module."""
    section = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_PROJECT,
        env=environment,
    )
    assert section.stdin is not None
    assert section.stdout is not None
    with section.stdout:
        try:
            with section.stdin:
                section.stdin.write(order)
            for line in section.stdout:
                if line.startswith(_MARK):
                    yield load_rows(line.removeprefix(_MARK))[0]
                else:
                    print(line, end="", file=sys.stderr)
            section.wait()
        finally:
            _end(section)
    if section.returncode != 0:
        raise SectionFailed(f"Section {' '.join(arguments)} failed with status {section.returncode}.")


def _end(section: subprocess.Popen[str]) -> None:
    if section.poll() is not None:
        return
    section.terminate()
    try:
        section.wait(_ENDING_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        section.kill()
        section.wait()
