"""How each database is told to pick the rows of a list, where it takes the longer way by itself."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigIntegerField, CharField, FloatField, IntegerField, Transform
from django.db.models.lookups import In
from django.db.models.sql.compiler import SQLCompiler


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


for field in (CharField, FloatField, IntegerField, BigIntegerField):
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
