"""Everything that the creation of a machine can say.

An empty text, and a parameter that is not there, mean the cluster's default. Sizes are MiB.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from rapi.resources.lifecycle import DiskTemplate
from rapi.shapes.fields import listing, mapping

Value = str | int | float | bool
Params = Mapping[str, Value]
#: an instance without disks has this template, whatever was asked for
DISKLESS: DiskTemplate = "diskless"


def _nothing() -> Params:
    return {}


@dataclass(frozen=True)
class DiskSpec:
    """A disk. `uuid` is there if it exists already. `provider_params` are what its provider takes (template ext).

    Ganeti tells the mode of a disk only by a job, so that one read from a listing has none; a new one can be written.
    """

    size_mib: int
    name: str = ""
    mode: Literal["rw", "ro", ""] = ""
    spindles: int | None = None
    vg: str = ""
    metavg: str = ""
    access: str = ""
    adopt: str = ""
    provider: str = ""
    provider_params: Mapping[str, str] = field(default_factory=dict)
    uuid: str = field(default="", compare=False)


@dataclass(frozen=True)
class NicSpec:
    """A network card. With a `network`, mode, link and VLAN are the network's. `uuid` as of disks.

    `ip` may be "pool", for a free address of the network, and `mac` "auto".
    """

    mac: str = "auto"
    ip: str = ""
    mode: str = ""
    link: str = ""
    vlan: str = ""
    network: str = ""
    name: str = ""
    uuid: str = field(default="", compare=False)


@dataclass(frozen=True)
class Placement:
    """Where: on a node (mirrored: and another), or where an allocator says, within a group or anywhere."""

    primary: str = ""
    secondary: str = ""
    allocator: str = ""
    group: str = ""


@dataclass(frozen=True)
class Source:
    """The export that a machine is made of: the node that keeps it, and where, if not at its usual place."""

    node: str
    path: str = ""
    compress: str = ""


@dataclass(frozen=True)
class Options:
    """How it is created. `no_install` leaves the disks as they are, and the machine stopped."""

    start: bool = True
    no_install: bool = False
    wait_for_sync: bool = True
    name_check: bool = False
    ip_check: bool = False
    conflicts_check: bool = True
    ignore_ipolicy: bool = False
    opportunistic_locking: bool = False
    force_variant: bool = False
    identify_defaults: bool = False
    forthcoming: bool = False
    commit: bool = False
    instance_communication: bool = False
    file_driver: Literal["loop", "blktap", "blktap2"] | None = None
    file_storage_dir: str = ""


@dataclass(frozen=True)
class VMSpec:
    """A machine. `beparams`, `hvparams` and `osparams` are what it has of its own.

    Private parameters of the OS are kept by Ganeti and told to nobody; secret ones are forgotten at once. Neither is
    in the representation of a spec, nor in any difference.
    """

    name: str
    os: str = ""
    hypervisor: str = ""
    disk_template: DiskTemplate | Literal[""] = ""
    disks: tuple[DiskSpec, ...] = ()
    nics: tuple[NicSpec, ...] = ()
    beparams: Params = field(default_factory=_nothing)
    hvparams: Params = field(default_factory=_nothing)
    osparams: Params = field(default_factory=_nothing)
    osparams_private: Params = field(default_factory=_nothing, repr=False)
    osparams_secret: Params = field(default_factory=_nothing, repr=False)
    tags: frozenset[str] = frozenset()
    placement: Placement = Placement()
    source: Source | None = None
    options: Options = Options()

    def trimmed(self, defaults: "Defaults") -> "VMSpec":
        """The same machine, its defaults filled in where they are its identity, and left out where they are values.

        Where it is made of an export, what is not said is as in that: a value that is the default is said all the same.
        """
        nics = tuple(_trimmed_nic(nic, defaults.nic) for nic in self.nics)
        if self.source is not None:
            return replace(self, disk_template=self.disk_template or defaults.disk_template, nics=nics)
        hypervisor = self.hypervisor or defaults.hypervisor
        return replace(
            self,
            hypervisor=hypervisor,
            disk_template=(self.disk_template or defaults.disk_template) if self.disks else DISKLESS,
            nics=nics,
            beparams=_differing(self.beparams, defaults.beparams),
            hvparams=_differing(self.hvparams, defaults.hvparams_of(hypervisor, self.os)),
            osparams=_differing(self.osparams, defaults.osparams_of(self.os)),
        )

    def as_told(self) -> "VMSpec":
        """What of it Ganeti tells of an existing machine: the rest is as if it had not been said."""
        return replace(
            self,
            disks=tuple(DiskSpec(disk.size_mib, name=disk.name, spindles=disk.spindles) for disk in self.disks),
            osparams_private={},
            osparams_secret={},
            placement=Placement(self.placement.primary, self.placement.secondary),
            source=None,
            options=Options(),
        )


@dataclass(frozen=True)
class Defaults:
    """What a cluster gives a machine that says nothing."""

    hypervisor: str = ""
    disk_template: DiskTemplate | Literal[""] = ""
    beparams: Params = field(default_factory=_nothing)
    hvparams: Mapping[str, Params] = field(default_factory=dict)
    os_hvparams: Mapping[str, Mapping[str, Params]] = field(default_factory=dict)
    osparams: Mapping[str, Params] = field(default_factory=dict)
    nic: Params = field(default_factory=_nothing)

    @classmethod
    def of(cls, info: Mapping[str, Any]) -> "Defaults":
        """From what /2/info tells. The first of the enabled hypervisors and disk templates is the default."""
        hypervisors, templates = listing(info.get("enabled_hypervisors")), listing(info.get("enabled_disk_templates"))
        return cls(
            hypervisor=hypervisors[0] if hypervisors else "",
            disk_template=templates[0] if templates else "",
            beparams=mapping(mapping(info.get("beparams")).get("default")),
            hvparams=mapping(info.get("hvparams")),
            os_hvparams=mapping(info.get("os_hvp")),
            osparams=mapping(info.get("osparams")),
            nic=mapping(mapping(info.get("nicparams")).get("default")),
        )

    def hvparams_of(self, hypervisor: str, os: str) -> Params:
        """The cluster's for this hypervisor, and over them those of the OS; a variant has those of its OS."""
        of_os = mapping(self.os_hvparams.get(os)) or mapping(self.os_hvparams.get(os.partition("+")[0]))
        return {**mapping(self.hvparams.get(hypervisor)), **mapping(of_os.get(hypervisor))}

    def osparams_of(self, os: str) -> Params:
        """The cluster's for this OS, and over them those of its variant."""
        return {**mapping(self.osparams.get(os.partition("+")[0])), **mapping(self.osparams.get(os))}


def _differing(params: Params, defaults: Params) -> Params:
    """Those with another value; 1 and true are different values."""
    return {
        name: value
        for name, value in params.items()
        if name not in defaults or (type(value), value) != (type(defaults[name]), defaults[name])
    }


def _trimmed_nic(nic: NicSpec, defaults: Params) -> NicSpec:
    if nic.network:
        return replace(nic, mode="", link="", vlan="")
    same = {name: "" for name in ("mode", "link", "vlan") if getattr(nic, name) == defaults.get(name, "")}
    return replace(nic, **same)


#: What Ganeti does not tell of a machine, by class. All else survives the way to Ganeti and back.
UNTOLD: Mapping[type, frozenset[str]] = {
    DiskSpec: frozenset({"mode", "vg", "metavg", "access", "adopt", "provider", "provider_params"}),
    NicSpec: frozenset(),
    Placement: frozenset({"allocator", "group"}),
    VMSpec: frozenset({"osparams_private", "osparams_secret", "source", "options"}),
}


def told_fields(kind: type) -> frozenset[str]:
    """The fields of one of the classes above that Ganeti tells."""
    return frozenset(each.name for each in fields(kind)) - UNTOLD[kind]
