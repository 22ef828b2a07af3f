"""Forget what Ganeti lists no more: its row, with the rights and notes on it."""

from typing import TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clusters.models import Cluster, FormerName, Mirrored, Node
from clusters.operations.base import KIND_IN_GANETI, NoParams, Operation

R = TypeVar("R", bound=Mirrored)


class Forget(Operation[R, NoParams]):
    """What missing objects of all kinds share."""

    label = gettext_lazy("Forget")
    needs = "forget"
    icon = "trash"
    question = gettext_lazy("Forget {target}?")
    is_destructive = True
    changes_cluster = False
    needs_target = False

    def refusal(self, target: R, params: NoParams) -> str | None:
        if not target.is_missing:
            return _("Ganeti lists it. Only what is missing can be forgotten.")
        return None

    def perform(self, target: R, params: NoParams) -> str:
        FormerName.objects.filter(kind=KIND_IN_GANETI[self.kind], target_pk=target.pk).delete()
        target.delete()
        return ""


class ForgetNode(Forget[Node]):
    """A node that was removed from its cluster."""

    name = "forget-node"
    kind = "node"
    consequence = gettext_lazy("The node is not touched. Its jobs and the journal stay.")

    def cluster_of(self, target: Node) -> Cluster:
        return target.cluster
