"""The state of a cluster in a word, as far as the updates know it. Nodes and jobs too."""

from clusters.models import Cluster, Node


def state_of_cluster(cluster: Cluster) -> tuple[str, str]:
    """Kind (ok, busy, warn, bad) and word."""
    if cluster.unreachable_since is not None:
        return "bad", "not reachable"
    if cluster.synced_at is None:
        return ("bad", "never reached") if cluster.last_error else ("busy", "first update under way")
    if cluster.last_error:
        return "warn", "update failed"
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
