"""What opcodes do. Each is a generator that checks, logs, waits (yields seconds) and changes the cluster."""

from simulator.execution import administration, backup, creation, modification, moving, networking, power, storage
from simulator.execution.base import Execution, locks_of, run

__all__ = [
    "Execution",
    "administration",
    "backup",
    "creation",
    "locks_of",
    "modification",
    "moving",
    "networking",
    "power",
    "run",
    "storage",
]
