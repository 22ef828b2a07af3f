"""Reading a cluster: a complete snapshot, or what can be said without one.

Up to three calls are under way at once: RAPI serves twenty at a time and closes every connection.
Live calls may fail on their own: configuration is then taken, live state stays as old as it is, and says so. And the
other way round: where configuration can't be read, live state and jobs are taken all the same.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime
from time import monotonic
from typing import Any, TypeVar

from django.utils import timezone

from clusters.saying import say
from clusters.sync.jobs import list_jobs
from clusters.sync.readings import Readings
from clusters.sync.snapshot import JobListing, Known, LiveState, Snapshot, digest_defaults
from objectlog.words import gettext as _
from rapi.errors import DuplicateCluster, RapiError, TimedOut, Unreachable, WrongCluster
from rapi.shapes.cluster import ClusterInfo
from rapi.shapes.instance import InstanceFingerprint, InstanceInfo, InstanceLive, place_instances
from rapi.shapes.node import NodeLive
from rapi.shapes.reading import Records

T = TypeVar("T")

CALLS_AT_ONCE = 3
# While calls are under way the updater does this often what it must (it renews its lease).
BEAT_S = 8.0
# A filter of more uuids costs Ganeti more than reading everything.
MOST_BY_FILTER = 200


class Incomplete(Exception):
    """Configuration could not be read, and why; live state and jobs could, as far as they are not None."""

    def __init__(self, error: RapiError, live: LiveState, jobs: JobListing | None) -> None:
        super().__init__(say(error))
        self.error = error
        self.live = live
        self.jobs = jobs


def fetch_snapshot(
    readings: Readings,
    known: Known,
    check_identity: Callable[[ClusterInfo], None] = lambda info: None,
    beat: Callable[[], None] = lambda: None,
    *,
    beat_s: float = BEAT_S,
) -> Snapshot:
    """Read everything. Raises RapiError if the cluster does not answer, or is not the known one; else Incomplete.

    While answers are awaited `beat` is called every so often; what it raises ends the reading.
    """
    pulse = _Pulse(beat, beat_s)
    started_at = timezone.now()
    everything = not known.machines
    pool = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="rapi")
    try:
        # the longest first
        machine_live = pool.submit(readings.read_machine_live) if known.with_live else None
        configs = pool.submit(readings.read_configs) if everything else None
        machines = None if everything else pool.submit(readings.read_fingerprints)
        node_live = pool.submit(readings.read_node_live) if known.with_live else None
        info_call = pool.submit(readings.read_info)
        nodes_call = pool.submit(readings.read_nodes)
        groups_call = pool.submit(readings.read_groups)
        networks_call = pool.submit(readings.read_networks)
        jobs_call = pool.submit(list_jobs, readings, known.jobs)
        live_calls = [each for each in (machine_live, node_live) if each is not None]
        try:
            first: list[Future[Any]] = [info_call, groups_call, networks_call, *([machines] if machines else [])]
            _await_all(first, pulse)
            info = info_call.result()
            _check_uuid(info, known)
            check_identity(info)
            groups, networks = groups_call.result(), networks_call.result()
            digest = digest_defaults(info, groups.good, networks.good)
            if machines is not None and configs is None:
                suspects = readings.guard.suspects("instance")
                is_all = digest != known.digest or suspects is None
                wanted = None if is_all else _list_changed(machines.result().good, known, suspects or ())
                if wanted is None or wanted:
                    configs = pool.submit(readings.read_configs, wanted)
            rest: list[Future[Any]] = [nodes_call, jobs_call, *([configs] if configs else [])]
            _await_all(rest, pulse)
        except RapiError as error:
            if isinstance(error, Unreachable | TimedOut | DuplicateCluster) or _is_another(info_call, known):
                raise
            live_error = _await_live([*live_calls, jobs_call], pulse)
            live = _live_state(started_at, machine_live, node_live, live_error)
            raise Incomplete(error, live, _result_or_none(jobs_call)) from error
        live_error = _await_live(live_calls, pulse)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)

    records: Records[InstanceInfo] = configs.result() if configs is not None else Records({})
    nodes = nodes_call.result()
    live = _live_state(started_at, machine_live, node_live, live_error)
    listed: Records[Any] = machines.result() if machines is not None else records
    read = (groups, networks, nodes, listed, records)
    return Snapshot(
        started_at=started_at,
        info=info,
        groups=groups,
        networks=networks,
        nodes=nodes,
        machines={uuid: _fingerprint(each) for uuid, each in listed.good.items()},
        placement=place_instances(nodes.good.values()),
        configs=records,
        jobs=jobs_call.result(),
        digest=digest,
        live=live,
        unreadable=tuple(dict.fromkeys(bad for each in read for bad in each.bad)) + live.unreadable,
    )


def _is_another(info_call: "Future[ClusterInfo]", known: Known) -> bool:
    """Whether what answers is known to be another cluster: nothing of it may be taken."""
    info = _result_or_none(info_call)
    return info is not None and bool(known.cluster_uuid) and info.uuid != known.cluster_uuid


def _live_state(
    started_at: datetime,
    machine_live: "Future[Records[InstanceLive]] | None",
    node_live: "Future[Records[NodeLive]] | None",
    error: RapiError | None,
) -> LiveState:
    machines, nodes = _result_or_none(machine_live), _result_or_none(node_live)
    bad = tuple(each for found in (machines, nodes) if found is not None for each in found.bad)
    return LiveState(
        started_at=started_at,
        nodes=nodes.good if nodes is not None else None,
        machines=machines.good if machines is not None else None,
        error=error,
        unreadable=bad,
    )


class _Pulse:
    """Calls `beat` when its time has come."""

    def __init__(self, beat: Callable[[], None], pause_s: float) -> None:
        self._beat = beat
        self.pause_s = pause_s
        self._last = monotonic()

    def keep_up(self) -> None:
        """Call it if the pause is over."""
        if monotonic() - self._last >= self.pause_s:
            self._last = monotonic()
            self._beat()


def _await_all(calls: Iterable[Future[Any]], pulse: _Pulse) -> None:
    """Until all are done; the first failure ends it."""
    waiting = set(calls)
    while waiting:
        done, waiting = wait(waiting, timeout=pulse.pause_s, return_when=FIRST_COMPLETED)
        for call in done:
            call.result()
        pulse.keep_up()


def _await_live(calls: list[Future[Any]], pulse: _Pulse) -> RapiError | None:
    """Until all are done; the last failure, if any."""
    failure = None
    for call in calls:
        try:
            _await_all([call], pulse)
        except RapiError as error:
            failure = error
    return failure


def _result_or_none(call: Future[T] | None) -> T | None:
    return call.result() if call is not None and call.exception() is None else None


def _check_uuid(info: ClusterInfo, known: Known) -> None:
    if known.cluster_uuid and info.uuid != known.cluster_uuid:
        raise WrongCluster(
            _("Another cluster answers at this address: %(name)s, uuid %(found)s instead of %(known)s.")
            % {"name": info.name, "found": info.uuid, "known": known.cluster_uuid}
        )


def _list_changed(
    machines: Mapping[str, InstanceFingerprint], known: Known, suspects: Iterable[str]
) -> list[str] | None:
    """The uuids whose configuration is to be read; None for all. `suspects` could not be read the last time."""
    doubtful = frozenset(suspects)
    changed = []
    for uuid, now in machines.items():
        seen = known.machines.get(uuid)
        if uuid in doubtful or seen is None or seen != (now.name, now.serial_no, now.mtime or 0, now.admin_state):
            changed.append(uuid)
    return changed if len(changed) <= MOST_BY_FILTER else None


def _fingerprint(record: InstanceInfo | InstanceFingerprint) -> InstanceFingerprint:
    if isinstance(record, InstanceFingerprint):
        return record
    return InstanceFingerprint(record.uuid, record.name, record.serial_no, record.mtime, record.admin_state)
