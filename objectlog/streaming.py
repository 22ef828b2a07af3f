"""Sealed events, sent on as they are sealed: to a file, or to syslog.

In order, and at least once: a process that is killed between sending and noting it sends some again, which their
numbers tell. What could not be sent is sent later; nothing is left out, and `prune_journal` removes nothing unsent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.db import transaction

from objectlog.canonical import list_keys, make_seal
from objectlog.chain import find_streamed
from objectlog.models import ChainEnd, Event
from objectlog.sinks import Sealed, Sink, make_sink

# Events sent in one go.
BATCH = 500


class Unreachable(Exception):
    """Nothing could be sent; the text says why."""


@dataclass(frozen=True)
class Backlog:
    """Sealed events that are not sent yet, and from when the oldest of them is."""

    events: int
    oldest: datetime | None


def find_backlog() -> Backlog:
    """How far the stream is behind what is sealed."""
    sent_up_to = find_streamed()
    newest = ChainEnd.objects.filter(name=ChainEnd.NEWEST).values_list("number", flat=True).first() or 0
    waiting = Event.objects.filter(number__gt=sent_up_to).order_by("number")
    return Backlog(max(0, newest - sent_up_to), waiting.values_list("at", flat=True).first())


def stream_all(goes_on: Callable[[], bool] = lambda: True) -> int:
    """Send what was sealed and is not yet sent; how many events. Unreachable."""
    address = str(settings.GWM_JOURNAL_STREAM)
    if not address:
        return 0
    total = 0
    while goes_on() and (sent := _stream_some(_sink(address))):
        total += sent
    return total


@cache
def _sink(address: str) -> Sink:
    return make_sink(address)


def _stream_some(sink: Sink) -> int:
    """No transaction is open while it sends. Two who send at once send the same, and one of them notes it."""
    sent_up_to = find_streamed()
    events = Event.objects.filter(number__gt=sent_up_to).order_by("number")
    rows: Any = events.values_list("number", "previous", "seal", "text", "said")[:BATCH]
    batch = [Sealed(*row) for row in rows]
    if not batch:
        return 0
    try:
        sink.send(batch)
    except OSError as error:
        raise Unreachable(f"{sink}: {error}") from error
    _note(sent_up_to, batch[-1])
    return len(batch)


def _note(before: int, last: Sealed) -> None:
    [key, *_] = list_keys()
    mac = make_seal(key, ChainEnd.STREAMED, str(last.number), last.seal)
    with transaction.atomic():
        ChainEnd.objects.get_or_create(name=ChainEnd.STREAMED)
        there = ChainEnd.objects.filter(name=ChainEnd.STREAMED, number=before)
        there.update(number=last.number, seal=last.seal, mac=mac)
