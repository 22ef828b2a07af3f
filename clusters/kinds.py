"""The kinds of this app: clusters, jobs, and what a cluster is made of."""

from typing import Any

from clusters.models import Cluster, Job, Network, Node, NodeGroup
from clusters.moved import find_row
from clusters.selectors import list_clusters, list_groups, list_jobs, list_networks, list_nodes, pick_cluster, pick_job
from objectlog.words import gettext as _
from permissions.kinds import Kind, add_kind

_IN_CLUSTER = r"(?P<slug>[^/@]+)/(?P<name>[^/]+)"


def place_of_mirrored(row: Any) -> tuple[str, str]:
    """What URLs call something that Ganeti has: by its cluster, and by name or uuid."""
    return (row.cluster.slug, row.address)


PLACE_OF_MIRRORED = ("name", "uuid", "missing_since", "cluster__slug")

add_kind(
    Kind(
        "cluster",
        Cluster,
        typed="CLUSTER",
        pattern=r"(?P<slug>[^/@]+)",
        rows=list_clusters,
        pick=pick_cluster,
        place=lambda cluster: (cluster.slug,),
        needed=("slug",),
        in_ganeti="cluster",
        journal="audit",
    )
)
add_kind(
    Kind(
        "job",
        Job,
        typed="CLUSTER/NUMBER",
        pattern=r"(?P<slug>[^/@]+)/(?P<number>[0-9]{1,18})",
        rows=list_jobs,
        pick=pick_job,
        place=lambda job: (job.cluster.slug, job.ganeti_id),
        needed=("ganeti_id", "cluster__slug"),
        named=lambda job: _("Job %s") % job.ganeti_id,
        in_ganeti="job",
        journal="cancel",
    )
)
add_kind(
    Kind(
        "node",
        Node,
        typed="CLUSTER/NODE",
        pattern=_IN_CLUSTER,
        rows=list_nodes,
        pick=lambda rows, slug, name: find_row(rows, "node", slug, name),
        place=place_of_mirrored,
        needed=PLACE_OF_MIRRORED,
        named=lambda node: str(node.name),
        in_ganeti="node",
        journal="audit",
    )
)
add_kind(
    Kind(
        "nodegroup",
        NodeGroup,
        typed="CLUSTER/GROUP",
        pattern=_IN_CLUSTER,
        rows=list_groups,
        pick=lambda rows, slug, name: find_row(rows, "group", slug, name),
        place=place_of_mirrored,
        needed=PLACE_OF_MIRRORED,
        in_ganeti="group",
    )
)
add_kind(
    Kind(
        "network",
        Network,
        typed="CLUSTER/NETWORK",
        pattern=_IN_CLUSTER,
        rows=list_networks,
        pick=lambda rows, slug, name: find_row(rows, "network", slug, name),
        place=place_of_mirrored,
        needed=PLACE_OF_MIRRORED,
        in_ganeti="network",
    )
)
