"""Rows of the clusters app."""

from clusters.models.cluster import Cluster, TlsTrust
from clusters.models.exports import ExportList
from clusters.models.former import FormerName, FormerSlug
from clusters.models.grants import ClusterGroupGrant, ClusterUserGrant
from clusters.models.inventory import Network, Node, NodeGroup
from clusters.models.job import Job, JobStatus, JobTarget
from clusters.models.schedule import Schedule
from clusters.models.states import ADDRESS, Mirrored, index_of_missing
from clusters.models.watched import Watched

__all__ = [
    "ADDRESS",
    "Cluster",
    "ClusterGroupGrant",
    "ClusterUserGrant",
    "ExportList",
    "FormerName",
    "FormerSlug",
    "Job",
    "JobStatus",
    "JobTarget",
    "Mirrored",
    "Network",
    "Node",
    "NodeGroup",
    "Schedule",
    "TlsTrust",
    "Watched",
    "index_of_missing",
]
