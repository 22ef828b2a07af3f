"""Start, shut down, reboot."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy, ngettext_lazy

from clusters.models import Job
from objectlog.models import Entry
from objectlog.words import gettext as _
from operations.contract import Ask, Claims, NoParams, Submission
from operations.groups import Group
from operations.once import reading_once
from quotas.services import give_back
from rapi.client import RapiClient
from rapi.errors import JobLost, Refused
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.base import VMOperation, explain_forthcoming, look_whether_same
from virtualmachines.operations.quota import claim_quota, judge_quota
from virtualmachines.usage import amounts_to_run

# Ganeti's own default (OpParams.hs, pShutdownTimeout).
SHUTDOWN_TIMEOUT_S = 120
# How much longer than its timeout a shutdown may take: the node looks every 5 s whether the guest is gone, then kills
# it and waits a second (measured on KVM: 41.6 s with a timeout of 40, 16.7 s with one of 12).
SHUTDOWN_MARGIN_S = 10.0


@dataclass(frozen=True)
class ShutdownParams:
    """How long the guest gets to shut down by itself, in seconds."""

    timeout_s: int = SHUTDOWN_TIMEOUT_S


@dataclass(frozen=True)
class RebootParams:
    """`type` is Ganeti's word; what it does is in REBOOT_TYPES."""

    type: str = "hard"
    timeout_s: int = SHUTDOWN_TIMEOUT_S


# What Ganeti does, from the gentle to the rude. "hard" and "full" shut the guest down, wait, and start it with its
# settings as they are now; "full" also takes its disks away in between (lib/backend.py, InstanceReboot, and
# lib/cmdlib/instance_operation.py; measured on KVM).
REBOOT_TYPES = {
    "hard": gettext_lazy("Restart: shut down, wait up to the shutdown timeout, then start"),
    "full": gettext_lazy("Restart with its disks: the same, and its disks are detached and attached again"),
    "soft": gettext_lazy("Restart in the way of the hypervisor"),
}
# "soft" is the hypervisor's own RebootInstance, which knows no timeout and no changed settings: KVM kills the process
# and starts it as it was (hv_kvm; measured: after 0.5 s with a guest that is deaf, 5 s at most); Xen runs `xl reboot`,
# so that the guest's kernel is asked, and the job fails if it does not obey within ten minutes (hv_xen,
# REBOOT_RETRY_COUNT); LXC asks the container's init and kills it after two minutes (hv_lxc, _REBOOT_TIMEOUT); chroot
# can't (hv_chroot), and fake does nothing.
SOFT_REBOOTS = {
    "kvm": gettext_lazy("Reset at once, like the reset button; changed settings do not take effect"),
    "xen-hvm": gettext_lazy("Ask the guest to reboot itself; changed settings do not take effect"),
    "xen-pvm": gettext_lazy("Ask the guest to reboot itself; changed settings do not take effect"),
    "lxc": gettext_lazy("Ask the container to reboot itself; changed settings do not take effect"),
    "fake": gettext_lazy("Do nothing: this machine is a dummy"),
}
NO_SOFT_REBOOT = frozenset({"chroot"})


def reboot_types(hypervisor: str) -> dict[str, Any]:
    """The ways of rebooting that a hypervisor has, with what each does, the safe one first."""
    soft = SOFT_REBOOTS.get(hypervisor, REBOOT_TYPES["soft"])
    found = {**REBOOT_TYPES, "soft": soft}
    if hypervisor in NO_SOFT_REBOOT:
        del found["soft"]
    return found


def explain_off_limits(target: VirtualMachine) -> str | None:
    """Why no operation on its power can succeed, whatever its state."""
    if reserved := explain_forthcoming(target):
        return reserved
    if target.admin_state == "offline":
        return _("It is set offline in Ganeti and holds no memory; it must be set online first.")
    return None


def explain_node_offline(target: VirtualMachine) -> str | None:
    """Why nothing can be done that its node would do."""
    node = target.primary_node
    if node is not None and node.offline:
        return _("Its node %(node)s is set offline in Ganeti: move the machine or set the node online first.") % {
            "node": node.name
        }
    return None


def _stopped(target: VirtualMachine) -> str | None:
    if reserved := explain_forthcoming(target):
        return reserved
    if target.admin_state != "up" and not target.is_running:
        return _("It is stopped already.")
    return None


def _dequeue(client: RapiClient, number: int, reason: str) -> None:
    """Take a job out of Ganeti's queue if it does not run yet; one that runs can't be stopped, and goes on."""
    try:
        client.cancel_job(number, reason=reason)
    except (Refused, JobLost):
        return


class Start(VMOperation[NoParams]):
    verb = "start"
    label = gettext_lazy("Start")
    doing = gettext_lazy("starting")
    noun = gettext_lazy("A start")
    takes_quota = True
    judges_plans = True
    can_check = True
    needs = "power"
    icon = "play"
    group = Group.POWER
    question = gettext_lazy("Start {target}?")
    for_users = gettext_lazy("Who uses it can reach it as soon as it is up.")

    def obstacle(self, target: VirtualMachine) -> str | None:
        if target.status == "running":
            return _("It is running already.")
        return explain_off_limits(target) or explain_node_offline(target)

    def rows(self) -> QuerySet[VirtualMachine]:
        return super().rows().select_related("owner")

    def judging_many(self) -> AbstractContextManager[None]:
        return reading_once()

    def check(self, ask: Ask[VirtualMachine, NoParams]) -> None:
        if (more := amounts_to_run(ask.target)) is not None:
            judge_quota(ask.actor, ask.target.owner, ask.target.cluster, more)

    def claim(self, ask: Ask[VirtualMachine, NoParams], entry: UUID) -> Claims:
        """What is stopped holds its disks alone; from now on its memory and vCPUs count, too."""
        if (more := amounts_to_run(ask.target)) is not None:
            claim_quota(ask.actor, ask.target.owner, ask.target.cluster, more, entry)
        return Claims()

    def succeeded(self, entry: Entry) -> None:
        """The row was read again before the entry is settled: it counts as running."""
        give_back(entry.uuid)

    def failed(self, entry: Entry) -> None:
        give_back(entry.uuid)

    def is_shown_by(self, target: VirtualMachine) -> bool:
        return target.admin_state == "up" and target.is_running

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, NoParams], reason: str) -> Submission:
        return Submission([client.startup_instance(ask.target.name, reason=reason, dry_run=ask.dry_run)])


