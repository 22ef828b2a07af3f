"""What every list has: an order from a fixed table, and pages of a size that the person may choose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.paginator import Page
from django.db.models import QuerySet
from django.http import HttpRequest

from ui.paging import Pages

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


def order_rows(rows: QuerySet[Any], columns: Columns, sort: str) -> QuerySet[Any]:
    """`rows` by the column `sort` (a leading - turns it round); the key breaks ties, so that pages do not overlap."""
    downwards = sort.startswith("-")
    fields = columns[sort.lstrip("-")]
    ordering = [_turned(field) if downwards else field for field in fields]
    return rows.order_by(*ordering, "pk")


def _turned(field: Any) -> Any:
    if isinstance(field, str):
        return field[1:] if field.startswith("-") else f"-{field}"
    return field.desc()


def read_sort(request: HttpRequest, columns: Columns, default: str) -> str:
    """The order asked for; one that does not exist is the default."""
    sort = request.GET.get("sort", default)
    return sort if sort.lstrip("-") in columns else default


def read_page_size(request: HttpRequest) -> int:
    """Rows on a page: `per_page` if it is sensible, else the setting."""
    wanted = request.GET.get("per_page", "")
    if wanted.isdecimal() and len(wanted) < 5:
        return max(5, min(500, int(wanted)))
    return int(settings.GWM_PAGE_SIZE)


def list_page(
    request: HttpRequest,
    rows: QuerySet[Any],
    columns: Columns,
    default: str,
    *,
    total: int | None = None,
    keys_first: bool = False,
) -> Listing:
    """One page of `rows` as the address asks for it; a page that is not there is the last.

    ``keys_first`` is for rows with columns that cost the database much (see `ui.paging.Pages`).
    """
    sort = read_sort(request, columns, default)
    size = read_page_size(request)
    paginator = Pages(order_rows(rows, columns, sort), size, total, keys_first=keys_first)
    page = paginator.get_page(request.GET.get("page"))
    return Listing(
        page,
        sort,
        list(paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)),
        tuple(sorted({*PAGE_SIZES, size})),
        paginator.lacks(request.GET.get("page", "")),
    )


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
