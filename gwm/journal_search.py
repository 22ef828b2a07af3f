"""Words inside what events say, and inside the names of what they are about, found by an index of their letters.

What it finds is asked of the event once more, so it only has to find no less. Where there is none (see
operations.triggers), and for words of one or two letters, events are looked at one after the other.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, F, Func, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Upper
from django.db.models.sql.compiler import SQLCompiler

from gwm.journal_triggers import EVENTS, PARTS
from objectlog.models import Event, EventText
from operations.triggers import are_there
from ui import trigrams
from ui.filtering import Wanted
from ui.listed import Known

# Events with some words that are no more than these are looked up by their keys.
FEW, FEW_ON_POSTGRESQL = 2000, 12_000
_CAPITALS = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)


@dataclass(frozen=True)
class Part:
    """A word in one of the columns that are searched."""

    column: str
    word: str

    @property
    def is_indexed(self) -> bool:
        """Whether the index can tell where it is."""
        return trigrams.SHORTEST <= len(self.word) <= trigrams.LONGEST and not trigrams.has_no_text(self.word)


def find_parts(wanted: Wanted) -> tuple[Part, ...]:
    """What of all that was asked for an index tells: words; if there is none, the name of what it is about."""
    language = wanted.language
    words = [each for each in wanted.terms if not each.negated and language.key_of(each.key) not in language.keys]
    said = [Part("said", f"{each.key}{each.operator}{each.value}") for each in words]
    names = [Part("target_name", name) for name in wanted.values_of("what")]
    indexed = [part for part in said if part.is_indexed] or [part for part in names[:1] if part.is_indexed]
    return tuple(indexed) if are_there(connection) else ()


class Has(Func):
    """Condition: the index says that an event has these parts. What it finds is looked up."""

    output_field = BooleanField()

    def __init__(self, parts: tuple[Part, ...]) -> None:
        super().__init__(F("pk"))
        self.parts = parts

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *_args: Any, **_kwargs: Any) -> Any:
        """Among the rows of the index."""
        found = f"SELECT rowid FROM {PARTS} WHERE {PARTS} MATCH %s"  # noqa: S608
        return f"{self._compile_key(compiler)} IN ({found})", [_match(self.parts)]

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *_args: Any, **_kwargs: Any) -> Any:
        """Among the keys of texts, in an array: see `ui.listed.OfFew`."""
        found, params = _texts_with(self.parts).query.get_compiler(connection=connection).as_sql()
        return f"{self._compile_key(compiler)} = ANY (ARRAY({found}))", params

    def _compile_key(self, compiler: SQLCompiler) -> str:
        return str(compiler.compile(self.get_source_expressions()[0])[0])


def are_few(parts: tuple[Part, ...]) -> bool:
    """Whether so few events have these parts that they are looked up. What PostgreSQL thinks of how many there are is
    right enough for that; SQLite counts, and no further."""
    if connection.vendor != "sqlite":
        [(plan,)] = _explain(_texts_with(parts))
        return bool(plan[0]["Plan"]["Plan Rows"] <= FEW_ON_POSTGRESQL)
    return _joined(Event.objects.order_by(), parts)[: FEW + 1].count() <= FEW


def gives_first(events: QuerySet[Any]) -> bool:
    """Whether the index gives the first of many events that have some parts: SQLite's does so by key. Of a part of all
    it would go past too many others."""
    return connection.vendor == "sqlite" and not events.query.where


def find_first_keys(rows: QuerySet[Any], parts: tuple[Part, ...], most: int, *, upwards: bool) -> list[int]:
    """The keys of the newest (`upwards`: the oldest) among `rows` that have these parts, where the index gives them;
    whether keys are in the order in which events happened is looked up."""
    key = RawSQL(f"{PARTS}.rowid", ())  # noqa: S611 - a name of ours
    there = _joined(rows, parts).order_by(key.asc() if upwards else key.desc()).values_list("pk", "at")
    take = most
    while True:
        found = list(there[:take])
        first = sorted(found, key=lambda each: (each[1], each[0]), reverse=not upwards)[:most]
        if len(found) < take or not _is_any_beyond(found[-1][0], first[-1][1], upwards=upwards):
            return [pk for pk, _at in first]
        take *= 8


def _is_any_beyond(key: int, at: datetime, *, upwards: bool) -> bool:
    """Whether one comes after this key that happened before its turn."""
    side = {"at__lte": at, "pk__listed__gt": key} if upwards else {"at__gte": at, "pk__listed__lt": key}
    return Event.objects.order_by().filter(**side).exists()


def _joined(rows: QuerySet[Any], parts: tuple[Part, ...]) -> QuerySet[Any]:
    """`rows` joined to what the index finds, with which SQLite begins."""
    where = [f"{PARTS}.rowid = {EVENTS}.id", f"{PARTS} MATCH %s"]
    return rows.extra(tables=[PARTS], where=where, params=[_match(parts)])  # noqa: S610


def _match(parts: tuple[Part, ...]) -> str:
    """What FTS5 is asked for. SQLite makes capitals of no other letters."""
    each = (f"{{{part.column}}} : {trigrams.as_phrase(part.word.translate(_CAPITALS))}" for part in parts)
    return " AND ".join(each)


def _texts_with(parts: tuple[Part, ...]) -> QuerySet[Any]:
    """On PostgreSQL the keys of texts that have these parts, planned for just them."""
    there = EventText.objects.order_by()
    for part in parts:
        there = there.filter(**{f"{part.column}__contains": Upper(Known(part.word))})
    return there.values_list("pk")


def _explain(rows: QuerySet[Any]) -> Any:
    """How PostgreSQL would find them."""
    sql, params = rows.query.get_compiler(connection=connection).as_sql()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        return cursor.fetchall()
