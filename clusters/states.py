"""The state of a cluster in a word, as far as the updates know it. Nodes and jobs too."""

from clusters.models import Cluster, Node

# What an update failed of, where that is to be told from a cluster that is merely away (clusters/rapi/errors.py).
_FAILURES = {
    "untrusted": "not trusted",
    "wrong cluster": "another cluster",
    "bad credentials": "credentials refused",
    "master down": "master down",
}


def state_of_cluster(cluster: Cluster) -> tuple[str, str]:
    """Kind (ok, busy, warn, bad) and word."""
    failure = _FAILURES.get(cluster.last_error_kind)
    if cluster.unreachable_since is not None:
        return "bad", failure or "not reachable"
    if cluster.last_error:
        if cluster.synced_at is None:
            return "bad", failure or "never reached"
        return "warn", failure or "update failed"
    if cluster.synced_at is None:
        return "busy", "first update under way"
    return "ok", "healthy"


def state_of_node(node: Node) -> tuple[str, str]:
    """Kind and word; what a person did to the node comes before what it does itself."""
    if node.missing_since is not None:
        return "warn", "missing"
    if node.offline:
        return "off", "offline"
    if not node.answers:
        return "bad", "no answer"
    if node.drained:
        return "warn", "drained"
    return "ok", "online"
