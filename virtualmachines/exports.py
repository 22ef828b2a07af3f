"""Exports of which machines can be made, and who may: an export may be anybody's machine, so that it takes the right to
export on the cluster, which sees them all, beside the right to create there."""

from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from clusters.models import Cluster, ExportList
from permissions.models import User
from permissions.policy import visible
from virtualmachines.models import VirtualMachine
from virtualmachines.selectors import find_creation, find_vm_called, settings_of
from virtualmachines.spec import Source, VMSpec
from virtualmachines.spec.exports import read_told


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
    """What a creation, or a check of one, that `user` asked for on this cluster told of its export.

    None if that is not known: it goes on, or Ganeti did not come to read the export.
    """
    entry = find_creation(user, uuid)
    if entry is None or entry.is_open or (entry.cluster_name or entry.target_name) != cluster.slug:
        return None
    told = next((found for job in entry.jobs.all() for op in job.opcodes if (found := read_told(op))), None)
    path = str(((entry.params.get("spec") or {}).get("source") or {}).get("path") or "")
    exported = find_exported(user, cluster, path)
    cards = settings_of(user, exported) if told is not None and exported is not None else None
    return replace(told, nics=cards[0].nics) if told is not None and cards is not None else told


def find_exported(user: User, cluster: Cluster, name: str) -> VirtualMachine | None:
    """The machine that was exported, or a namesake, while it is there: two can't have the same cards."""
    return find_vm_called(user, f"{cluster.slug}/{name}")
