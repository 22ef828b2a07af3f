"""IP networks that Ganeti hands addresses out of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from clusters.rapi.shapes.reading import Record, as_record, listing, number, require_text, text, texts, whole

#: without ``map`` (one character per address: 64 KiB for a /16) and without ``inst_list``
NETWORK_FIELDS = (
    "name",
    "uuid",
    "serial_no",
    "ctime",
    "mtime",
    "tags",
    "network",
    "gateway",
    "network6",
    "gateway6",
    "mac_prefix",
    "free_count",
    "reserved_count",
    "group_list",
    "external_reservations",
    "inst_cnt",
)


@dataclass(frozen=True)
class NetworkLink:
    """How a node group reaches a network. ``vlan`` is empty when unset."""

    group: str
    mode: str
    link: str
    vlan: str


@dataclass(frozen=True)
class NetworkInfo:
    """A network. ``cidr`` is the IPv4 network; counts are of addresses.

    ``address_map`` (``X`` used, ``.`` free, one per address) and ``instance_names`` only come with the single
    record or when asked for.
    """

    uuid: str
    name: str
    serial_no: int
    ctime: float | None
    mtime: float | None
    tags: tuple[str, ...]
    cidr: str
    gateway: str
    cidr6: str
    gateway6: str
    mac_prefix: str
    free_count: int | None
    reserved_count: int | None
    links: tuple[NetworkLink, ...]
    external_reservations: tuple[str, ...]
    instance_names: tuple[str, ...]
    address_map: str | None
    raw: dict[str, Any] = field(repr=False)

    @classmethod
    def parse(cls, value: Any) -> NetworkInfo:
        """From a record of a query or of /2/networks. Needs uuid and name, else Garbled."""
        record: Record = as_record(value, "network")
        links = []
        for each in listing(record.get("group_list")):
            parts = [text(part) for part in listing(each)] + [""] * 4
            links.append(NetworkLink(parts[0], parts[1], parts[2], "" if parts[3] == "-" else parts[3]))
        reservations = text(record.get("external_reservations"))
        address_map = record.get("map")
        return cls(
            uuid=require_text(record, "uuid", "network"),
            name=require_text(record, "name", "network"),
            serial_no=whole(record.get("serial_no")) or 0,
            ctime=number(record.get("ctime")),
            mtime=number(record.get("mtime")),
            tags=texts(record.get("tags")),
            cidr=text(record.get("network")),
            gateway=text(record.get("gateway")),
            cidr6=text(record.get("network6")),
            gateway6=text(record.get("gateway6")),
            mac_prefix=text(record.get("mac_prefix")),
            free_count=whole(record.get("free_count")),
            reserved_count=whole(record.get("reserved_count")),
            links=tuple(links),
            external_reservations=tuple(each.strip() for each in reservations.split(",") if each.strip()),
            instance_names=texts(record.get("inst_list")),
            address_map=address_map if isinstance(address_map, str) else None,
            raw=dict(record),
        )
