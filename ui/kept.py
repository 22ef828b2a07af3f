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


class _Written(NamedTuple):
    connection: Any
    compiler: Any
    sql: str
    params: tuple[Any, ...]
    converters: dict[int, Any]


class Kept:
    """What is `asked` of the rows of a model: a query of tuples. It may filter them by columns, and cut them off."""

    def __init__(self, model: type[Model], asked: Callable[[QuerySet[Any]], QuerySet[Any, Any]]) -> None:
        self.model = model
        self._asked = asked
        self._kept = local()  # a connection belongs to a thread, and what is written to it

    def read(self, which: Condition | None = None, **given: Any) -> list[Any]:
        """What is asked of all rows, or of those `which` meet a condition."""
        written = self._write(is_sifted=which is not None)
        with written.connection.cursor() as cursor:
            cursor.execute(*_filled(written, which, given))
            rows = cursor.fetchall()
        if not written.converters:
            return list(rows)
        return list(map(tuple, written.compiler.apply_converters(rows, written.converters)))

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
            converters = compiler.get_converters([each[0] for each in compiler.select])
            written = _Written(connection, compiler, sql, tuple(params), converters)
            setattr(self._kept, name, written)
        return written


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
