"""Words inside what events say, and inside the names of what they are about, found by an index of their letters.

What it finds is asked of the event once more, so it only has to find no less. Where there is none (see
operations.triggers), and for words of one or two letters, events are looked at one after the other.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Upper

from gwm.journal_triggers import EVENTS, PARTS
from objectlog.models import Event, EventText
from operations.triggers import are_there
from ui import trigrams
from ui.filtering import Wanted
from ui.listed import Known, OfFew

# Events with some words that are no more than these are looked up by their keys.
FEW, FEW_ON_POSTGRESQL = 2000, 12_000
# So many more are read than are wanted: the more, the fewer are left that happened before their turn.
_BEFORE_THEIR_TURN = 1000
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


def find_parts(wanted: Wanted) -> list[tuple[Part, ...]]:
    """What of all that was asked for an index tells: words; and the name of what it is about."""
    language = wanted.language
    words = [each for each in wanted.terms if not each.negated and language.key_of(each.key) not in language.keys]
    said = [Part("said", f"{each.key}{each.operator}{each.value}") for each in words]
    names = [Part("target_name", name) for name in wanted.values_of("what")]
    every = [tuple(part for part in parts if part.is_indexed) for parts in (said, names[:1])]
    return [parts for parts in every if parts] if are_there(connection) else []


def find_few(parts: tuple[Part, ...]) -> Q | None:
    """The condition that events are those with these parts, if they are so few that they are looked up. What PostgreSQL
    thinks of how many there are is right enough for that; SQLite counts, and no further."""
    if connection.vendor != "sqlite":
        texts = _texts_with(parts)
        [(plan,)] = _explain(texts)
        return Q(OfFew(F("pk"), texts)) if plan[0]["Plan"]["Plan Rows"] <= FEW_ON_POSTGRESQL else None
    keys = list(_joined(Event.objects.order_by(), parts).values_list("pk", flat=True)[: FEW + 1])
    return Q(pk__in=keys) if len(keys) <= FEW else None


def gives_first(events: QuerySet[Any]) -> bool:
    """Whether the index gives the first of many events that have some parts: SQLite's does so by key. Of a part of all
    it would go past too many others."""
    return connection.vendor == "sqlite" and not events.query.where


def find_first_keys(rows: QuerySet[Any], parts: tuple[Part, ...], most: int, *, upwards: bool) -> list[int]:
    """The keys of the newest (`upwards`: the oldest) among `rows` that have these parts, where the index gives them. It
    does so by key; those that happened before their turn are looked for in the time that the others take."""
    key = RawSQL(f"{PARTS}.rowid", ())  # noqa: S611 - a name of ours
    there = _joined(rows, parts).order_by(key.asc() if upwards else key.desc())
    enough = most + min(2 * most, _BEFORE_THEIR_TURN)
    found = list(there.values_list("at", "pk")[:enough])
    if len(found) == enough:
        end = found[-1][1]
        at, _key = sorted(found, reverse=not upwards)[most - 1]
        side = {"at__lte": at, "pk__listed__gt": end} if upwards else {"at__gte": at, "pk__listed__lt": end}
        found += rows.order_by().filter(**side).values_list("at", "pk")
    return [pk for _at, pk in sorted(found, reverse=not upwards)[:most]]


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
