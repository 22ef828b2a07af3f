"""What a cluster is made of: node groups, nodes, networks. Sizes are MiB."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from clusters.models.cluster import Cluster
from clusters.models.states import Mirrored, index_of_missing
from clusters.models.watched import Watched
from operations.models import Busy
from permissions.access import Access

_OF_CLUSTER = {
    "admin": frozenset({"view", "migrate", "forget", "accept", "audit"}),
    "migrate": frozenset({"view", "migrate"}),
    "replace_disks": frozenset({"view"}),
    "audit": frozenset({"view", "audit"}),
}
_BROUGHT = {
    "migrate": _("Move machines off it, and change its role"),
    "forget": _("Forget it once it is missing"),
    "accept": _("Accept what was changed of it elsewhere"),
    "audit": _("See who did what to it, and why they may"),
}
_REFUSALS = {
    "migrate": _("You may not move machines off it (needs migrate)."),
    "forget": _("You may not forget it (needs forget)."),
    "accept": _("You may not accept what was changed of it (needs accept)."),
    "audit": _("You may not see what others did to it (needs audit)."),
}


class NodeGroup(Mirrored):
    """A group of nodes between which machines may move."""

    access = Access(
        noun=_("node group"), brought=_BROUGHT, refusals=_REFUSALS, parent="cluster", from_parent=_OF_CLUSTER
    )

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="groups")
    alloc_policy = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ["cluster", "name"]
        indexes = [models.Index(fields=["cluster", "uuid"], name="group_uuid"), index_of_missing("group_missing")]

    def __str__(self) -> str:
        return self.name


class Node(Mirrored, Watched, Busy):
    """A host. Live figures are null when the node did not answer."""

    access = Access(
        noun=_("node"),
        brought=_BROUGHT,
        refusals={
            "forget": _("You may not forget this node (needs forget)."),
            "accept": _("You may not accept what was changed of this node (needs accept)."),
            "audit": _("You may not see what others did to this node (needs audit)."),
            "migrate": _("You may not move machines off this node (needs migrate)."),
        },
        parent="cluster",
        from_parent=_OF_CLUSTER,
    )

    ROLES = {
        "M": _("master"),
        "C": _("master candidate"),
        "R": _("regular"),
        "D": _("drained"),
        "O": _("offline"),
    }

    watched = {"name": "name", "group": "group_id", "primary_ip": "primary_ip", "secondary_ip": "secondary_ip"}
    journal_kind = "node"

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="nodes")
    group = models.ForeignKey(NodeGroup, null=True, blank=True, on_delete=models.SET_NULL, related_name="nodes")
    role = models.CharField(max_length=1, blank=True, help_text="M, C, R, D or O")
    offline = models.BooleanField(default=False)
    drained = models.BooleanField(default=False)
    master_candidate = models.BooleanField(default=False)
    master_capable = models.BooleanField(default=True)
    vm_capable = models.BooleanField(default=True)
    primary_ip = models.CharField(max_length=45, blank=True)
    secondary_ip = models.CharField(max_length=45, blank=True)
    primary_count = models.PositiveIntegerField(default=0, help_text="machines whose primary node this is")
    secondary_count = models.PositiveIntegerField(default=0)
    tags = models.JSONField(default=list, blank=True)

    answers = models.BooleanField(default=True, help_text="whether live figures came at the last reading")
    memory_total_mib = models.BigIntegerField(null=True, blank=True)
    memory_free_mib = models.BigIntegerField(null=True, blank=True)
    memory_node_mib = models.BigIntegerField(null=True, blank=True, help_text="used by the host itself")
    disk_total_mib = models.BigIntegerField(null=True, blank=True)
    disk_free_mib = models.BigIntegerField(null=True, blank=True)
    cpu_total = models.IntegerField(null=True, blank=True)
    cpu_sockets = models.IntegerField(null=True, blank=True)
    cpu_numa_nodes = models.IntegerField(null=True, blank=True)
    boot_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["cluster", "name"]
        indexes = [
            models.Index(fields=["cluster", "uuid"], name="node_uuid"),
            models.Index(fields=["cluster", "name"], name="node_name"),
            index_of_missing("node_missing"),
            models.Index(fields=["name", "id"], condition=models.Q(drift_since__isnull=False), name="node_drifted"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def role_name(self) -> str:
        """The role in words."""
        return str(self.ROLES.get(self.role, _("unknown")))

    @property
    def memory_used_mib(self) -> int | None:
        """Memory not free; None when the node did not answer."""
        if self.memory_total_mib is None or self.memory_free_mib is None:
            return None
        return self.memory_total_mib - self.memory_free_mib

    @property
    def disk_used_mib(self) -> int | None:
        """Disk not free; None when the node did not answer."""
        if self.disk_total_mib is None or self.disk_free_mib is None:
            return None
        return self.disk_total_mib - self.disk_free_mib


class Network(Mirrored):
    """An IP network known to a cluster."""

    access = Access(noun=_("network"), brought=_BROUGHT, refusals=_REFUSALS, parent="cluster", from_parent=_OF_CLUSTER)

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="networks")
    cidr = models.CharField(max_length=50, blank=True)
    gateway = models.CharField(max_length=45, blank=True)
    cidr6 = models.CharField(max_length=60, blank=True)
    gateway6 = models.CharField(max_length=45, blank=True)
    mac_prefix = models.CharField(max_length=20, blank=True)
    free_count = models.IntegerField(null=True, blank=True)
    reserved_count = models.IntegerField(null=True, blank=True)
    tags = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["cluster", "name"]
        indexes = [models.Index(fields=["cluster", "uuid"], name="network_uuid"), index_of_missing("network_missing")]

    def __str__(self) -> str:
        return self.name
