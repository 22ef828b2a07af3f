"""Lists as they are declared, and as one person sees one: with their columns, their length of a page, in an order."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from ui.columns import Column, Values, Words
from ui.exporting import export
from ui.filtering import Language, Wanted
from ui.listing import PAGE_SIZES, Columns, Listing, list_page, order_rows, read_page_size, read_sort
from ui.paging import DEEPEST


@dataclass(frozen=True)
class Choice:
    """What somebody chose for a list: columns and rows on a page; None: they have not."""

    columns: tuple[str, ...] | None = None
    per_page: int | None = None

    @classmethod
    def read(cls, kept: object) -> "Choice":
        """From what is kept; whatever another release has kept that means nothing now is left out."""
        if not isinstance(kept, Mapping):
            return cls()
        columns, per_page = kept.get("columns"), kept.get("per_page")
        return cls(
            tuple(str(name) for name in columns) if isinstance(columns, list) else None,
            per_page if per_page in PAGE_SIZES else None,
        )

    def as_data(self) -> dict[str, Any]:
        """What is kept."""
        chosen = {"columns": None if self.columns is None else list(self.columns), "per_page": self.per_page}
        return {name: value for name, value in chosen.items() if value is not None}


@dataclass(frozen=True)
class Table:
    """A list: its columns, its order if nobody asks for another, and what it can be asked for.

    `name` is what its file, its kept choices and its pages count ("machines"); `fields` are read whatever is shown.
    `part_of` a row is the heading of those beside it, while the list is in one of the orders `parted_by`.
    """

    name: str
    title: Words
    columns: tuple[Column, ...]
    order: str
    language: Language
    kind: str
    fields: tuple[str, ...] = ()
    key: Callable[[Any], Any] = lambda row: row.pk
    row_css: Callable[[Any], str] = lambda row: ""
    part_of: Callable[[Any], str] | None = None
    parted_by: tuple[str, ...] = ()

    @cached_property
    def orders(self) -> Columns:
        """By the names of those columns that have an order, the fields of it."""
        return {column.name: column.sort for column in self.columns if column.sort}

    @property
    def choosable(self) -> list[Column]:
        """Those of its columns that one can have or leave out."""
        return [column for column in self.columns if not column.is_fixed]

    def pick(self, names: Collection[str] | None, without: Collection[str] = ()) -> tuple[Column, ...]:
        """The columns with these names, those that are always there, and no unknown ones; None: as declared."""
        return tuple(
            column
            for column in self.columns
            if column.name not in without
            and (column.is_fixed or (not column.is_extra if names is None else column.name in names))
        )

    def load(self, rows: Any, columns: Iterable[Column]) -> Any:
        """The query `rows` with what these columns read, and no more."""
        fields = dict.fromkeys([*self.fields, *(name for column in columns for name in column.fields)])
        related = sorted({name.rpartition("__")[0] for name in fields} - {""})
        return rows.select_related(None).select_related(*related).only(*fields) if related else rows.only(*fields)

    def plain(self, names: Collection[str] | None = None, without: Collection[str] = ()) -> "Shown":
        """As a part of another page: as declared, without links to other orders."""
        return Shown(self, self.pick(names, without), self.order, 0, is_plain=True)


@dataclass(frozen=True)
class Shown:
    """A list as one person sees it."""

    table: Table
    columns: tuple[Column, ...]
    sort: str
    per_page: int
    is_own: bool = False
    is_plain: bool = False

    @property
    def css(self) -> str:
        """Classes of its card. What somebody chose stays, and is moved sideways where there is no room for it."""
        needs = min(2600, 200 * -(-sum(column.width for column in self.columns) // 200))
        return f"is-own needs-{needs}" if self.is_own else ""

    @property
    def part_of(self) -> Callable[[Any], str] | None:
        """The heading above some rows, by one of them; None where the order puts them together by something else."""
        return self.table.part_of if self.sort.lstrip("-") in self.table.parted_by else None

    @property
    def values(self) -> Values:
        """What a file of it says."""
        return {name: value for column in self.columns for name, value in column.values.items()}

    @property
    def choices(self) -> list[tuple[Column, bool]]:
        """What one can choose, and whether it is shown."""
        return [(column, column in self.columns) for column in self.table.choosable]

    @property
    def page_sizes(self) -> list[int]:
        """What one can choose for rows on a page."""
        return sorted({*PAGE_SIZES, self.per_page})

    def load(self, rows: Any) -> Any:
        """The query `rows` with what is shown, and no more."""
        return self.table.load(rows, self.columns)

    def export(self, request: HttpRequest, rows: Any) -> HttpResponseBase | None:
        """A file of all `rows` (a query, or a list) in their order, if the URL asks for one."""
        return export(request, self.table.name, order_rows(rows, self.table.orders, self.sort), self.values)

    def page(
        self,
        request: HttpRequest,
        rows: Any,
        total: int | None = None,
        *,
        keys_first: bool = False,
        ahead: int = 0,
        end: int = DEEPEST,
        keys: Sequence[int] | None = None,
    ) -> Listing:
        """One page of `rows`, see `list_page`."""
        return list_page(
            request,
            rows,
            self.table.orders,
            self.table.order,
            total=total,
            keys_first=keys_first,
            size=self.per_page,
            ahead=ahead,
            end=end,
            keys=keys,
        )

    def as_context(
        self,
        listing: Listing,
        wanted: Wanted,
        *,
        groups: Sequence[tuple[str, Words, int | None]] = (),
        grouped_by: str = "status",
        always: Collection[str] = (),
    ) -> dict[str, Any]:
        """What templates/parts/_list_head.html and _table.html draw.

        `groups` are the parts by state (key, label, number) between which one can switch by the parameter `grouped_by`;
        `always` those that are shown even if nothing is in them.
        """
        names = {name for name, _label, _number in groups}
        group = next((value for value in wanted.values_of(grouped_by) if value in names), "")
        return {
            **listing.as_context(),
            "shown": self,
            "wanted": wanted,
            "is_filtered": not wanted.is_empty,
            "groups": groups,
            "group": group,
            "grouped_by": grouped_by,
            "groups_always": always,
            "chips": [(key, value) for key, value in wanted.chosen if (key, value) != (grouped_by, group)],
        }


# By name, every list that can be made one's own. Each module that declares one puts it in.
TABLES: dict[str, Table] = {}


def declare(table: Table) -> Table:
    """Put a list among those that can be made one's own. ValueError if there is one of that name."""
    if table.name in TABLES:
        raise ValueError(f"There are two lists of {table.name}.")
    TABLES[table.name] = table
    return table


