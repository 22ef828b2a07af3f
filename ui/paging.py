"""Pages of a list, as deep as one can go: whoever looks for something further down narrows the list down instead.

The database would count and sort all rows before the one page that is shown, for nobody reads a thousand pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from django.core.paginator import Page, Paginator
from django.db import connections
from django.db.models import QuerySet

from ui.groups import Through, cut_to_groups
from ui.listed import find_first, one_by_one, unfiltered

# So many rows of a list are on pages, and are counted; a file has more of them (see `ui.exporting`).
DEEPEST = 10_000
# So many where each that matches takes long to find.
DEEPEST_SEARCHED = 2_500
# From so many rows on it is quicker to find the groups that a page is of first than to sort all rows.
MANY = 5_000
# Up to so many rows it takes less to find them all than to miss where they stand (see `ui.listed.find_first`).
FEW = 2_000
# Of more rows, the pages of so great a part are found as all rows come by (see `ui.listed.one_by_one`).
FIRST_PART = 0.1

if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:
    _Paginator = Paginator


class Pages(_Paginator):
    """The pages of `rows`, a query or a list; `total` is their number if the page has counted them already.

    With ``keys_first`` the database picks the keys of a page before it works out what stands in its rows: otherwise
    it does so for every row that it sorts. With ``through``, by which many `rows` are in order, it sorts only those
    that the page is among. No more than `deepest` rows are counted; none are shown behind `end`. Where the `keys` of
    all rows are known, in their order, the rows of the page alone are read.
    """

    def __init__(
        self,
        rows: Any,
        size: int,
        total: int | None = None,
        *,
        keys_first: bool = False,
        through: Through | None = None,
        deepest: int = DEEPEST,
        end: int = DEEPEST,
        keys: Sequence[int] | None = None,
    ) -> None:
        super().__init__(rows, size)
        self.deepest = min(deepest, end)
        self._end = end
        self._keys_first = keys_first
        self._through = through
        self._keys = keys
        if keys is not None:
            total = len(keys)
        if total is not None:
            self.__dict__["count"] = total

    @cached_property
    def count(self) -> int:
        """Rows, see `count_rows`."""
        return count_rows(self.object_list, self.deepest)

    @property
    def is_more(self) -> bool:
        """Whether there are more rows than were counted."""
        return self.count == self.deepest + 1

    @property
    def is_cut(self) -> bool:
        """Whether there are rows that no page shows."""
        return self.deepest == self._end and self.count > self.num_pages * self.per_page

    @cached_property
    def num_pages(self) -> int:
        """Pages that one can go to; at least one."""
        return max(1, -(-min(self.count, max(self.deepest, self.per_page)) // self.per_page))

    def page(self, number: int | str) -> Page[Any]:
        """One page."""
        page: Page[Any] = super().page(number)
        first = (page.number - 1) * self.per_page
        if self._keys is not None:
            rows = cast("QuerySet[Any]", self.object_list)
            page.object_list = unfiltered(rows).filter(pk__in=self._keys[first : first + self.per_page])
        elif self._keys_first:
            rows = cast("QuerySet[Any]", self.object_list)
            if self._through is not None and self.count > MANY:
                on_page = cut_to_groups(rows, self._through, first, first + self.per_page)
            else:
                on_page = self._found(rows, first + self.per_page)[first : first + self.per_page]
            # What was asked of the keys is not asked of their rows again.
            keys: Any = on_page.values("pk")
            if not connections[rows.db].features.allow_sliced_subqueries_with_in:
                keys = [key for (key,) in on_page.values_list("pk")]
            page.object_list = unfiltered(rows).filter(pk__in=keys)
        return page

    def _found(self, rows: QuerySet[Any], last: int) -> QuerySet[Any]:
        """`rows`, of which those before `last` are wanted, by the way on which they are found soonest."""
        if self.count <= FEW:
            return find_first(rows)
        return one_by_one(rows) if last <= self.count * FIRST_PART else rows

    def lacks(self, number: str) -> bool:
        """Whether somebody asked for a page behind the last."""
        return number.isdecimal() and (len(number) > len(str(DEEPEST)) or int(number) > self.num_pages)


def count_rows(rows: Any, deepest: int = DEEPEST) -> int:
    """How many rows there are; where there are more than `deepest`, one more than that and no longer counted."""
    if isinstance(rows, QuerySet):
        return int(rows.order_by().values("pk")[: deepest + 1].count())
    return len(rows)
