"""One cluster is here once: twice, its machines would count twice, and operations on them not see each other."""

from clusters.models import Cluster
from objectlog.words import gettext as _
from objectlog.words import joined
from rapi.errors import DuplicateCluster
from rapi.shapes.cluster import ClusterInfo


def find_twin(uuid: str, *, other_than: Cluster | None = None) -> Cluster | None:
    """The cluster with this uuid of Ganeti's that is here already."""
    found = Cluster.objects.filter(uuid=uuid).exclude(uuid="").order_by("pk")
    return found.exclude(pk=other_than.pk).first() if other_than is not None else found.first()


def explain_twin(twin: Cluster) -> str:
    """Why a cluster that is here already is not taken again."""
    return _("This cluster is here already, as “%(name)s”: Ganeti gives both the same identity.") % {"name": twin.slug}


def check_unique(cluster: Cluster, info: ClusterInfo) -> None:
    """Of two that are one, the one that came later stops. Raises DuplicateCluster, which names the other."""
    twin = find_twin(info.uuid, other_than=cluster)
    if twin is not None and (not cluster.uuid or twin.pk < cluster.pk):
        raise DuplicateCluster(joined(" ", [explain_twin(twin), _("Remove one of the two.")]))