def show(request: HttpRequest, table: Table, choice: Choice, without: Collection[str] = ()) -> Shown:
    """The list as this person wants it: what the URL says goes before what they chose, and that before the setting."""
    asked = request.GET.get("columns", "")
    names: Collection[str] | None = choice.columns
    known = {column.name for column in table.columns}
    if asked:
        listed = known if asked == "all" else known.intersection(asked.split(","))
        names = listed or names
    columns = table.pick(names, without)
    return Shown(
        table,
        columns,
        read_sort(request, table.orders, table.order),
        read_page_size(request, choice.per_page or int(settings.GWM_PAGE_SIZE)),
        is_own=columns != table.pick(None, without),
    )


def answer(
    request: HttpRequest,
    shown: Shown,
    rows: Any,
    template: str,
    nothing: str,
    *,
    groups: Sequence[tuple[str, Words, int | None]] = (),
    more: Callable[[Any], Mapping[str, Any]] = lambda rows: {},
) -> HttpResponseBase:
    """A page of the query `rows` as the URL asks for it, or a file of all that match.

    `nothing` says that none does; `more` gives what else the template draws, from the rows of the page.
    """
    wanted = Wanted.parse(shown.table.language, request.GET)
    matching = shown.load(rows.filter(wanted.asked.condition))
    file = shown.export(request, matching)
    if file is not None:
        return file
    listing = shown.page(request, matching)
    drawn = shown.as_context(listing, wanted, groups=groups) | {"nothing_matches": wanted.explain(nothing)}
    return render(request, template, {**drawn, **more(listing.page.object_list)})
