"""Every operation of the product by name."""

from clusters.operations import CLUSTER_OPERATIONS, JOB_OPERATIONS, NODE_OPERATIONS
from clusters.operations.base import AnyOperation
from virtualmachines.operations import VM_OPERATIONS

OPERATIONS: dict[str, AnyOperation] = {
    operation.name: operation for operation in (*CLUSTER_OPERATIONS, *NODE_OPERATIONS, *JOB_OPERATIONS, *VM_OPERATIONS)
}
