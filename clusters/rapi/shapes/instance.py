"""Instances: configuration (no node is asked) and live state (every node is asked)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from clusters.rapi.query import QueryResult
from clusters.rapi.shapes.node import NodeInfo
from clusters.rapi.shapes.reading import (
    Record,
    as_record,
    listing,
    mapping,
    number,
    optional_text,
    require_text,
    text,
    texts,
    truth,
    whole,
)

#: enough to see which instances exist, which were made anew and which have changed
INSTANCE_FINGERPRINT_FIELDS = ("uuid", "name", "serial_no", "mtime", "admin_state")

#: all configuration but ``pnode`` and ``snodes``, which cost Ganeti a scan of all instances per row
INSTANCE_CONFIG_FIELDS = (
    "uuid",
    "name",
    "serial_no",
    "ctime",
    "mtime",
    "tags",
    "admin_state",
    "admin_state_source",
    "forthcoming",
    "disks_active",
    "os",
    "osparams",
    "hypervisor",
    "disk_template",
    "disk_usage",
    "disk.sizes",
    "disk.spindles",
    "disk.uuids",
    "disk.names",
    "nic.macs",
    "nic.ips",
    "nic.modes",
    "nic.links",
    "nic.bridges",
    "nic.vlans",
    "nic.networks",
    "nic.networks.names",
    "nic.uuids",
    "nic.names",
    "network_port",
    "beparams",
    "hvparams",
    "custom_beparams",
    "custom_hvparams",
    "custom_nicparams",
    "custom_osparams",
)

#: what only the nodes know: a dead node delays the answer by 5 s
INSTANCE_LIVE_FIELDS = ("uuid", "name", "status", "oper_ram", "oper_vcpus", "forthcoming")

#: our word for a machine that is only reserved: Ganeti itself gives it the status ADMIN_down
FORTHCOMING = "forthcoming"

InstanceStatus = Literal[
    "running",
    "ADMIN_down",
    "ADMIN_offline",
    "ERROR_up",
    "ERROR_down",
    "ERROR_nodedown",
    "ERROR_nodeoffline",
    "ERROR_wrongnode",
    "USER_down",
]
INSTANCE_STATUSES: tuple[str, ...] = get_args(InstanceStatus)


@dataclass(frozen=True)
class Placement:
    """Where an instance is: node names."""

    primary: str | None = None
    secondaries: tuple[str, ...] = ()


NOWHERE = Placement()


def place_instances(nodes: Iterable[NodeInfo]) -> dict[str, Placement]:
    """Instance name → placement, from the nodes' own lists. An instance that isn't in it is on no node."""
    primaries: dict[str, str] = {}
    secondaries: dict[str, list[str]] = {}
    for node in nodes:
        for name in node.primary_instances:
            primaries[name] = node.name
        for name in node.secondary_instances:
            secondaries.setdefault(name, []).append(node.name)
    return {
        name: Placement(primaries.get(name), tuple(secondaries.get(name, ())))
        for name in primaries.keys() | secondaries.keys()
    }


@dataclass(frozen=True)
class Disk:
    """A disk, as the configuration has it. ``size_mib`` is None if Ganeti didn't say."""

    index: int
    uuid: str | None
    name: str | None
    size_mib: int | None
    spindles: int | None


@dataclass(frozen=True)
class Nic:
    """A network interface. ``network_uuid`` names a Ganeti network, ``vlan`` is text as Ganeti stores it."""

    index: int
    uuid: str | None
    name: str | None
    mac: str
    ip: str | None
    mode: str
    link: str
    vlan: str | None
    network_uuid: str | None
    network_name: str | None


