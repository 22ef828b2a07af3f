"""Choosing nodes as hail would, and making NICs with their addresses."""

from ipaddress import ip_network
from typing import Any

from simulator.cluster import Cluster
from simulator.errors import PrereqError
from simulator.execution.base import Execution
from simulator.execution.params import NIC_PARAMETERS
from simulator.model import Instance, Nic, Node

ALLOCATOR = "hail"


def usable(cluster: Cluster, node: Node) -> bool:
    return cluster.reachable(node) and not node.drained and node.vm_capable


def choose_node(cluster: Cluster, memory: int, *, avoid: set[str], group: str | None = None) -> Node:
    """Return the usable node with most memory free; fail the way hail does."""
    candidates = [
        node
        for node in cluster.sorted_nodes()
        if usable(cluster, node) and node.name not in avoid and (group is None or node.group == group)
    ]
    fitting = [node for node in candidates if cluster.free_memory(node) >= memory]
    if not fitting:
        names = ", ".join(
            f"Group {each.name} ({each.alloc_policy}): No valid allocation solutions, failure reasons:"
            f" FailMem: {sum(node.group == each.uuid for node in candidates)}"
            for each in cluster.groups.values()
            if group in (None, each.uuid)
        )
        text = f"Can't compute nodes using iallocator '{ALLOCATOR}': Request failed: {names}"
        raise PrereqError(text, "insufficient_resources")
    return max(fitting, key=cluster.free_memory)


def target_of_move(execution: Execution, instance: Instance, op: dict[str, Any]) -> Node:
    """Where a migration or failover goes: the DRBD secondary, the node asked for, or one that hail selects."""
    cluster = execution.cluster
    if instance.disk_template == "drbd":
        if op.get("target_node"):
            text = "Instances with disk template drbd cannot be migrated to arbitrary nodes"
            raise PrereqError(f"{text} (neither an iallocator nor a target node can be passed)", "wrong_input")
        return cluster.nodes[instance.secondary or instance.primary]
    if op.get("target_node"):
        node = cluster.node(op["target_node"])
        if node.name == instance.primary:
            text = f"Cannot migrate instance {instance.name} to its primary ({node.name})"
            raise PrereqError(text, "wrong_state")
        return node
    group = cluster.nodes[instance.primary].group
    needed = cluster.merged_beparams(instance)["minmem"]
    node = choose_node(cluster, needed, avoid={instance.primary}, group=group)
    op["iallocator"] = ALLOCATOR
    execution.info(f"Selected nodes for instance {instance.name} via iallocator {ALLOCATOR}: {node.name}")
    return node


def make_nic(execution: Execution, index: int, given: dict[str, Any], node: Node) -> Nic:
    cluster = execution.cluster
    mac = given.get("mac") or "auto"
    nic = Nic(cluster.new_mac() if mac in ("auto", "generate") else mac, name=given.get("name"))
    nic.params = {name: given[name] for name in NIC_PARAMETERS if given.get(name)}
    if given.get("network") and given["network"] != "none":
        join_network(execution, index, nic, given, node)
    elif given.get("ip") and given["ip"] not in ("none", "auto"):
        if given["ip"] == "pool":
            raise PrereqError("if ip=pool, parameter network must be passed too", "wrong_input")
        nic.ip = given["ip"]
    return nic


def join_network(execution: Execution, index: int, nic: Nic, given: dict[str, Any], node: Node) -> None:
    cluster = execution.cluster
    network = cluster.network(given["network"])
    params = network.groups.get(node.group)
    if params is None:
        group = cluster.group_of(node).name
        raise PrereqError(f"Network '{network.name}' is not connected to group {group}", "wrong_state")
    nic.network = network.uuid
    nic.params = {"mode": params["mode"], "link": params["link"], "vlan": params.get("vlan", "")}
    shown = sorted((params["mode"], params["link"], params.get("vlan", "")), key=lambda value: (not value, value))
    execution.info(f"NIC/{index} inherits netparams {shown}")
    taken = {*cluster.always_reserved(network), *network.reserved, *cluster.address_in_use(network)}
    wanted = given.get("ip")
    if wanted == "pool":
        nic.ip = next((str(address) for address in ip_network(network.network) if str(address) not in taken), None)
        if nic.ip is None:
            raise PrereqError(f"Unable to get a free IP for NIC {index} from network {network.name}", "wrong_state")
        execution.info(f"Chose IP {nic.ip} from network {network.name}")
    elif wanted and wanted != "none":
        if wanted in taken:
            text = f"IP address {wanted} already in use or does not belong to network {network.name}"
            raise PrereqError(text, "resource_not_unique")
        nic.ip = wanted
