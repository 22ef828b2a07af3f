"""How each database is told to pick the rows of a list, where it takes the longer way by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    BigIntegerField,
    CharField,
    DateTimeField,
    Expression,
    F,
    FloatField,
    IntegerField,
    QuerySet,
    Transform,
    Value,
)
from django.db.models.expressions import Col
from django.db.models.lookups import Exact, In
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.where import AND, WhereNode


class Listed(Transform):
    """A column by which rows are picked along the index of lists, where SQLite would take an index of this column alone
    and go through the long rows; it does not know how many have a value."""

    lookup_name = "listed"

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *_args: Any, **_kwargs: Any) -> Any:
        """The column."""
        sql, params = compiler.compile(self.get_source_expressions()[0])
        return sql, list(params)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *_args: Any, **_kwargs: Any) -> Any:
        """The column, without its indexes."""
        sql, params = self.as_sql(compiler, connection)
        return f"+{sql}", params


for field in (CharField, DateTimeField, FloatField, IntegerField, BigIntegerField):
    field.register_lookup(Listed)


class OfFew(In):
    """A key among some that a query finds, few of many: these are looked up first. PostgreSQL can't tell from the query
    that they are few, and would go through all rows and ask of each. As with any comparison, there is neither yes nor
    no where there is no key."""

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        """An array, which is made once."""
        key, params = self.process_lhs(compiler, connection)
        few, more = self.process_rhs(compiler, connection)
        return f"{key} = ANY(ARRAY{few})", (*params, *more)


class OfKnown(OfFew):
    """The same of keys that are looked up before, once for all statements that a condition is in: PostgreSQL then knows
    how many rows have them, and takes no way for thousands where there are few. What is `found` can be shared."""

    def __init__(self, lhs: Any, rhs: Any, found: dict[str, list[int]] | None = None) -> None:
        super().__init__(lhs, rhs)
        self._found = {} if found is None else found  # by database; shared with all copies

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        """An array of theirs."""
        key, params = self.process_lhs(compiler, connection)
        if connection.alias not in self._found:
            query, values = self.process_rhs(compiler, connection)
            with connection.cursor() as cursor:
                cursor.execute(query, values)
                self._found[connection.alias] = [each for (each,) in cursor.fetchall()]
        return f"{key} = ANY('{{{','.join(map(str, self._found[connection.alias]))}}}')", params


class Few:
    """A condition that few of many rows meet, which are looked up: the database begins with them."""

    def tested(self) -> Expression:
        """The same as a test of each row, in whatever order they come by."""
        raise NotImplementedError


def begins_with_few(where: WhereNode) -> bool:
    """Whether all rows that a query is about are `Few`."""
    if where.connector != AND or where.negated:
        return False
    return any(
        begins_with_few(child)
        if isinstance(child, WhereNode)
        else isinstance(child, Expression) and any(isinstance(each, Few) for each in child.flatten())
        for child in where.children
    )


class Known(Value):
    """A value for which PostgreSQL plans: it is part of the statement, quoted by the driver. A plan that is kept for
    any value takes what is rare for as common as the others, or the other way round."""

    def as_postgresql(self, _compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        """The value, whose marks are none of the statement's."""
        connection.ensure_connection()  # how it is quoted depends on it
        operations: Any = connection.ops
        return operations.compose_sql("%s", [self.value]).replace("%", "%%"), []


class Unforeseen:
    """A condition of which PostgreSQL can't tell how many rows meet it, nor where in an order they stand: the sample
    that it keeps says little about rare words, and another thing each time that it is taken."""


def find_first(rows: QuerySet[Any]) -> QuerySet[Any]:
    """`rows`, which are few, for a page of them: where they are unforeseen, PostgreSQL is made to find all of them and
    then sort them. Told of a page alone it may go along the order instead, past all others, until enough have come by.
    It sees what is `OfFew` on that way, and SQLite does not guess."""
    if connections[rows.db].vendor != "postgresql":
        return rows
    kinds = [kind for kind in (Unforeseen, OfFew) if any(isinstance(each, kind) for each in _parts(rows.query.where))]
    if kinds != [Unforeseen]:
        return rows
    return unfiltered(rows).filter(OfFew(F("pk"), rows.order_by().values("pk")))


def one_by_one(rows: QuerySet[Any]) -> QuerySet[Any]:
    """`rows`, each of which is tested for what all would be looked up by: for few of them that are found by something
    else, and for a page of many, which stand close to each other in its order. To look up all others takes longer."""
    found, tests = rows.all(), {each: each.tested() for each in _parts(rows.query.where) if isinstance(each, Few)}
    found.query.where = rows.query.where.replace_expressions(tests)
    return found


def by_keys_alone(rows: QuerySet[Any]) -> QuerySet[Any]:
    """`rows`, which are few and known by their keys: what else is asked of them is tested. SQLite would begin with an
    index of that, of which it does not know how many rows it tells."""
    found, parts = rows.all(), list(_parts(rows.query.where))
    asked = {each: Exact(Listed(each.lhs), each.rhs) for each in parts if type(each) is Exact and _is_column(each.lhs)}
    found.query.where = rows.query.where.replace_expressions(asked)
    return found


def _is_column(expression: Any) -> bool:
    return isinstance(expression, Col) and isinstance(expression.output_field, CharField)


def unfiltered(rows: QuerySet[Any]) -> QuerySet[Any]:
    """All rows, with what is read of `rows` and in their order."""
    every = rows.all()
    every.query.where = WhereNode()
    return every


def _parts(where: Any) -> Iterator[Any]:
    if isinstance(where, WhereNode):
        for child in where.children:
            yield from _parts(child)
    elif isinstance(where, Expression):  # and no word of Django's own that there are no such rows
        yield from where.flatten()
