"""The table of what can be done to machines: written out, no registry."""

from clusters.operations.base import AnyOperation
from virtualmachines.operations.console import OpenConsole
from virtualmachines.operations.forget import ForgetMachine
from virtualmachines.operations.power import Reboot, Shutdown, ShutdownNow, Start

VM_OPERATIONS: tuple[AnyOperation, ...] = (Start(), Shutdown(), ShutdownNow(), Reboot(), OpenConsole(), ForgetMachine())
