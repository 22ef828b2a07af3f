"""The rows of the one table: what a section measured, and the limit it is held to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    """One measurement.

    ``key`` names it for other sections (``rapi.bulk``); ``size`` is the count of instances (0: does not matter);
    ``unit`` is ``s``, ``ms``, ``x`` (a ratio), ``B/s`` or empty for a count. ``limit`` is the most it may be, or with
    ``at_least`` the least.
    """

    key: str
    what: str
    size: int
    value: float
    unit: str = "s"
    limit: float | None = None
    at_least: bool = False

    @property
    def verdict(self) -> str:
        """``ok``, ``MISSED`` or nothing where there is no limit."""
        if self.limit is None:
            return ""
        return "ok" if (self.value >= self.limit if self.at_least else self.value <= self.limit) else "MISSED"


def dump_rows(rows: Iterable[Row]) -> str:
    return json.dumps([asdict(row) for row in rows])


def load_rows(text: str) -> list[Row]:
    return [Row(**entry) for entry in json.loads(text)]


def find_row(rows: Iterable[Row], key: str, size: int) -> Row | None:
    """The measurement of that name and size, or None when no section took it."""
    return next((row for row in rows if (row.key, row.size) == (key, size)), None)


def format_value(value: float, unit: str) -> str:
    """Three significant digits, counts whole."""
    if unit == "":
        return f"{value:,.0f}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f} {'×' if unit == 'x' else unit}"  # noqa: RUF001 - the sign for times


def format_row(row: Row) -> str:
    """One line about a row, for who watches."""
    size = f" ({row.size:,})" if row.size else ""
    return f"{row.what}{size}: {format_value(row.value, row.unit)} {row.verdict}".rstrip()


def format_table(rows: Sequence[Row]) -> str:
    """The table as Markdown, columns aligned."""
    lines = [("what", "instances", "measured", "limit", "")]
    for row in rows:
        limit = "" if row.limit is None else f"{'≥' if row.at_least else '≤'} {format_value(row.limit, row.unit)}"
        size = f"{row.size:,}" if row.size else ""
        lines.append((f"{row.what}", size, format_value(row.value, row.unit), limit, row.verdict))
    widths = [max(len(line[i]) for line in lines) for i in range(5)]

    def lay_out(line: tuple[str, ...]) -> str:
        cells = [line[0].ljust(widths[0]), *(line[i].rjust(widths[i]) for i in (1, 2, 3)), line[4].ljust(widths[4])]
        return f"| {' | '.join(cells)} |"

    rule = f"|{'|'.join('-' * (width + 2) for width in widths)}|"
    return "\n".join([lay_out(lines[0]), rule, *(lay_out(line) for line in lines[1:])])
