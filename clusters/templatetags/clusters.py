"""How clusters and nodes are drawn."""

from typing import Any

from django import template
from django.template import Context
from django.utils.safestring import SafeString

from clusters.remedies import remedy_for
from clusters.states import state_of_cluster, state_of_node
from ui.templatetags.parts import state

register = template.Library()


@register.simple_tag(takes_context=True)
def cluster_state(context: Context, cluster: Any) -> SafeString:
    """The state of a cluster, its nodes taken into account as far as the person may see them; the error on hover."""
    kind, word = context["cluster_states"].get(cluster.pk) or state_of_cluster(cluster)
    return state(word, kind=kind, word=word, title=cluster.last_error)


@register.simple_tag
def node_state(node: Any) -> SafeString:
    """The state of a node."""
    kind, word = state_of_node(node)
    return state(word, kind=kind, word=word)


@register.filter
def remedy(cluster: Any) -> str:
    """What to do about what the last update of a cluster failed of."""
    return remedy_for(cluster.last_error_kind) if cluster.last_error else ""
