"""What /2/info says about a cluster."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from rapi.shapes.fields import (
    WORD_LENGTH,
    Count,
    Flag,
    Kind,
    Seconds,
    Table,
    Tables,
    Tags,
    Text,
    Texts,
    Uuid,
    keep_record,
    mapping,
    read_fields,
)
from rapi.shapes.json import clean_table

VERSION_LENGTH = 40


@dataclass(frozen=True)
class _Defaults(Kind):
    """The table below "default"."""

    def read(self, value: Any) -> dict[str, Any]:
        """Empty if there is none."""
        return clean_table(mapping(value).get("default"))


@dataclass(frozen=True)
class ClusterInfo:
    """A cluster as a whole. ``raw`` is the complete record; times are seconds since 1970.

    ``hvparams`` maps every hypervisor that Ganeti knows (enabled or not) to its parameters and defaults;
    ``beparams`` and ``nicparams`` are the defaults without the "default" level around them.
    """

    uuid: Annotated[str, Uuid()]
    name: Annotated[str, Text()]
    master: Annotated[str, Text()]
    software_version: Annotated[str, Text(limit=VERSION_LENGTH)]
    architecture: Annotated[tuple[str, ...], Texts(most=20)]
    enabled_hypervisors: Annotated[tuple[str, ...], Texts(limit=WORD_LENGTH, most=20)]
    default_hypervisor: Annotated[str, Text(limit=WORD_LENGTH)]
    enabled_disk_templates: Annotated[tuple[str, ...], Texts(limit=WORD_LENGTH, most=50)]
    default_iallocator: Annotated[str, Text()]
    hvparams: Annotated[dict[str, dict[str, Any]], Tables()]
    os_hvp: Annotated[dict[str, dict[str, Any]], Tables()]
    beparams: Annotated[dict[str, Any], _Defaults()]
    nicparams: Annotated[dict[str, Any], _Defaults()]
    ndparams: Annotated[dict[str, Any], Table()]
    osparams: Annotated[dict[str, Any], Table()]
    ipolicy: Annotated[dict[str, Any], Table()]
    diskparams: Annotated[dict[str, Any], Table()]
    candidate_pool_size: Annotated[int | None, Count()]
    max_running_jobs: Annotated[int | None, Count()]
    max_tracked_jobs: Annotated[int | None, Count()]
    mac_prefix: Annotated[str, Text(limit=WORD_LENGTH)]
    master_netdev: Annotated[str, Text()]
    primary_ip_version: Annotated[int | None, Count()]
    volume_group_name: Annotated[str, Text()]
    file_storage_dir: Annotated[str, Text(limit=1000)]
    shared_file_storage_dir: Annotated[str, Text(limit=1000)]
    enabled_user_shutdown: Annotated[bool, Flag()]
    ctime: Annotated[float | None, Seconds()]
    mtime: Annotated[float | None, Seconds()]
    tags: Annotated[tuple[str, ...], Tags()]
    hidden_os: Annotated[tuple[str, ...], Texts()]
    blacklisted_os: Annotated[tuple[str, ...], Texts()]
    raw: dict[str, Any] = field(repr=False)

    @classmethod
    def parse(cls, record: Any) -> ClusterInfo:
        """From the answer of /2/info. BadRecord without a uuid: nothing else says which cluster it is."""
        values = read_fields(cls, record, "cluster")
        kept = keep_record(cls, record, values)
        kept |= {key: {"default": values[key]} for key in ("beparams", "nicparams") if key in kept}
        hypervisors = values["enabled_hypervisors"]
        values["default_hypervisor"] = values["default_hypervisor"] or (hypervisors[0] if hypervisors else "")
        return cls(**values, raw=kept)
