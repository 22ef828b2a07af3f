"""Exports of which machines can be made, and who may: an export may be anybody's machine, so that it takes the right to
export on the cluster, which sees them all, beside the right to create there."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from clusters.models import Cluster, ExportList
from objectlog.models import Entry
from permissions.models import User
from permissions.policy import visible
from virtualmachines.models import VirtualMachine
from virtualmachines.selectors import find_creation
from virtualmachines.spec import Source, VMSpec
from virtualmachines.spec.exports import read_told, with_free_addresses


@dataclass(frozen=True)
class KeptExport:
    """An export: its name, which was the machine's, on a node of a cluster."""

    cluster: str
    node: str
    name: str

    def __str__(self) -> str:
        """How it is called in forms."""
        return f"{self.cluster}/{self.node}/{self.name}"

    @property
    def label(self) -> str:
        """How it is shown."""
        return _("%(name)s on %(node)s (%(cluster)s)") % {"name": self.name, "node": self.node, "cluster": self.cluster}

    @property
    def source(self) -> Source:
        """What a machine is made of."""
        return Source(self.node, self.name)


def list_exports(user: User) -> list[KeptExport]:
    """Those of which `user` may make machines. One query."""
    clusters = visible(user, "create_vm", Cluster.objects.order_by())
    clusters = visible(user, "export", clusters)
    rows = ExportList.objects.filter(cluster__in=clusters.values("pk")).order_by("cluster__slug")
    return [
        KeptExport(slug, node, name) for slug, exports in rows.values_list("cluster__slug", "exports")
        for node, name in exports
    ]  # fmt: skip


def find_export(exports: list[KeptExport], called: str) -> KeptExport | None:
    """The one of them that is called so."""
    return next((each for each in exports if str(each) == called), None)


def find_told(user: User, uuid: str, cluster: Cluster) -> VMSpec | None:
    """What a creation, or a check of one, that `user` asked for on this cluster told of its export."""
    entry = find_creation(user, uuid)
    is_here = entry is not None and (entry.cluster_name or entry.target_name) == cluster.slug
    return told_of(entry, cluster) if entry is not None and is_here else None


def told_of(entry: Entry, cluster: Cluster) -> VMSpec | None:
    """What an ended check of a creation told of the export; None if Ganeti did not come to read it."""
    if entry.is_open:
        return None
    told = next((found for job in entry.jobs.all() for op in job.opcodes if (found := read_told(op))), None)
    if told is None:
        return None
    path = str(((entry.params.get("spec") or {}).get("source") or {}).get("path") or "")
    is_there = VirtualMachine.objects.filter(cluster=cluster, name=path, missing_since=None).exists()
    return with_free_addresses(told) if is_there else told