@dataclass(frozen=True)
class InstanceInfo:
    """An instance's configuration. Memory and disk in MiB, times in seconds since 1970.

    ``admin_state`` (up, down, offline) is what it should be. ``beparams`` and ``hvparams`` are merged with the
    defaults, ``custom_*`` hold only what differs. ``raw`` is the record as it came.
    """

    uuid: str
    name: str
    serial_no: int
    ctime: float | None
    mtime: float | None
    tags: tuple[str, ...]
    admin_state: str
    admin_state_source: str | None
    forthcoming: bool
    disks_active: bool | None
    os: str
    hypervisor: str
    disk_template: str
    disk_usage_mib: int | None
    disks: tuple[Disk, ...]
    nics: tuple[Nic, ...]
    network_port: int | None
    beparams: dict[str, Any]
    hvparams: dict[str, Any]
    osparams: dict[str, Any]
    custom_beparams: dict[str, Any]
    custom_hvparams: dict[str, Any]
    custom_nicparams: tuple[dict[str, Any], ...]
    custom_osparams: dict[str, Any]
    primary_node: str | None
    secondary_nodes: tuple[str, ...]
    raw: dict[str, Any] = field(repr=False)

    @property
    def vcpus(self) -> int | None:
        """Virtual processors it is to have."""
        return whole(self.beparams.get("vcpus"))

    @property
    def memory_max_mib(self) -> int | None:
        """The most memory it may have."""
        most = whole(self.beparams.get("maxmem"))
        return most if most is not None else whole(self.beparams.get("memory"))

    @property
    def memory_min_mib(self) -> int | None:
        """The least memory it is started with."""
        least = whole(self.beparams.get("minmem"))
        return least if least is not None else whole(self.beparams.get("memory"))

    @property
    def disk_total_mib(self) -> int:
        """Sum of the sizes of its disks, without the redundancy of the template."""
        return sum(each.size_mib or 0 for each in self.disks)

    @classmethod
    def parse(cls, value: Any, placement: Placement | None = None) -> InstanceInfo:
        """From a record of a query, of /2/instances?bulk=1 or of /2/instances/NAME.

        Without ``placement`` the record's own pnode and snodes are taken. Needs uuid, name and admin_state,
        else Garbled.
        """
        record: Record = as_record(value, "instance")
        if placement is None:
            placement = Placement(optional_text(record.get("pnode")), texts(record.get("snodes")))
        custom_nicparams = tuple(mapping(each) for each in listing(record.get("custom_nicparams")))
        return cls(
            uuid=require_text(record, "uuid", "instance"),
            name=require_text(record, "name", "instance"),
            serial_no=whole(record.get("serial_no")) or 0,
            ctime=number(record.get("ctime")),
            mtime=number(record.get("mtime")),
            tags=texts(record.get("tags")),
            admin_state=require_text(record, "admin_state", "instance"),
            admin_state_source=optional_text(record.get("admin_state_source")),
            forthcoming=truth(record.get("forthcoming")) or False,
            disks_active=truth(record.get("disks_active")),
            os=text(record.get("os")),
            hypervisor=text(record.get("hypervisor")),
            disk_template=text(record.get("disk_template")),
            disk_usage_mib=whole(record.get("disk_usage")),
            disks=_read_disks(record),
            nics=_read_nics(record, custom_nicparams),
            network_port=whole(record.get("network_port")),
            beparams=mapping(record.get("beparams")),
            hvparams=mapping(record.get("hvparams")),
            osparams=mapping(record.get("osparams")),
            custom_beparams=mapping(record.get("custom_beparams")),
            custom_hvparams=mapping(record.get("custom_hvparams")),
            custom_nicparams=custom_nicparams,
            custom_osparams=mapping(record.get("custom_osparams")),
            primary_node=placement.primary,
            secondary_nodes=placement.secondaries,
            raw=dict(record),
        )


class _Columns:
    """Ganeti's parallel lists ("disk.sizes", "disk.uuids", …), which may be short or missing."""

    def __init__(self, record: Record, prefix: str, names: tuple[str, ...]) -> None:
        self._lists = {name: listing(record.get(f"{prefix}.{name}")) for name in names}

    def __len__(self) -> int:
        return max(len(each) for each in self._lists.values())

    def at(self, name: str, index: int) -> Any:
        values = self._lists[name]
        return values[index] if index < len(values) else None


