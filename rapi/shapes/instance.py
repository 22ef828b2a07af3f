"""Instances: configuration (no node is asked) and live state (every node is asked)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Annotated, Any, Literal, get_args

from rapi.query import QueryResult
from rapi.shapes.fields import (
    MOST,
    WORD_LENGTH,
    Count,
    Flag,
    ListOfTables,
    Mib,
    Name,
    OptionalText,
    Seconds,
    Table,
    Tags,
    Text,
    Texts,
    Uuid,
    Word,
    keep_record,
    listing,
    read_fields,
)
from rapi.shapes.node import NodeInfo

STATE_LENGTH = 10
OS_LENGTH = 255
_text = OptionalText().read
_count = Count().read
_MOST_PARTS = 100

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

    uuid: Annotated[str, Uuid()]
    name: Annotated[str, Name()]
    serial_no: Annotated[int, Count(default=0)]
    ctime: Annotated[float | None, Seconds()]
    mtime: Annotated[float | None, Seconds()]
    tags: Annotated[tuple[str, ...], Tags()]
    admin_state: Annotated[str, Word(limit=STATE_LENGTH)]
    admin_state_source: Annotated[str | None, OptionalText(limit=WORD_LENGTH)]
    forthcoming: Annotated[bool, Flag()]
    disks_active: Annotated[bool | None, Flag(default=None)]
    os: Annotated[str, Text(limit=OS_LENGTH)]
    hypervisor: Annotated[str, Text(limit=WORD_LENGTH)]
    disk_template: Annotated[str, Text(limit=WORD_LENGTH)]
    disk_usage_mib: Annotated[int | None, Mib("disk_usage")]
    disks: tuple[Disk, ...]
    nics: tuple[Nic, ...]
    network_port: Annotated[int | None, Count(most=65535)]
    beparams: Annotated[dict[str, Any], Table()]
    hvparams: Annotated[dict[str, Any], Table()]
    osparams: Annotated[dict[str, Any], Table()]
    custom_beparams: Annotated[dict[str, Any], Table()]
    custom_hvparams: Annotated[dict[str, Any], Table()]
    custom_nicparams: Annotated[tuple[dict[str, Any], ...], ListOfTables()]
    custom_osparams: Annotated[dict[str, Any], Table()]
    primary_node: Annotated[str | None, OptionalText("pnode")]
    secondary_nodes: Annotated[tuple[str, ...], Texts("snodes")]
    raw: dict[str, Any] = field(repr=False)

    @property
    def vcpus(self) -> int | None:
        """Virtual processors it is to have."""
        return _count(self.beparams.get("vcpus"))

    @property
    def memory_max_mib(self) -> int | None:
        """The most memory it may have."""
        return self._memory("maxmem")

    @property
    def memory_min_mib(self) -> int | None:
        """The least memory it is started with."""
        return self._memory("minmem")

    def _memory(self, key: str) -> int | None:
        """Releases before 2.6 have one figure for both."""
        return _count(self.beparams.get(key, self.beparams.get("memory")))

    @property
    def disk_total_mib(self) -> int:
        """Sum of the sizes of its disks, without the redundancy of the template."""
        return min(sum(each.size_mib or 0 for each in self.disks), MOST)

    @classmethod
    def parse(cls, record: Any, placement: Placement | None = None) -> InstanceInfo:
        """From a record of a query, of /2/instances?bulk=1 or of /2/instances/NAME.

        Without ``placement`` the record's own pnode and snodes are taken. BadRecord without a uuid, a fit name and an
        admin_state.
        """
        values = read_fields(cls, record, "machine")
        kept = keep_record(cls, record, values)
        if placement is not None:
            values |= {"primary_node": placement.primary, "secondary_nodes": placement.secondaries}
        nics = _read_nics(record, values["custom_nicparams"])
        return cls(**values, disks=_read_disks(record), nics=nics, raw=kept)


_DISK_LISTS = ("disk.sizes", "disk.uuids", "disk.names", "disk.spindles")
_NIC_LISTS = (
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
)


def _parts(record: Mapping[str, Any], keys: tuple[str, ...]) -> Iterable[tuple[Any, ...]]:
    """One for each disk or NIC, from Ganeti's parallel lists, which may be short or missing."""
    return zip_longest(*[listing(record.get(key))[:_MOST_PARTS] for key in keys])


