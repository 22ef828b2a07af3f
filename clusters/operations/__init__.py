"""What can be done to clusters, nodes and jobs."""

from clusters.operations.base import AnyOperation
from clusters.operations.cluster import EditCluster, RefreshCluster, RemoveCluster, UseAddress
from clusters.operations.forget import ForgetNode
from clusters.operations.job import CancelJob, ClearJob
from operations.table import register

CLUSTER_OPERATIONS: tuple[AnyOperation, ...] = (RefreshCluster(), EditCluster(), UseAddress(), RemoveCluster())
JOB_OPERATIONS: tuple[AnyOperation, ...] = (CancelJob(), ClearJob())
NODE_OPERATIONS: tuple[AnyOperation, ...] = (ForgetNode(),)

register(*CLUSTER_OPERATIONS, *NODE_OPERATIONS, *JOB_OPERATIONS)
