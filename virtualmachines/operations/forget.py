"""Forget a machine that Ganeti lists no more."""

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from clusters.models import Cluster
from clusters.operations.forget import Forget
from objectlog.words import gettext as _
from operations.contract import Ask, NoParams
from operations.groups import Group
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.base import VMOperation


class ForgetMachine(Forget[VirtualMachine]):
    """With its owner, notes and the rights on it."""

    kind = "vm"
    consequence = gettext_lazy("Its owner, notes and rights are forgotten. Its jobs and the journal stay.")
    for_users = gettext_lazy(
        "Nobody can use it as it is: Ganeti does not list it. Should it come back, rights are gone."
    )

    def cluster_of(self, target: VirtualMachine) -> Cluster:
        return target.cluster

    def suits(self, target: VirtualMachine) -> bool:
        return target.is_missing and not target.was_never_made

    def rows(self) -> QuerySet[VirtualMachine]:
        return VirtualMachine.objects.select_related("cluster").defer("raw").order_by("name", "pk")


class Discard(VMOperation[NoParams]):
    """What is left of a creation that failed. Nobody else needs it, so its owner may."""

    verb = "discard"
    label = gettext_lazy("Remove the attempt")
    needs = "remove"
    icon = "trash"
    group = Group.DANGER
    question = gettext_lazy("Remove the failed attempt to create {target}?")
    consequence = gettext_lazy("Ganeti has no machine of it. What was typed stays in the journal.")
    for_users = gettext_lazy("Nobody used it: it was never there.")
    sends = False
    needs_target = False

    def suits(self, target: VirtualMachine) -> bool:
        return target.was_never_made

    def obstacle(self, target: VirtualMachine) -> str | None:
        return None if target.was_never_made else _("This is for machines whose creation failed.")

    def perform(self, ask: Ask[VirtualMachine, NoParams]) -> str:
        ask.target.delete()
        return ""
