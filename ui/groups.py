"""Orders by the words of something else that many rows share, as machines share a node.

To sort all rows would take longest of all that a list does. But rows of the same words stand together: once it is known
how many there are of each, only those are sorted that a page is among.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import Count, F, Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.db.models.lookups import In, IsNull

from ui.listed import Listed


@dataclass(frozen=True)
class Through:
    """The order by the first of `names` that there is in what the foreign key `field` leads to."""

    field: str
    names: tuple[str, ...]

    def __init__(self, field: str, *names: str) -> None:
        object.__setattr__(self, "field", field)
        object.__setattr__(self, "names", names)

    @property
    def expression(self) -> Any:
        """The words, of a row."""
        return _first_of([f"{self.field}__{name}" for name in self.names])

    def words(self, model: type[Any]) -> tuple[str, tuple[Any, ...]]:
        """SQL: the keys of all that rows of `model` can lead to, and their words."""
        related = model._meta.get_field(self.field).related_model
        words = related._base_manager.order_by().annotate(words=_first_of(self.names)).values_list("pk", "words")
        sql, params = words.query.sql_with_params()
        return sql, params


def _first_of(paths: Sequence[str]) -> Combinable:
    return Coalesce(*paths) if len(paths) > 1 else F(*paths)


def cut_to_groups(rows: QuerySet[Any], through: Through, first: int, last: int) -> QuerySet[Any]:
    """The rows from place `first` to before `last` of `rows`, which are in the order `through`, up or down. One query
    tells of which groups they are."""
    [order, *others] = rows.query.order_by
    groups = _groups_at(rows, through, first, last, "DESC" if getattr(order, "descending", False) else "ASC")
    if not groups:
        return rows.none()
    before = min(group.begin for group in groups)
    if len({group.begin for group in groups}) > 1:
        others = [order, *others]
    if sum(group.number for group in groups) < groups[0].total:
        rows = rows.filter(_is_among(through.field, [group.key for group in groups]))
    return rows.order_by(*others)[first - before : last - before]


def _is_among(field: str, keys: Sequence[Any]) -> Q:
    key = Listed(F(field))
    among = Q(In(key, [each for each in keys if each is not None]))
    return among | Q(IsNull(key, True)) if None in keys else among


class _Group(NamedTuple):
    """The rows with one key: how many, of how many in all, and at which place those with its words begin."""

    key: Any
    number: int
    total: int
    begin: int


def _groups_at(rows: QuerySet[Any], through: Through, first: int, last: int, direction: str) -> list[_Group]:
    """Those whose words the rows from place `first` to before `last` have."""
    by_key = rows.order_by().values(key=F(through.field)).annotate(number=Count("*"))
    sizes, params = by_key.query.sql_with_params()
    words, more = through.words(rows.model)
    every = (
        f"SELECT sizes.key, number, SUM(number) OVER () AS total, "  # noqa: S608
        f"SUM(number) OVER (PARTITION BY words) AS alike, SUM(number) OVER (ORDER BY words {direction}) AS upto "
        f"FROM ({sizes}) AS sizes LEFT JOIN ({words}) AS there ON there.pk = sizes.key"
    )
    found = f"SELECT key, number, total, upto - alike FROM ({every}) AS every WHERE upto > %s AND upto - alike < %s"  # noqa: S608
    with connections[rows.db].cursor() as cursor:
        cursor.execute(found, (*params, *more, first, last))
        return [_Group(key, *map(int, numbers)) for key, *numbers in cursor.fetchall()]
