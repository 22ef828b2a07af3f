"""What somebody used of clusters in the last 90 days, as lines to look at, and month by month as a file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from people.usage import Usage, usage_of_persona
from permissions.models import Persona, User
from quotas.amounts import DIMENSIONS, Amounts
from quotas.history import days_by_cluster, keep_usage, months_of
from ui.exporting import export
from virtualmachines.usage import usage_of_all

SHOWN_DAYS = 90
_HEIGHT = 30


@dataclass(frozen=True)
class Trend:
    """One of what quotas count, day by day, the last is today; `path` draws it, from the left to the right."""

    days: Sequence[int]
    last: date

    @property
    def most(self) -> int:
        """On the day on which most was used."""
        return max(self.days)

    @property
    def when(self) -> date:
        """The latest such day."""
        back = list(reversed(self.days)).index(self.most)
        return self.last - timedelta(days=back)

    @property
    def path(self) -> str:
        """A step for each day, above a ground line, as data of an SVG path in a box of 90 by 30."""
        tops = [_HEIGHT - round(_HEIGHT * each / self.most, 1) if self.most else _HEIGHT for each in self.days]
        steps, now = [f"M0 {_HEIGHT}"], None
        for at, top in enumerate(tops):
            if top != now:
                steps.append(f"H{at}V{top:g}")
                now = top
        return f"{''.join(steps)}H{len(tops)}V{_HEIGHT}Z"


def record_usage() -> int:
    """Look at what everybody uses now; how many rows were written."""
    return keep_usage(datetime.now(UTC).date(), usage_of_all())


def usage_with_history(persona: Persona, user: User | None) -> list[Usage]:
    """What is used of every cluster, each figure with the last 90 days if anything was used in them."""
    today = datetime.now(UTC).date()
    by_cluster = days_by_cluster(persona, today - timedelta(days=SHOWN_DAYS - 1))
    return [_with_trends(each, by_cluster.get(each.cluster.pk, {}), today) for each in usage_of_persona(persona, user)]


def _with_trends(usage: Usage, days: Mapping[date, Amounts], today: date) -> Usage:
    if not days:
        return usage
    nothing, every = Amounts(), [today - timedelta(days=back) for back in range(SHOWN_DAYS - 1, -1, -1)]
    figures = tuple(
        replace(figure, trend=Trend([getattr(days.get(day, nothing), figure.name) for day in every], today))
        for figure in usage.figures
    )
    return replace(usage, figures=figures)


def export_months(request: HttpRequest, persona: Persona) -> HttpResponseBase | None:
    """A file with a row for each month and cluster, if the URL asks for one. Sizes are MiB, and MiB times days."""
    cells: dict[str, Callable[[Any], Any]] = {
        "month": lambda row: f"{row['month']:%Y-%m}",
        "cluster": lambda row: row["cluster__slug"],
        "days": lambda row: row["days"],
    }
    for name in DIMENSIONS:
        cells |= {f"{name}_{kind}": _cell(f"{name}_{kind}") for kind in ("most", "days")}
    return export(request, "usage", months_of(persona), cells)


def _cell(name: str) -> Callable[[Any], Any]:
    return lambda row: row[name]
