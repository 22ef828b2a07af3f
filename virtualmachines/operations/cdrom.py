"""Insert a CD into a machine's drive, from those that the admins of its cluster list, and eject it."""

from dataclasses import dataclass
from typing import TypeVar

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy, gettext_noop

from clusters.operations.images import read_images
from objectlog.changes import Change
from objectlog.messages import Message
from objectlog.words import gettext as _
from operations.contract import Ask, Invalid, NoParams, Submission
from rapi.client import RapiClient
from rapi.resources.lifecycle import InstanceChanges
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.base import VMOperation, explain_forthcoming, modify

P = TypeVar("P")
# Boot orders by hypervisor: from CD, and from disk.
_BOOT_ORDERS = {"kvm": ("cdrom", "disk"), "xen-hvm": ("dc", "cd")}


@dataclass(frozen=True)
class InsertParams:
    """`image`: the name of one of the cluster's images."""

    image: str = ""
    boots: bool = False


def boots_from_cd(target: VirtualMachine) -> bool:
    """Whether it would not start without one."""
    order = str(target.hvparams.get("boot_order") or "")
    return order == "cdrom" or (target.hypervisor == "xen-hvm" and order.startswith("d"))


def name_of_cd(target: VirtualMachine) -> str:
    """What is in its drive: the name of the image, or the path of one that is not listed; empty if none is."""
    path = str(target.hvparams.get("cdrom_image_path") or "")
    return next((image.name for image in read_images(target.cluster) if image.path == path), path)


class _WithDrive(VMOperation[P]):
    """Of machines whose hypervisor has a CD-ROM drive."""

    needs = "modify"
    can_check = True

    def rows(self) -> QuerySet[VirtualMachine]:
        """With the record, which says what is in the drive."""
        return super().rows().defer(None)

    def suits(self, target: VirtualMachine) -> bool:
        """Elsewhere there is no drive, and nobody looks for one."""
        return target.hypervisor in _BOOT_ORDERS

    def obstacle(self, target: VirtualMachine) -> str | None:
        if reserved := explain_forthcoming(target):
            return reserved
        if target.hypervisor not in _BOOT_ORDERS:
            return _("Machines of %(hypervisor)s have no CD-ROM drive.") % {"hypervisor": target.hypervisor}
        return None


class InsertCd(_WithDrive[InsertParams]):
    verb = "insert-cd"
    label = gettext_lazy("Insert CD")
    doing = gettext_lazy("getting a CD")
    noun = gettext_lazy("Inserting a CD")
    icon = "disk"
    question = gettext_lazy("Insert a CD into {target}?")
    for_users = gettext_lazy("Whoever works on it is not interrupted.")
    consequence = gettext_lazy("The guest sees it once the machine is started the next time, or rebooted from here.")
    params_type = InsertParams

    def obstacle(self, target: VirtualMachine) -> str | None:
        found = super().obstacle(target)
        if found or read_images(target.cluster):
            return found
        return _("No CD image is listed for %(cluster)s. Its admins do that on its page, under CD images.") % {
            "cluster": target.cluster
        }

    def check(self, ask: Ask[VirtualMachine, InsertParams]) -> None:
        if ask.params.image not in {image.name for image in read_images(ask.target.cluster)}:
            raise Invalid({"image": _("Choose one of the images that are listed.")})

    def changes(self, ask: Ask[VirtualMachine, InsertParams]) -> list[Change]:
        before = name_of_cd(ask.target) or Message(gettext_noop("none"))
        found = [Change("cdrom", gettext_noop("CD"), before, ask.params.image)]
        if ask.params.boots and not boots_from_cd(ask.target):
            order, after = ask.target.hvparams.get("boot_order"), _BOOT_ORDERS[ask.target.hypervisor][0]
            found.append(Change("boot_order", gettext_noop("boot order"), order, after))
        return found

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, InsertParams], reason: str) -> Submission:
        target = ask.target
        values = {each.name: each.path for each in read_images(target.cluster)}
        given = {"cdrom_image_path": values[ask.params.image]}
        if target.hypervisor == "kvm" and not target.hvparams.get("cdrom_disk_type"):
            given["cdrom_disk_type"] = "ide"  # what is left empty becomes that of the disks, which boots no CD
        if ask.params.boots:
            given["boot_order"] = _BOOT_ORDERS[target.hypervisor][0]
        return modify(client, ask, InstanceChanges(hvparams=given), reason)


class EjectCd(_WithDrive[NoParams]):
    """One from which the machine boots, too: it then boots from its disk."""

    verb = "eject-cd"
    label = gettext_lazy("Eject CD")
    doing = gettext_lazy("ejecting its CD")
    noun = gettext_lazy("Ejecting a CD")
    icon = "up"
    question = gettext_lazy("Eject the CD of {target}?")
    for_users = gettext_lazy("Whoever works on it is not interrupted.")
    consequence = gettext_lazy("The guest keeps it until the machine is started the next time, or rebooted from here.")

    def obstacle(self, target: VirtualMachine) -> str | None:
        found = super().obstacle(target)
        if found or target.hvparams.get("cdrom_image_path"):
            return found
        return _("There is no CD in it.")

    def changes(self, ask: Ask[VirtualMachine, NoParams]) -> list[Change]:
        found = [Change("cdrom", gettext_noop("CD"), name_of_cd(ask.target), Message(gettext_noop("none")))]
        if boots_from_cd(ask.target):
            order, after = ask.target.hvparams.get("boot_order"), _BOOT_ORDERS[ask.target.hypervisor][1]
            found.append(Change("boot_order", gettext_noop("boot order"), order, after))
        return found

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, NoParams], reason: str) -> Submission:
        given = {"cdrom_image_path": ""}
        if boots_from_cd(ask.target):
            given["boot_order"] = _BOOT_ORDERS[ask.target.hypervisor][1]
        return modify(client, ask, InstanceChanges(hvparams=given), reason)
