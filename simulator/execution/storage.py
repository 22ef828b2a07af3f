"""Disks as a whole: growing, making anew, another template. What each template can do is Ganeti's (constants.DTS_*)."""

from typing import Any

from simulator.errors import PrereqError
from simulator.execution.allocation import ALLOCATOR, choose_node
from simulator.execution.base import Execution, Op, executes
from simulator.execution.creation import sync_disks
from simulator.execution.params import check_template
from simulator.job import Steps
from simulator.model import Instance, Node
from simulator.sizes import show_size

Chosen = list[tuple[int, dict[str, Any]]]
GROWABLE = frozenset({"drbd", "ext", "file", "gluster", "plain", "rbd", "sharedfile"})
NOT_CONVERTIBLE_TO = frozenset({"blockdev", "diskless"})
# What a recreation may say anew of a disk.
RECREATED = frozenset({"size", "mode", "spindles"})


@executes("INSTANCE_GROW_DISK")
def grow(execution: Execution, op: Op) -> Steps:
    instance = execution.instance(op)
    last = len(instance.disks) - 1
    if op["disk"] > last:
        raise PrereqError(f"Invalid disk index: {op['disk']} (instace has disks 0 to {last}", "wrong_input")
    if instance.disk_template not in GROWABLE:
        text = f"Instance's disk layout {instance.disk_template} does not support growing"
        raise PrereqError(text, "wrong_input")
    disk = instance.disks[op["disk"]]
    size = op["amount"] if op["absolute"] else disk.size + op["amount"]
    if size < disk.size:
        text = f"Requested size ({show_size(size)}) is smaller than current disk size ({show_size(disk.size)})"
        raise PrereqError(text, "wrong_state")
    yield 0.3
    delta = show_size(size - disk.size)
    execution.log(f"Growing disk {op['disk']} of instance '{instance.name}' by {delta} to {show_size(size)}")
    yield 0.5
    disk.size = size
    execution.cluster.bump(instance)
    if op["wait_for_sync"]:
        yield from sync_disks(execution, instance)
    return None


def one_of_both(allocator: Any, node: Any) -> None:
    """An allocator or a node; the cluster's own allocator if neither is said."""
    if allocator and node:
        raise PrereqError("Do not specify both, iallocator and node", "wrong_input")


