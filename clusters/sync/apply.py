"""A snapshot into the rows of the cluster, its groups, nodes and networks."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from clusters.models import Cluster, Network, Node, NodeGroup
from clusters.sync.rows import (
    Plan,
    Values,
    Written,
    columns_of,
    compare,
    complete,
    load_rows,
    plan_table,
    write_plan,
)
from clusters.sync.snapshot import LiveState, Snapshot
from clusters.sync.unreadable import Doubts
from rapi.shapes.cluster import ClusterInfo
from rapi.shapes.group import GroupInfo
from rapi.shapes.network import NetworkInfo
from rapi.shapes.node import NodeInfo, NodeLive


def values_of_cluster(info: ClusterInfo, nodes: Iterable[NodeInfo]) -> Values:
    """The columns of the cluster's own row; what Ganeti did not say in words that can be read is not among them."""
    candidates = sorted(
        (node for node in nodes if node.role in ("M", "C") and node.primary_ip), key=lambda node: node.role != "M"
    )
    said = {
        "name": info.name,
        "master": info.master,
        "software_version": info.software_version,
        "default_hypervisor": info.default_hypervisor,
        "enabled_hypervisors": list(info.enabled_hypervisors),
    }
    return {
        "uuid": info.uuid,
        **{column: value for column, value in said.items() if value},
        "info": info.raw,
        "fallback_hosts": [node.primary_ip for node in candidates],
    }


def apply_cluster(cluster: Cluster, snapshot: Snapshot) -> Values:
    """The columns of the cluster's own row that differ, to be written with the outcome of the update."""
    wanted = values_of_cluster(snapshot.info, snapshot.nodes.good.values())
    return {column: value for column, value in wanted.items() if getattr(cluster, column) != value}


def apply_groups(cluster: Cluster, snapshot: Snapshot, now: datetime) -> Written:
    """Node groups."""
    wanted: dict[str, Values] = {
        group.uuid: {
            "name": group.name,
            "serial_no": group.serial_no,
            "ctime": group.ctime,
            "mtime": group.mtime or 0,
            "alloc_policy": group.alloc_policy,
            "raw": group.raw,
        }
        for group in complete(NodeGroup, cluster, snapshot.groups, GroupInfo.parse).values()
    }
    doubts = Doubts(snapshot.unreadable, "group")
    plan = plan_table(load_rows(NodeGroup, cluster, columns_of(wanted)), wanted, now, doubts)
    return write_plan(NodeGroup, cluster, plan, read_from=snapshot.started_at, now=now)


def apply_networks(cluster: Cluster, snapshot: Snapshot, now: datetime) -> Written:
    """Networks."""
    wanted: dict[str, Values] = {
        network.uuid: {
            "name": network.name,
            "serial_no": network.serial_no,
            "ctime": network.ctime,
            "mtime": network.mtime or 0,
            "cidr": network.cidr,
            "gateway": network.gateway,
            "cidr6": network.cidr6,
            "gateway6": network.gateway6,
            "mac_prefix": network.mac_prefix,
            "free_count": network.free_count,
            "reserved_count": network.reserved_count,
            "tags": sorted(network.tags),
            "raw": network.raw,
        }
        for network in complete(Network, cluster, snapshot.networks, NetworkInfo.parse).values()
    }
    columns = columns_of(wanted)
    plan = plan_table(load_rows(Network, cluster, columns), wanted, now, Doubts(snapshot.unreadable, "network"))
    return write_plan(Network, cluster, plan, read_from=snapshot.started_at, now=now)


def apply_nodes(cluster: Cluster, snapshot: Snapshot, now: datetime) -> Written:
    """Nodes, with their live figures if these were read. Groups come first."""
    groups = dict(NodeGroup.objects.filter(cluster=cluster).order_by("pk").values_list("uuid", "pk"))
    nodes = complete(Node, cluster, snapshot.nodes, NodeInfo.parse)
    live = snapshot.live.nodes or {}
    wanted = {
        uuid: _values_of_node(node, groups) | (_values_of_live(live[uuid]) if uuid in live else {})
        for uuid, node in nodes.items()
    }
    plan = plan_table(load_rows(Node, cluster, columns_of(wanted)), wanted, now, Doubts(snapshot.unreadable, "node"))
    return write_plan(Node, cluster, plan, read_from=snapshot.started_at, now=now)


def apply_node_live(cluster: Cluster, live: LiveState, now: datetime) -> Written:
    """The live figures of nodes alone, where their configuration can't be read."""
    wanted = {uuid: _values_of_live(each) for uuid, each in (live.nodes or {}).items()}
    plan = Plan()
    for row in load_rows(Node, cluster, columns_of(wanted)):
        changes = compare(row, wanted.get(row["uuid"], {}))
        if changes and row["missing_since"] is None:
            plan.changed[row["pk"]] = changes
    return write_plan(Node, cluster, plan, read_from=live.started_at, now=now)


def _values_of_node(node: NodeInfo, groups: Mapping[str, int]) -> Values:
    raw = {key: value for key, value in node.raw.items() if key not in ("pinst_list", "sinst_list")}
    return {
        "name": node.name,
        "serial_no": node.serial_no,
        "ctime": node.ctime,
        "mtime": node.mtime or 0,
        "group_id": groups.get(node.group_uuid),
        "role": node.role,
        "offline": node.offline,
        "drained": node.drained,
        "master_candidate": node.master_candidate,
        "master_capable": node.master_capable,
        "vm_capable": node.vm_capable,
        "primary_ip": node.primary_ip,
        "secondary_ip": node.secondary_ip,
        "primary_count": len(node.primary_instances),
        "secondary_count": len(node.secondary_instances),
        "tags": sorted(node.tags),
        "raw": raw,
    }


def _values_of_live(figures: NodeLive) -> Values:
    return {
        "answers": figures.answers,
        "memory_total_mib": figures.memory_total_mib,
        "memory_free_mib": figures.memory_free_mib,
        "memory_node_mib": figures.memory_node_mib,
        "disk_total_mib": figures.disk_total_mib,
        "disk_free_mib": figures.disk_free_mib,
        "cpu_total": figures.cpu_total,
        "cpu_sockets": figures.cpu_sockets,
        "cpu_numa_nodes": figures.cpu_numa_nodes,
        "boot_id": figures.boot_id or "",
    }
