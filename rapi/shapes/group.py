"""Node groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from rapi.shapes.fields import (
    WORD_LENGTH,
    Count,
    Label,
    Seconds,
    Table,
    Tags,
    Text,
    Texts,
    Uuid,
    keep_record,
    read_fields,
)

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

    uuid: Annotated[str, Uuid()]
    name: Annotated[str, Label()]
    serial_no: Annotated[int, Count(default=0)]
    ctime: Annotated[float | None, Seconds()]
    mtime: Annotated[float | None, Seconds()]
    tags: Annotated[tuple[str, ...], Tags()]
    alloc_policy: Annotated[str, Text(limit=WORD_LENGTH)]
    node_names: Annotated[tuple[str, ...], Texts("node_list")]
    ipolicy: Annotated[dict[str, Any], Table()]
    diskparams: Annotated[dict[str, Any], Table()]
    ndparams: Annotated[dict[str, Any], Table()]
    raw: dict[str, Any] = field(repr=False)

    @classmethod
    def parse(cls, record: Any) -> GroupInfo:
        """From a record of a query or of /2/groups. BadRecord without a uuid and a fit name."""
        values = read_fields(cls, record, "node group")
        return cls(**values, raw=keep_record(cls, record, values))
