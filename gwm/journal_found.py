"""Which events a page of the journal shows, found with the index that has them in its order."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Q, QuerySet

from gwm.journal_list import FOUND, JOURNAL_TABLE, LAST, LAST_IN, OVERTAKEN, in_cluster
from gwm.journal_search import Part, find_few, find_first_keys, find_parts, gives_first
from objectlog.models import Event
from permissions.policy import among
from ui.filtering import Wanted
from ui.listed import begins_with_few, by_keys_alone, unfiltered
from ui.listing import order_rows
from ui.tables import Shown


def only_last(events: QuerySet[Any], steps: str, sort: str, entry: str = "") -> QuerySet[Any]:
    """Of each operation the last event, or every one; by an index where the order has it."""
    if entry:
        try:
            return events.filter(entry_uuid=UUID(entry))
        except ValueError:
            return events.none()
    if steps:
        return events
    return events.filter(LAST if sort.lstrip("-") in LAST_IN else Q(is_overtaken=False))


# So many of all are looked at one by one.
MOST_WALKED = 12_000


@dataclass(frozen=True)
class Found:
    """Events that match, the first of them at least; `as_far_as`: the moment beyond which none was looked at; `keys`:
    those of what is found, in its order, if they are known."""

    rows: QuerySet[Any]
    as_far_as: datetime | None = None
    keys: list[int] | None = None


# For each that is wanted so many are gone past where somebody may read some of all, before these are looked up; and so
# many for all. If one in so many was theirs, it takes less to go on than to look up all of theirs. For a page that
# can't be found so, it is only asked of so many how close they stand.
NEAR_EACH, MOST_NEAR, DENSE, SAMPLE = 100, 20_000, 20, 4000
# Where they do not stand close, it is reckoned how far they reach, with room for where they stand wider apart.
ROOM = 2.5


def is_page_of_all(wanted: Wanted, shown: Shown) -> bool:
    """Whether nothing is asked for, by time: what `find_near` and `find_by_ways` are for."""
    return wanted.is_empty and is_by_time(shown)


def is_by_time(shown: Shown) -> bool:
    """Whether the newest, or the oldest, are shown first."""
    return shown.sort.lstrip("-") in JOURNAL_TABLE.parted_by


@dataclass(frozen=True)
class Sparse:
    """That what somebody may read stands so far apart that it is not found by going past all others; `end`: as far as
    which there may be enough of it, None where that is as far as there is anything."""

    end: datetime | None = None


@dataclass(frozen=True)
class Look:
    """How close what somebody may read stood when it was looked: `found` of them before `key`, after `passed`."""

    key: int
    passed: int
    found: int
    at: float = field(default_factory=time.monotonic)

    def reach(self, sort: str, most: int) -> datetime | None:
        """As far as which there may be so many, None where that is as far as there is anything."""
        return _reckon_end(sort, self.key, self.passed, ROOM * most / max(1, self.found))


# Whoever turns page after page is not looked at anew for each. It is a hint: what it misses is found all the same.
_looks: dict[tuple[int, str, bool], Look] = {}
_LOOK_LASTS_S, _MOST_LOOKS = 60.0, 500


def find_near(events: QuerySet[Any], shown: Shown, steps: str, most: int, reader: int) -> Found | Sparse:
    """The first so many of what a `reader` (by key) may read, where they stand close to the beginning: to find that out
    takes less than to look all of it up."""
    who = (reader, shown.sort, bool(steps))
    known = _looks.get(who) if most * DENSE > MOST_NEAR else None
    if known is not None and time.monotonic() - known.at < _LOOK_LASTS_S:
        return Sparse(known.reach(shown.sort, most))
    passed = order_rows(only_last(Event.objects.all(), steps, shown.sort), JOURNAL_TABLE.orders, shown.sort)
    gone_past = min(most * NEAR_EACH, MOST_NEAR) if most * DENSE <= MOST_NEAR else SAMPLE
    end = passed.values_list("at", "pk")[gone_past:].first()
    near = events if end is None else events.filter(_not_beyond(end[0], shown.sort))
    keys = _first_keys(only_last(near, steps, shown.sort), [Q()], shown.sort, most)
    if end is not None and len(keys) < most:
        if len(keys) * DENSE < gone_past:
            look = Look(end[1], gone_past, len(keys))
            if len(_looks) >= _MOST_LOOKS:
                _looks.clear()
            _looks[who] = look
            return Sparse(look.reach(shown.sort, most))
        keys = _first_keys(only_last(events, steps, shown.sort), [Q()], shown.sort, most)
    return _by_keys(events, keys)


def _reckon_end(sort: str, key: int, passed: int, times: float) -> datetime | None:
    """About when so many times as many had happened as up to that key, before which so many were passed; None if there
    are no more. To count them takes longer than all else: the keys tell, which are nearly in the order of time."""
    first, side, beyond = ("-pk", -1, "pk__lte") if sort.startswith("-") else ("pk", 1, "pk__gte")
    start = Event.objects.order_by(first).values_list("pk", flat=True)[0]
    far = int(times * max(passed, abs(key - start)))
    rows = Event.objects.filter(**{beyond: start + side * far}).order_by(first)
    end: datetime | None = rows.values_list("at", flat=True).first()
    return end


def find_by_ways(
    events: QuerySet[Any], ways: list[Q], shown: Shown, steps: str, most: int, end: datetime | None = None
) -> Found:
    """The first so many of what somebody may read for one of these reasons, as far as `end` if they are enough. All of
    each are put in order, as an index tells them: for what `find_near` does not find."""
    keys = _first_by_ways(ways, _not_beyond(end, shown.sort), shown, steps, most) if end is not None else []
    if len(keys) < most:
        keys = _first_by_ways(ways, Q(), shown, steps, most)
    return _by_keys(events, keys)


def _first_by_ways(ways: list[Q], limit: Q, shown: Shown, steps: str, most: int) -> list[int]:
    rows = [only_last(Event.objects.filter(way, limit), steps, shown.sort) for way in ways]
    return _first_of(rows, shown.sort, most)


# Of so many of all it is looked which ones somebody may read, and of so many that an index tells of what was asked for:
# there that takes longer, for it does not stand in the index.
MOST_PASSED, MOST_FETCHED = 6000, 2000


def find_asked_near(events: QuerySet[Any], wanted: Wanted, shown: Shown, steps: str, most: int) -> Found | None:
    """Those that match among so many of all that come first, in whatever order they are shown: for who may read some of
    all, and for what no index has in the order that is asked for. In an order that is not of time it is the newest that
    are looked at. None if words were asked for that few events have, which are looked up."""
    if any(find_few(parts) is not None for parts in find_parts(wanted)):
        return None
    sort = shown.sort if is_by_time(shown) else "-when"
    lasts = (LAST, OVERTAKEN) if steps else (LAST,)
    end, its_end = _find_end_of([Event.objects.filter(last) for last in lasts], sort, MOST_PASSED), None
    key = _key_of(wanted)
    told = [] if key is None else [Event.objects.filter(way) for way in _ways_of(wanted, key, steps)]
    if told and end is not None:
        its_end = _find_end_of(told, sort, MOST_FETCHED // len(told))
    if told and end is not None and (its_end is None or (its_end < end) == sort.startswith("-")):
        end, keys, rows = its_end, _keys_as_far_as(its_end, sort, told), events
    else:
        mine = [events.filter(last) for last in lasts]
        keys, rows = _keys_as_far_as(end, sort, mine), unfiltered(events)
    rows = only_last(rows.filter(among(keys), wanted.asked.condition), steps, "")
    return replace(_by_keys(events, _first_keys(by_keys_alone(rows), [Q()], shown.sort, most)), as_far_as=end)


def _keys_as_far_as(end: datetime | None, sort: str, every: list[QuerySet[Any]]) -> set[int]:
    limit = Q() if end is None else _not_beyond(end, sort)
    return {pk for rows in every for (pk,) in rows.filter(limit).order_by().values_list("pk")}


def find_among(few: QuerySet[Any], sort: str, most: int) -> Found:
    """The first so many of few, which are looked up."""
    return _by_keys(few, _first_keys(by_keys_alone(few), [Q()], sort, most))


def find_events(
    events: QuerySet[Any],
    wanted: Wanted,
    shown: Shown,
    steps: str,
    most: int,
    *,
    most_walked: int | None = MOST_WALKED,
) -> Found:
    """Of those that match the first so many, and perhaps more. By time they are found with an index that has what was
    asked for in the order of time, one for each way in which it may be met: no database does so for several. Before
    that, words that few events have are looked up, in whatever order they are shown.

    For what no index knows events are looked at one after the other: of all of them the `most_walked` that come first.
    """
    by_time = is_by_time(shown)
    every = find_parts(wanted)
    parts = next(iter(every), ())
    for each in every:
        if (few := find_few(each)) is None:
            continue
        parts = each
        rows = only_last(events.filter(wanted.asked.condition), steps, "")
        if not by_time:
            return Found(rows.filter(reduce(or_, _besides(parts), few)))
        ways = [rows.filter(way) for way in (few, *_besides(parts))]
        return _by_keys(events, _first_of(ways, shown.sort, most))
    if not by_time:
        return Found(only_last(events.filter(wanted.asked.condition), steps, shown.sort))
    end = None
    if most_walked is not None and _walks(wanted, parts) and not events.query.where:
        end = _find_end(wanted, shown.sort, steps, most_walked)
    if end is not None:
        events = events.filter(_not_beyond(end, shown.sort))
    return replace(_find_by_time(events, wanted, shown, steps, most, parts), as_far_as=end)


def _find_by_time(
    events: QuerySet[Any], wanted: Wanted, shown: Shown, steps: str, most: int, parts: tuple[Part, ...]
) -> Found:
    key = _key_of(wanted)
    if key is not None:
        rows = events.filter(wanted.without(key).asked.condition)
        rows = rows if key == "outcome" else only_last(rows, steps, "")
        ways = [rows.filter(way) for way in _ways_of(wanted, key, steps)]
        return _by_keys(events, _first_of(ways, shown.sort, most))
    if parts and not events.query.where:
        # PostgreSQL knows how common a word is in texts, but not in events, and would put all that have it in order.
        rows = only_last(events.filter(wanted.asked.condition), steps, "")
        near = _order(only_last(events, steps, shown.sort), shown.sort).values("pk")[: max(_NEAR, 2 * most)]
        keys = _first_keys(rows, [Q(pk__in=near)], shown.sort, most)
        if len(keys) == most:
            return _by_keys(events, keys)
        if gives_first(events):
            keys = find_first_keys(rows, parts, most, upwards=not shown.sort.startswith("-"))
            keys += _first_keys(rows, _besides(parts), shown.sort, most)
            return Found(events.filter(among(keys)))
    rows = only_last(events.filter(wanted.asked.condition), steps, shown.sort)
    if parts and not (events.query.where or _walks(wanted, parts)):
        return Found(rows)
    # To count what one may see of all, in no order, takes databases longer than to find the first of it; what is looked
    # for one by one is looked for once; and of what goes before a page only keys are read.
    return _by_keys(events, _first_keys(rows, [Q()], shown.sort, most))


def _by_keys(events: QuerySet[Any], keys: list[int]) -> Found:
    """What was looked for is found."""
    return Found(unfiltered(events).filter(among(keys)), keys=keys)


def _not_beyond(end: datetime, sort: str) -> Q:
    return Q(at__gte=end) if sort.startswith("-") else Q(at__lte=end)


# So many are looked at before an index is asked for what has come by in nearly all of them.
_NEAR = 2000


def _key_of(wanted: Wanted) -> str | None:
    """What was asked for that an index has in the order of time."""
    return next((key for key in FOUND if len(wanted.values_of(key)) == 1), None)


def _walks(wanted: Wanted, parts: tuple[Part, ...]) -> bool:
    """Whether something was asked for that no index knows."""
    known = {"since", *(FOUND if _key_of(wanted) is not None else ())}
    others = [term for term in wanted.terms if term.negated or wanted.language.key_of(term.key) not in known]
    return len(others) > len(parts)


def _ways_of(wanted: Wanted, key: str, steps: str) -> list[Q]:
    """How what was asked for by this key may be met."""
    ways = FOUND[key](wanted.values_of(key)[0])
    if key != "outcome":
        return ways
    # Whether it is overtaken stands in this index alone.
    return [way & last for way in ways for last in ((LAST, OVERTAKEN) if steps else (LAST,))]


def _find_end(wanted: Wanted, sort: str, steps: str, most: int) -> datetime | None:
    """When the last of so many events happened that are looked at one by one; None if there are no more than that."""
    key = _key_of(wanted)
    ways = [Q()] if key is None else _ways_of(wanted, key, steps)
    return _find_end_of([Event.objects.filter(way) for way in ways], sort, most)


def _find_end_of(passed: list[QuerySet[Any]], sort: str, most: int) -> datetime | None:
    every = (_order(rows, sort).values_list("at", flat=True) for rows in passed)
    ends = [at for moments in every for at in moments[most:][:1]]
    return (max if sort.startswith("-") else min)(ends, default=None)


def _first_keys(rows: QuerySet[Any], ways: list[Q], sort: str, most: int) -> list[int]:
    return [pk for way in ways for pk in _order(rows.filter(way), sort).values_list("pk", flat=True)[:most]]


def _first_of(every: list[QuerySet[Any]], sort: str, most: int) -> list[int]:
    """The keys of the first so many by time of all these rows, in their order. Of each the first are taken, with its
    own index, and then of these. What is among two of them counts once; nothing is among more."""
    side = "DESC" if sort.startswith("-") else "ASC"
    parts: list[str] = []
    values: list[Any] = []
    for rows in every:
        # What is looked up stands in an index by its keys. Told of the order, databases take one that has the order.
        asked = rows.order_by()[:_ALL] if begins_with_few(rows.query.where) else _order(rows, sort)[:most]
        with suppress(EmptyResultSet):
            sql, params = asked.values_list("id", "at").query.get_compiler(connection=connection).as_sql()
            # SQLite takes no parentheses around a part of a UNION.
            parts.append(f"SELECT * FROM ({sql}) AS way{len(parts)}")  # noqa: S608 - of Django
            values += params
    if not parts:
        return []
    # To have the database leave out what is there twice takes it as long as all the rest.
    first = f"ORDER BY at {side}, id {side} LIMIT {2 * most}"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM ({' UNION ALL '.join(parts)}) AS found {first}", values)  # noqa: S608
        return list(dict.fromkeys(key for (key,) in cursor.fetchall()))[:most]


# More than there are: a limit keeps databases from carrying an order into what it is of.
_ALL = 2**62


def _order(rows: QuerySet[Any], sort: str) -> QuerySet[Any]:
    ordered: QuerySet[Any] = order_rows(rows, JOURNAL_TABLE.orders, sort)
    return ordered


def _besides(parts: tuple[Part, ...]) -> list[Q]:
    """How what has not these parts may match, too: a name may be that of a cluster."""
    return [in_cluster(part.word) for part in parts if part.column == "target_name"]
