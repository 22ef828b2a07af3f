"""Ganeti's administrative state: a machine that is set offline holds no memory and can't be started."""

from django.utils.translation import gettext_lazy, ngettext_lazy

from objectlog.words import gettext as _
from operations.contract import Ask, NoParams, Submission
from operations.groups import Group
from rapi.client import RapiClient
from rapi.resources.lifecycle import InstanceChanges
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.base import VMOperation, modify


class _Offline(VMOperation[NoParams]):
    needs = "modify"
    group = Group.POWER
    can_check = True
    wanted: bool

    def suits(self, target: VirtualMachine) -> bool:
        return super().suits(target) and (target.admin_state == "offline") != self.wanted

    def is_shown_by(self, target: VirtualMachine) -> bool:
        return (target.admin_state == "offline") == self.wanted

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, NoParams], reason: str) -> Submission:
        changes = InstanceChanges(offline=self.wanted)
        return modify(client, ask, changes, reason)


class SetOffline(_Offline):
    verb = "set-offline"
    label = gettext_lazy("Set offline")
    label_of_many = ngettext_lazy("Set %d machine offline", "Set %d machines offline")
    doing = gettext_lazy("setting offline")
    noun = gettext_lazy("Setting it offline")
    icon = "lock"
    question = gettext_lazy("Set {target} offline?")
    for_users = gettext_lazy("Nobody can use it until it is set online and started.")
    consequence = gettext_lazy("Ganeti keeps no memory free for it any longer. It can't be started until it is online.")
    wanted = True

    def obstacle(self, target: VirtualMachine) -> str | None:
        if target.admin_state == "offline":
            return _("It is set offline already.")
        if target.is_running or target.admin_state == "up":
            return _("It must be stopped first.")
        return None


class SetOnline(_Offline):
    verb = "set-online"
    label = gettext_lazy("Set online")
    label_of_many = ngettext_lazy("Set %d machine online", "Set %d machines online")
    doing = gettext_lazy("setting online")
    noun = gettext_lazy("Setting it online")
    icon = "plug"
    question = gettext_lazy("Set {target} online?")
    for_users = gettext_lazy("Nobody notices anything: it stays stopped.")
    consequence = gettext_lazy("It is not started by that, but can be.")
    wanted = False

    def obstacle(self, target: VirtualMachine) -> str | None:
        return None if target.admin_state == "offline" else _("It is not set offline.")
