"""What opcodes do. Each is a generator that checks, logs, waits (yields seconds) and changes the cluster."""

from clusters.simulator.execution import power
from clusters.simulator.execution.base import Execution, locks_of, run

__all__ = ["Execution", "locks_of", "power", "run"]
