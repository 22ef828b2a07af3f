"""What Ganeti can do to a machine on its master alone, because RAPI has no call for it."""

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from operations.contract import Words
from operations.groups import Group
from virtualmachines.models import VirtualMachine


@dataclass(frozen=True)
class Elsewhere:
    """Something that people look for in the menu: what they are told there instead. `needs`: who looks for it.

    `command` is what is typed on the master; empty where Ganeti can't do it there either.
    """

    name: str
    label: Words
    icon: str
    group: Group
    needs: str
    command: str
    why: Words

    def reason_for(self, vm: VirtualMachine) -> str:
        """Why not here, and what to type on the master."""
        if not self.command:
            return str(self.why)
        told = {"why": self.why, "command": self.command.format(vm=vm.name)}
        return _("%(why)s On the master: %(command)s") % told


ELSEWHERE = (
    Elsewhere(
        "move",
        gettext_lazy("Move with its disks"),
        "node",
        Group.MOVE,
        "migrate",
        "gnt-instance move -n NODE {vm}",
        gettext_lazy("RAPI can't copy disks to another node."),
    ),
    Elsewhere(
        "change-group",
        gettext_lazy("Move to another node group"),
        "node",
        Group.MOVE,
        "migrate",
        "gnt-instance change-group --to GROUP {vm}",
        gettext_lazy("RAPI has no call for it."),
    ),
    Elsewhere(
        "snapshot",
        gettext_lazy("Take a snapshot"),
        "disk",
        Group.DISKS,
        "export",
        "",
        gettext_lazy("Ganeti has none. Export it instead, or take one where its disks are stored."),
    ),
)


def list_elsewhere(vm: VirtualMachine, held: Collection[str]) -> list[Elsewhere]:
    """What somebody with these verbs would look for."""
    return [] if vm.is_missing else [each for each in ELSEWHERE if each.needs in held]
