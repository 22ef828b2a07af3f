"""What can be done to machines."""

from operations.contract import AnyOperation
from operations.table import register
from virtualmachines.operations.console import OpenConsole
from virtualmachines.operations.forget import ForgetMachine
from virtualmachines.operations.power import Reboot, Shutdown, ShutdownNow, Start
from virtualmachines.operations.rename import Rename

VM_OPERATIONS: tuple[AnyOperation, ...] = (
    Start(),
    Shutdown(),
    ShutdownNow(),
    Reboot(),
    OpenConsole(),
    Rename(),
    ForgetMachine(),
)

register(*VM_OPERATIONS)
