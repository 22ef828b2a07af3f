"""Accept what was changed past this program: from now on it is as it should be."""

from typing import Any, TypeVar

from django.utils.translation import gettext_lazy

from clusters.drifting import tell_drift_of_node
from clusters.models import Cluster, Node, Watched
from clusters.operations.ganeti import GanetiOperation
from objectlog.changes import Change
from objectlog.words import gettext as _
from operations.contract import Ask, NoParams

R = TypeVar("R", bound=Watched)


class Accept(GanetiOperation[R, NoParams]):
    """What machines and nodes share. Nothing is changed in Ganeti; the journal keeps what was accepted."""

    verb = "accept"
    label = gettext_lazy("Accept changes")
    needs = "accept"
    icon = "check"
    question = gettext_lazy("Accept what was changed of {target} elsewhere?")
    consequence = gettext_lazy("Nothing is changed in Ganeti. It is no longer listed as changed elsewhere.")
    sends = False
    locks = False
    needs_target = False

    def suits(self, target: R) -> bool:
        return bool(target.drift)

    def obstacle(self, target: R) -> str | None:
        return None if target.drift else _("Nothing of it was changed elsewhere.")

    def tell(self, target: R) -> list[Change]:
        """Before and after of what was changed."""
        raise NotImplementedError

    def changes(self, ask: Ask[R, NoParams]) -> list[Change]:
        return self.tell(ask.target)

    def perform(self, ask: Ask[R, NoParams]) -> str:
        target: Any = ask.target
        target.drift, target.drift_since = {}, None
        target.save(update_fields=["drift", "drift_since"])
        return ""


class AcceptNode(Accept[Node]):
    """Of a node: its name, group and addresses."""

    kind = "node"

    def cluster_of(self, target: Node) -> Cluster:
        return target.cluster

    def tell(self, target: Node) -> list[Change]:
        return tell_drift_of_node(target)
