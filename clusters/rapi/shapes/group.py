"""Node groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from clusters.rapi.shapes.reading import Record, as_record, mapping, number, require_text, text, texts, whole

#: everything about groups; all configuration, no node is asked
GROUP_FIELDS = (
    "name",
    "uuid",
    "serial_no",
    "ctime",
    "mtime",
    "tags",
    "alloc_policy",
    "node_cnt",
    "node_list",
    "ipolicy",
    "custom_ipolicy",
    "diskparams",
    "custom_diskparams",
    "ndparams",
    "custom_ndparams",
)


@dataclass(frozen=True)
class GroupInfo:
    """A node group. ``ipolicy``, ``diskparams`` and ``ndparams`` are merged with the cluster's defaults."""

    uuid: str
    name: str
    serial_no: int
    ctime: float | None
    mtime: float | None
    tags: tuple[str, ...]
    alloc_policy: str
    node_names: tuple[str, ...]
    ipolicy: dict[str, Any]
    diskparams: dict[str, Any]
    ndparams: dict[str, Any]
    raw: dict[str, Any] = field(repr=False)

    @classmethod
    def parse(cls, value: Any) -> GroupInfo:
        """From a record of a query or of /2/groups. Needs uuid and name, else Garbled."""
        record: Record = as_record(value, "group")
        return cls(
            uuid=require_text(record, "uuid", "group"),
            name=require_text(record, "name", "group"),
            serial_no=whole(record.get("serial_no")) or 0,
            ctime=number(record.get("ctime")),
            mtime=number(record.get("mtime")),
            tags=texts(record.get("tags")),
            alloc_policy=text(record.get("alloc_policy")),
            node_names=texts(record.get("node_list")),
            ipolicy=mapping(record.get("ipolicy")),
            diskparams=mapping(record.get("diskparams")),
            ndparams=mapping(record.get("ndparams")),
            raw=dict(record),
        )
