"""Queries that page after page asks. To work out what one says in SQL takes Django several times as long as a database
takes to answer it: that is done once. What differs from time to time are values, and which rows it goes by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import local
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import BooleanField, Expression, Field, Model, QuerySet

# A condition in SQL on the columns of a table by its own name, and the values in it.
Condition = tuple[str, Sequence[Any]]
_HERE = "<rows>"


class Given(Expression):
    """A value that is known when a kept query is asked, under a name."""

    def __init__(self, name: str, output_field: Field[Any, Any]) -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Its place."""
        del compiler, connection
        return "%s", (self,)


class _Sifted(Expression):
    """Where the condition comes by which rows are sifted."""

    conditional = True

    def __init__(self) -> None:
        super().__init__(output_field=BooleanField())

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Its place."""
        del compiler, connection
        return _HERE, (self,)


class Beside(NamedTuple):
    """Another table, or a query in its place, of whose rows something is told beside those of a kept query.

    All in SQL: its column `key` is what the kept one calls `to`; `columns` are told, with `values` in them; for the
    `order` of all, `kept` is the name of the query.
    """

    table: Condition
    key: str
    to: str
    columns: str
    values: Sequence[Any]
    order: str


class _Written(NamedTuple):
    connection: Any
    compiler: Any
    sql: str
    params: tuple[Any, ...]
    converters: dict[int, Any]


class Kept:
    """What is `asked` of the rows of a model: a query of tuples. It may filter them by columns, and cut them off.

    Rows that are sifted by their keys are found `along` an index that has all that is asked; SQLite would read them.
    """

    def __init__(
        self, model: type[Model], asked: Callable[[QuerySet[Any]], QuerySet[Any, Any]], *, along: str = ""
    ) -> None:
        self.model = model
        self._along = along
        self._asked = asked
        self._kept = local()  # a connection belongs to a thread, and what is written to it

    def read(self, which: Condition | None = None, **given: Any) -> list[Any]:
        """What is asked of all rows, or of those `which` meet a condition."""
        written = self._write(is_sifted=which is not None)
        return _read(written, *_filled(written, which, given))

    def read_with(self, beside: Beside, which: Condition | None = None, **given: Any) -> list[Any]:
        """The same rows, each as often as there are some `beside` it, or once with nothing there."""
        written = self._write(is_sifted=which is not None)
        sql, params = _filled(written, which, given)
        table, values = beside.table
        joined = f"({sql}) AS kept LEFT JOIN {table} ON {beside.key} = kept.{beside.to}"
        told = f"SELECT kept.*, {beside.columns} FROM {joined} ORDER BY {beside.order}"  # noqa: S608
        return _read(written, told, (*beside.values, *params, *values))

    def statement(self, which: Condition | None = None, **given: Any) -> tuple[str, list[Any]]:
        """The same in SQL, as a part of something larger."""
        return _filled(self._write(is_sifted=which is not None), which, given)

    def _write(self, *, is_sifted: bool) -> _Written:
        connection, name = connections[DEFAULT_DB_ALIAS], "sifted" if is_sifted else "whole"
        written: _Written | None = getattr(self._kept, name, None)
        if written is None or written.connection is not connection:
            rows = self.model._default_manager.all()
            query = self._asked(rows.filter(_Sifted()) if is_sifted else rows).query
            compiler = query.get_compiler(connection=connection)
            sql, params = compiler.as_sql()
            if is_sifted and self._along and connection.vendor == "sqlite":
                table = connection.ops.quote_name(self.model._meta.db_table)
                sql = sql.replace(f"FROM {table}", f"FROM {table} INDEXED BY {self._along}", 1)
            converters = compiler.get_converters([each[0] for each in compiler.select])
            written = _Written(connection, compiler, sql, tuple(params), converters)
            setattr(self._kept, name, written)
        return written


def _read(written: _Written, sql: str, params: Sequence[Any]) -> list[Any]:
    with written.connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows = cursor.fetchall()
    if not written.converters:
        return list(rows)
    return list(map(tuple, written.compiler.apply_converters(rows, written.converters)))


def _filled(written: _Written, which: Condition | None, given: dict[str, Any]) -> tuple[str, list[Any]]:
    params: list[Any] = []
    for value in written.params:
        if isinstance(value, Given):
            params.append(value.output_field.get_db_prep_value(given[value.name], written.connection))
        elif isinstance(value, _Sifted):
            params += which[1] if which is not None else ()
        else:
            params.append(value)
    return written.sql.replace(_HERE, which[0]) if which is not None else written.sql, params
