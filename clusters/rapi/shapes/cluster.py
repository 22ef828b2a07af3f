"""What /2/info says about a cluster."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from clusters.rapi.shapes.reading import (
    Record,
    as_record,
    mapping,
    number,
    require_text,
    text,
    texts,
    truth,
    whole,
)


@dataclass(frozen=True)
class ClusterInfo:
    """A cluster as a whole. ``raw`` is the complete record; times are seconds since 1970.

    ``hvparams`` maps every hypervisor that Ganeti knows (enabled or not) to its parameters and defaults;
    ``beparams`` and ``nicparams`` are the defaults without the "default" level around them.
    """

    uuid: str
    name: str
    master: str
    software_version: str
    architecture: str
    enabled_hypervisors: tuple[str, ...]
    default_hypervisor: str
    enabled_disk_templates: tuple[str, ...]
    default_iallocator: str
    hvparams: dict[str, dict[str, Any]]
    os_hvp: dict[str, dict[str, Any]]
    beparams: dict[str, Any]
    nicparams: dict[str, Any]
    ndparams: dict[str, Any]
    osparams: dict[str, Any]
    ipolicy: dict[str, Any]
    diskparams: dict[str, Any]
    candidate_pool_size: int | None
    max_running_jobs: int | None
    max_tracked_jobs: int | None
    mac_prefix: str
    master_netdev: str
    primary_ip_version: int | None
    volume_group_name: str | None
    file_storage_dir: str
    shared_file_storage_dir: str
    enabled_user_shutdown: bool
    ctime: float | None
    mtime: float | None
    tags: tuple[str, ...]
    hidden_os: tuple[str, ...]
    blacklisted_os: tuple[str, ...]
    raw: dict[str, Any] = field(repr=False)

    @classmethod
    def parse(cls, value: Any) -> ClusterInfo:
        """From the answer of /2/info. Needs uuid, name, master and software_version, else Garbled."""
        record: Record = as_record(value, "cluster")
        hypervisors = texts(record.get("enabled_hypervisors"))
        return cls(
            uuid=require_text(record, "uuid", "cluster"),
            name=require_text(record, "name", "cluster"),
            master=require_text(record, "master", "cluster"),
            software_version=require_text(record, "software_version", "cluster"),
            architecture=" ".join(texts(record.get("architecture"))),
            enabled_hypervisors=hypervisors,
            default_hypervisor=text(record.get("default_hypervisor")) or (hypervisors[0] if hypervisors else ""),
            enabled_disk_templates=texts(record.get("enabled_disk_templates")),
            default_iallocator=text(record.get("default_iallocator")),
            hvparams={key: mapping(each) for key, each in mapping(record.get("hvparams")).items()},
            os_hvp={key: mapping(each) for key, each in mapping(record.get("os_hvp")).items()},
            beparams=mapping(mapping(record.get("beparams")).get("default")),
            nicparams=mapping(mapping(record.get("nicparams")).get("default")),
            ndparams=mapping(record.get("ndparams")),
            osparams=mapping(record.get("osparams")),
            ipolicy=mapping(record.get("ipolicy")),
            diskparams=mapping(record.get("diskparams")),
            candidate_pool_size=whole(record.get("candidate_pool_size")),
            max_running_jobs=whole(record.get("max_running_jobs")),
            max_tracked_jobs=whole(record.get("max_tracked_jobs")),
            mac_prefix=text(record.get("mac_prefix")),
            master_netdev=text(record.get("master_netdev")),
            primary_ip_version=whole(record.get("primary_ip_version")),
            volume_group_name=text(record.get("volume_group_name")) or None,
            file_storage_dir=text(record.get("file_storage_dir")),
            shared_file_storage_dir=text(record.get("shared_file_storage_dir")),
            enabled_user_shutdown=truth(record.get("enabled_user_shutdown")) or False,
            ctime=number(record.get("ctime")),
            mtime=number(record.get("mtime")),
            tags=texts(record.get("tags")),
            hidden_os=texts(record.get("hidden_os")),
            blacklisted_os=texts(record.get("blacklisted_os")),
            raw=dict(record),
        )
