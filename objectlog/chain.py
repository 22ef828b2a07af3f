"""Sealing: events are put into one chain, in which each seal is made of the one before and of the event's text.

An event gets its place when it is sealed, seconds after it was written, since transactions do not end in the order of
their keys. One sealer at a time: it holds the row of the newest end for one short transaction. Killed at any point it
leaves everything as it was, and the next one begins where the last has ended.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from objectlog.canonical import list_keys, make_seal
from objectlog.models import OPEN_OUTCOMES, ChainEnd, Entry, Event, Outcome, Via
from objectlog.services import note

# Events sealed, and rows deleted, in one transaction.
BATCH = 500


class ChainBroken(Exception):
    """The chain can't be continued; the text says why."""


def seal_events() -> int:
    """Seal the oldest events that are not yet sealed, at most a batch; how many there were."""
    if not Event.objects.filter(number=None).exists():
        return 0
    [key, *_] = list_keys()
    with transaction.atomic():
        end = lock_newest()
        events = list(Event.objects.filter(number=None).order_by("pk").only("pk", "text")[:BATCH])
        for event in events:
            event.number, event.previous = end.number + 1, end.seal
            event.seal = make_seal(key, event.previous, event.text)
            end.number, end.seal = event.number, event.seal
        _write_seals(events)
        _save(end, key)
    return len(events)


def _write_seals(events: list[Event]) -> None:
    """One prepared statement for all: Django's bulk_update takes ten times as long."""
    name = connection.ops.quote_name
    table, columns = name(Event._meta.db_table), [name(each) for each in ("number", "previous", "seal", "id")]
    statement = "UPDATE {} SET {} = %s, {} = %s, {} = %s WHERE {} = %s".format(table, *columns)  # noqa: S608 (names of the model)
    with connection.cursor() as cursor:
        cursor.executemany(statement, [(event.number, event.previous, event.seal, event.pk) for event in events])


def seal_all() -> int:
    """Seal whatever is waiting now; how many events that were."""
    total = 0
    while sealed := seal_events():
        total += sealed
    return total


def lock_newest() -> ChainEnd:
    """The newest end of the chain, locked until the end of the transaction. Raises ChainBroken.

    An end that is gone is not made again: what was cut off with it would never be missed.
    """
    end, is_new = ChainEnd.objects.select_for_update().get_or_create(name=ChainEnd.NEWEST)
    if is_new and Event.objects.filter(number__isnull=False).exists():
        raise ChainBroken("The newest end of the journal's chain is gone, though there are sealed events.")
    return end


def _save(end: ChainEnd, key: bytes) -> None:
    end.mac = make_seal(key, end.name, str(end.number), end.seal)
    end.save()


def cut(before: datetime) -> int:
    """Let the chain begin after the events of before a moment, and write so into the journal; how many that are.

    Only what is sealed, and nothing behind the oldest event that is kept. The rows are deleted by `delete_cut`.
    """
    [key, *_] = list_keys()
    with transaction.atomic():
        newest = lock_newest()
        removed, _made = ChainEnd.objects.select_for_update().get_or_create(name=ChainEnd.REMOVED)
        keeps = Q(at__gte=before)
        if settings.GWM_JOURNAL_STREAM:  # what is not sent yet is not lost either
            keeps |= Q(number__gt=find_streamed())
        kept = Event.objects.filter(keeps, number__gt=removed.number).aggregate(first=Min("number"))["first"]
        last = Event.objects.filter(number=kept - 1 if kept is not None else newest.number).first()
        if last is None or last.number is None or last.number <= removed.number:
            return 0
        count = last.number - removed.number
        removed.number, removed.seal = last.number, last.seal
        _save(removed, key)
        note(
            actor_id=None,
            actor_name="",
            via=Via.CLI,
            verb="site.prune-journal",
            outcome=Outcome.DONE,
            params={"count": count, "before": f"{before:%Y-%m-%d}"},
        )
    return count


def find_streamed() -> int:
    """The number of the last event that was sent on, see `objectlog.streaming`."""
    return ChainEnd.objects.filter(name=ChainEnd.STREAMED).values_list("number", flat=True).first() or 0


def delete_cut() -> None:
    """Delete the events that were cut off, in short transactions; also those that a killed process has left."""
    removed = ChainEnd.objects.filter(name=ChainEnd.REMOVED).first()
    if removed is not None:
        for keys in _batches(Event.objects.filter(number__lte=removed.number).order_by("number")):
            Event.objects.filter(pk__in=keys).delete()


def delete_entries(before: datetime) -> None:
    """Delete the entries that have ended before a moment and of which no event is left."""
    ended = Entry.objects.filter(finished_at__lt=before).exclude(outcome__in=OPEN_OUTCOMES)
    without = ended.exclude(uuid__in=Event.objects.filter(entry_uuid__isnull=False).values("entry_uuid"))
    for keys in _batches(without.order_by("pk")):
        Entry.objects.filter(pk__in=keys).delete()


def _batches(rows: QuerySet[Any]) -> Iterator[list[int]]:
    """Keys of the rows that are there, anew each time."""
    while keys := list(rows.values_list("pk", flat=True)[:BATCH]):
        yield keys


def list_unsealed(older_than_s: float) -> QuerySet[Any]:
    """Events that should have been sealed by now."""
    return Event.objects.filter(number=None, at__lt=timezone.now() - timedelta(seconds=older_than_s)).order_by("pk")


def find_oldest_unsealed() -> datetime | None:
    """From when the oldest event is that is not sealed yet; None when the chain has all of them."""
    return Event.objects.filter(number=None).order_by("pk").values_list("at", flat=True).first()
