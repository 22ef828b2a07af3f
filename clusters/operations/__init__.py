"""What can be done to clusters, nodes and jobs."""

from clusters.operations.accepting import AcceptNode
from clusters.operations.cluster import AddCluster, EditCluster, RefreshCluster, RemoveCluster, UseAddress
from clusters.operations.forget import ForgetNode
from clusters.operations.images import SetCdImages
from clusters.operations.job import CancelJob, ClearJob
from clusters.operations.tagging import AddClusterTags, RemoveClusterTags
from operations.contract import AnyOperation
from operations.table import register

CLUSTER_OPERATIONS: tuple[AnyOperation, ...] = (
    RefreshCluster(),
    EditCluster(),
    SetCdImages(),
    AddClusterTags(),
    RemoveClusterTags(),
    UseAddress(),
    RemoveCluster(),
)
JOB_OPERATIONS: tuple[AnyOperation, ...] = (CancelJob(), ClearJob())
NODE_OPERATIONS: tuple[AnyOperation, ...] = (AcceptNode(), ForgetNode())

register(AddCluster(), *CLUSTER_OPERATIONS, *NODE_OPERATIONS, *JOB_OPERATIONS)
