"""Disks of a machine, one by one: grow, detach, attach; and all of them on another kind of storage."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast
from uuid import UUID

from django.utils.translation import gettext_lazy, gettext_noop

from clusters.models import Node
from objectlog.changes import Change
from objectlog.messages import Message
from objectlog.models import Entry
from objectlog.words import gettext as _
from objectlog.words import joined, mib
from operations.contract import Ask, Claims, Detour, Invalid, Refusal, Submission
from operations.groups import Group
from quotas.amounts import Amounts
from quotas.services import give_back
from rapi.client import RapiClient
from rapi.resources.lifecycle import DiskTemplate, InstanceChanges
from rapi.shapes.fields import listing, mapping
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.base import (
    VMOperation,
    explain_forthcoming,
    explain_other_disks,
    look_whether_same,
    modify,
)
from virtualmachines.operations.modifying import spec_of
from virtualmachines.operations.power import Shutdown, Start
from virtualmachines.operations.quota import claim_quota, judge_quota
from virtualmachines.rules import Facts
from virtualmachines.rules.sizes import judge_sizes
from virtualmachines.spec import VMSpec
from virtualmachines.spec.telling import disk_called

# What Ganeti can grow, and what it can't convert to or from (lib/constants, DTS_GROWABLE and DTS_NOT_CONVERTIBLE_*).
GROWABLE = frozenset({"drbd", "ext", "file", "gluster", "plain", "rbd", "sharedfile"})
_FROM_NOTHING = frozenset({"diskless"})
_NEVER_TO = frozenset({"diskless", "blockdev"})
_IN_FILES = frozenset({"file", "sharedfile", "gluster"})
MOST_DISKS = 16


@dataclass(frozen=True)
class GrowDiskParams:
    """Which disk, by its number, and by the uuid that it had when it was chosen; and how large it is to be, or by how
    much it grows. One of the two, in MiB."""

    disk: int = 0
    uuid: str = ""
    size_mib: int | None = None
    more_mib: int | None = None


def size_of(vm: VirtualMachine, number: int) -> int | None:
    """How large a disk is, MiB; None if there is no such disk, or it isn't known."""
    if not 0 <= number < len(vm.disks):
        return None
    size = vm.disks[number].get("size_mib")
    return size if isinstance(size, int) else None


def judge_disks(vm: VirtualMachine, numbers: Sequence[int], uuids: Sequence[str]) -> str:
    """What is wrong with these disks of a machine; `uuids` are those that they had when they were chosen, if known."""
    if unknown := [str(number) for number in numbers if not 0 <= number < len(vm.disks)]:
        return _("It has no disk %(number)s.") % {"number": ", ".join(unknown)}
    chosen = zip(numbers, uuids, strict=False)
    is_same = all(not uuid or vm.disks[number].get("uuid") == uuid for number, uuid in chosen)
    return "" if is_same else explain_other_disks()


def _require_same(vm: VirtualMachine, number: int, uuid: str) -> None:
    """Raise Invalid if there is no such disk, or another one has its number by now."""
    if not 0 <= number < len(vm.disks):
        raise Invalid({"disk": _("It has no disk with this number.")})
    if uuid and vm.disks[number].get("uuid") != uuid:
        raise Invalid({"disk": explain_other_disks()})