def _read_disks(record: Mapping[str, Any]) -> tuple[Disk, ...]:
    return tuple(
        [
            Disk(
                index=index,
                uuid=_text(uuid),
                name=_text(name),
                size_mib=_count(size),
                spindles=_count(spindles),
            )
            for index, (size, uuid, name, spindles) in enumerate(_parts(record, _DISK_LISTS))
        ]
    )


def _read_nics(record: Mapping[str, Any], custom: tuple[dict[str, Any], ...]) -> tuple[Nic, ...]:
    nics = []
    for index, values in enumerate(_parts(record, _NIC_LISTS)):
        mac, ip, mode, link, bridge, vlan, network_uuid, network_name, uuid, name = values
        # nic.vlans is filled for openvswitch only; a VLAN-aware bridge has it in the NIC's own parameters
        vlan = vlan or (custom[index].get("vlan") if index < len(custom) else None)
        nics.append(
            Nic(
                index=index,
                uuid=_text(uuid),
                name=_text(name),
                mac=_text(mac) or "",
                ip=_text(ip) or None,
                mode=_text(mode) or "",
                link=_text(link) or _text(bridge) or "",
                vlan=_text(str(vlan)) if isinstance(vlan, str | int) and vlan != "" else None,
                network_uuid=_text(network_uuid),
                network_name=_text(network_name),
            )
        )
    return tuple(nics)


@dataclass(frozen=True)
class InstanceFingerprint:
    """Enough to see whether an instance has changed."""

    uuid: Annotated[str, Uuid()]
    name: Annotated[str, Name()]
    serial_no: Annotated[int, Count(default=0)]
    mtime: Annotated[float | None, Seconds()]
    admin_state: Annotated[str, Word(limit=STATE_LENGTH)]

    @classmethod
    def parse(cls, record: Any) -> InstanceFingerprint:
        """From a record of a query with INSTANCE_FINGERPRINT_FIELDS. BadRecord if an identity is missing."""
        return cls(**read_fields(cls, record, "machine"))

    @classmethod
    def parse_query(cls, result: QueryResult) -> list[InstanceFingerprint]:
        """All of a query."""
        return [cls.parse(record) for record in result.records()]


@dataclass(frozen=True)
class InstanceLive:
    """What an instance really does. ``status`` is Ganeti's word (INSTANCE_STATUSES, or one we don't know yet), or
    FORTHCOMING.

    ``memory_mib`` and ``vcpus`` are None when it isn't running or its node did not answer;
    ``node_answers`` tells these apart.
    """

    uuid: Annotated[str, Uuid()]
    name: Annotated[str, Name()]
    status: Annotated[str, Word(limit=WORD_LENGTH)]
    memory_mib: Annotated[int | None, Mib("oper_ram")]
    vcpus: Annotated[int | None, Count("oper_vcpus")]

    @property
    def node_answers(self) -> bool:
        """Whether the state is known at first hand: its primary node was asked, and answered."""
        return self.status not in ("ERROR_nodedown", "ERROR_nodeoffline")

    @classmethod
    def parse(cls, record: Any) -> InstanceLive:
        """From a record. BadRecord without a uuid, a fit name and a status."""
        if isinstance(record, Mapping) and record.get("forthcoming") is True:
            record = {**record, "status": FORTHCOMING}
        return cls(**read_fields(cls, record, "machine"))

    @classmethod
    def parse_query(cls, result: QueryResult) -> list[InstanceLive]:
        """From a query with INSTANCE_LIVE_FIELDS."""
        return [cls.parse(record) for record in result.records()]