def _read_disks(record: Record) -> tuple[Disk, ...]:
    columns = _Columns(record, "disk", ("sizes", "uuids", "names", "spindles"))
    return tuple(
        Disk(
            index=index,
            uuid=optional_text(columns.at("uuids", index)),
            name=optional_text(columns.at("names", index)),
            size_mib=whole(columns.at("sizes", index)),
            spindles=whole(columns.at("spindles", index)),
        )
        for index in range(len(columns))
    )


def _read_nics(record: Record, custom: tuple[dict[str, Any], ...]) -> tuple[Nic, ...]:
    names = ("macs", "ips", "modes", "links", "bridges", "vlans", "networks", "networks.names", "uuids", "names")
    columns = _Columns(record, "nic", names)
    nics = []
    for index in range(len(columns)):
        # nic.vlans is filled for openvswitch only; a VLAN-aware bridge has it in the NIC's own parameters
        vlan = columns.at("vlans", index) or (custom[index].get("vlan") if index < len(custom) else None)
        nics.append(
            Nic(
                index=index,
                uuid=optional_text(columns.at("uuids", index)),
                name=optional_text(columns.at("names", index)),
                mac=text(columns.at("macs", index)),
                ip=optional_text(columns.at("ips", index)) or None,
                mode=text(columns.at("modes", index)),
                link=text(columns.at("links", index)) or text(columns.at("bridges", index)),
                vlan=str(vlan) if isinstance(vlan, str | int) and vlan != "" else None,
                network_uuid=optional_text(columns.at("networks", index)),
                network_name=optional_text(columns.at("networks.names", index)),
            )
        )
    return tuple(nics)


@dataclass(frozen=True)
class InstanceFingerprint:
    """Enough to see whether an instance has changed."""

    uuid: str
    name: str
    serial_no: int
    mtime: float | None
    admin_state: str

    @classmethod
    def parse_query(cls, result: QueryResult) -> list[InstanceFingerprint]:
        """From a query with INSTANCE_FINGERPRINT_FIELDS. Garbled if an identity is missing."""
        return [
            cls(
                uuid=require_text(record, "uuid", "instance"),
                name=require_text(record, "name", "instance"),
                serial_no=whole(record.get("serial_no")) or 0,
                mtime=number(record.get("mtime")),
                admin_state=require_text(record, "admin_state", "instance"),
            )
            for record in result.records()
        ]


@dataclass(frozen=True)
class InstanceLive:
    """What an instance really does. ``status`` is Ganeti's word (INSTANCE_STATUSES, or one we don't know yet), or
    FORTHCOMING.

    ``memory_mib`` and ``vcpus`` are None when it isn't running or its node did not answer;
    ``node_answers`` tells these apart.
    """

    uuid: str
    name: str
    status: str
    memory_mib: int | None
    vcpus: int | None

    @property
    def node_answers(self) -> bool:
        """Whether the state is known at first hand: its primary node was asked, and answered."""
        return self.status not in ("ERROR_nodedown", "ERROR_nodeoffline")

    @classmethod
    def parse(cls, value: Any) -> InstanceLive:
        """From a record. Needs uuid, name and status, else Garbled."""
        record: Record = as_record(value, "instance")
        return cls(
            uuid=require_text(record, "uuid", "instance"),
            name=require_text(record, "name", "instance"),
            status=FORTHCOMING if truth(record.get("forthcoming")) else require_text(record, "status", "instance"),
            memory_mib=whole(record.get("oper_ram")),
            vcpus=whole(record.get("oper_vcpus")),
        )

    @classmethod
    def parse_query(cls, result: QueryResult) -> list[InstanceLive]:
        """From a query with INSTANCE_LIVE_FIELDS."""
        return [cls.parse(record) for record in result.records()]
