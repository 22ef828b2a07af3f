"""Give a machine another name."""

import re
from dataclasses import dataclass

from django.utils.translation import gettext_lazy, gettext_noop

from objectlog.changes import Change
from objectlog.words import gettext as _
from operations.contract import Ask, Detour, Invalid, Submission
from rapi.client import RapiClient
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.base import VMOperation, explain_forthcoming, look_whether_same
from virtualmachines.operations.power import Shutdown, Start

# What Ganeti takes for a name (lib/netutils.py, Hostname.GetNormalizedName), less what could not be a DNS name.
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?)*")


_RESTART = Detour(
    gettext_lazy("Shut down, rename, start"),
    gettext_lazy(
        "It is running, and Ganeti renames stopped machines only: it is shut down, renamed, and started again. "
        "If one of these steps fails, those after it are left out."
    ),
    before=(Shutdown(),),
    after=(Start(),),
)


@dataclass(frozen=True)
class RenameParams:
    """`name_check`: the cluster looks the name up; `ip_check`: it makes sure that nobody answers at its address."""

    new_name: str = ""
    name_check: bool = False
    ip_check: bool = False


class Rename(VMOperation[RenameParams]):
    """Page, links, jobs, journal, console and rights stay with the machine: it is the same under another name."""

    verb = "rename"
    label = gettext_lazy("Rename")
    doing = gettext_lazy("renaming")
    noun = gettext_lazy("A rename")
    needs = "modify"
    icon = "edit"
    question = gettext_lazy("Rename {target}?")
    for_users = gettext_lazy(
        "Whoever reaches it by its name needs the new one; where it runs, they are cut off until it is started again."
    )
    consequence = gettext_lazy(
        "The guest itself does not learn its new name: host name and addresses inside it stay as they are."
    )
    params_type = RenameParams
    can_check = True

    def obstacle(self, target: VirtualMachine) -> str | None:
        if target.is_running:
            return _("It is running. Ganeti renames stopped machines only: shut it down first.")
        return explain_forthcoming(target)

    def detour(self, target: VirtualMachine) -> Detour | None:
        return _RESTART if target.is_running else None

    def check(self, ask: Ask[VirtualMachine, RenameParams]) -> None:
        target, name = ask.target, ask.params.new_name
        others = VirtualMachine.objects.filter(cluster=target.cluster_id, name=name, missing_since=None)
        if not _NAME.fullmatch(name):
            words = _("Type a name of lower-case letters, digits, dots and -, such as web1.example.org.")
        elif name == target.name:
            words = _("It has this name already. Type another.")
        elif others.exists():
            words = _("There is a machine called %s on this cluster already. Type another name.") % name
        else:
            words = ""
        if words:
            raise Invalid({"new_name": words})
        if ask.params.ip_check and not ask.params.name_check:
            raise Invalid({"ip_check": _("The address is known from the name: have the name looked up as well.")})

    def changes(self, ask: Ask[VirtualMachine, RenameParams]) -> list[Change]:
        return [Change("name", gettext_noop("name"), ask.target.name, ask.params.new_name)]

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, RenameParams], reason: str) -> Submission:
        look_whether_same(client, ask.target)
        number = client.rename_instance(
            ask.target.name,
            ask.params.new_name,
            reason=reason,
            name_check=ask.params.name_check,
            ip_check=ask.params.ip_check,
            dry_run=ask.dry_run,
        )
        return Submission([number])
