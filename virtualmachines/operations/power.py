"""Start, shut down, reboot."""

from dataclasses import dataclass

from clusters.operations.base import NoParams, Submission
from clusters.rapi.client import RapiClient
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.base import VMOperation

# Ganeti's own default (OpParams.hs, pShutdownTimeout).
SHUTDOWN_TIMEOUT_S = 120


@dataclass(frozen=True)
class ShutdownParams:
    """How long the guest gets to shut down by itself, in seconds."""

    timeout_s: int = SHUTDOWN_TIMEOUT_S


@dataclass(frozen=True)
class RebootParams:
    """`soft`: the guest reboots itself; `hard`: the hypervisor restarts it; `full`: stopped, then started anew."""

    type: str = "hard"
    timeout_s: int = SHUTDOWN_TIMEOUT_S


REBOOT_TYPES = {
    "soft": "Soft: ask the guest to reboot",
    "hard": "Hard: restart it within the hypervisor",
    "full": "Full: stop it and start it anew, with changed settings",
}


def _offline(target: VirtualMachine) -> str | None:
    if target.admin_state == "offline":
        return "It is set offline in Ganeti and holds no memory; it must be set online first."
    return None


class Start(VMOperation[NoParams]):
    name = "start"
    label = "Start"
    doing = "starting"
    needs = "power"
    icon = "play"
    question = "Start {target}?"

    def refusal(self, target: VirtualMachine, params: NoParams) -> str | None:
        if target.status == "running":
            return "It is running already."
        return _offline(target)

    def submit(self, client: RapiClient, target: VirtualMachine, params: NoParams, reason: str) -> Submission:
        return Submission([client.startup_instance(target.name, reason=reason)])


class Shutdown(VMOperation[ShutdownParams]):
    name = "shutdown"
    label = "Shut down"
    doing = "shutting down"
    needs = "power"
    icon = "power"
    question = "Shut down {target}?"
    consequence = "The guest is asked to shut down; when the time is up it is switched off."
    params_type = ShutdownParams

    def refusal(self, target: VirtualMachine, params: ShutdownParams) -> str | None:
        if target.admin_state != "up" and not target.is_running:
            return "It is stopped already."
        return None

    def submit(self, client: RapiClient, target: VirtualMachine, params: ShutdownParams, reason: str) -> Submission:
        return Submission([client.shutdown_instance(target.name, timeout_s=params.timeout_s, reason=reason)])


class ShutdownNow(VMOperation[NoParams]):
    name = "shutdown-now"
    label = "Shut down now"
    doing = "switching off"
    needs = "power"
    icon = "power-off"
    question = "Switch {target} off now?"
    consequence = "It loses what it has not written to disk, as if its plug were pulled."
    is_destructive = True

    def refusal(self, target: VirtualMachine, params: NoParams) -> str | None:
        if target.admin_state != "up" and not target.is_running:
            return "It is stopped already."
        return None

    def submit(self, client: RapiClient, target: VirtualMachine, params: NoParams, reason: str) -> Submission:
        return Submission([client.shutdown_instance(target.name, timeout_s=0, force=True, reason=reason)])


class Reboot(VMOperation[RebootParams]):
    name = "reboot"
    label = "Reboot"
    doing = "rebooting"
    needs = "power"
    icon = "restart"
    question = "Reboot {target}?"
    params_type = RebootParams

    def refusal(self, target: VirtualMachine, params: RebootParams) -> str | None:
        if not target.is_running:
            return "It is not running; start it instead."
        return None

    def submit(self, client: RapiClient, target: VirtualMachine, params: RebootParams, reason: str) -> Submission:
        number = client.reboot_instance(
            target.name, type=params.type, shutdown_timeout_s=params.timeout_s, reason=reason
        )
        return Submission([number])
