"""What all parts of a cluster's page and of a node's page share: buttons and tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse

from clusters.operations import CLUSTER_OPERATIONS, NODE_OPERATIONS
from clusters.operations.cluster import EditCluster
from clusters.views.buttons import Button, button_of, menu_of
from clusters.views.stored import unreadable_of
from operations.contract import AnyOperation
from operations.offers import Offer, list_offers
from permissions.policy import access_of, verbs_on
from ui.places import tabs_of

if TYPE_CHECKING:
    from permissions.models import User

# Editing has a page of its own, with a form filled in; the others are confirmed.
EDIT: AnyOperation = EditCluster()
CONFIRMED = tuple(operation for operation in CLUSTER_OPERATIONS if not operation.has_own_page)


def cluster_page(user: User, cluster: Any, current: str) -> dict[str, Any]:
    """Title, buttons and tabs of a cluster's page."""
    slug = cluster.slug
    held = verbs_on(user, cluster)
    buttons = {
        offer.operation.verb: button_of(offer, reverse("cluster-do", args=[slug, offer.operation.verb]))
        for offer in list_offers(cluster, CONFIRMED, held)
    }
    use_address = buttons.pop("use-address")
    edit = Offer(EDIT, "" if EDIT.needs in held else access_of(type(cluster)).refuse(EDIT.needs))
    return {
        "cluster": cluster,
        "unreadable": unreadable_of(cluster.unreadable),
        "held": held,
        "use_address": use_address if cluster.answers_at else None,
        "refresh": buttons.pop("refresh"),
        "buttons": [button_of(edit, reverse("cluster-edit", args=[slug]), is_page=True)],
        "menu": menu_of(list(buttons.values())),
        "tabs": tabs_of("cluster", [slug], current, held),
    }


def node_page(user: User, node: Any, current: str) -> dict[str, Any]:
    """Buttons and tabs of a node's page."""
    return {
        "node": node,
        "cluster": node.cluster,
        "buttons": _node_buttons(user, node) if node.is_missing else [],
        "tabs": tabs_of("node", [node.cluster.slug, node.address], current),
    }


def _node_buttons(user: User, node: Any) -> list[Button]:
    """What can be done with a node: one that is missing can be forgotten."""
    return [
        button_of(offer, reverse("node-do", args=[node.cluster.slug, node.lasting_address, offer.operation.verb]))
        for offer in list_offers(node, NODE_OPERATIONS, verbs_on(user, node))
    ]
