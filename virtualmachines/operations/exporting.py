"""Export a machine to a node: its disks and its configuration, of which another one can be made."""

from dataclasses import dataclass
from typing import TypeVar

from django.utils.translation import gettext_lazy

from objectlog.words import gettext as _
from operations.contract import Ask, Invalid, Submission
from operations.groups import Group
from rapi.client import RapiClient
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.base import VMOperation, explain_forthcoming, look_whether_same
from virtualmachines.operations.power import SHUTDOWN_TIMEOUT_S
from virtualmachines.operations.protecting import explain_protection
from virtualmachines.room import list_receivers

# Disks of which the node can take a snapshot, so that the machine need not wait for the copy (DTS_SNAPSHOT_CAPABLE).
SNAPSHOTS = frozenset({"drbd", "ext", "plain"})


@dataclass(frozen=True)
class ExportAndRemoveParams:
    """`target_node`: where the export is kept."""

    target_node: str = ""
    timeout_s: int = SHUTDOWN_TIMEOUT_S


@dataclass(frozen=True)
class ExportParams(ExportAndRemoveParams):
    """`keep_running`: copy the disks as they are at that moment, while the guest writes to them."""

    keep_running: bool = False


P = TypeVar("P", bound=ExportAndRemoveParams)


class _Export(VMOperation[P]):
    """What both ways of exporting share."""

    needs = "export"
    icon = "download"
    removes = False
    group = Group.MOVE
    can_check = True

    def obstacle(self, target: VirtualMachine) -> str | None:
        if reserved := explain_forthcoming(target):
            return reserved
        if self.removes and target.is_protected:
            return explain_protection(target)
        if target.disk_template == "diskless":
            return _("It has no disks: there is nothing to export.")
        node = target.primary_node
        if node is not None and node.offline:
            return _("Its node %(node)s is set offline in Ganeti: its disks can't be read.") % {"node": node.name}
        return None

    def check(self, ask: Ask[VirtualMachine, P]) -> None:
        name = ask.params.target_node
        found = {place.node.name: place.reason for place in list_receivers(ask.target)}
        if not name:
            raise Invalid({"target_node": _("Choose the node that is to keep the export.")})
        if name not in found:
            raise Invalid({"target_node": _("The cluster has no node called %(node)s.") % {"node": name}})
        if found[name]:
            told = {"node": name, "reason": found[name]}
            raise Invalid({"target_node": _("%(node)s can't keep it: %(reason)s.") % told})


class Export(_Export[ExportParams]):
    verb = "export"
    label = gettext_lazy("Export")
    doing = gettext_lazy("exporting")
    noun = gettext_lazy("An export")
    question = gettext_lazy("Export {target}?")
    for_users = gettext_lazy(
        "Where it runs, whoever uses it is cut off until it is started again, unless it is kept running."
    )
    params_type = ExportParams

    def consequence_for(self, target: VirtualMachine) -> str:
        """How long whoever uses it is cut off depends on its disks."""
        words = _("An earlier export of it is replaced.")
        if not target.is_running:
            return words
        if target.disk_template in SNAPSHOTS:
            first = _("It is shut down, and started again as soon as a snapshot of its disks is there.")
        else:
            first = _("It is shut down, and started again when its disks are copied: they can't have snapshots.")
        return f"{first} {words}"

    def check(self, ask: Ask[VirtualMachine, ExportParams]) -> None:
        super().check(ask)
        if ask.params.keep_running and ask.target.is_running and ask.target.disk_template not in SNAPSHOTS:
            raise Invalid({"keep_running": _("Its disks can't have snapshots: it must be off while they are copied.")})

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, ExportParams], reason: str) -> Submission:
        look_whether_same(client, ask.target)
        number = client.export_instance(
            ask.target.name,
            ask.params.target_node,
            shutdown=not ask.params.keep_running,
            shutdown_timeout_s=ask.params.timeout_s,
            long_sleep=ask.target.disk_template not in SNAPSHOTS and not ask.params.keep_running,
            reason=reason,
            dry_run=ask.dry_run,
        )
        return Submission([number])


class ExportAndRemove(_Export[ExportAndRemoveParams]):
    """Afterwards there is the export alone."""

    group = Group.DANGER
    removes = True
    verb = "export-and-remove"
    label = gettext_lazy("Export and remove")
    doing = gettext_lazy("exporting, to be removed")
    noun = gettext_lazy("An export with removal")
    needs_too = ("remove",)
    is_destructive = True
    wants_typed_name = True
    question = gettext_lazy("Export {target} and remove it?")
    for_users = gettext_lazy("Nobody can use it any more. Open consoles are closed.")
    consequence = gettext_lazy(
        "It is shut down and exported; then the machine and its disks are removed from Ganeti. What is left is the "
        "export on that node, of which it can be created again. An earlier export of it is replaced."
    )
    params_type = ExportAndRemoveParams

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, ExportAndRemoveParams], reason: str) -> Submission:
        look_whether_same(client, ask.target)
        number = client.export_instance(
            ask.target.name,
            ask.params.target_node,
            shutdown=True,
            shutdown_timeout_s=ask.params.timeout_s,
            remove_instance=True,
            reason=reason,
            dry_run=ask.dry_run,
        )
        return Submission([number])
