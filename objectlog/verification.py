"""Whether the journal is as it was written: every event, their order, and both ends of the chain.

It streams: memory does not grow with the journal. What was removed by `prune_journal`, even meanwhile, is not missed.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, Max, OuterRef
from django.utils.translation import gettext as _

from objectlog.canonical import REPEATED, is_sealed_by, list_keys, write_time
from objectlog.chain import list_unsealed
from objectlog.models import ChainEnd, Event

# A sealer that is well needs seconds.
UNSEALED_AFTER_S = 600.0
_CHUNK = 2000
_COLUMNS = ("number", "previous", "seal", "text", "at", "actor_id", *REPEATED)


@dataclass
class Verification:
    """One reading of the whole journal. `problems` is a generator; the counts are complete when it has ended."""

    expected: tuple[int, str] | None = None
    checked: int = 0
    number: int = 0
    seal: str = ""
    _keys: list[bytes] = field(default_factory=list_keys)

    def problems(self) -> Iterator[str]:
        """Everything that is wrong, one sentence each."""
        removed, newest = self._read_end(ChainEnd.REMOVED), self._read_end(ChainEnd.NEWEST)
        yield from filter(None, [self._explain_end(removed), self._explain_end(newest)])
        self.number, self.seal = removed.number, removed.seal
        for row in self._rows(newest.number):
            yield from self._check(dict(zip(_COLUMNS, row, strict=True)))
        if self.number < newest.number:
            yield from self._explain_gap(newest.number)
        elif self.number == newest.number and self.seal != newest.seal:
            yield _("Event %s is not the one that was sealed last.") % self.number
        if self.expected is not None and self.expected[0] > self.number:
            yield _("Event %s, which is expected, is not there.") % self.expected[0]
        yield from self._check_rest()

    def _rows(self, until: int) -> Iterator[tuple[Any, ...]]:
        after = self.number
        while True:
            there = Event.objects.filter(number__gt=after, number__lte=until).order_by("number")
            rows = list(there.values_list(*_COLUMNS)[:_CHUNK])
            yield from rows
            if len(rows) < _CHUNK:
                return
            after = rows[-1][0]

    def _check(self, row: dict[str, Any]) -> Iterator[str]:
        number = row["number"]
        if number > self.number + 1:
            yield from self._explain_gap(number - 1)
        if number == self.number + 1 and row["previous"] != self.seal:
            yield _("Event %(number)s does not follow event %(before)s: they were reordered, or one was replaced.") % {
                "number": number,
                "before": number - 1,
            }
        if not is_sealed_by(self._keys, row["seal"], row["previous"], row["text"]):
            yield _("Event %s was altered: its seal does not fit its text.") % number
        elif differing := _columns_unlike_text(row):
            yield _("Event %(number)s was altered: %(columns)s.") % {
                "number": number,
                "columns": ", ".join(differing),
            }
        if self.expected is not None and self.expected[0] == number and self.expected[1] != row["seal"]:
            yield _("Event %s is not the one that is expected.") % number
        self.checked += 1
        self.number, self.seal = number, row["seal"]

    def _explain_gap(self, last: int) -> Iterator[str]:
        """Events up to `last` are not there: they are missing, but for those that were removed since the last look."""
        removed = self._read_end(ChainEnd.REMOVED)
        if problem := self._explain_end(removed):
            yield problem
        elif removed.number > self.number:
            self.number, self.seal = removed.number, removed.seal
        if self.number < last:
            yield _describe_missing(self.number + 1, last)

    def _check_rest(self) -> Iterator[str]:
        """What is outside the chain, and what is told of it beside it."""
        highest = Event.objects.aggregate(highest=Max("number"))["highest"] or 0
        end = self._read_end(ChainEnd.NEWEST).number  # read last: a sealer may be at work
        behind = Event.objects.filter(number__gt=end, number__lte=highest).order_by("number")
        for number in behind.values_list("number", flat=True).iterator():
            yield _("Event %s is behind the end of the chain.") % number
        for pk, at in list_unsealed(UNSEALED_AFTER_S).values_list("pk", "at").iterator():
            yield _("The event with key %(key)s of %(at)s is not sealed. Does the worker run?") % {
                "key": pk,
                "at": write_time(at),
            }
        later = Event.objects.filter(entry_uuid=OuterRef("entry_uuid"), pk__gt=OuterRef("pk"))
        hidden = Event.objects.filter(is_overtaken=True).exclude(Exists(later)).order_by("pk")
        for pk in hidden.values_list("pk", flat=True).iterator():
            yield _("The event with key %s is marked as overtaken, but no later one tells how it went on.") % pk

    def _read_end(self, name: str) -> ChainEnd:
        return ChainEnd.objects.filter(name=name).first() or ChainEnd(name=name)

    def _explain_end(self, end: ChainEnd) -> str:
        if end.mac:
            is_ours = is_sealed_by(self._keys, end.mac, end.name, str(end.number), end.seal)
        else:
            is_ours = end.number == 0 and not self._is_anything_sealed(end)
        return "" if is_ours else _("The %s end of the chain was altered or is gone.") % end.name

    def _is_anything_sealed(self, end: ChainEnd) -> bool:
        return end.name == ChainEnd.NEWEST and Event.objects.filter(number__isnull=False).exists()


def _columns_unlike_text(row: dict[str, Any]) -> list[str]:
    """Columns that do not say what the sealed text says. The key of an account that is gone is empty."""
    try:
        text = json.loads(row["text"])
        said = {name: text[name] for name in (*REPEATED, "at", "actor_pk")}
    except (ValueError, TypeError, KeyError):
        return ["text"]
    uuid, actor = row["entry_uuid"], row["actor_id"]
    there = {
        **{name: row[name] for name in REPEATED},
        "entry_uuid": None if uuid is None else str(uuid),
        "at": write_time(row["at"]),
        "actor_pk": said["actor_pk"] if actor is None else actor,
    }
    return [name for name, value in there.items() if value != said[name]]


def _describe_missing(first: int, last: int) -> str:
    if first == last:
        return _("Event %s is missing.") % first
    return _("Events %(first)s to %(last)s are missing.") % {"first": first, "last": last}
