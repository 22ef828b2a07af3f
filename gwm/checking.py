"""What whoever looks after the server can't ask from outside, to see whether all of it works (deploy/probe.py).

A console is tried with a ticket that leads nowhere: the proxy greets whoever has one before it dials anything.
"""

import time
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from clusters.models import Schedule
from gwm.readiness import heartbeat_age_s
from vncproxy.tickets import Ticket, new_password, seal

TICKET_S = 120
_NOWHERE = "192.0.2.1"  # of the addresses that RFC 5737 keeps for documents
_PAUSE_S = 0.5


class NotUpdated(Exception):
    """None came to an end in time, or an error of our own ended it; the text says which."""


def seal_check_ticket(user_id: int, user: str) -> str:
    """A ticket for a console of no machine, which nobody can get further with than to the proxy's greeting."""
    ticket = Ticket(
        host=_NOWHERE,
        port=11000,
        user_id=user_id,
        user=user,
        vm="check",
        vm_name="check",
        session="",
        expires_at=time.time() + TICKET_S,
        browser_password=new_password(),
    )
    return seal(settings.GWM_CONSOLE_KEYS, ticket)


def await_update(patience_s: float, sleep: Callable[[float], None] = time.sleep) -> str:
    """Have one cluster updated by beat and worker as they are now; what became of it. Raises NotUpdated.

    That the cluster does not answer is told, and is no fault of this installation.
    """
    began, until = time.time(), time.monotonic() + patience_s
    while (age_s := heartbeat_age_s()) is None or time.time() - age_s < began:
        _wait(until, sleep, "No sign of life went from beat through the queue to a worker")
    chosen = Schedule.objects.order_by("failures", F("attempted_at").desc(nulls_last=True), "pk").first()
    if chosen is None:
        return "There is no cluster yet to update."
    asked = timezone.now()
    Schedule.objects.filter(pk=chosen.pk).update(sync_wanted_at=asked, next_sync_at=asked)
    slug = chosen.cluster.slug
    while True:
        found = Schedule.objects.filter(pk=chosen.pk).first()
        if found is None:
            return f"Cluster {slug} was removed meanwhile."
        if _has_ended(found, asked):
            return _describe(slug, found)
        _wait(until, sleep, f"No update of cluster {slug} came to an end")


def _has_ended(schedule: Schedule, asked: datetime) -> bool:
    attempted, leased = schedule.attempted_at, schedule.leased_until
    return attempted is not None and attempted >= asked and (leased is None or leased < timezone.now())


def _describe(slug: str, schedule: Schedule) -> str:
    if schedule.failures and schedule.cluster.last_error_kind == "internal":
        raise NotUpdated(f"Cluster {slug} can't be updated: {schedule.cluster.last_error}")
    if schedule.failures:
        return f"Cluster {slug} was asked, and could not be updated: {schedule.cluster.last_error}"
    return f"Cluster {slug} was updated."


def _wait(until: float, sleep: Callable[[float], None], lacking: str) -> None:
    if time.monotonic() > until:
        raise NotUpdated(f"{lacking} in time. Do gwm-beat and gwm-worker run, and does the queue?")
    sleep(_PAUSE_S)
