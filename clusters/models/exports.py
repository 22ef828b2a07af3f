"""Which exports the nodes of a cluster keep."""

from django.db import models

from clusters.models.cluster import Cluster
from objectlog.words import ToldField


class ExportList(models.Model):
    """The exports of a cluster as they were last listed, in a row of its own: it is long, and few look at it.

    An export is anybody's machine: only who may export on the cluster is told of any (virtualmachines.exports).
    """

    cluster = models.OneToOneField(Cluster, on_delete=models.CASCADE, primary_key=True, related_name="export_list")
    read_at = models.DateTimeField(null=True, blank=True, help_text="when Ganeti last told")
    exports = models.JSONField(default=list, blank=True, help_text="[node, name] of each, by name")
    error = ToldField(blank=True, help_text="why it can't be read")

    def __str__(self) -> str:
        return f"exports of cluster {self.cluster_id}"
