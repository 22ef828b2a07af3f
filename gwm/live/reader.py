"""What changed since the last look, for everybody at once: two queries, however many pages are open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from gwm.models import Touched
from operations.triggers import are_there
from permissions.models import User
from permissions.policy import find_endings
from permissions.sessions import is_signed_in

# A reader that begins takes what was changed so long ago for new: pages that just loaded may not show it yet.
LOOK_BACK = timedelta(seconds=60)
# Kept for pollers, and for transactions that last.
KEEP = timedelta(minutes=10)
# To a page that polls, a change is news for so long after it was written: its transaction may have ended later.
LATE = timedelta(seconds=30)

_SINCE_SNAPSHOT = """
    SELECT now.floor, touched.id, touched.topic
    FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS floor) AS now
    LEFT JOIN gwm_touched AS touched ON touched.xact >= %s
"""


class Reader:
    """Remembers what it has told, so that nothing is told twice and nothing is missed that commits late.

    SQLite commits one transaction after the other, so numbers come in order. PostgreSQL does not: there every row
    carries its transaction's number, and what belongs to a transaction that may have been open at the last look is
    looked at again.
    """

    def __init__(self) -> None:
        self._last_id: int | None = None
        self._floor: int | None = None
        self._told: frozenset[int] = frozenset()
        self._ended_until = timezone.now() - LOOK_BACK

    def read(self) -> set[str]:
        """The topics touched since the last call; at the first one, since a minute ago."""
        if not are_there(connection):
            return set()
        touched = self._read_by_transaction() if connection.vendor == "postgresql" else self._read_by_number()
        since, self._ended_until = self._ended_until, timezone.now()
        return touched | rights_ended(since, self._ended_until)

    def _read_by_number(self) -> set[str]:
        if self._last_id is None:
            before = Touched.objects.filter(at__lte=timezone.now() - LOOK_BACK).order_by("-pk")
            self._last_id = before.values_list("pk", flat=True).first() or 0
        rows = list(Touched.objects.filter(pk__gt=self._last_id).values_list("pk", "topic"))
        self._last_id = max((pk for pk, _ in rows), default=self._last_id)
        return {topic for _, topic in rows}

    def _read_by_transaction(self) -> set[str]:
        with connection.cursor() as cursor:
            if self._floor is None:
                lately = Touched.objects.filter(at__gt=timezone.now() - LOOK_BACK).order_by("xact")
                cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
                current = cursor.fetchone()[0]
                self._floor = min(current, lately.values_list("xact", flat=True).first() or current)
            cursor.execute(_SINCE_SNAPSHOT, [self._floor])
            rows = cursor.fetchall()
        found = {pk: topic for _, pk, topic in rows if pk is not None}
        news = {topic for pk, topic in found.items() if pk not in self._told}
        self._floor, self._told = rows[0][0], frozenset(found)
        return news


def touched_since(topics: Iterable[str], when: float) -> set[str]:
    """Those of `topics` ("vms:*" among them) that were touched since a moment, for pages that have to poll."""
    wanted = set(topics)
    if not are_there(connection):
        return wanted
    since = datetime.fromtimestamp(when, UTC) - LATE
    found = {*Touched.objects.filter(at__gt=since).values_list("topic", flat=True).distinct()}
    found |= rights_ended(since, timezone.now())
    return {name for topic in found for name in names_of(topic) if name in wanted}


def rights_ended(after: datetime, until: datetime) -> set[str]:
    """The topics of rights that came to their end in this time, which no row tells of."""
    people, is_a_team = find_endings(after, until)
    return {f"rights:{pk}" for pk in people} | ({"rights:groups"} if is_a_team else set())


def names_of(topic: str) -> tuple[str, str]:
    """By what pages ask for a topic: itself, and its kind of all keys."""
    return topic, f"{topic.partition(':')[0]}:*"


def forget_old() -> int:
    """Delete what every reader has read; how many rows."""
    return Touched.objects.filter(at__lt=timezone.now() - KEEP).delete()[0]


def find_ended(people: Mapping[str, int]) -> set[str]:
    """Of sessions by key, each with its person's number, those that have ended. Two queries for all."""
    sessions = Session.objects.filter(expire_date__gt=timezone.now()).in_bulk(list(people))
    users = User.objects.in_bulk(set(people.values()))
    return {
        key
        for key, user_pk in people.items()
        if (session := sessions.get(key)) is None
        or (user := users.get(user_pk)) is None
        or not is_signed_in(session, user)
    }
