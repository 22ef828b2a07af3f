"""Who updates a cluster, when it is due again, and what its row says about the last attempt.

A lease is one conditional UPDATE; it expires, so that an updater that died blocks nobody for long.
"""

import random
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from clusters.models import Cluster
from rapi.errors import RapiError, TimedOut, Unreachable
from rapi.transport import Endpoint

LEASE_S = 30.0
# The longest pause between two attempts at a cluster in trouble, and between two readings of live state that failed.
LONGEST_PAUSE_S = 300.0

# An address that was dead costs an update seconds: it is tried again this often.
_HOST_TRIED_EVERY = timedelta(minutes=10)
_LONG_PASS = timedelta(seconds=2)
_LONGEST_REST = timedelta(seconds=10)


class LeaseLost(Exception):
    """Another updater has taken over, or the cluster was removed: write nothing more."""


class Lease:
    """The right to update one cluster. Get it by `take`; it ends with `finish`."""

    def __init__(self, cluster_pk: int, holder: str, taken_at: datetime) -> None:
        self.cluster_pk = cluster_pk
        self.holder = holder
        self.taken_at = taken_at
        self._is_held = True

    def __enter__(self) -> "Lease":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Give it back even if this program failed; the cluster's row says so, and the next attempt waits a minute."""
        if self._is_held and kind is not None and not issubclass(kind, LeaseLost):
            words = f"The update ended in an error of this program ({kind.__name__}); its log has the details."
            later = timezone.now() + timedelta(seconds=60)
            Cluster.objects.filter(pk=self.cluster_pk, lease_holder=self.holder).update(
                leased_until=None,
                lease_holder="",
                failures=F("failures") + 1,
                last_error=words,
                last_error_kind="internal",
                next_sync_at=later,
            )

    @classmethod
    def take(cls, cluster: Cluster) -> "Lease | None":
        """One UPDATE; None if somebody else is at it."""
        now, holder = timezone.now(), secrets.token_hex(12)
        free = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
        taken = Cluster.objects.filter(free, pk=cluster.pk).update(
            leased_until=now + timedelta(seconds=LEASE_S), lease_holder=holder, attempted_at=now, sync_queued_at=None
        )
        return cls(cluster.pk, holder, now) if taken else None

    def renew(self) -> None:
        """For a reading that takes long. Raises LeaseLost."""
        self._write(leased_until=timezone.now() + timedelta(seconds=LEASE_S))

    def finish(self, **values: Any) -> None:
        """Write the outcome and give the lease back. Raises LeaseLost."""
        self._write(leased_until=None, lease_holder="", **values)
        self._is_held = False

    def _write(self, **values: Any) -> None:
        if not Cluster.objects.filter(pk=self.cluster_pk, lease_holder=self.holder).update(**values):
            raise LeaseLost


class FollowLease:
    """The right to follow the jobs of one cluster: it only saves double work, all writing is safe without it.

    After a pass that took long comes a rest as long, so that a cluster with a thousand jobs is not kept busy by being
    watched.
    """

    def __init__(self, cluster_pk: int, taken_at: datetime, until: datetime) -> None:
        self._cluster_pk = cluster_pk
        self._taken_at = taken_at
        self._until = until

    @classmethod
    def take(cls, cluster: Cluster) -> "FollowLease | None":
        """One UPDATE; None if somebody else is at it."""
        now = timezone.now()
        until = now + timedelta(seconds=LEASE_S)
        free = Q(follow_leased_until__isnull=True) | Q(follow_leased_until__lt=now)
        taken = Cluster.objects.filter(free, pk=cluster.pk).update(follow_leased_until=until, follow_queued_at=None)
        return cls(cluster.pk, now, until) if taken else None

    def __enter__(self) -> "FollowLease":
        return self

    def __exit__(self, *exc_info: object) -> None:
        now = timezone.now()
        took = now - self._taken_at
        rest = now + min(took, _LONGEST_REST) if took > _LONG_PASS else None
        Cluster.objects.filter(pk=self._cluster_pk, follow_leased_until=self._until).update(follow_leased_until=rest)


def interval_s(cluster: Cluster) -> float:
    """Seconds between two updates of a cluster in good health."""
    return float(cluster.sync_interval_s or settings.GWM_SYNC_INTERVAL_S)


def describe_success(cluster: Cluster, now: datetime) -> dict[str, Any]:
    """What the row says after a complete update."""
    return {
        "synced_at": now,
        "unreachable_since": None,
        "failures": 0,
        "last_error": "",
        "last_error_kind": "",
        "next_sync_at": now + timedelta(seconds=_spread(interval_s(cluster))),
    }


def describe_failure(cluster: Cluster, now: datetime, kind: str, words: str, *, is_away: bool) -> dict[str, Any]:
    """What the row says after a failed one: the data stay, the next attempt comes later each time."""
    pause_s = min(LONGEST_PAUSE_S, min(interval_s(cluster), 10.0) * 2 ** min(cluster.failures, 10))
    return {
        "failures": F("failures") + 1,
        "last_error": words,
        "last_error_kind": kind,
        "unreachable_since": (cluster.unreachable_since or now) if is_away else None,
        "next_sync_at": now + timedelta(seconds=_spread(pause_s)),
    }


def is_away(error: RapiError) -> bool:
    """Whether the failure means that the cluster can't be reached, rather than that it answered and said no."""
    return isinstance(error, Unreachable | TimedOut)


def is_live_due(cluster: Cluster, now: datetime) -> bool:
    """Whether to read live state in this update.

    After failures the pause is half the age of what we have, so that a node that hangs does not make every update
    hang. Somebody who asks for an update gets a reading.
    """
    if not cluster.live_error or cluster.live_at is None:
        return True
    if cluster.sync_wanted_at is not None and (cluster.synced_at is None or cluster.sync_wanted_at > cluster.synced_at):
        return True
    age_s = (now - cluster.live_at).total_seconds()
    return cluster.live_failed_at is None or (now - cluster.live_failed_at).total_seconds() >= min(
        LONGEST_PAUSE_S, age_s / 2
    )


def is_host_due(cluster: Cluster, now: datetime) -> bool:
    """Whether to try the configured address first: always while it answers, now and then while another one does."""
    tried_at = cluster.host_tried_at
    return not cluster.answers_at or tried_at is None or now - tried_at >= _HOST_TRIED_EVERY


def describe_host(cluster: Cluster, found_at: Endpoint, now: datetime, *, was_tried: bool) -> dict[str, Any]:
    """What the row says of where the cluster answered; only what differs."""
    host = found_at.host if found_at.host != cluster.host.strip("[]") else ""
    if host == cluster.answers_at:
        return {"host_tried_at": now} if host and was_tried else {}
    since = cluster.answers_at_since if cluster.answers_at and host else now if host else None
    return {"answers_at": host, "answers_at_since": since, "host_tried_at": now if host else None}


def _spread(pause_s: float) -> float:
    """A tenth more or less, so that clusters added together do not stay in step."""
    return pause_s * random.uniform(0.95, 1.05)  # noqa: S311 (no secret)
