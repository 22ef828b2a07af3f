"""``python -m tools.bench [SECTION…]``: brings a lab up, runs the sections, prints the table, takes the lab down.

Exit status 1 when a limit was missed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Started as a folder, Python puts tools/bench itself on the path; the package is found from the project's root.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tools.bench.rows import Row, dump_rows, format_table, load_rows
from tools.bench.section import Order
from tools.lab.cluster import Lab, remove_abandoned_labs
from tools.lab.errors import LabError
from tools.lab.growth import grow

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Section:
    """A module to run, and whether it wants a cluster of every size or none at all."""

    module: str
    needs_lab: bool


# In the order in which they run: later ones build ratios with the rows of earlier ones.
SECTIONS = {
    "rapi": Section("tools.bench.rapi", needs_lab=True),
    "cycle": Section("tools.bench.cycle", needs_lab=True),
    "pages": Section("tools.bench.pages", needs_lab=False),
    "rights": Section("tools.bench.rights", needs_lab=False),
    "console": Section("tools.bench.console", needs_lab=False),
    "live": Section("tools.bench.live", needs_lab=False),
}


def _run(section: Section, order: Order) -> list[Row]:
    print(f"… {section.module} {order.size or ''}", file=sys.stderr)
    done = subprocess.run(
        [sys.executable, "-m", section.module],
        input=order.dump(),
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
        check=False,
    )
    if done.returncode != 0:
        raise LabError(f"Section {section.module} failed with status {done.returncode}.")
    *said, last = done.stdout.strip().splitlines()
    for line in said:
        print(line, file=sys.stderr)
    return load_rows(last)


def _measure(names: Sequence[str], sizes: Sequence[int], runs: int) -> list[Row]:
    rows: list[Row] = []
    for name in names:
        if not SECTIONS[name].needs_lab:
            rows += _run(SECTIONS[name], Order(size=0, runs=runs, rows=rows))
    wanting = [SECTIONS[name] for name in names if SECTIONS[name].needs_lab]
    if not wanting:
        return rows
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
                    rows=rows,
                )
                rows += _run(section, order)
    finally:
        lab.down()
    return rows


def main() -> int:
    """Run what was asked for and print the table."""
    parser = argparse.ArgumentParser(prog="tools/bench", description="Measure the product. See docs/bench.md.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)} (all)")
    parser.add_argument("--sizes", default="1000,6000", help="counts of instances on the real cluster (1000,6000)")
    parser.add_argument("--runs", type=int, default=5, help="how often to time each thing (5); medians are shown")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    options = parser.parse_args()
    unknown = set(options.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    try:
        rows = _measure(
            [name for name in SECTIONS if not options.sections or name in options.sections],
            [int(size) for size in options.sizes.split(",")],
            options.runs,
        )
    except LabError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    print(format_table(rows))
    if options.json:
        options.json.write_text(dump_rows(rows))
    return 1 if any(row.verdict == "MISSED" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
