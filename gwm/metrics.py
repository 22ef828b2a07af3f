"""`/metrics`: how the service is doing, in figures for Prometheus.

All of it is read when it is asked for, from the database, the cache, the queue and the console proxies of this host:
so it is the same whichever of several web processes answers, and nothing is counted while pages are drawn. Labels are
names of clusters and words of a fixed list; there is no name of a person, of a machine or of an address, and no secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis import RedisError

from clusters.effort import ASKERS
from clusters.models import Cluster, Job
from clusters.models.job import JobStatus
from gwm import VERSION
from gwm.console_address import NoAnswer, ask, is_elsewhere
from gwm.queue_size import count_waiting
from gwm.readiness import heartbeat_age_s
from gwm.signs import count_states, read_signs
from objectlog.chain import find_oldest_unsealed
from objectlog.models import OPEN_OUTCOMES, ChainEnd, Entry, Event, Outcome
from operations.models import UNDER_WAY, Batch, BatchItem, BatchLane, BatchState, ItemState
from rapi.errors import RapiError
from vncproxy.client import ControlError, list_consoles, list_control_sockets

_SIGN_INS_WITHIN = timedelta(hours=1)
_OTHER = "other"
Values = dict[tuple[str, ...], float]
# Of a database that a program with a newer list has written.
_OWN_KINDS = frozenset({"settings", "internal", "not sendable"})


def write_metrics() -> bytes:
    """All figures, in Prometheus' text; raises what the database raises."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures())
    return generate_latest(registry)


