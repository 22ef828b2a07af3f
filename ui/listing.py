"""What every list has: an order from a fixed table, and pages of a size that the person may choose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.paginator import Page
from django.http import HttpRequest

from ui.groups import Through
from ui.paging import DEEPEST, Pages

PAGE_SIZES = (25, 50, 100, 200)

# The key of a column in the address, and the fields by which it sorts.
Columns = Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Listing:
    """One page of a list, with what its template needs."""

    page: Page[Any]
    sort: str
    page_range: list[Any]
    page_sizes: tuple[int, ...]
    is_behind: bool = False  # a page behind the last was asked for, which is shown instead

    def as_context(self) -> dict[str, Any]:
        """Names as the templates know them."""
        return {
            "page": self.page,
            "sort": self.sort,
            "page_range": self.page_range,
            "page_sizes": self.page_sizes,
            "is_behind": self.is_behind,
        }


def order_rows(rows: Any, columns: Columns, sort: str) -> Any:
    """`rows`, a query or a list, by the column `sort` (a leading - turns it round).

    The key breaks ties, so that pages do not overlap.
    """
    downwards = sort.startswith("-")
    fields = [field.expression if isinstance(field, Through) else field for field in columns[sort.lstrip("-")]]
    if isinstance(rows, list):
        return sorted(rows, key=lambda row: [_comparable(row, field) for field in fields], reverse=downwards)
    ordering = [_turned(field) if downwards else field for field in fields]
    return rows.order_by(*ordering, "-pk" if downwards else "pk")


def _comparable(row: Any, path: str) -> tuple[bool, Any]:
    """The value of a row at `path` ("cluster__slug"); what is not known comes before everything else."""
    for step in path.split("__"):
        row = getattr(row, step)
    return (False, 0) if row is None else (True, row)


def _turned(field: Any) -> Any:
    if isinstance(field, str):
        return field[1:] if field.startswith("-") else f"-{field}"
    return field.desc()


def read_sort(request: HttpRequest, columns: Columns, default: str) -> str:
    """The order asked for; one that does not exist is the default."""
    sort = request.GET.get("sort", default)
    return sort if sort.lstrip("-") in columns else default


def read_page_size(request: HttpRequest, otherwise: int | None = None) -> int:
    """Rows on a page: `per_page` if it is sensible, else what was chosen or set."""
    wanted = request.GET.get("per_page", "")
    if wanted.isdecimal() and len(wanted) < 5:
        return max(5, min(500, int(wanted)))
    return otherwise or int(settings.GWM_PAGE_SIZE)


def list_page(
    request: HttpRequest,
    rows: Any,
    columns: Columns,
    default: str,
    *,
    total: int | None = None,
    keys_first: bool = False,
    size: int | None = None,
    ahead: int = 0,
    end: int = DEEPEST,
    keys: Sequence[int] | None = None,
) -> Listing:
    """One page of `rows` as the address asks for it; a page that is not there is the last.

    With ``ahead`` rows are counted for so many further pages alone, for where it takes long to count them; and none are
    shown behind so many (``end``).
    ``keys_first`` is for rows with columns that cost the database much, ``keys`` are those of all rows where they are
    known (see `ui.paging.Pages`); ``size`` are the rows on a page where somebody has chosen.
    """
    sort = read_sort(request, columns, default)
    size = size or read_page_size(request)
    first = columns[sort.lstrip("-")][0]
    through = first if isinstance(first, Through) else None
    deepest = read_deepest(request, size, ahead, end) if ahead else end
    ordered = order_rows(rows, columns, sort)
    paginator = Pages(ordered, size, total, keys_first=keys_first, through=through, deepest=deepest, end=end, keys=keys)
    page = paginator.get_page(request.GET.get("page"))
    return Listing(
        page,
        sort,
        list(paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)),
        tuple(sorted({*PAGE_SIZES, size})),
        paginator.lacks(request.GET.get("page", "")),
    )


def read_deepest(request: HttpRequest, size: int, ahead: int, end: int = DEEPEST) -> int:
    """How many rows there are to the end of the page asked for and of so many `ahead` of it, none behind `end`."""
    return min(end, (_read_page(request) + ahead) * size)


def _read_page(request: HttpRequest) -> int:
    number = request.GET.get("page", "")
    if not number.isdecimal():
        return 1
    return int(number) if len(number) <= len(str(DEEPEST)) else DEEPEST


def ages_of(rows: Iterable[Any]) -> dict[str, Any]:
    """How old `rows` with their clusters are: the oldest reading, of which clusters, and which are away."""
    clusters = {row.cluster_id: row.cluster for row in rows}
    down = [cluster for cluster in clusters.values() if cluster.unreachable_since is not None]
    read = {
        pk: cluster.live_at or cluster.synced_at
        for pk, cluster in clusters.items()
        if cluster.unreachable_since is None and (cluster.live_at or cluster.synced_at) is not None
    }
    return {"down": down, "aged": " ".join(str(pk) for pk in read), "oldest": min(read.values(), default=None)}
