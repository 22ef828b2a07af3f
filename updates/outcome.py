"""When a cluster is due again, and what its rows say of the last attempt."""

import random
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F

from clusters.models import Cluster, Schedule
from objectlog.words import gettext as _
from operations.lease import Lease
from rapi.errors import RapiError, TimedOut, Unreachable
from rapi.transport import Endpoint

# The longest pause between two attempts at a cluster in trouble, and between two readings of live state that failed.
LONGEST_PAUSE_S = 300.0

# An address that was dead costs an update seconds: it is tried again this often.
_HOST_TRIED_EVERY = timedelta(minutes=10)
_AFTER_OWN_ERROR_S = 60.0
_OF_SCHEDULE = frozenset(field.name for field in Schedule._meta.get_fields())


def write_outcome(cluster: Cluster, lease: Lease, values: dict[str, Any]) -> bool:
    """Give the lease back with what the schedule is to say; into the cluster's row goes only what differs there.

    Returns whether anything did. Raises LeaseLost.
    """
    differing = {
        name: value for name, value in values.items() if name not in _OF_SCHEDULE and getattr(cluster, name) != value
    }
    scheduled = {name: value for name, value in values.items() if name in _OF_SCHEDULE}
    if not differing:  # which is nearly always, and costs no transaction
        lease.give_back(**scheduled)
        return False
    with transaction.atomic():
        lease.give_back(**scheduled)
        Cluster.objects.filter(pk=cluster.pk).update(**differing)
    return True


def interval_s(cluster: Cluster) -> float:
    """Seconds between two updates of a cluster in good health."""
    return float(cluster.sync_interval_s or settings.GWM_SYNC_INTERVAL_S)


def describe_success(cluster: Cluster, now: datetime) -> dict[str, Any]:
    """What the rows say after a complete update."""
    return {
        "synced_at": now,
        "unreachable_since": None,
        "failures": 0,
        "last_error": "",
        "last_error_kind": "",
        "next_sync_at": now + timedelta(seconds=_spread(interval_s(cluster))),
    }


def describe_failure(cluster: Cluster, now: datetime, kind: str, words: str, *, is_away: bool) -> dict[str, Any]:
    """What the rows say after a failed one: the data stay, the next attempt comes later each time."""
    pause_s = min(LONGEST_PAUSE_S, min(interval_s(cluster), 10.0) * 2 ** min(cluster.schedule.failures, 10))
    return {
        "failures": F("failures") + 1,
        "last_error": words,
        "last_error_kind": kind,
        "unreachable_since": (cluster.unreachable_since or now) if is_away else None,
        "next_sync_at": now + timedelta(seconds=_spread(pause_s)),
    }


def describe_own_error(kind: type[BaseException], now: datetime) -> dict[str, Any]:
    """What the rows say if this program failed."""
    return {
        "failures": F("failures") + 1,
        "last_error": _("The update ended in an error of this program (%s); its log has the details.") % kind.__name__,
        "last_error_kind": "internal",
        "next_sync_at": now + timedelta(seconds=_AFTER_OWN_ERROR_S),
    }


def is_away(error: RapiError) -> bool:
    """Whether the failure means that the cluster can't be reached, rather than that it answered and said no."""
    return isinstance(error, Unreachable | TimedOut)


def is_live_due(cluster: Cluster, now: datetime) -> bool:
    """Whether to read live state in this update.

    After failures the pause is half the age of what we have, so that a node that hangs does not make every update
    hang. Somebody who asks for an update gets a reading.
    """
    schedule = cluster.schedule
    if not cluster.live_error or schedule.live_at is None:
        return True
    wanted_at, synced_at, failed_at = schedule.sync_wanted_at, schedule.synced_at, schedule.live_failed_at
    if wanted_at is not None and (synced_at is None or wanted_at > synced_at):
        return True
    age_s = (now - schedule.live_at).total_seconds()
    return failed_at is None or (now - failed_at).total_seconds() >= min(LONGEST_PAUSE_S, age_s / 2)


def is_host_due(cluster: Cluster, now: datetime) -> bool:
    """Whether to try the configured address first: always while it answers, now and then while another one does."""
    tried_at = cluster.schedule.host_tried_at
    return not cluster.answers_at or tried_at is None or now - tried_at >= _HOST_TRIED_EVERY


def describe_host(cluster: Cluster, found_at: Endpoint, now: datetime, *, was_tried: bool) -> dict[str, Any]:
    """What the rows say of where the cluster answered; only what differs."""
    host = found_at.host if found_at.host != cluster.host.strip("[]") else ""
    if host == cluster.answers_at:
        return {"host_tried_at": now} if host and was_tried else {}
    since = cluster.answers_at_since if cluster.answers_at and host else now if host else None
    return {"answers_at": host, "answers_at_since": since, "host_tried_at": now if host else None}


def _spread(pause_s: float) -> float:
    """A tenth more or less, so that clusters added together do not stay in step."""
    return pause_s * random.uniform(0.95, 1.05)  # noqa: S311 (no secret)
