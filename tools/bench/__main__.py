"""``python -m tools.bench [SECTION…]``: brings a lab up, runs the sections, prints the table, takes the lab down.

Exit status 1 when a limit was missed, 2 when a section failed; told to end, it prints what it has and takes down too.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

# Started as a folder, Python puts tools/bench itself on the path; the package is found from the project's root.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tools.bench.rows import Row, dump_rows, format_row, format_table
from tools.bench.section import Order, SectionFailed, read_section
from tools.endings import end_in_order, ignore_endings
from tools.lab.cluster import Lab, remove_abandoned_labs
from tools.lab.errors import LabError
from tools.lab.growth import grow


@dataclass(frozen=True)
class Section:
    """A module to run, and whether it wants a cluster of every size or none at all. A long one runs if it is named."""

    module: str
    needs_lab: bool
    is_long: bool = False


# In the order in which they run: later ones build ratios with the rows of earlier ones.
SECTIONS = {
    "rapi": Section("tools.bench.rapi", needs_lab=True),
    "cycle": Section("tools.bench.cycle", needs_lab=True),
    "submit": Section("tools.bench.submit", needs_lab=True),
    "pages": Section("tools.bench.pages", needs_lab=False),
    "rights": Section("tools.bench.rights", needs_lab=False),
    "console": Section("tools.bench.console", needs_lab=False),
    "live": Section("tools.bench.live", needs_lab=False),
    "creating": Section("tools.bench.creating", needs_lab=False),
    "scale": Section("tools.bench.scale", needs_lab=False, is_long=True),
    "journal": Section("tools.bench.journal", needs_lab=False, is_long=True),
}


@dataclass
class Measured:
    """The rows so far; in the file too, where one is asked for, from the first on. And what failed."""

    path: Path | None
    rows: list[Row] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def add(self, row: Row) -> None:
        self.rows.append(row)
        if self.path is not None:
            new = self.path.with_name(f"{self.path.name}.new")
            new.write_text(dump_rows(self.rows))
            new.replace(self.path)
        print(f"  {format_row(row)}", file=sys.stderr)

    def fail(self, why: object) -> None:
        self.failures.append(str(why))
        print(f"bench: {why}", file=sys.stderr)


def _run(section: Section, order: Order, measured: Measured) -> None:
    """Add the section's rows; where it fails, say so, and the next has its turn all the same."""
    print(f"… {section.module} {order.size or ''}".rstrip(), file=sys.stderr)
    try:
        with closing(read_section([section.module], order=order.dump())) as rows:
            for row in rows:
                measured.add(row)
    except SectionFailed as error:
        measured.fail(error)


def _measure_all(
    sections: Sequence[Section], sizes: Sequence[int], runs: int, measured: Measured, kept: str = ""
) -> None:
    for section in sections:
        if not section.needs_lab:
            _run(section, Order(size=0, runs=runs, kept=kept, rows=measured.rows), measured)
    wanting = [section for section in sections if section.needs_lab]
    if not wanting:
        return
    remove_abandoned_labs()
    lab = Lab(f"bench{os.getpid()}")
    try:
        found = lab.up(owner=os.getpid())
        for size in sizes:
            grow(lab, size)
            for section in wanting:
                order = Order(
                    size=size,
                    runs=runs,
                    lab=lab.name,
                    host=found.host,
                    port=found.port,
                    fingerprint=found.fingerprint,
                    username=found.username,
                    password=found.password,
                    rows=measured.rows,
                )
                _run(section, order, measured)
    finally:
        ignore_endings()
        lab.down()


def main(arguments: Sequence[str] | None = None, sections: Mapping[str, Section] = SECTIONS) -> int:
    """Run what was asked for and print the table."""
    parser = argparse.ArgumentParser(prog="tools/bench", description="Measure the product. See docs/bench.md.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(sections)} (all but long ones)")
    parser.add_argument("--sizes", default="1000,6000", help="counts of instances on the real cluster (1000,6000)")
    parser.add_argument("--runs", type=int, default=5, help="how often to time each thing (5); medians are shown")
    parser.add_argument("--json", type=Path, help="also write the rows to this file, each as it comes")
    parser.add_argument("--kept", default="", metavar="DIRECTORY", help="where scale keeps its rows")
    options = parser.parse_args(arguments)
    unknown = set(options.sections) - set(sections)
    if unknown:
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    chosen = [
        each for name, each in sections.items() if name in options.sections or not (options.sections or each.is_long)
    ]
    measured = Measured(options.json)
    end_in_order()
    try:
        sizes = [int(size) for size in options.sizes.split(",")]
        _measure_all(chosen, sizes, options.runs, measured, options.kept)
    except LabError as error:
        measured.fail(error)
    finally:
        print(format_table(measured.rows), flush=True)
    if measured.failures:
        return 2
    return 1 if any(row.verdict == "MISSED" for row in measured.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