class GrowDisk(VMOperation[GrowDiskParams]):
    """What is sent is always the size after: sent twice, or after somebody else's, it can't grow twice."""

    verb = "grow-disk"
    takes_quota = True
    label = gettext_lazy("Grow disk")
    doing = gettext_lazy("growing a disk")
    noun = gettext_lazy("The growth of a disk")
    needs = "modify"
    icon = "plus"
    group = Group.DISKS
    question = gettext_lazy("Grow a disk of {target}?")
    for_users = gettext_lazy("Whoever works on it goes on; the disk may be slower while it grows.")
    consequence = gettext_lazy(
        "A disk never shrinks again. The guest sees the new size at once, or from its next start on, and has to "
        "enlarge partitions and file systems by itself."
    )
    params_type = GrowDiskParams
    can_check = True

    def obstacle(self, target: VirtualMachine) -> str | None:
        if reserved := explain_forthcoming(target):
            return reserved
        if target.disk_template == "diskless":
            return _("It has no disks.")
        if target.disk_template not in GROWABLE:
            return _("Ganeti can't grow disks of the kind %s.") % target.disk_template
        return None

    def check(self, ask: Ask[VirtualMachine, GrowDiskParams]) -> None:
        params = ask.params
        _require_same(ask.target, params.disk, params.uuid)
        before = size_of(ask.target, params.disk)
        if before is None:
            raise Invalid({"disk": _("It has no disk with this number.")})
        if (params.size_mib is None) == (params.more_mib is None):
            raise Invalid({"size_mib": _("Say how large it is to be, or by how much it grows.")})
        if params.more_mib is not None and params.more_mib < 1:
            raise Invalid({"more_mib": _("It grows by at least 1 MiB.")})
        if _size_after(ask) <= before:
            raise Invalid({"size_mib": _("It has %s already, and a disk never shrinks.") % mib(before)})
        if words := _explain_policy(ask.target, f"disks.{params.disk}.size_mib", _grown(params.disk, _size_after(ask))):
            raise Invalid({_field(params): words})
        judge_quota(ask.actor, ask.target.owner, ask.target.cluster, _more(ask), _field(params))

    def changes(self, ask: Ask[VirtualMachine, GrowDiskParams]) -> list[Change]:
        before = size_of(ask.target, ask.params.disk) or 0
        number = ask.params.disk
        return [Change(f"disks.{number}.size_mib", disk_called(number), mib(before), mib(_size_after(ask)))]

    def claim(self, ask: Ask[VirtualMachine, GrowDiskParams], entry: UUID) -> Claims:
        target = ask.target
        claim_quota(ask.actor, target.owner, target.cluster, _more(ask), entry, _field(ask.params))
        return Claims()

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, GrowDiskParams], reason: str) -> Submission:
        look_whether_same(client, ask.target, "disks")
        number = client.grow_disk(
            ask.target.name, ask.params.disk, _size_after(ask), reason=reason, absolute=True, dry_run=ask.dry_run
        )
        return Submission([number])

    def succeeded(self, entry: Entry) -> None:
        give_back(entry.uuid)

    def failed(self, entry: Entry) -> None:
        give_back(entry.uuid)


def _more(ask: Ask[VirtualMachine, GrowDiskParams]) -> Amounts:
    """What it takes of a quota."""
    return Amounts(disk_mib=_size_after(ask) - (size_of(ask.target, ask.params.disk) or 0))


def _field(params: GrowDiskParams) -> str:
    """The field that says the size."""
    return "size_mib" if params.size_mib is not None else "more_mib"


def _grown(number: int, size_mib: int) -> Callable[[VMSpec], VMSpec]:
    """The same machine with one disk of this size."""
    return lambda spec: replace(
        spec,
        disks=tuple(replace(disk, size_mib=size_mib) if at == number else disk for at, disk in enumerate(spec.disks)),
    )


def _explain_policy(vm: VirtualMachine, path: str, change: Callable[[VMSpec], VMSpec]) -> str:
    """What the instance policy says against one value of the machine as it would be; empty if nothing.

    Of a machine whose record can't be read here nothing is said: Ganeti judges again.
    """
    try:
        spec = change(spec_of(vm))
    except Refusal:
        return ""
    facts = Facts.of(vm.cluster)
    return dict(judge_sizes(spec.trimmed(facts.defaults), facts)).get(path, "")


def _size_after(ask: Ask[VirtualMachine, GrowDiskParams]) -> int:
    if ask.params.size_mib is not None:
        return ask.params.size_mib
    return (size_of(ask.target, ask.params.disk) or 0) + (ask.params.more_mib or 0)


@dataclass(frozen=True)
class DetachDiskParams:
    """Which disk, as it was when it was chosen; the journal keeps by which uuid it can be attached again."""

    disk: int = 0
    uuid: str = ""
    size_mib: int | None = None


