"""Replace mirrored disks: where one copy is broken, or its node is to be another."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy, gettext_noop

from objectlog.changes import Change
from objectlog.messages import Message
from objectlog.words import gettext as _
from operations.contract import Ask, Invalid, Submission
from operations.groups import Group
from rapi.client import RapiClient
from rapi.resources.storage import ReplaceMode
from virtualmachines.models import VirtualMachine
from virtualmachines.moves import explain_no_allocator
from virtualmachines.operations.base import VMOperation, explain_forthcoming, look_whether_same, require_place
from virtualmachines.operations.disks import judge_disks
from virtualmachines.operations.moving import allocator_of
from virtualmachines.room import places_for_secondary

NEW_SECONDARY: ReplaceMode = "replace_new_secondary"
# Where single disks can be named.
IN_PLACE = ("replace_on_primary", "replace_on_secondary")


@dataclass(frozen=True)
class ReplaceDisksParams:
    """`disks`: their numbers, all if empty; `uuids`: those that they had when they were chosen, where that is known.

    `target_node`: the new secondary; empty leaves it to the allocator. `opened`: where the machine was when this was
    said, which tells which copy is meant; empty: anywhere.
    """

    mode: ReplaceMode = "replace_auto"
    disks: tuple[int, ...] = ()
    target_node: str = ""
    uuids: tuple[str, ...] = ()
    opened: str = ""


class ReplaceDisks(VMOperation[ReplaceDisksParams]):
    """Of machines with disks on two nodes (DRBD)."""

    verb = "replace-disks"
    label = gettext_lazy("Replace disks")
    doing = gettext_lazy("replacing disks")
    noun = gettext_lazy("A replacement of disks")
    needs = "replace_disks"
    icon = "disk"
    group = Group.DISKS
    question = gettext_lazy("Replace disks of {target}?")
    for_users = gettext_lazy("Whoever works on it goes on, with slower disks meanwhile.")
    consequence = gettext_lazy(
        "It keeps running. What is replaced is copied anew from the other node, which takes its time and makes the "
        "disks slower; until it is done there is one good copy only."
    )
    params_type = ReplaceDisksParams
    can_check = True

    def rows(self) -> QuerySet[VirtualMachine]:
        return super().rows().select_related("secondary_node")

    def obstacle(self, target: VirtualMachine) -> str | None:
        if reserved := explain_forthcoming(target):
            return reserved
        if target.disk_template != "drbd":
            return _("Only disks that are mirrored between two nodes (drbd) can be replaced; its are %(template)s.") % {
                "template": target.disk_template or "?"
            }
        if target.secondary_node is None:
            return _("It has no secondary node.")
        node = target.primary_node
        if node is not None and node.offline:
            return _("Its node %(node)s is set offline in Ganeti: fail it over first.") % {"node": node.name}
        return None

    def check(self, ask: Ask[VirtualMachine, ReplaceDisksParams]) -> None:
        target, params, errors = ask.target, ask.params, {}
        require_place(target, params.opened)
        second = target.secondary_node
        if params.disks and params.mode not in IN_PLACE:
            errors["disks"] = _("Single disks can be replaced on its node or its secondary node, not with this choice.")
        elif words := judge_disks(target, params.disks, params.uuids):
            errors["disks"] = words
        if params.mode != NEW_SECONDARY and params.target_node:
            errors["target_node"] = _("A node is chosen for a new secondary node only.")
        elif params.mode != NEW_SECONDARY and second is not None and second.offline:
            errors["mode"] = _("Its secondary node %(node)s is set offline: choose a new one.") % {"node": second.name}
        elif params.mode == NEW_SECONDARY and (trouble := self._judge_node(target, params.target_node)):
            errors["target_node"] = trouble
        if errors:
            raise Invalid(errors)

    def _judge_node(self, target: VirtualMachine, name: str) -> str:
        """What is wrong with the new secondary node."""
        if not name:
            return "" if allocator_of(target) else explain_no_allocator()
        found = {place.node.name: place for place in places_for_secondary(target)}
        if name not in found:
            return _("The cluster has no node called %(node)s.") % {"node": name}
        reason = found[name].reason
        told = {"node": name, "reason": reason}
        return _("Its disks can't go to %(node)s: %(reason)s.") % told if reason else ""

    def changes(self, ask: Ask[VirtualMachine, ReplaceDisksParams]) -> list[Change]:
        if ask.params.mode != NEW_SECONDARY or ask.target.secondary_node is None:
            return []
        after = ask.params.target_node or Message(gettext_noop("where the allocator says"))
        return [Change("secondary_node", gettext_noop("secondary node"), ask.target.secondary_node.name, after)]

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, ReplaceDisksParams], reason: str) -> Submission:
        look_whether_same(client, ask.target, "place", "disks")
        params = ask.params
        is_left_open = params.mode == NEW_SECONDARY and not params.target_node
        number = client.replace_disks(
            ask.target.name,
            mode=params.mode,
            disks=params.disks,
            remote_node=params.target_node or None,
            iallocator=allocator_of(ask.target) if is_left_open else None,  # here Ganeti wants it named
            reason=reason,
            dry_run=ask.dry_run,
        )
        return Submission([number])
