"""Install the operating system of a machine anew."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy, gettext_noop

from objectlog.changes import Change
from objectlog.words import gettext as _
from operations.contract import Ask, Invalid, Submission, Words
from operations.groups import Group
from rapi.client import RapiClient
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.base import VMOperation, look_whether_same
from virtualmachines.operations.deleting import facts_of_disks
from virtualmachines.operations.power import explain_node_offline, explain_off_limits
from virtualmachines.operations.protecting import explain_protection


@dataclass(frozen=True)
class ReinstallParams:
    """`os` empty: the one it has. `start`: whether it is started when that is done."""

    os: str = ""
    osparams: Mapping[str, str] = field(default_factory=dict)
    start: bool = True


class Reinstall(VMOperation[ReinstallParams]):
    """Of size, name, addresses and rights nothing changes."""

    verb = "reinstall"
    label = gettext_lazy("Reinstall")
    doing = gettext_lazy("reinstalling")
    noun = gettext_lazy("A reinstallation")
    needs = "remove"
    icon = "refresh"
    group = Group.DANGER
    question = gettext_lazy("Reinstall {target}?")
    consequence = gettext_lazy(
        "It is shut down, and its operating system is installed anew on its first disk. What is on that disk is lost; "
        "an OS may use the other disks as well."
    )
    for_users = gettext_lazy("Everybody who uses it is cut off, and loses what the installation overwrites.")
    is_destructive = True
    wants_typed_name = True
    unsigned_opcode = "INSTANCE_REINSTALL"
    params_type = ReinstallParams

    def obstacle(self, target: VirtualMachine) -> str | None:
        if not target.disks:
            return _("It has no disk that a system could be installed on.")
        return explain_protection(target) or explain_off_limits(target) or explain_node_offline(target)

    def check(self, ask: Ask[VirtualMachine, ReinstallParams]) -> None:
        known = ask.target.cluster.operating_systems
        if ask.params.os and ask.params.os not in (*known, ask.target.os):
            raise Invalid({"os": _("The cluster has no operating system “%s”.") % ask.params.os})
        if not (ask.params.os or ask.target.os):
            raise Invalid({"os": _("It has no operating system. Choose one.")})

    def changes(self, ask: Ask[VirtualMachine, ReinstallParams]) -> list[Change]:
        wanted = ask.params.os or ask.target.os
        return [Change("os", gettext_noop("OS"), ask.target.os, wanted)] if wanted != ask.target.os else []

    def facts(self, target: VirtualMachine) -> Sequence[tuple[Words, str]]:
        return facts_of_disks(target)

    def journal_params(self, params: ReinstallParams) -> dict[str, Any]:
        """The values of OS parameters may be secrets: their names alone."""
        return {**asdict(params), "osparams": sorted(params.osparams)}

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, ReinstallParams], reason: str) -> Submission:
        look_whether_same(client, ask.target)
        number = client.reinstall_instance(
            ask.target.name,
            os=ask.params.os or None,
            osparams=ask.params.osparams or None,
            start=ask.params.start,
            reason=reason,
        )
        return Submission([number])