_STOP_TO_DETACH = Detour(
    gettext_lazy("Shut down, detach, start"),
    gettext_lazy("It is running: it is shut down, the disk is detached, and it is started again."),
    before=(Shutdown(),),
    after=(Start(),),
)
_STOP_TO_CONVERT = Detour(
    gettext_lazy("Shut down, convert, start"),
    gettext_lazy("It is running: it is shut down, its disks are converted, and it is started again."),
    before=(Shutdown(),),
    after=(Start(),),
)


class DetachDisk(VMOperation[DetachDiskParams]):
    verb = "detach-disk"
    label = gettext_lazy("Detach disk")
    doing = gettext_lazy("detaching a disk")
    noun = gettext_lazy("The detaching of a disk")
    needs = "modify"
    icon = "disk"
    group = Group.DISKS
    question = gettext_lazy("Detach a disk of {target}?")
    for_users = gettext_lazy("What was on the disk can't be reached on the machine any more.")
    consequence = gettext_lazy(
        "The disk and its data stay in Ganeti, without a machine, and still take their room. Nothing there lists "
        "such disks: the journal keeps the uuid by which it can be attached again."
    )
    params_type = DetachDiskParams
    can_check = True

    def obstacle(self, target: VirtualMachine) -> str | None:
        if reserved := explain_forthcoming(target):
            return reserved
        if not target.disks:
            return _("It has no disks.")
        return _("It is running: shut it down first.") if target.is_running else None

    def detour(self, target: VirtualMachine) -> Detour | None:
        return _STOP_TO_DETACH if target.is_running and target.disks else None

    def check(self, ask: Ask[VirtualMachine, DetachDiskParams]) -> None:
        _require_same(ask.target, ask.params.disk, ask.params.uuid)
        if not ask.target.disks[ask.params.disk].get("uuid"):
            raise Invalid({"disk": _("Its uuid is not known, and without one it could not be attached again.")})

    def changes(self, ask: Ask[VirtualMachine, DetachDiskParams]) -> list[Change]:
        disk = ask.target.disks[ask.params.disk]
        words = joined(", ", (mib(disk.get("size_mib") or 0), str(disk.get("uuid"))))
        gone = Message(gettext_noop("detached"))
        return [Change(f"disks.{ask.params.disk}", disk_called(ask.params.disk), words, gone)]

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, DetachDiskParams], reason: str) -> Submission:
        uuid = ask.target.disks[ask.params.disk]["uuid"]
        changes = InstanceChanges(disks=[("detach", uuid, {})])
        return modify(client, ask, changes, reason)


@dataclass(frozen=True)
class AttachDiskParams:
    """The uuid of a disk that was detached."""

    uuid: str = ""


class AttachDisk(VMOperation[AttachDiskParams]):
    """Ganeti does not tell whose a detached disk was: who attaches one administers the cluster."""

    verb = "attach-disk"
    label = gettext_lazy("Attach disk")
    doing = gettext_lazy("attaching a disk")
    noun = gettext_lazy("The attaching of a disk")
    needs = "attach_disk"
    icon = "disk"
    group = Group.DISKS
    question = gettext_lazy("Attach a disk to {target}?")
    for_users = gettext_lazy("Whoever works on it is not interrupted.")
    consequence = gettext_lazy(
        "A disk that was detached before, with what is on it. It must lie on the same nodes, and be of the same kind."
    )
    params_type = AttachDiskParams
    can_check = True

    def obstacle(self, target: VirtualMachine) -> str | None:
        if reserved := explain_forthcoming(target):
            return reserved
        if len(target.disks) >= MOST_DISKS:
            return _("It has as many disks as Ganeti allows.")
        return None

    def check(self, ask: Ask[VirtualMachine, AttachDiskParams]) -> None:
        try:
            UUID(ask.params.uuid)
        except ValueError as error:
            raise Invalid({"uuid": _("This is no uuid. The journal has it, where the disk was detached.")}) from error

    def changes(self, ask: Ask[VirtualMachine, AttachDiskParams]) -> list[Change]:
        return [Change("disks", gettext_noop("New disk"), Message(gettext_noop("none")), ask.params.uuid)]

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, AttachDiskParams], reason: str) -> Submission:
        changes = InstanceChanges(disks=[("attach", -1, {"uuid": ask.params.uuid})])
        return modify(client, ask, changes, reason)