@executes("INSTANCE_RECREATE_DISKS")
def recreate(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    nodes = [cluster.node(name) for name in op.get("nodes") or []]
    one_of_both(op.get("iallocator"), nodes)
    chosen = [(each, {}) if isinstance(each, int) else (each[0], each[1]) for each in op.get("disks") or []]
    instance = execution.instance(op)
    check_recreation(execution, instance, chosen, nodes, moves=bool(nodes or op.get("iallocator")))
    if op.get("iallocator"):
        nodes = allocate(execution, instance)
    yield 1.0
    for number, params in chosen:
        disk = instance.disks[number]
        disk.size, disk.mode = params.get("size", disk.size), params.get("mode", disk.mode)
    if nodes:
        instance.primary = nodes[0].name
        instance.secondary = nodes[1].name if len(nodes) > 1 else None
    cluster.bump(instance)
    if instance.disk_template == "drbd":
        yield from sync_disks(execution, instance)
    return None


def check_recreation(
    execution: Execution,
    instance: Instance,
    chosen: list[tuple[int, dict[str, Any]]],
    nodes: list[Node],
    *,
    moves: bool,
) -> None:
    numbers = sorted(number for number, _params in chosen)
    if twice := sorted({number for number in numbers if numbers.count(number) > 1}):
        shown = ", ".join(map(str, twice))
        raise PrereqError(f"Some disks have been specified more than once: {shown}", "wrong_input")
    for number, params in chosen:
        if others := set(params) - RECREATED:
            text = f"Parameters for disk {number} try to change unmodifyable parameter(s): {', '.join(sorted(others))}"
            raise PrereqError(text, "wrong_input")
    now = 2 if instance.secondary else 1
    if nodes and len(nodes) != now:
        text = f"Instance {instance.name} currently has {now} nodes, but {len(nodes)} replacement nodes were specified"
        raise PrereqError(text, "wrong_input")
    if not instance.disks:
        raise PrereqError(f"Instance '{instance.name}' has no disks", "wrong_input")
    is_lost = moves and execution.cluster.nodes[instance.primary].offline
    if not is_lost and (instance.admin_state == "up" or instance.runs_on):
        raise PrereqError(f"Instance '{instance.name}' is marked to be up, cannot recreate disks", "wrong_state")
    if numbers and numbers[-1] >= len(instance.disks):
        raise PrereqError(f"Invalid disk index '{numbers[-1]}'", "wrong_input")
    if moves and numbers and numbers != list(range(len(instance.disks))):
        raise PrereqError("Can't recreate disks partially and change the nodes at the same time", "wrong_input")


def allocate(execution: Execution, instance: Instance) -> list[Node]:
    """As many nodes as it has, as hail would choose them."""
    cluster = execution.cluster
    chosen = [choose_node(cluster, 0, avoid=set())]
    if instance.secondary:
        chosen.append(choose_node(cluster, 0, avoid={chosen[0].name}, group=chosen[0].group))
    names = ", ".join(node.name for node in chosen)
    execution.info(f"Selected nodes for instance {instance.name} via iallocator {ALLOCATOR}: {names}")
    return chosen


def check_conversion(execution: Execution, instance: Instance, op: Op) -> None:
    cluster, template = execution.cluster, op["disk_template"]
    if op["disks"]:
        text = "Disk template conversion and other disk changes not supported at the same time"
        raise PrereqError(text, "wrong_input")
    if template == "drbd":
        one_of_both(op.get("iallocator"), op.get("remote_node"))
    if instance.disk_template == "diskless":
        raise PrereqError("Conversion from the 'diskless' disk template is not supported", "wrong_input")
    if template in NOT_CONVERTIBLE_TO:
        raise PrereqError(f"Conversion to the '{template}' disk template is not supported", "wrong_input")
    if template != "ext" and instance.disk_template == template:
        raise PrereqError(f"Instance already has disk template {template}", "wrong_input")
    check_template(cluster, template)
    if instance.admin_state != "down" or instance.runs_on:
        text = f"Instance '{instance.name}' is marked to be up, cannot change disk template"
        raise PrereqError(text, "wrong_state")
    if template == "drbd" and op.get("remote_node"):
        node = cluster.node(op["remote_node"])
        if node.name == instance.primary:
            text = f"Given new secondary node {node.name} is the same as the primary node of the instance"
            raise PrereqError(text, "wrong_state")
        if node.offline:
            raise PrereqError(f"Can't use offline node {node.name}", "wrong_state")
        if node.drained:
            raise PrereqError(f"Can't use drained node {node.name}", "wrong_state")


def convert(execution: Execution, instance: Instance, op: Op) -> Steps:
    """Only DRBD has a secondary: it gets one, or loses it."""
    old, template = instance.disk_template, op["disk_template"]
    secondary = None
    if template == "drbd":
        wanted, group = op.get("remote_node"), execution.cluster.nodes[instance.primary].group
        secondary = (
            execution.cluster.node(wanted)
            if wanted
            else choose_node(execution.cluster, 0, avoid={instance.primary}, group=group)
        )
    execution.log(f"Converting disk template from '{old}' to '{template}'")
    for index, disk in enumerate(instance.disks):
        execution.log(f" - copying data from disk {index} ({old}), size {show_size(disk.size)}")
        yield 0.8
    instance.disk_template = template
    instance.secondary = secondary.name if secondary else None
    execution.log(f"Removing old block devices of type '{old}'...")
    if template == "drbd":
        yield from sync_disks(execution, instance)
    return None
