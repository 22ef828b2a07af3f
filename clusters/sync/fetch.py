"""Reading a cluster: a complete snapshot or an exception, never half of it.

What is asked, and why (measured on Ganeti 3.0.2): a fingerprint of all machines, their configuration only where it
changed, their place from the nodes' own lists (`pnode` and `snodes` cost Ganeti a scan of all machines per row), live
state in calls of their own, because one dead node delays these by seconds. Up to three calls are under way at once:
RAPI serves twenty at a time and closes every connection.

Live calls may fail on their own: configuration is then taken, live state stays as old as it is, and says so.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from time import monotonic
from typing import Any, TypeVar

from django.utils import timezone

from clusters.rapi.client import RapiClient
from clusters.rapi.errors import Garbled, RapiError, WrongCluster
from clusters.rapi.resources.query import any_of
from clusters.rapi.shapes.cluster import ClusterInfo
from clusters.rapi.shapes.group import GROUP_FIELDS, GroupInfo
from clusters.rapi.shapes.instance import (
    INSTANCE_CONFIG_FIELDS,
    INSTANCE_FINGERPRINT_FIELDS,
    INSTANCE_LIVE_FIELDS,
    InstanceFingerprint,
    InstanceInfo,
    InstanceLive,
    place_instances,
)
from clusters.rapi.shapes.network import NETWORK_FIELDS, NetworkInfo
from clusters.rapi.shapes.node import NODE_CONFIG_FIELDS, NODE_LIVE_FIELDS, NodeInfo, NodeLive
from clusters.sync.jobs import list_jobs
from clusters.sync.snapshot import Known, Snapshot, digest_defaults

T = TypeVar("T")

CALLS_AT_ONCE = 3
# While calls are under way the updater does this often what it must (it renews its lease).
BEAT_S = 8.0
# A filter of more uuids costs Ganeti more than reading everything.
MOST_BY_FILTER = 200


def fetch_snapshot(
    client: RapiClient, known: Known, beat: Callable[[], None] = lambda: None, *, beat_s: float = BEAT_S
) -> Snapshot:
    """Read everything. Raises RapiError for whatever did not come whole; WrongCluster if it is not the known one.

    While answers are awaited `beat` is called every so often; what it raises ends the reading.
    """
    pulse = _Pulse(beat, beat_s)
    started_at = timezone.now()
    everything = not known.machines
    pool = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="rapi")
    try:
        # the longest first
        machine_live = pool.submit(_read_machine_live, client) if known.with_live else None
        configs = pool.submit(_read_configs, client, None) if everything else None
        machines = None if everything else pool.submit(_read_fingerprints, client)
        node_live = pool.submit(_read_node_live, client) if known.with_live else None
        info_call = pool.submit(client.get_info)
        nodes_call = pool.submit(_read_nodes, client)
        groups_call = pool.submit(_read_groups, client)
        networks_call = pool.submit(_read_networks, client)
        jobs_call = pool.submit(list_jobs, client, known.jobs)

        first: list[Future[Any]] = [info_call, groups_call, networks_call, *([machines] if machines else [])]
        _await_all(first, pulse)
        info = info_call.result()
        _check_identity(info, known)
        groups, networks = groups_call.result(), networks_call.result()
        digest = digest_defaults(info, groups, networks)
        if machines is not None and configs is None:
            wanted = None if digest != known.digest else _list_changed(machines.result(), known)
            if wanted is None or wanted:
                configs = pool.submit(_read_configs, client, wanted)
        rest: list[Future[Any]] = [nodes_call, jobs_call, *([configs] if configs else [])]
        _await_all(rest, pulse)
        live_error = _await_live([each for each in (machine_live, node_live) if each is not None], pulse)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)

    records = configs.result() if configs is not None else {}
    nodes = nodes_call.result()
    return Snapshot(
        started_at=started_at,
        info=info,
        groups=groups,
        networks=networks,
        nodes=nodes,
        machines=machines.result() if machines is not None else {uuid: _fingerprint(records[uuid]) for uuid in records},
        placement=place_instances(nodes),
        configs=records,
        jobs=jobs_call.result(),
        digest=digest,
        node_live=_result_or_none(node_live),
        machine_live=_result_or_none(machine_live),
        live_error=live_error,
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


def _check_identity(info: ClusterInfo, known: Known) -> None:
    if known.cluster_uuid and info.uuid != known.cluster_uuid:
        raise WrongCluster(
            f"Another cluster answers at this address: {info.name}, uuid {info.uuid} instead of {known.cluster_uuid}."
        )


def _list_changed(machines: Mapping[str, InstanceFingerprint], known: Known) -> list[str] | None:
    """The uuids whose configuration is to be read; None for all."""
    changed = []
    for uuid, now in machines.items():
        seen = known.machines.get(uuid)
        if seen is None or seen != (now.name, now.serial_no, now.mtime or 0, now.admin_state):
            changed.append(uuid)
    return changed if len(changed) <= MOST_BY_FILTER else None


def _read_machine_live(client: RapiClient) -> dict[str, InstanceLive]:
    return {each.uuid: each for each in InstanceLive.parse_query(client.query("instance", INSTANCE_LIVE_FIELDS))}


def _read_fingerprints(client: RapiClient) -> dict[str, InstanceFingerprint]:
    result = client.query("instance", INSTANCE_FINGERPRINT_FIELDS)
    return {each.uuid: each for each in InstanceFingerprint.parse_query(result)}


def _read_configs(client: RapiClient, uuids: list[str] | None) -> dict[str, InstanceInfo]:
    qfilter = None if uuids is None else any_of("uuid", uuids)
    result = client.query("instance", INSTANCE_CONFIG_FIELDS, qfilter)
    return {each.uuid: each for each in map(InstanceInfo.parse, result.records())}


def _read_node_live(client: RapiClient) -> dict[str, NodeLive]:
    return {each.uuid: each for each in NodeLive.parse_query(client.query("node", NODE_LIVE_FIELDS))}


def _read_nodes(client: RapiClient) -> tuple[NodeInfo, ...]:
    nodes = tuple(map(NodeInfo.parse, client.query("node", NODE_CONFIG_FIELDS).records()))
    if not nodes:
        raise Garbled("Ganeti lists no node, not even its master.", where=str(client.endpoint))
    return nodes


def _read_groups(client: RapiClient) -> tuple[GroupInfo, ...]:
    groups = tuple(map(GroupInfo.parse, client.query("group", GROUP_FIELDS).records()))
    if not groups:
        raise Garbled("Ganeti lists no node group, though every cluster has one.", where=str(client.endpoint))
    return groups


def _read_networks(client: RapiClient) -> tuple[NetworkInfo, ...]:
    return tuple(map(NetworkInfo.parse, client.query("network", NETWORK_FIELDS).records()))


def _fingerprint(record: InstanceInfo) -> InstanceFingerprint:
    return InstanceFingerprint(record.uuid, record.name, record.serial_no, record.mtime, record.admin_state)
