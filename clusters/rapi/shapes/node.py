"""Nodes: configuration (no node is asked) and live figures (every node is asked)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from clusters.rapi.query import FieldState, QueryResult
from clusters.rapi.shapes.reading import (
    Record,
    as_record,
    mapping,
    number,
    optional_text,
    require_text,
    text,
    texts,
    truth,
    whole,
)

#: configuration, with the lists of instances: the only cheap way to learn where instances are
NODE_CONFIG_FIELDS = (
    "name",
    "uuid",
    "serial_no",
    "ctime",
    "mtime",
    "tags",
    "role",
    "master",
    "offline",
    "drained",
    "master_candidate",
    "master_capable",
    "vm_capable",
    "powered",
    "pip",
    "sip",
    "group",
    "group.uuid",
    "pinst_list",
    "sinst_list",
    "ndparams",
)

#: figures that only the node itself knows: a dead node delays the answer by 5 s
NODE_LIVE_FIELDS = (
    "uuid",
    "name",
    "mtotal",
    "mfree",
    "mnode",
    "dtotal",
    "dfree",
    "sptotal",
    "spfree",
    "ctotal",
    "cnodes",
    "csockets",
    "cnos",
    "bootid",
)

ROLE_WORDS = {
    "M": "master",
    "C": "master-candidate",
    "R": "regular",
    "D": "drained",
    "O": "offline",
}


@dataclass(frozen=True)
class NodeInfo:
    """A node's configuration. ``role`` is one letter (see ROLE_WORDS); instance lists hold names."""

    uuid: str
    name: str
    serial_no: int
    ctime: float | None
    mtime: float | None
    tags: tuple[str, ...]
    role: str
    offline: bool
    drained: bool
    master_candidate: bool
    master_capable: bool
    vm_capable: bool
    powered: bool | None
    primary_ip: str
    secondary_ip: str
    group_uuid: str
    group_name: str | None
    primary_instances: tuple[str, ...]
    secondary_instances: tuple[str, ...]
    ndparams: dict[str, Any]
    raw: dict[str, Any] = field(repr=False)

    @property
    def is_master(self) -> bool:
        """Whether the node is the cluster's master."""
        return self.role == "M"

    @classmethod
    def parse(cls, value: Any) -> NodeInfo:
        """From a record of a query or of /2/nodes. Needs uuid and name, else Garbled."""
        record: Record = as_record(value, "node")
        return cls(
            uuid=require_text(record, "uuid", "node"),
            name=require_text(record, "name", "node"),
            serial_no=whole(record.get("serial_no")) or 0,
            ctime=number(record.get("ctime")),
            mtime=number(record.get("mtime")),
            tags=texts(record.get("tags")),
            role=text(record.get("role")),
            offline=truth(record.get("offline")) or False,
            drained=truth(record.get("drained")) or False,
            master_candidate=truth(record.get("master_candidate")) or False,
            master_capable=record.get("master_capable") is not False,
            vm_capable=record.get("vm_capable") is not False,
            powered=truth(record.get("powered")),
            primary_ip=text(record.get("pip")),
            secondary_ip=text(record.get("sip")),
            group_uuid=text(record.get("group.uuid")),
            group_name=optional_text(record.get("group")),
            primary_instances=texts(record.get("pinst_list")),
            secondary_instances=texts(record.get("sinst_list")),
            ndparams=mapping(record.get("ndparams")),
            raw=dict(record),
        )


@dataclass(frozen=True)
class NodeLive:
    """What a node says about itself. All None when it did not answer; ``answers`` tells.

    ``offline`` means that nobody asked, because the node is marked offline.
    Memory and disk in MiB; ``memory_node_mib`` is what the host itself uses.
    """

    uuid: str
    name: str
    answers: bool
    offline: bool
    memory_total_mib: int | None
    memory_free_mib: int | None
    memory_node_mib: int | None
    disk_total_mib: int | None
    disk_free_mib: int | None
    spindles_total: int | None
    spindles_free: int | None
    cpu_total: int | None
    cpu_numa_nodes: int | None
    cpu_sockets: int | None
    cpu_node_os: int | None
    boot_id: str | None

    @classmethod
    def parse(cls, value: Any, *, offline: bool = False) -> NodeLive:
        """From a record. Needs uuid and name, else Garbled."""
        record: Record = as_record(value, "node")
        memory_total_mib = whole(record.get("mtotal"))
        cpu_total = whole(record.get("ctotal"))
        return cls(
            uuid=require_text(record, "uuid", "node"),
            name=require_text(record, "name", "node"),
            answers=memory_total_mib is not None or cpu_total is not None,
            offline=offline or record.get("offline") is True,
            memory_total_mib=memory_total_mib,
            memory_free_mib=whole(record.get("mfree")),
            memory_node_mib=whole(record.get("mnode")),
            disk_total_mib=whole(record.get("dtotal")),
            disk_free_mib=whole(record.get("dfree")),
            spindles_total=whole(record.get("sptotal")),
            spindles_free=whole(record.get("spfree")),
            cpu_total=cpu_total,
            cpu_numa_nodes=whole(record.get("cnodes")),
            cpu_sockets=whole(record.get("csockets")),
            cpu_node_os=whole(record.get("cnos")),
            boot_id=optional_text(record.get("bootid")),
        )

    @classmethod
    def parse_query(cls, result: QueryResult) -> list[NodeLive]:
        """From a query with NODE_LIVE_FIELDS (or others with ``mtotal``)."""
        return [
            cls.parse(record, offline=result.state(row, "mtotal") == FieldState.OFFLINE)
            for row, record in enumerate(result.records())
        ]
