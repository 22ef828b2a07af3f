"""Nodes: configuration (no node is asked) and live figures (every node is asked)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from rapi.query import FieldState, QueryResult
from rapi.shapes.fields import (
    Address,
    Count,
    Flag,
    Mib,
    Name,
    OptionalText,
    Seconds,
    Table,
    Tags,
    Text,
    Texts,
    Uuid,
    keep_record,
    read_fields,
)

BOOT_ID_LENGTH = 64

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

    uuid: Annotated[str, Uuid()]
    name: Annotated[str, Name()]
    serial_no: Annotated[int, Count(default=0)]
    ctime: Annotated[float | None, Seconds()]
    mtime: Annotated[float | None, Seconds()]
    tags: Annotated[tuple[str, ...], Tags()]
    role: Annotated[str, Text(limit=1)]
    offline: Annotated[bool, Flag()]
    drained: Annotated[bool, Flag()]
    master_candidate: Annotated[bool, Flag()]
    master_capable: Annotated[bool, Flag(default=True)]
    vm_capable: Annotated[bool, Flag(default=True)]
    powered: Annotated[bool | None, Flag(default=None)]
    primary_ip: Annotated[str, Address("pip")]
    secondary_ip: Annotated[str, Address("sip")]
    group_uuid: Annotated[str, Text("group.uuid")]
    group_name: Annotated[str | None, OptionalText("group")]
    primary_instances: Annotated[tuple[str, ...], Texts("pinst_list")]
    secondary_instances: Annotated[tuple[str, ...], Texts("sinst_list")]
    ndparams: Annotated[dict[str, Any], Table()]
    raw: dict[str, Any] = field(repr=False)

    @property
    def is_master(self) -> bool:
        """Whether the node is the cluster's master."""
        return self.role == "M"

    @classmethod
    def parse(cls, record: Any) -> NodeInfo:
        """From a record of a query or of /2/nodes. BadRecord without a uuid and a fit name."""
        values = read_fields(cls, record, "node")
        return cls(**values, raw=keep_record(cls, record, values))


@dataclass(frozen=True)
class NodeLive:
    """What a node says about itself. All None when it did not answer; ``answers`` tells.

    ``offline`` means that nobody asked, because the node is marked offline.
    Memory and disk in MiB; ``memory_node_mib`` is what the host itself uses.
    """

    uuid: Annotated[str, Uuid()]
    name: Annotated[str, Name()]
    answers: bool
    offline: bool
    memory_total_mib: Annotated[int | None, Mib("mtotal")]
    memory_free_mib: Annotated[int | None, Mib("mfree")]
    memory_node_mib: Annotated[int | None, Mib("mnode")]
    disk_total_mib: Annotated[int | None, Mib("dtotal")]
    disk_free_mib: Annotated[int | None, Mib("dfree")]
    spindles_total: Annotated[int | None, Count("sptotal")]
    spindles_free: Annotated[int | None, Count("spfree")]
    cpu_total: Annotated[int | None, Count("ctotal")]
    cpu_numa_nodes: Annotated[int | None, Count("cnodes")]
    cpu_sockets: Annotated[int | None, Count("csockets")]
    cpu_node_os: Annotated[int | None, Count("cnos")]
    boot_id: Annotated[str | None, OptionalText("bootid", limit=BOOT_ID_LENGTH)]

    @classmethod
    def parse(cls, record: Any, *, offline: bool = False) -> NodeLive:
        """From a record. BadRecord without a uuid and a fit name."""
        values = read_fields(cls, record, "node")
        answers = values["memory_total_mib"] is not None or values["cpu_total"] is not None
        return cls(**values, answers=answers, offline=offline or record.get("offline") is True)

    @classmethod
    def parse_query(cls, result: QueryResult) -> list[NodeLive]:
        """From a query with NODE_LIVE_FIELDS (or others with ``mtotal``)."""
        return [
            cls.parse(record, offline=result.state(row, "mtotal") == FieldState.OFFLINE)
            for row, record in enumerate(result.records())
        ]
