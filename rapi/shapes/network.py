"""IP networks that Ganeti hands addresses out of."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import Annotated, Any

from rapi.shapes.fields import (
    NAME_LENGTH,
    WORD_LENGTH,
    Count,
    Kind,
    Label,
    OptionalText,
    Seconds,
    Tags,
    Text,
    Texts,
    Uuid,
    keep_record,
    listing,
    read_fields,
)

CIDR_LENGTH, CIDR6_LENGTH, ADDRESS_LENGTH = 50, 60, 45
# one character for each address of a /16
_MAP_LENGTH = 2**16
# So many free addresses are offered to whoever makes a network card.
_FREE_KEPT = 10

#: without ``inst_list``, and without ``external_reservations``, which nobody is shown: Ganeti works a tenth of a second
#: to write down those of a /16, six times as long as for all else. Of ``map`` (one character per address: 64 KiB for a
#: /16) no more is kept than is shown
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
    "map",
    "group_list",
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
class _Links(Kind):
    """How node groups reach it: lists of group, mode, link and VLAN."""

    def read(self, value: Any) -> tuple[NetworkLink, ...]:
        """What is no list reaches nothing."""
        found = []
        for each in listing(value)[:1000]:
            parts = [Text(limit=NAME_LENGTH).read(part) for part in listing(each)] + [""] * 4
            found.append(NetworkLink(parts[0], parts[1], parts[2], "" if parts[3] == "-" else parts[3]))
        return tuple(found)


@dataclass(frozen=True)
class _Reservations(Kind):
    """Addresses with commas between."""

    def read(self, value: Any) -> tuple[str, ...]:
        """Each by itself."""
        words = value[:_MAP_LENGTH].split(",") if isinstance(value, str) else []
        return Texts(limit=ADDRESS_LENGTH).read([each.strip() for each in words if each.strip()])


@dataclass(frozen=True)
class NetworkInfo:
    """A network. ``cidr`` is the IPv4 network; counts are of addresses.

    ``address_map`` has ``X`` for used and ``.`` for free, one per address; ``raw`` keeps it as far as its first free
    ones. ``instance_names`` and ``external_reservations`` only come with the single record or when asked for.
    """

    uuid: Annotated[str, Uuid()]
    name: Annotated[str, Label()]
    serial_no: Annotated[int, Count(default=0)]
    ctime: Annotated[float | None, Seconds()]
    mtime: Annotated[float | None, Seconds()]
    tags: Annotated[tuple[str, ...], Tags()]
    cidr: Annotated[str, Text("network", limit=CIDR_LENGTH)]
    gateway: Annotated[str, Text(limit=ADDRESS_LENGTH)]
    cidr6: Annotated[str, Text("network6", limit=CIDR6_LENGTH)]
    gateway6: Annotated[str, Text(limit=ADDRESS_LENGTH)]
    mac_prefix: Annotated[str, Text(limit=WORD_LENGTH)]
    free_count: Annotated[int | None, Count()]
    reserved_count: Annotated[int | None, Count()]
    links: Annotated[tuple[NetworkLink, ...], _Links("group_list")]
    external_reservations: Annotated[tuple[str, ...], _Reservations()]
    instance_names: Annotated[tuple[str, ...], Texts("inst_list")]
    address_map: Annotated[str | None, OptionalText("map", limit=_MAP_LENGTH)]
    raw: dict[str, Any] = field(repr=False)

    @classmethod
    def parse(cls, record: Any) -> NetworkInfo:
        """From a record of a query or of /2/networks. BadRecord without a uuid and a fit name."""
        values = read_fields(cls, record, "network")
        kept = keep_record(cls, record, values)
        if "group_list" in kept:
            kept["group_list"] = [[each.group, each.mode, each.link, each.vlan] for each in values["links"]]
        if values["address_map"]:
            kept["map"] = _until_free(values["address_map"])
        return cls(**values, raw=kept)


def _until_free(address_map: str) -> str:
    """The map as far as the last free address that is kept."""
    free = (at for at, taken in enumerate(address_map) if taken == ".")
    return address_map[: next(islice(free, _FREE_KEPT - 1, None), len(address_map)) + 1]
