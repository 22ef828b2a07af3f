"""Networks and their connections to groups."""

from ipaddress import ip_address, ip_network

from simulator.errors import PrereqError
from simulator.execution.base import Execution, Op, executes
from simulator.job import Steps
from simulator.model import Network


@executes("NETWORK_ADD")
def add(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    existing = cluster.networks.get(op["network_name"])
    if existing:
        text = f"Desired network name '{existing.name}' already exists as a network (UUID: {existing.uuid})"
        raise PrereqError(text, "already_exists")
    gateway = op.get("gateway")
    if gateway and ip_address(gateway) not in ip_network(op["network"], strict=False):
        raise PrereqError(f"Gateway {gateway} not in network {op['network']}", "wrong_input")
    yield 0.4
    network = Network(op["network_name"], op["network"], gateway=gateway, tags=list(op["tags"]))
    for name in ("network6", "gateway6", "mac_prefix"):
        setattr(network, name, op.get(name))
    network.reserved = list(op.get("add_reserved_ips") or [])
    network.ctime = network.mtime = cluster.moment()
    cluster.networks[network.name] = network
    return None


@executes("NETWORK_REMOVE")
def remove(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    network = cluster.network(op["network_name"])
    if network.groups:
        names = ", ".join(group.name for group in cluster.groups.values() if group.uuid in network.groups)
        execution.warn(f"Network '{network.name}' is connected to the following node groups: {names}")
        raise PrereqError("Network still connected", "wrong_state")
    yield 0.4
    del cluster.networks[network.name]
    return None


@executes("NETWORK_SET_PARAMS")
def modify(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    network = cluster.network(op["network_name"])
    net = ip_network(network.network)
    for address in (op.get("add_reserved_ips") or []) + (op.get("remove_reserved_ips") or []):
        if ip_address(address) not in net:
            raise PrereqError(f"{address} is not contained in the network's range", "wrong_input")
    yield 0.4
    removed = set(op.get("remove_reserved_ips") or [])
    network.reserved = [each for each in network.reserved if each not in removed]
    network.reserved += [each for each in op.get("add_reserved_ips") or [] if each not in network.reserved]
    for name in ("gateway", "network6", "gateway6", "mac_prefix"):
        if op.get(name) is not None:
            setattr(network, name, None if op[name] == "none" else op[name])
    cluster.bump(network)
    return None


@executes("NETWORK_CONNECT")
def connect(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    network, group = cluster.network(op["network_name"]), cluster.group(op["group_name"])
    if group.uuid in network.groups:
        text = f"Network '{network.name}' is already mapped to group '{group.name}'"
        execution.warn(text)
        return None
    yield 0.4
    network.groups[group.uuid] = {
        "mode": op["network_mode"], "link": op["network_link"], "vlan": op.get("network_vlan", ""),
    }  # fmt: skip
    cluster.bump(group)
    return None


@executes("NETWORK_DISCONNECT")
def disconnect(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    network, group = cluster.network(op["network_name"]), cluster.group(op["group_name"])
    if group.uuid not in network.groups:
        execution.warn(f"Network '{network.name}' is not mapped to group '{group.name}'")
        return None
    used = [
        instance.name
        for instance in cluster.instances.values()
        if cluster.nodes[instance.primary].group == group.uuid
        and any(nic.network == network.uuid for nic in instance.nics)
    ]
    if used:
        text = f"Disconnect aborted, network '{network.name}' is used by instances: {', '.join(sorted(used))}"
        raise PrereqError(text, "wrong_state")
    yield 0.4
    del network.groups[group.uuid]
    cluster.bump(group)
    return None
