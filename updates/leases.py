"""Who updates a cluster, and who follows its jobs: one of each at a time."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from django.utils import timezone

from clusters.effort import describe_effort
from clusters.models import Cluster, Schedule
from operations.lease import Columns, Lease, LeaseLost
from updates.outcome import describe_own_error, write_outcome
from updates.report import Report

LEASE_S = 30.0
UPDATING = Columns("leased_until", "lease_holder")
_FOLLOWING = Columns("follow_leased_until")
_LONG_PASS = timedelta(seconds=2)
_LONGEST_REST = timedelta(seconds=10)


@contextmanager
def updating(cluster: Cluster) -> Iterator[Lease | None]:
    """The right to update a cluster, to be given back with the outcome; None if somebody else is at it.

    If this program fails it is given back all the same; its rows say so, and the next attempt waits a minute.
    """
    began = {"attempted_at": timezone.now(), "sync_queued_at": None}
    lease = Lease.take(Schedule(pk=cluster.pk), UPDATING, lasts_s=LEASE_S, **began)
    try:
        yield lease
    except LeaseLost:
        raise
    except BaseException as error:
        if lease is not None and lease.is_held:
            with suppress(LeaseLost):
                write_outcome(cluster, lease, describe_own_error(type(error), timezone.now()))
        raise


@contextmanager
def following(cluster: Cluster, report: Report) -> Iterator[Lease | None]:
    """The right to follow the jobs of a cluster: it only saves double work, all writing is safe without it.

    After a pass that took long comes a rest as long, so that a cluster with a thousand jobs is not kept busy by being
    watched. What the report says of calls is given back with it.
    """
    lease = Lease.take(Schedule(pk=cluster.pk), _FOLLOWING, lasts_s=LEASE_S, follow_queued_at=None)
    try:
        yield lease
    finally:
        if lease is not None:
            now = timezone.now()
            took = now - lease.taken_at
            rest_until = now + min(took, _LONGEST_REST) if took > _LONG_PASS else None
            with suppress(LeaseLost):
                lease.give_back(rest_until=rest_until, **_describe_following(cluster, report))


def _describe_following(cluster: Cluster, report: Report) -> dict[str, Any]:
    """What failed before is asked for only where something did."""
    rows = Schedule.objects.filter(pk=cluster.pk).values_list("follow_failures", flat=True)
    before = rows.first() if report.rapi_failures else None
    return describe_effort("followers", before, report.rapi_calls, report.rapi_seconds, report.rapi_failures)
