"""Whose a machine is: for whose quota it counts. Owning gives no rights."""

from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext_lazy, gettext_noop

from objectlog.changes import Change
from objectlog.messages import Message
from objectlog.words import gettext as _
from operations.contract import Ask, Claims, Invalid
from permissions.models import Persona
from quotas.amounts import Amounts
from quotas.services import judge_room, require_room
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.base import VMOperation, quota_at
from virtualmachines.usage import usage_of

_NOBODY = gettext_noop("No owner")


@dataclass(frozen=True)
class OwnerParams:
    """None: nobody."""

    owner: Persona | None = None


class SetOwner(VMOperation[OwnerParams]):
    """For who administers the cluster: it puts the machine on the quota of somebody who may not be asked."""

    verb = "set-owner"
    label = gettext_lazy("Change owner")
    needs = "set_owner"
    icon = "person"
    question = gettext_lazy("Change the owner of {target}?")
    for_users = gettext_lazy("Whoever works on it notices nothing.")
    consequence = gettext_lazy("It counts for the quota of its owner. Rights on it stay as they are.")
    sends = False
    locks = False
    params_type = OwnerParams

    def check(self, ask: Ask[VirtualMachine, OwnerParams]) -> None:
        owner, target = ask.params.owner, ask.target
        if (owner.pk if owner is not None else None) == target.owner_id:
            raise Invalid({"owner": _("It is the owner already.") if owner is not None else _("It has no owner.")})
        if owner is not None:
            used = usage_of(owner, target.cluster, without=target)
            with quota_at("owner"):
                judge_room(owner, target.cluster, _amounts_of(target), used)

    def claim(self, ask: Ask[VirtualMachine, OwnerParams], entry: UUID) -> Claims:
        """Of two that are given to one owner at once, the second counts the first."""
        owner, cluster = ask.params.owner, ask.target.cluster
        if owner is not None:
            with quota_at("owner"):
                require_room(
                    owner, cluster, _amounts_of(ask.target), lambda: usage_of(owner, cluster, without=ask.target)
                )
        return Claims()

    def changes(self, ask: Ask[VirtualMachine, OwnerParams]) -> list[Change]:
        before, after = (
            each.name if each is not None else Message(_NOBODY) for each in (ask.target.owner, ask.params.owner)
        )
        return [Change("owner", gettext_noop("owner"), before, after)]

    def perform(self, ask: Ask[VirtualMachine, OwnerParams]) -> str:
        VirtualMachine.objects.filter(pk=ask.target.pk).update(owner=ask.params.owner)
        return ""

    def journal_params(self, params: OwnerParams) -> dict[str, str]:
        return {"owner": params.owner.name if params.owner is not None else ""}


def _amounts_of(vm: VirtualMachine) -> Amounts:
    """What it uses, as `usage_of` counts it."""
    runs = vm.is_running or vm.admin_state not in ("down", "offline")
    return Amounts(vm.memory_mib if runs else 0, vm.disk_mib, vm.vcpus if runs else 0, 1)
