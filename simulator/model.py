"""What a simulated cluster consists of: plain records, sizes in MiB, times in Unix seconds."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

Params = dict[str, Any]


def new_uuid() -> str:
    return str(uuid4())


@dataclass(slots=True)
class Disk:
    size: int
    uuid: str = field(default_factory=new_uuid)
    name: str | None = None
    mode: str = "rw"
    spindles: int | None = None


@dataclass(slots=True)
class Nic:
    mac: str
    uuid: str = field(default_factory=new_uuid)
    name: str | None = None
    ip: str | None = None
    network: str | None = None  # the network's uuid
    params: Params = field(default_factory=dict)  # mode, link, vlan where they differ from the cluster's


@dataclass(slots=True)
class Instance:
    """A virtual machine: what the configuration says, and what the hypervisor would say."""

    name: str
    primary: str  # node name
    os: str = "debootstrap+default"
    hypervisor: str = "kvm"
    disk_template: str = "plain"
    secondary: str | None = None
    admin_state: str = "up"
    admin_state_source: str = "admin"
    disks: list[Disk] = field(default_factory=list)
    nics: list[Nic] = field(default_factory=list)
    hvparams: Params = field(default_factory=dict)
    beparams: Params = field(default_factory=dict)
    osparams: Params = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    network_port: int | None = None
    disks_active: bool = True
    forthcoming: bool = False
    uuid: str = field(default_factory=new_uuid)
    serial_no: int = 1
    ctime: float = 0.0
    mtime: float = 0.0
    runs_on: str | None = None  # the node where the hypervisor runs it, None when it does not run
    memory_in_use: int | None = None  # MiB, None means what beparams give
    stopped_by_guest: bool = False
    boots: int = 0  # grows at every start, so that a console can tell one boot from the next


@dataclass(slots=True)
class Node:
    name: str
    group: str  # the group's uuid
    primary_ip: str = "127.1.0.1"
    secondary_ip: str | None = None
    offline: bool = False
    drained: bool = False
    master_candidate: bool = True
    master_capable: bool = True
    vm_capable: bool = True
    ndparams: Params = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    memory: int = 65536
    memory_of_host: int = 1024
    disk: int = 2097152
    cpus: int = 16
    cpu_sockets: int = 2
    uuid: str = field(default_factory=new_uuid)
    boot_id: str = field(default_factory=new_uuid)
    serial_no: int = 1
    ctime: float = 0.0
    mtime: float = 0.0
    dead: bool = False  # does not answer, though nobody marked it offline
    exports: dict[str, Params] = field(default_factory=dict)  # by name: what their configuration says


@dataclass(slots=True)
class Group:
    name: str
    alloc_policy: str = "preferred"
    ipolicy: Params = field(default_factory=dict)
    ndparams: Params = field(default_factory=dict)
    diskparams: Params = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    uuid: str = field(default_factory=new_uuid)
    serial_no: int = 1
    ctime: float = 0.0
    mtime: float = 0.0


@dataclass(slots=True)
class Network:
    name: str
    network: str  # CIDR
    gateway: str | None = None
    network6: str | None = None
    gateway6: str | None = None
    mac_prefix: str | None = None
    reserved: list[str] = field(default_factory=list)  # addresses taken by others than our instances
    groups: dict[str, Params] = field(default_factory=dict)  # group uuid -> mode, link, vlan
    tags: list[str] = field(default_factory=list)
    uuid: str = field(default_factory=new_uuid)
    serial_no: int = 1
    ctime: float = 0.0
    mtime: float = 0.0


@dataclass(slots=True)
class FilterRule:
    """A rule of the job queue; only PAUSE and REJECT of everything newer than the watermark have an effect here."""

    uuid: str
    watermark: int
    priority: int
    predicates: list[Any]
    action: Any
    reason_trail: list[Any]
