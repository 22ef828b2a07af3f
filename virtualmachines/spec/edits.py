"""What somebody wants changed of a machine that exists. What they do not name stays as it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, TypeVar

from objectlog.words import gettext as _
from virtualmachines.spec.data import BadData
from virtualmachines.spec.machine import DiskSpec, NicSpec, Value, VMSpec

P = TypeVar("P", DiskSpec, NicSpec)
# A parameter that is None follows the cluster again.
Wishes = Mapping[str, Value | None]


@dataclass(frozen=True)
class NicEdit:
    """What a network card is to have; None leaves it as it is, and an empty text makes it the cluster's, or none."""

    mac: str | None = None
    ip: str | None = None
    mode: str | None = None
    link: str | None = None
    vlan: str | None = None
    network: str | None = None
    name: str | None = None
    remove: bool = False


@dataclass(frozen=True)
class DiskEdit:
    """The same of a disk. Its size is not among it: a disk is grown by itself."""

    name: str | None = None
    mode: Literal["rw", "ro"] | None = None
    remove: bool = False


@dataclass(frozen=True)
class Edit:
    """All that is wanted otherwise. `disks` and `nics` are those that are there, by number or uuid.

    Private parameters of the OS are set: which there are, and to what they are set, nobody is told.
    """

    os: str | None = None
    beparams: Wishes = field(default_factory=dict)
    hvparams: Wishes = field(default_factory=dict)
    osparams: Wishes = field(default_factory=dict)
    osparams_private: Wishes = field(default_factory=dict, repr=False)
    nics: Mapping[str, NicEdit] = field(default_factory=dict)
    nics_added: tuple[NicSpec, ...] = ()
    disks: Mapping[str, DiskEdit] = field(default_factory=dict)
    disks_added: tuple[DiskSpec, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is wanted."""
        return self != Edit()

    def apply(self, spec: VMSpec) -> VMSpec:
        """The machine as it would be. Raises BadData for a disk or network card that is not there."""
        return replace(
            spec,
            os=spec.os if self.os is None else self.os,
            beparams=_with(spec.beparams, self.beparams),
            hvparams=_with(spec.hvparams, self.hvparams),
            osparams=_with(spec.osparams, self.osparams),
            osparams_private=_with(spec.osparams_private, self.osparams_private),
            nics=(*_edited("nics", spec.nics, self.nics), *self.nics_added),
            disks=(*_edited("disks", spec.disks, self.disks), *self.disks_added),
        )

    @property
    def removes_disks(self) -> bool:
        """Whether data are lost by it."""
        return any(each.remove for each in self.disks.values())


def _with(old: Mapping[str, Value], wishes: Wishes) -> dict[str, Value]:
    kept = {name: value for name, value in old.items() if name not in wishes}
    return kept | {name: value for name, value in wishes.items() if value is not None}


def _edited(where: str, old: Sequence[P], edits: Mapping[str, Any]) -> list[P]:
    by_key: dict[str, int] = {}
    for number, part in enumerate(old):
        by_key[str(number)] = number
        if part.uuid:
            by_key[part.uuid] = number
    wanted: dict[int, Any] = {}
    for key, edit in edits.items():
        if key not in by_key or by_key[key] in wanted:
            raise BadData(f"{where}.{key}", _("It is not there, or is named twice."))
        wanted[by_key[key]] = edit
    parts = []
    for number, part in enumerate(old):
        edit = wanted.get(number)
        if edit is None:
            parts.append(part)
        elif not edit.remove:
            parts.append(_changed(part, edit))
    return parts


def _changed(part: P, edit: NicEdit | DiskEdit) -> P:
    values = {name: value for name, value in vars(edit).items() if name != "remove" and value is not None}
    if values.get("network") and isinstance(part, NicSpec):
        # With a network these are the network's: they go unless they were said, and then the rules speak.
        values = {"mode": "", "link": "", "vlan": ""} | values
    return replace(part, **values)


def edit_between(before: VMSpec, after: VMSpec) -> Edit:
    """What has to be wanted for the one to become the other. Raises BadData for what no edit says: a disk's size."""
    for number, disk in enumerate(after.disks):
        known = next((each for each in before.disks if each.uuid and each.uuid == disk.uuid), disk)
        if disk.size_mib != known.size_mib:
            raise BadData(f"disks.{number}.size_mib", _("A disk is grown by itself: Grow disk."))
    return Edit(
        os=None if after.os == before.os else after.os,
        beparams=_wishes(before.beparams, after.beparams),
        hvparams=_wishes(before.hvparams, after.hvparams),
        osparams=_wishes(before.osparams, after.osparams),
        osparams_private=dict(after.osparams_private),
        nics=_edits_between(before.nics, after.nics, NicEdit),
        nics_added=tuple(nic for nic in after.nics if not nic.uuid),
        disks=_edits_between(before.disks, after.disks, DiskEdit),
        disks_added=tuple(disk for disk in after.disks if not disk.uuid),
    )


def _wishes(before: Mapping[str, Value], after: Mapping[str, Value]) -> dict[str, Value | None]:
    names = sorted(before.keys() | after.keys())
    return {name: after.get(name) for name in names if _as_typed(before, name) != _as_typed(after, name)}


def _as_typed(values: Mapping[str, Value], name: str) -> tuple[type, Any]:
    """1 and true are different values."""
    return type(values.get(name)), values.get(name)


def _edits_between(before: Sequence[Any], after: Sequence[Any], kind: type[Any]) -> dict[str, Any]:
    kept = {part.uuid: part for part in after if part.uuid}
    names = [each.name for each in fields(kind) if each.name != "remove"]
    edits = {}
    for number, part in enumerate(before):
        now = kept.get(part.uuid) if part.uuid else None
        values = {name: getattr(now, name) for name in names if now and getattr(now, name) != getattr(part, name)}
        if now is None or values:
            edits[part.uuid or str(number)] = kind(remove=now is None, **values)
    return edits
