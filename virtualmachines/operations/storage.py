"""Disks of a stopped machine made available on its node, taken away again, and made anew where they are lost."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy, ngettext_lazy

from objectlog.words import gettext as _
from operations.contract import Ask, Invalid, NoParams, Submission, Words
from operations.groups import Group
from rapi.client import RapiClient
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.base import VMOperation, look_whether_same
from virtualmachines.operations.deleting import facts_of_disks
from virtualmachines.operations.disks import judge_disks
from virtualmachines.operations.power import explain_node_offline, explain_off_limits
from virtualmachines.operations.protecting import explain_protection


def _explain_no_disks(target: VirtualMachine) -> str | None:
    return None if target.disks else _("It has no disks.")


def _explain_runs(target: VirtualMachine) -> str | None:
    if target.is_running or target.admin_state == "up":
        return _("It must be stopped first.")
    return None


@dataclass(frozen=True)
class ActivateParams:
    """`ignore_size`: also where a disk is not as large as Ganeti believes."""

    ignore_size: bool = False


class ActivateDisks(VMOperation[ActivateParams]):
    verb = "activate-disks"
    label = gettext_lazy("Activate disks")
    label_of_many = ngettext_lazy("Activate the disks of %d machine", "Activate the disks of %d machines")
    doing = gettext_lazy("activating disks")
    noun = gettext_lazy("An activation of disks")
    needs = "replace_disks"
    icon = "plug"
    group = Group.DISKS
    question = gettext_lazy("Activate the disks of {target}?")
    for_users = gettext_lazy("Nobody notices anything: it is not started by that.")
    consequence = gettext_lazy(
        "They are made available on its node without starting it: to repair or copy what is on them there. Starting it "
        "does the same by itself."
    )
    params_type = ActivateParams

    def obstacle(self, target: VirtualMachine) -> str | None:
        return _explain_no_disks(target) or explain_node_offline(target)

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, ActivateParams], reason: str) -> Submission:
        look_whether_same(client, ask.target)
        return Submission([client.activate_disks(ask.target.name, ignore_size=ask.params.ignore_size, reason=reason)])


class DeactivateDisks(VMOperation[NoParams]):
    verb = "deactivate-disks"
    label = gettext_lazy("Deactivate disks")
    label_of_many = ngettext_lazy("Deactivate the disks of %d machine", "Deactivate the disks of %d machines")
    doing = gettext_lazy("deactivating disks")
    noun = gettext_lazy("A deactivation of disks")
    needs = "replace_disks"
    icon = "unplug"
    group = Group.DISKS
    question = gettext_lazy("Deactivate the disks of {target}?")
    for_users = gettext_lazy("Nobody notices anything: it is stopped.")
    consequence = gettext_lazy("They are no longer available on its node. What is on them stays.")

    def obstacle(self, target: VirtualMachine) -> str | None:
        return _explain_no_disks(target) or _explain_runs(target)

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, NoParams], reason: str) -> Submission:
        look_whether_same(client, ask.target)
        return Submission([client.deactivate_disks(ask.target.name, reason=reason)])


@dataclass(frozen=True)
class RecreateParams:
    """The numbers of the disks; none: all of them. `uuids`: those that they had when they were chosen, if known."""

    disks: tuple[int, ...] = ()
    uuids: tuple[str, ...] = ()


class RecreateDisks(VMOperation[RecreateParams]):
    """Ganeti refuses it where a disk is still there."""

    verb = "recreate-disks"
    label = gettext_lazy("Recreate disks")
    doing = gettext_lazy("recreating disks")
    noun = gettext_lazy("A recreation of disks")
    needs = "replace_disks"
    icon = "disk"
    group = Group.DANGER
    question = gettext_lazy("Recreate the disks of {target}?")
    consequence = gettext_lazy(
        "For disks that are lost, with their node for instance: they are made anew, and are empty. Reinstall the "
        "machine then, or restore what was on them."
    )
    for_users = gettext_lazy("What was on these disks is gone.")
    is_destructive = True
    wants_typed_name = True
    can_check = True
    params_type = RecreateParams

    def obstacle(self, target: VirtualMachine) -> str | None:
        return (
            _explain_no_disks(target)
            or explain_protection(target)
            or explain_off_limits(target)
            or _explain_runs(target)
            or explain_node_offline(target)
        )

    def check(self, ask: Ask[VirtualMachine, RecreateParams]) -> None:
        if words := judge_disks(ask.target, ask.params.disks, ask.params.uuids):
            raise Invalid({"disks": words})

    def facts(self, target: VirtualMachine) -> Sequence[tuple[Words, str]]:
        return facts_of_disks(target)

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, RecreateParams], reason: str) -> Submission:
        look_whether_same(client, ask.target, "disks")
        number = client.recreate_disks(ask.target.name, disks=ask.params.disks, reason=reason, dry_run=ask.dry_run)
        return Submission([number])
