"""A condition in SQL that is tested on each row."""

from collections.abc import Collection
from typing import Any

from django.db import connection
from django.db.models import BooleanField, Expression, F, Q

from ui.listed import Few

# In its text: the column of the row that is tested.
ROW = "<row>"
# How many keys that come as one value are listed, and what is around them in it.
KEYS_LISTED = {"sqlite": "SELECT value FROM json_each(%s)", "postgresql": "SELECT unnest(%s::bigint[])"}
_AROUND_KEYS = {"sqlite": ("[", "]"), "postgresql": ("{", "}")}


class RowTest(Expression):
    """A condition in SQL on one column of a row, by whatever name a query knows its table."""

    conditional = True

    def __init__(self, column: str, sql: str, params: tuple[Any, ...] = ()) -> None:
        super().__init__(output_field=BooleanField())
        self.column: Any = F(column)
        self.sql, self.params = sql, params

    def get_source_expressions(self) -> list[Any]:
        """The column."""
        return [self.column]

    def set_source_expressions(self, exprs: Any) -> None:
        """The column, as a query knows it."""
        (self.column,) = exprs

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """The text with the column in its place."""
        del connection
        column, _params = compiler.compile(self.column)
        return self.sql.replace(ROW, column), self.params


class LookedUp(Few, RowTest):
    """That the column is among keys which a statement lists."""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """The list, with which a database begins."""
        del connection
        column, _params = compiler.compile(self.column)
        return is_one_of(column, self.sql), self.params

    def tested(self) -> RowTest:
        """The same as a test of each row."""
        test = RowTest("pk", f"({ROW} IN ({self.sql})) IS TRUE", self.params)
        test.column = self.column
        return test


def among(keys: Collection[int]) -> Q:
    """Rows by their keys, with which to begin. As one value: Django takes a millisecond for two hundred parameters."""
    listed = KEYS_LISTED.get(connection.vendor)
    if listed is None or not keys:
        return Q(pk__in=keys)
    first, last = _AROUND_KEYS[connection.vendor]
    return Q(LookedUp("pk", listed, (f"{first}{','.join(map(str, keys))}{last}",)))


def is_one_of(column: str, keys: str) -> str:
    """SQL: the column is among these keys, with which to begin.

    PostgreSQL is given an array: of a list it makes one more table to join, and thinks longer about that than it takes.
    """
    return f"{column} = ANY (ARRAY({keys}))" if connection.vendor == "postgresql" else f"{column} IN ({keys})"
