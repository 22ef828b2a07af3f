"""One update of one cluster. Called by Celery's timetable and by `manage.py sync_clusters`, and by nothing else."""

from datetime import datetime, timedelta
from functools import partial
from time import perf_counter
from typing import Any

from django.utils import timezone

from clusters.effort import describe_effort
from clusters.models import Cluster, Schedule
from clusters.saying import say
from clusters.sync.apply import apply_cluster, apply_groups, apply_networks, apply_node_live, apply_nodes
from clusters.sync.fetch import Incomplete, fetch_snapshot
from clusters.sync.jobs import load_known_jobs
from clusters.sync.readings import Readings
from clusters.sync.rows import Written
from clusters.sync.snapshot import Known, LiveState, Snapshot
from clusters.sync.unreadable import list_unreadable
from clusters.twins import check_unique
from objectlog.words import gettext as _
from operations.lease import Lease, LeaseLost
from rapi.client import RapiClient
from rapi.errors import RapiError
from sealing.fields import SecretUnreadable
from updates.leases import updating
from updates.listing import digest_listing
from updates.outcome import (
    describe_failure,
    describe_host,
    describe_success,
    is_away,
    is_host_due,
    is_live_due,
    write_outcome,
)
from updates.report import Report, counting_client
from updates.seldom import read_what_seldom_changes
from virtualmachines.sync.apply import apply_machine_live, apply_machines, load_machines

# All configuration is read once a day even if nothing seems to have changed.
_FULL_EVERY = timedelta(days=1)


def sync_cluster(cluster: Cluster) -> Report:
    """Read the cluster and write what changed. Never raises for what the cluster does; the report and its row tell."""
    report = Report(cluster.slug)
    began, differs = perf_counter(), False
    try:
        with updating(cluster) as lease:
            if lease is None:
                report.outcome, report.error = "skipped", _("Another updater is at it.")
                return report
            cluster = Cluster.objects.select_related("schedule").get(pk=cluster.pk)  # as it is now
            values = _attempt(cluster, lease, report)
            before = cluster.schedule.rapi_failures
            effort = (report.rapi_calls, report.rapi_seconds, report.rapi_failures)
            values |= describe_effort("updates", before, *effort)
            differs = write_outcome(cluster, lease, values)
    except (LeaseLost, Cluster.DoesNotExist):
        report.outcome, report.error = "skipped", _("Another updater took over, or the cluster was removed.")
    report.written.append(Written(Schedule._meta.db_table, changed=2))  # the lease, and the outcome
    if differs:
        report.written.append(Written(Cluster._meta.db_table, changed=1))
    report.seconds = perf_counter() - began
    if report.outcome == "updated":
        read_what_seldom_changes(cluster, report)
    return report


def _attempt(cluster: Cluster, lease: Lease, report: Report) -> dict[str, Any]:
    """Read and write; what the cluster's rows are to say of it."""
    values: dict[str, Any] = {}
    try:
        tries_host = is_host_due(cluster, timezone.now())
        with counting_client(cluster, report, configured_first=tries_host) as client:
            try:
                values = _update(cluster, client, lease, report)
                return values | describe_host(cluster, client.endpoint, timezone.now(), was_tried=tries_host)
            except Incomplete as incomplete:
                lease.renew()
                values = _take_the_rest(cluster, client, incomplete, report)
                raise incomplete.error from incomplete
    except RapiError as error:
        kind, words, away = error.kind, say(error), is_away(error)
    except (SecretUnreadable, ValueError) as error:
        kind, words, away = "settings", str(error), False
    report.outcome, report.error, report.error_kind = "failed", words, kind
    return values | describe_failure(cluster, timezone.now(), kind, words, is_away=away)


def _update(cluster: Cluster, client: RapiClient, lease: Lease, report: Report) -> dict[str, Any]:
    """The reading, the writing, and the outcome of a success."""
    now = timezone.now()
    rows = load_machines(cluster)
    read_at = cluster.schedule.configs_read_at
    is_full = read_at is None or now - read_at > _FULL_EVERY
    known = Known(
        cluster_uuid=cluster.uuid,
        digest="" if is_full else cluster.defaults_digest,
        machines=rows.fingerprints(),
        jobs=load_known_jobs(cluster),
        with_live=is_live_due(cluster, now),
    )
    readings = Readings(client, cluster.query_troubles)
    snapshot = fetch_snapshot(readings, known, partial(check_unique, cluster), lease.renew)
    lease.renew()  # whoever was held up for longer than the lease writes nothing
    now = timezone.now()
    own = apply_cluster(cluster, snapshot)
    report.written = [
        apply_groups(cluster, snapshot, now),
        apply_networks(cluster, snapshot, now),
        apply_nodes(cluster, snapshot, now),
        apply_machines(cluster, snapshot, rows, now),
    ]
    report.machines = len(snapshot.machines)
    try:
        report.followed = digest_listing(cluster, client, readings, snapshot.jobs, with_snapshot=True)
    except RapiError as error:
        report.live_error = say(error)  # the job follower comes back to it
    own["query_troubles"] = readings.guard.troubles
    own["unreadable"] = list_unreadable((*snapshot.unreadable, *snapshot.jobs.unreadable), cluster.unreadable, now)
    return own | _describe_reading(cluster, snapshot, report, now, is_full=is_full or snapshot.digest != known.digest)


def _take_the_rest(cluster: Cluster, client: RapiClient, found: Incomplete, report: Report) -> dict[str, Any]:
    """Live state and jobs, where configuration can't be read; what the cluster's rows say of them."""
    now = timezone.now()
    report.written = [
        apply_node_live(cluster, found.live, now),
        apply_machine_live(cluster, found.live, load_machines(cluster), now),
    ]
    if found.jobs is not None:
        try:
            report.followed = digest_listing(cluster, client, Readings(client, cluster.query_troubles), found.jobs)
        except RapiError as error:
            report.live_error = say(error)
    return _describe_live(found.live, report, now)


def _describe_reading(
    cluster: Cluster, snapshot: Snapshot, report: Report, now: datetime, *, is_full: bool
) -> dict[str, Any]:
    values = describe_success(cluster, now) | {"defaults_digest": snapshot.digest}
    if is_full:
        values["configs_read_at"] = now
    return values | _describe_live(snapshot.live, report, now)


def _describe_live(live: LiveState, report: Report, now: datetime) -> dict[str, Any]:
    if live.is_whole:
        return {"live_at": now, "live_error": "", "live_failed_at": None}
    if live.error is None:
        return {}
    report.live_error = say(live.error)
    return {"live_error": report.live_error, "live_failed_at": now}