class Shutdown(VMOperation[ShutdownParams]):
    verb = "shutdown"
    label = gettext_lazy("Shut down")
    doing = gettext_lazy("shutting down")
    noun = gettext_lazy("A shutdown")
    can_check = True
    needs = "power"
    icon = "power"
    group = Group.POWER
    question = gettext_lazy("Shut down {target}?")
    for_users = gettext_lazy("Nobody can use it until it is started again; whoever works on it is cut off.")
    consequence = gettext_lazy("The guest is asked to shut down; when the shutdown timeout is over it is switched off.")
    params_type = ShutdownParams

    def obstacle(self, target: VirtualMachine) -> str | None:
        return _stopped(target)

    def longest_s(self, params: Mapping[str, Any]) -> float | None:
        timeout_s = params.get("timeout_s")
        return timeout_s + SHUTDOWN_MARGIN_S if isinstance(timeout_s, int) else None

    def is_shown_by(self, target: VirtualMachine) -> bool:
        return target.admin_state != "up" and not target.is_running

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, ShutdownParams], reason: str) -> Submission:
        look_whether_same(client, ask.target)
        number = client.shutdown_instance(
            ask.target.name, timeout_s=ask.params.timeout_s, reason=reason, dry_run=ask.dry_run
        )
        return Submission([number])


class ShutdownNow(VMOperation[NoParams]):
    verb = "shutdown-now"
    label = gettext_lazy("Force off")
    label_of_many = ngettext_lazy("Force off %d machine", "Force off %d machines")
    doing = gettext_lazy("forcing off")
    noun = gettext_lazy("A forced shutdown")
    needs = "power"
    icon = "power-off"
    group = Group.POWER
    question = gettext_lazy("Force {target} off?")
    for_users = gettext_lazy("Whoever works on it is cut off at once, without a warning, and loses what is not saved.")
    consequence = gettext_lazy("It loses what it has not written to disk, as if its plug were pulled.")
    is_destructive = True
    overrules = frozenset({"vm.shutdown"})

    def consequence_for(self, target: VirtualMachine) -> str:
        if target.busy_with not in self.overrules:
            return str(self.consequence)
        return f"{self.consequence} " + _(
            "Ganeti does not interrupt a shutdown that is running: the machine is off when that one ends, "
            "at its timeout at the latest."
        )

    def obstacle(self, target: VirtualMachine) -> str | None:
        return _stopped(target)

    def is_shown_by(self, target: VirtualMachine) -> bool:
        return target.admin_state != "up" and not target.is_running

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, NoParams], reason: str) -> Submission:
        look_whether_same(client, ask.target)
        # Measured on Ganeti 3.0.2: a shutdown that waits in the queue is cancelled; one that runs refuses to be, keeps
        # the machine's lock until its timeout at the latest, and the job that is sent here waits for that lock.
        overruled = Entry.objects.filter(target_kind=self.kind, target_pk=ask.target.pk, verb__in=self.overrules)
        for job in Job.objects.filter(entry__in=overruled, cluster=ask.target.cluster).exclude(status__in=Job.FINAL):
            _dequeue(client, job.ganeti_id, reason)
        return Submission([client.shutdown_instance(ask.target.name, timeout_s=0, force=True, reason=reason)])


class Reboot(VMOperation[RebootParams]):
    verb = "reboot"
    label = gettext_lazy("Reboot")
    doing = gettext_lazy("rebooting")
    noun = gettext_lazy("A reboot")
    can_check = True
    needs_running = True
    needs = "power"
    icon = "restart"
    group = Group.POWER
    question = gettext_lazy("Reboot {target}?")
    for_users = gettext_lazy("Whoever works on it is cut off until it is up again.")
    params_type = RebootParams

    def obstacle(self, target: VirtualMachine) -> str | None:
        return (
            explain_off_limits(target)
            or explain_node_offline(target)
            or (_("It is not running; start it instead.") if target.stands_still else None)
        )

    def is_shown_by(self, target: VirtualMachine) -> bool:
        return target.is_running

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, RebootParams], reason: str) -> Submission:
        look_whether_same(client, ask.target)
        number = client.reboot_instance(
            ask.target.name,
            type=ask.params.type,
            shutdown_timeout_s=ask.params.timeout_s,
            reason=reason,
            dry_run=ask.dry_run,
        )
        return Submission([number])


class ApplySettings(Reboot):
    """The restart that settings wait for, where any do: for many machines, of which some need none."""

    verb = "apply-settings"
    label = gettext_lazy("Restart to apply settings")
    label_of_many = ngettext_lazy("Restart %d machine to apply settings", "Restart %d machines to apply settings")
    noun = gettext_lazy("A restart")
    question = gettext_lazy("Restart {target} with its new settings?")

    def suits(self, target: VirtualMachine) -> bool:
        return super().suits(target) and target.waiting_since is not None

    def obstacle(self, target: VirtualMachine) -> str | None:
        return super().obstacle(target) or (
            _("Nothing of it waits for a restart.") if target.waiting_since is None else None
        )
