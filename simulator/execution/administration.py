"""Nodes, groups and the cluster itself."""

from typing import Any

from simulator.errors import ExecError, PrereqError
from simulator.execution.base import Execution, Op, executes
from simulator.execution.params import check_known, override
from simulator.job import Steps
from simulator.model import Group, Node, new_uuid

STATE_FLAGS = ("master_candidate", "drained", "offline")
NODE_CHANGES = (
    *STATE_FLAGS,
    "master_capable",
    "vm_capable",
    "secondary_ip",
    "ndparams",
    "powered",
    "hv_state",
    "disk_state",
)
GROUP_CHANGES = ("alloc_policy", "ndparams", "ipolicy", "diskparams", "hv_state", "disk_state")
NO_CHANGES = "Please pass at least one modification"


@executes("NODE_SET_PARAMS")
def modify_node(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    node = execution.node(op)
    if all(op.get(name) is None for name in NODE_CHANGES):
        raise PrereqError(NO_CHANGES, "wrong_input")
    if sum(op.get(name) is True for name in STATE_FLAGS) > 1:
        raise PrereqError("Can't set the node into more than one state at the same time", "wrong_input")
    if node.name == cluster.master and any(op.get(name) is not None for name in STATE_FLAGS):
        raise PrereqError("The master role can be changed only via master-failover", "wrong_input")
    if op.get("vm_capable") is False and any(i.primary == node.name for i in cluster.instances.values()):
        raise PrereqError(f"Node {node.name} hosts instances, cannot unset the vm_capable flag", "wrong_state")
    check_known(op.get("ndparams") or {}, cluster.settings["ndparams"])
    yield 0.5
    changes = change_flags(execution, op, node)
    node.ndparams = override(node.ndparams, op.get("ndparams") or {})
    if op.get("secondary_ip"):
        node.secondary_ip = op["secondary_ip"]
        changes.append(["secondary_ip", op["secondary_ip"]])
    cluster.bump(node)
    cluster.touch()
    return changes


def change_flags(execution: Execution, op: Op, node: Node) -> list[list[str]]:
    """Apply the role and capability flags; a node in one state leaves the others."""
    was_away = node.offline or node.drained
    was_offline = node.offline
    before = {name: getattr(node, name) for name in (*STATE_FLAGS, "master_capable", "vm_capable")}
    for name in STATE_FLAGS:
        if op.get(name) is False and not before[name]:
            execution.info(f"Ignoring request to unset flag {name}, already unset")
    for name in before:
        if op.get(name) is not None:
            setattr(node, name, op[name])
    if op.get("offline") or op.get("drained"):
        node.master_candidate = False
        if op.get("offline"):
            node.drained = False
        else:
            node.offline = False
    elif op.get("master_candidate"):
        node.offline = node.drained = False
    elif (was_away or op.get("auto_promote")) and not (node.offline or node.drained):
        promote(execution, node)
    if was_offline and not node.offline:
        text = "Transitioning node from offline to online state without using re-add."
        execution.warn(f"{text} Please make sure the node is healthy!")
    return [[name, str(getattr(node, name))] for name in before if getattr(node, name) != before[name]]


def promote(execution: Execution, node: Node) -> None:
    """Make it a master candidate if the pool has room."""
    cluster = execution.cluster
    candidates = sum(each.master_candidate for each in cluster.nodes.values())
    if node.master_capable and not node.master_candidate and candidates < cluster.settings["candidate_pool_size"]:
        execution.info("Auto-promoting node to master candidate")
        node.master_candidate = True


@executes("NODE_POWERCYCLE")
def powercycle(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    node = execution.node(op)
    if node.name == cluster.master and not op.get("force"):
        raise PrereqError("The node is the master and the force parameter was not set", "wrong_input")
    yield 0.5
    node.boot_id = new_uuid()
    for instance in cluster.instances.values():
        if instance.runs_on == node.name:
            cluster.stop(instance)
    return None


@executes("NODE_QUERY_STORAGE")
def query_storage(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    yield 0.4
    kind = op.get("storage_type") or "lvm-vg"
    known: dict[str, Any] = {"type": kind, "name": "xenvg", "allocatable": True}
    result = []
    for name in op["nodes"]:
        node = cluster.node(name)
        row = known | {"node": node.name, "size": node.disk, "used": 0, "free": node.disk}
        result.append([[row.get(field) for field in op["output_fields"]]])
    return result


# groups


@executes("GROUP_ADD")
def add_group(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    existing = cluster.groups.get(op["group_name"])
    if existing:
        text = f"Desired group name '{existing.name}' already exists as a node group (UUID: {existing.uuid})"
        raise PrereqError(text, "already_exists")
    yield 0.4
    group = Group(op["group_name"], alloc_policy=op.get("alloc_policy") or "preferred")
    for name in ("ndparams", "ipolicy", "diskparams"):
        setattr(group, name, op.get(name) or {})
    group.ctime = group.mtime = execution.cluster.moment()
    cluster.groups[group.name] = group
    return None


@executes("GROUP_REMOVE")
def remove_group(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    group = cluster.group(op["group_name"])
    nodes = [node.uuid for node in cluster.nodes.values() if node.group == group.uuid]
    if nodes:
        text = f"Group '{group.name}' not empty, has the following nodes: {', '.join(nodes)}"
        raise PrereqError(text, "wrong_state")
    if len(cluster.groups) == 1:
        raise PrereqError(f"Group '{group.name}' is the only group, cannot be removed", "wrong_state")
    yield 0.4
    del cluster.groups[group.name]
    return None


@executes("GROUP_SET_PARAMS")
def modify_group(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    if all(op.get(name) is None for name in GROUP_CHANGES):
        raise PrereqError(NO_CHANGES, "wrong_input")
    group = cluster.group(op["group_name"])
    check_known(op.get("ndparams") or {}, cluster.settings["ndparams"])
    yield 0.4
    group.alloc_policy = op.get("alloc_policy") or group.alloc_policy
    group.ndparams = override(group.ndparams, op.get("ndparams") or {})
    group.ipolicy = override(group.ipolicy, op.get("ipolicy") or {})
    for template, params in (op.get("diskparams") or {}).items():
        group.diskparams[template] = override(group.diskparams.get(template, {}), params)
    cluster.bump(group)
    return []


@executes("GROUP_RENAME")
def rename_group(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    group = cluster.group(op["group_name"])
    if op["new_name"] in cluster.groups:
        other = cluster.groups[op["new_name"]]
        text = f"Desired new name '{other.name}' clashes with existing node group (UUID: {other.uuid})"
        raise PrereqError(text, "already_exists")
    yield 0.4
    del cluster.groups[group.name]
    group.name = op["new_name"]
    cluster.groups[group.name] = group
    cluster.bump(group)
    return group.name


@executes("GROUP_ASSIGN_NODES")
def assign_nodes(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    group = cluster.group(op["group_name"])
    nodes = [cluster.node(name) for name in op["nodes"]]
    op["node_uuids"] = [node.uuid for node in nodes]
    moved = {node.name for node in nodes}
    split = sorted(
        i.name for i in cluster.instances.values() if i.secondary and (i.primary in moved) != (i.secondary in moved)
    )
    if split and not op.get("force"):
        text = f"The following instances get split by this change and --force was not given: {', '.join(split)}"
        raise ExecError(text)
    yield 0.4
    for node in nodes:
        node.group = group.uuid
        cluster.bump(node)
    return None


# the cluster

MERGED = ("ndparams", "ipolicy")
SECTIONED = ("hvparams", "diskparams", "os_hvp", "osparams")  # a dictionary of dictionaries
OS_LISTS = ("hidden_os", "blacklisted_os")
RENAMED = {"vg_name": "volume_group_name", "drbd_helper": "drbd_usermode_helper"}


@executes("CLUSTER_SET_PARAMS")
def modify_cluster(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    settings = cluster.settings
    check_known(op.get("beparams") or {}, {*settings["beparams"]["default"], "memory"})
    check_known(op.get("nicparams") or {}, settings["nicparams"]["default"])
    for hypervisor, params in (op.get("hvparams") or {}).items():
        check_known(params, settings["hvparams"].get(hypervisor, {}))
    yield 0.8
    for name in ("beparams", "nicparams"):
        settings[name]["default"] |= op.get(name) or {}
    for name in MERGED:
        settings[name] |= op.get(name) or {}
    for name in SECTIONED:
        for section, params in (op.get(name) or {}).items():
            settings[name][section] = settings[name].get(section, {}) | params
    handled = {"beparams", "nicparams", *MERGED, *SECTIONED, *OS_LISTS}
    for name, value in op.items():
        target = RENAMED.get(name, name)
        if target in settings and name not in handled:
            settings[target] = value
    for name in OS_LISTS:
        settings[name] = changed_list(settings[name], op.get(name) or [])
    cluster.forget_merged()
    cluster.touch()
    return None


def changed_list(current: list[str], changes: list[list[str]]) -> list[str]:
    """Apply [add|remove, name] pairs."""
    names = list(current)
    for action, name in changes:
        if action == "add" and name not in names:
            names.append(name)
        elif action == "remove" and name in names:
            names.remove(name)
    return names


@executes("CLUSTER_REDIST_CONF")
def redistribute(execution: Execution, op: Op) -> Steps:
    yield 1.0
    return None


@executes("OS_DIAGNOSE")
def diagnose_os(execution: Execution, op: Op) -> Steps:
    yield 0.5
    return [[name] for name in execution.cluster.operating_systems]
