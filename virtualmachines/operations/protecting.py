"""Protection from deletion: a note of ours on the machine, which Ganeti does not know."""

from django.utils.translation import gettext_lazy, gettext_noop, ngettext_lazy

from objectlog.changes import Change
from objectlog.messages import Message
from objectlog.words import gettext as _
from operations.contract import Ask, NoParams
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.base import VMOperation


def explain_protection(target: VirtualMachine) -> str | None:
    """Why nothing may be done to it that destroys its data; None if it is not protected."""
    if target.is_protected:
        return _("It is protected from deletion. Remove the protection first.")
    return None


class _Protection(VMOperation[NoParams]):
    """What both ways share. Ganeti is not asked, so its cluster may be away."""

    for_users = gettext_lazy("Whoever works on it notices nothing.")
    needs = "modify"
    icon = "shield"
    sends = False
    locks = False
    wanted: bool

    def suits(self, target: VirtualMachine) -> bool:
        return super().suits(target) and target.is_protected != self.wanted

    def changes(self, ask: Ask[VirtualMachine, NoParams]) -> list[Change]:
        before, after = (Message(gettext_noop("on")), Message(gettext_noop("off")))[:: 1 if not self.wanted else -1]
        return [Change("is_protected", gettext_noop("protection"), before, after)]

    def perform(self, ask: Ask[VirtualMachine, NoParams]) -> str:
        VirtualMachine.objects.filter(pk=ask.target.pk).update(is_protected=self.wanted)
        return ""


class Protect(_Protection):
    verb = "protect"
    label = gettext_lazy("Protect from deletion")
    label_of_many = ngettext_lazy("Protect %d machine from deletion", "Protect %d machines from deletion")
    question = gettext_lazy("Protect {target} from deletion?")
    consequence = gettext_lazy(
        "Until the protection is removed, it can't be deleted or reinstalled here. Ganeti's own commands don't know it."
    )
    wanted = True

    def obstacle(self, target: VirtualMachine) -> str | None:
        return _("It is protected already.") if target.is_protected else None


class Unprotect(_Protection):
    verb = "unprotect"
    label = gettext_lazy("Remove protection")
    label_of_many = ngettext_lazy("Remove the protection of %d machine", "Remove the protection of %d machines")
    question = gettext_lazy("Remove the protection of {target}?")
    consequence = gettext_lazy("It can be deleted and reinstalled then.")
    wanted = False

    def obstacle(self, target: VirtualMachine) -> str | None:
        return None if target.is_protected else _("It is not protected.")
