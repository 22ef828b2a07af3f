"""What one reading of a cluster gives, and what must be known before it to ask for as little as possible."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from rapi.errors import RapiError
from rapi.shapes.cluster import ClusterInfo
from rapi.shapes.group import GroupInfo
from rapi.shapes.instance import (
    INSTANCE_CONFIG_FIELDS,
    InstanceFingerprint,
    InstanceInfo,
    InstanceLive,
    Placement,
)
from rapi.shapes.job import JobInfo
from rapi.shapes.network import NetworkInfo
from rapi.shapes.node import NodeInfo, NodeLive
from rapi.shapes.reading import Records, Unreadable


class Seen(NamedTuple):
    """The fingerprint of a machine as it stands in our rows."""

    name: str
    serial_no: int
    mtime: float
    admin_state: str


@dataclass(frozen=True)
class KnownJobs:
    """Which jobs to ask for: those newer than the highest number seen, the open ones, and numbers never seen.

    `gaps` are numbers just below the highest that were given out but not there yet when the list was read: two
    submissions at the same moment may become visible in the other order. Where there may be very many newer ones,
    `at_most` so many of the newest are read; 0: however many there are.
    """

    last_id: int = 0
    open_ids: frozenset[int] = frozenset()
    gaps: frozenset[int] = frozenset()
    at_most: int = 0


@dataclass(frozen=True)
class JobListing:
    """One complete reading of the jobs that are new or open. `unlisted` are open ones that Ganeti did not list."""

    started_at: datetime
    jobs: tuple[JobInfo, ...]
    unlisted: frozenset[int] = frozenset()
    unreadable: tuple[Unreadable, ...] = ()


@dataclass(frozen=True)
class Known:
    """What our rows hold before a reading; `digest` is empty when the configuration of all machines is wanted."""

    cluster_uuid: str = ""
    digest: str = ""
    machines: Mapping[str, Seen] = field(default_factory=dict)
    jobs: KnownJobs = KnownJobs()
    with_live: bool = True


@dataclass(frozen=True)
class LiveState:
    """Live state by uuid; None where it was not asked for or did not come (`error` says why)."""

    started_at: datetime
    nodes: Mapping[str, NodeLive] | None = None
    machines: Mapping[str, InstanceLive] | None = None
    error: RapiError | None = None
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether all of it was read."""
        return self.nodes is not None and self.machines is not None


@dataclass(frozen=True)
class Snapshot:
    """A complete reading: what can't be read of it is named in `unreadable`."""

    started_at: datetime
    info: ClusterInfo
    groups: Records[GroupInfo]
    networks: Records[NetworkInfo]
    nodes: Records[NodeInfo]
    machines: Mapping[str, InstanceFingerprint]
    placement: Mapping[str, Placement]
    configs: Records[InstanceInfo]
    jobs: JobListing
    digest: str
    live: LiveState
    unreadable: tuple[Unreadable, ...] = ()


def digest_defaults(info: ClusterInfo, groups: Mapping[str, GroupInfo], networks: Mapping[str, NetworkInfo]) -> str:
    """A digest of all that Ganeti merges into a machine's record.

    A change of it moves neither mtime nor serial_no of any machine, so their configuration is read anew.
    """
    merged = [
        INSTANCE_CONFIG_FIELDS,
        info.software_version,
        info.hvparams,
        info.os_hvp,
        info.beparams,
        info.nicparams,
        info.osparams,
        info.default_hypervisor,
        sorted([group.uuid, group.name, group.ndparams, group.diskparams] for group in groups.values()),
        sorted([network.uuid, network.name] for network in networks.values()),
    ]
    return hashlib.sha256(json.dumps(merged, sort_keys=True, default=str).encode()).hexdigest()
