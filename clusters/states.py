"""What state a cluster or a node is in: one function for each, asked by every page that shows it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, ngettext

from clusters.models import Node
from ui.said import Voice, voice

# What an update failed of, where that is to be told from a cluster that is merely away (rapi/errors.py).
_FAILURES = {
    "untrusted": _("not trusted"),
    "wrong cluster": _("another cluster"),
    "duplicate cluster": _("added twice"),
    "bad credentials": _("credentials refused"),
    "master down": _("master down"),
    "not sendable": _("request cannot be sent"),
}


@dataclass(frozen=True)
class NodeTally:
    """How many nodes of a cluster a person sees, and how many of these are not as they should be."""

    nodes: int = 0
    drained: int = 0
    unresponsive: int = 0


class Updated(Protocol):
    """What a cluster's state is told by: its row, or these columns of it."""

    @property
    def answers_at(self) -> str:
        """Where it was found, if not at the configured address."""

    @property
    def unreachable_since(self) -> datetime | None:
        """Since when it is away."""

    @property
    def last_error(self) -> str:
        """What the last update failed of."""

    @property
    def last_error_kind(self) -> str:
        """The same as a word of rapi/errors.py."""

    @property
    def synced_at(self) -> datetime | None:
        """When the last complete update ended."""


def state_of_cluster(cluster: Updated, tally: NodeTally | None = None, here: Voice | None = None) -> tuple[str, str]:
    """Kind (ok, busy, warn, bad) and word; `tally` are its nodes, for a person who may see them. `here` is known to who
    asks for many."""
    kind, word = _state_of_updates(cluster, here or voice())
    if kind == "ok" and cluster.answers_at:
        return "warn", str(_("address moved"))
    if kind == "ok" and tally is not None:
        if tally.unresponsive:
            return "bad", ngettext("%d unresponsive node", "%d unresponsive nodes", tally.unresponsive) % (
                tally.unresponsive
            )
        if tally.drained:
            return "warn", ngettext("%d node drained", "%d nodes drained", tally.drained) % tally.drained
    return kind, word


def _state_of_updates(cluster: Updated, here: Voice) -> tuple[str, str]:
    """What the last updates found, whatever the nodes are like."""
    failure = _FAILURES.get(cluster.last_error_kind)
    if cluster.unreachable_since is not None:
        return "bad", str(failure or _("not reachable"))
    if cluster.last_error:
        if cluster.synced_at is None:
            return "bad", str(failure or _("never reached"))
        return "warn", str(failure or _("update failed"))
    if cluster.synced_at is None:
        return "busy", str(_("first update in progress"))
    return "ok", here.said(gettext_noop("healthy"))


def state_of_node(node: Node) -> tuple[str, str]:
    """Kind and word; what a person did to the node comes before what it does itself."""
    if node.missing_since is not None:
        return "warn", str(_("missing"))
    if node.offline:
        return "off", str(_("offline"))
    if not node.answers:
        return "bad", str(_("unresponsive"))
    if node.drained:
        return "warn", str(_("drained"))
    return "ok", str(_("online"))
