"""What all operations on machines share."""

from typing import TypeVar

from clusters.models import Cluster
from clusters.operations.base import Operation
from virtualmachines.models import VirtualMachine

P = TypeVar("P")


class VMOperation(Operation[VirtualMachine, P]):
    """An operation on one machine."""

    kind = "vm"

    def cluster_of(self, target: VirtualMachine) -> Cluster:
        return target.cluster