class Figures(Collector):
    """The figures of this moment, in thirteen queries at most, however much there is."""

    def describe(self) -> Iterable[Metric]:
        """Nothing: to know what there is would be to ask for all of it."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """See the class."""
        now = timezone.now()
        yield _gauge("gwm_info", "Which release this is.", ("version",), {(VERSION,): 1})
        yield from _clusters(now)
        yield from _operations()
        yield from _journal(now)
        yield from _worker_and_queue()
        yield from _consoles()
        processes: Values = {key: float(count) for key, count in count_states(read_signs()).items()}
        yield _gauge("gwm_processes", "Processes, by what their signs of life say.", ("kind", "state"), processes)


def _gauge(name: str, text: str, labels: tuple[str, ...], values: Values) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _counter(name: str, text: str, labels: tuple[str, ...], values: Values) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _one(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _age_s(moment: datetime | None, now: datetime) -> float:
    """A clock that was put back makes nothing young."""
    return float("inf") if moment is None else max(0.0, (now - moment).total_seconds())


def _clusters(now: datetime) -> Iterator[Metric]:
    """What updates found, and what they cost. Two queries."""
    known = _known_kinds()
    age, live, reached, failed, trouble, calls, seconds, errors = (Values() for _ in range(8))
    efforts = [f"schedule__{begin}_{what}" for begin in ASKERS.values() for what in ("calls", "seconds", "failures")]
    columns = ("slug", "unreachable_since", "last_error", "last_error_kind")
    of_schedule = ("schedule__synced_at", "schedule__live_at", "schedule__failures")
    rows = Cluster.objects.order_by("slug").values_list(*columns, *of_schedule, *efforts)
    for slug, away_since, error, kind, synced_at, live_at, failures, *added_up in rows:
        name = (slug,)
        age[name], live[name] = _age_s(synced_at, now), _age_s(live_at, now)
        reached[name], failed[name] = float(away_since is None), failures or 0
        if error:
            trouble[slug, kind if kind in known else _OTHER] = 1.0
        for number, asker in enumerate(ASKERS):
            called, took, by_kind = added_up[3 * number : 3 * number + 3]
            calls[slug, asker], seconds[slug, asker] = called or 0, took or 0.0
            for each, count in (by_kind or {}).items():
                key = slug, asker, each if each in known else _OTHER
                errors[key] = errors.get(key, 0.0) + count
    by_cluster, by_kind_too, by_asker = ("cluster",), ("cluster", "kind"), ("cluster", "asker")
    yield _gauge("gwm_cluster_data_age_seconds", "Since the last complete update; +Inf: none yet.", by_cluster, age)
    yield _gauge("gwm_cluster_live_age_seconds", "Since live state was last read; +Inf: never.", by_cluster, live)
    yield _gauge("gwm_cluster_up", "Whether the last attempt reached the cluster.", by_cluster, reached)
    yield _gauge("gwm_cluster_updates_failed", "Updates that failed in a row.", by_cluster, failed)
    yield _gauge("gwm_cluster_trouble", "What the last update failed of.", by_kind_too, trouble)
    yield _counter("gwm_rapi_calls", "Calls of updates, of who follows jobs, and of operations.", by_asker, calls)
    yield _counter("gwm_rapi_seconds", "How long these took, in all.", by_asker, seconds)
    yield _counter("gwm_rapi_errors", "Of these those that failed, by the kind of error.", (*by_asker, "kind"), errors)
    statuses = [status for status in JobStatus if status not in Job.FINAL]
    open_jobs = Job.objects.filter(status__in=statuses).order_by().values_list("cluster__slug").annotate(Count("pk"))
    under_way = dict.fromkeys(age, 0.0) | {(slug,): float(count) for slug, count in open_jobs}
    yield _gauge("gwm_jobs_open", "Jobs of Ganeti that have not ended, anybody's.", by_cluster, under_way)


def _known_kinds() -> frozenset[str]:
    """The kinds of errors that there are: of the client, and of what goes wrong before it is asked."""
    found, kinds = [RapiError], set(_OWN_KINDS)
    while found:
        each = found.pop()
        kinds.add(each.kind)
        found.extend(each.__subclasses__())
    return frozenset(kinds)


def _operations() -> Iterator[Metric]:
    """What was asked for and has not ended. Four queries."""
    rows = Entry.objects.filter(outcome__in=OPEN_OUTCOMES).order_by().values_list("outcome").annotate(Count("pk"))
    values = {(outcome.value,): 0.0 for outcome in OPEN_OUTCOMES} | {(name,): float(count) for name, count in rows}
    yield _gauge("gwm_operations_open", "Operations that have not ended; unknown: no answer.", ("outcome",), values)
    running = Batch.objects.filter(state=BatchState.RUNNING).count()
    yield _one("gwm_batches_running", "Batches that are being carried out.", running)
    states = (ItemState.WAITING, *UNDER_WAY)
    items = BatchItem.objects.filter(batch__state=BatchState.RUNNING, state__in=states).order_by()
    values = {(state.value,): 0.0 for state in states}
    values |= {(name,): float(count) for name, count in items.values_list("state").annotate(Count("pk"))}
    yield _gauge("gwm_batch_items", "Items of these that have not ended.", ("state",), values)
    hung = BatchLane.objects.filter(hung_at__isnull=False).count()
    yield _one("gwm_batch_lanes_hung", "Clusters whose last call for a batch hung.", hung)


def _journal(now: datetime) -> Iterator[Metric]:
    """Its seal, its stream, and the sign-ins that it says were refused. Three queries."""
    oldest = find_oldest_unsealed()
    yield _one(
        "gwm_journal_unsealed_seconds",
        "Age of the oldest event that is not sealed; 0: all are.",
        0.0 if oldest is None else _age_s(oldest, now),
    )
    ends = dict(ChainEnd.objects.values_list("name", "number"))
    newest = ends.get(ChainEnd.NEWEST, 0)
    yield _one("gwm_journal_sealed_until", "Number of the newest event that is sealed.", newest)
    if settings.GWM_JOURNAL_STREAM:
        unsent = max(0, newest - ends.get(ChainEnd.STREAMED, 0))
        yield _one("gwm_journal_unsent_events", "Sealed events that are not sent yet.", unsent)
    refused = Event.objects.filter(verb="person.sign-in", outcome=Outcome.FAILED, at__gt=now - _SIGN_INS_WITHIN)
    yield _one("gwm_sign_ins_refused", "Attempts to sign in that were refused within the last hour.", refused.count())


def _worker_and_queue() -> Iterator[Metric]:
    """One query, and none with Redis. Both are left out while Redis is away."""
    try:
        age_s, waiting = heartbeat_age_s(), count_waiting()
    except RedisError:
        yield _one("gwm_redis_up", "Whether Redis answers.", 0)
        return
    if settings.REDIS_URL:
        yield _one("gwm_redis_up", "Whether Redis answers.", 1)
    age = float("inf") if age_s is None else age_s
    yield _one("gwm_worker_heartbeat_age_seconds", "Since any worker did what the timetable asked; +Inf: never.", age)
    yield _one("gwm_queue_messages", "Messages that no worker has taken yet.", waiting)


def _consoles() -> Iterator[Metric]:
    """Those of this host's processes, and the proxy at an address of its own. No query."""
    path = str(settings.GWM_CONSOLE_CONTROL)
    count, silent = 0, 0
    for each in list_control_sockets(path):
        try:
            count += len(list_consoles(each, timeout_s=1))
        except ControlError:
            silent += 1
    yield _one("gwm_consoles_open", "Consoles that are open on this host.", count)
    yield _one("gwm_console_proxies_silent", "Console proxies of this host that do not answer.", silent)
    if is_elsewhere():
        try:
            ask(timeout_s=1)
            answers = 1.0
        except NoAnswer:
            answers = 0.0
        yield _one("gwm_console_proxy_up", "Whether the console proxy at an address of its own answers.", answers)
