"""The table of what can be done to clusters, nodes and jobs: written out, no registry."""

from clusters.operations.base import AnyOperation
from clusters.operations.cluster import EditCluster, RefreshCluster, RemoveCluster, UseAddress
from clusters.operations.forget import ForgetNode
from clusters.operations.job import CancelJob, ClearJob

CLUSTER_OPERATIONS: tuple[AnyOperation, ...] = (RefreshCluster(), EditCluster(), UseAddress(), RemoveCluster())
JOB_OPERATIONS: tuple[AnyOperation, ...] = (CancelJob(), ClearJob())
NODE_OPERATIONS: tuple[AnyOperation, ...] = (ForgetNode(),)
