"""Forget what Ganeti lists no more: its row, with the rights and notes on it."""

from typing import TypeVar

from django.utils.translation import gettext_lazy

from clusters.models import Cluster, FormerName, Mirrored, Node
from clusters.operations.ganeti import GanetiOperation
from objectlog.words import gettext as _
from operations.contract import Ask, NoParams
from operations.groups import Group
from permissions.kinds import KINDS

R = TypeVar("R", bound=Mirrored)


class Forget(GanetiOperation[R, NoParams]):
    """What missing objects of all kinds share."""

    verb = "forget"
    label = gettext_lazy("Forget")
    needs = "forget"
    icon = "trash"
    group = Group.DANGER
    question = gettext_lazy("Forget {target}?")
    is_destructive = True
    sends = False
    needs_target = False

    def suits(self, target: R) -> bool:
        return target.is_missing

    def obstacle(self, target: R) -> str | None:
        if not target.is_missing:
            return _("Ganeti lists it. Only what is missing can be forgotten.")
        cluster = self.cluster_of(target)
        if cluster.unreachable_since is not None:
            return _("%s does not answer. Only once it does can be told what is gone for good.") % cluster
        return None

    def ends_by_itself(self, target: R) -> bool:
        return target.is_missing and self.cluster_of(target).unreachable_since is not None

    def perform(self, ask: Ask[R, NoParams]) -> str:
        FormerName.objects.filter(kind=KINDS[self.kind].in_ganeti, target_pk=ask.target.pk).delete()
        ask.target.delete()
        return ""


class ForgetNode(Forget[Node]):
    """A node that was removed from its cluster."""

    kind = "node"
    consequence = gettext_lazy("The node is not touched. Its jobs and the journal stay.")

    def cluster_of(self, target: Node) -> Cluster:
        return target.cluster