@dataclass(frozen=True)
class ConvertParams:
    """The kind of storage that all disks come to; for mirrored ones the node that mirrors them."""

    disk_template: str = ""
    secondary: str = ""


class ConvertDisks(VMOperation[ConvertParams]):
    verb = "convert-disks"
    label = gettext_lazy("Convert disks")
    doing = gettext_lazy("converting its disks")
    noun = gettext_lazy("The conversion of its disks")
    needs = "modify"
    icon = "disk"
    group = Group.DISKS
    question = gettext_lazy("Convert the disks of {target}?")
    for_users = gettext_lazy("Nobody can use it until its disks are copied and it is started again.")
    consequence = gettext_lazy(
        "Everything is copied to new disks, which takes long and needs room for both; then the old disks are deleted. "
        "Lost are their uuids and parameters of their own, and with storage on one node what a second node "
        "mirrored."
    )
    params_type = ConvertParams
    can_check = True
    wants_typed_name = True

    def obstacle(self, target: VirtualMachine) -> str | None:
        if reserved := explain_forthcoming(target):
            return reserved
        if not target.disks or target.disk_template in _FROM_NOTHING:
            return _("It has no disks.")
        return _("It is running. Ganeti converts disks of stopped machines only.") if target.is_running else None

    def detour(self, target: VirtualMachine) -> Detour | None:
        return _STOP_TO_CONVERT if target.is_running and target.disks else None

    def check(self, ask: Ask[VirtualMachine, ConvertParams]) -> None:
        target, params = ask.target, ask.params
        known = templates_for(target)
        if params.disk_template not in known:
            words = _("Ganeti can convert them to these kinds here: %s.")
            raise Invalid({"disk_template": words % (", ".join(known) or _("none"))})
        wanted = cast(DiskTemplate, params.disk_template)
        if words := _explain_policy(target, "disk_template", lambda spec: replace(spec, disk_template=wanted)):
            raise Invalid({"disk_template": words})
        nodes = Node.objects.filter(cluster=target.cluster_id, missing_since=None, name=params.secondary)
        if params.disk_template != "drbd":
            words = _("A second node is for mirrored disks (drbd).") if params.secondary else ""
        elif not params.secondary:
            words = _("Name the node that mirrors the disks.")
        elif target.primary_node is not None and params.secondary == target.primary_node.name:
            words = _("This is its own node: name another.")
        else:
            words = "" if nodes.exists() else _("There is no node called %s on this cluster.") % params.secondary
        if words:
            raise Invalid({"secondary": words})

    def changes(self, ask: Ask[VirtualMachine, ConvertParams]) -> list[Change]:
        before, after = ask.target.disk_template, ask.params.disk_template
        told = [Change("disk_template", gettext_noop("kind of disks"), before, after)]
        was = ask.target.secondary_node
        if was is not None or ask.params.secondary:
            name = was.name if was is not None else ""
            told.append(Change("secondary", gettext_noop("secondary node"), name, ask.params.secondary))
        return told

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, ConvertParams], reason: str) -> Submission:
        changes = InstanceChanges(
            disk_template=cast(DiskTemplate, ask.params.disk_template),
            remote_node=ask.params.secondary or None,
            file_driver=_driver(ask.params.disk_template),
        )
        return modify(client, ask, changes, reason)


def _driver(template: str) -> Literal["loop"] | None:
    """Ganeti has had no default for it since 2.5."""
    return "loop" if template in _IN_FILES else None


def templates_for(vm: VirtualMachine) -> list[str]:
    """The kinds of storage that its disks can be converted to, of those that the cluster has."""
    enabled = listing(mapping(vm.cluster.info).get("enabled_disk_templates"))
    return [str(each) for each in enabled if each != vm.disk_template and each not in _NEVER_TO]
