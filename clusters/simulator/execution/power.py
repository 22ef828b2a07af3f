"""Starting, stopping and rebooting instances; their disks on and off."""

from typing import Any

from clusters.simulator.errors import ExecError, PrereqError
from clusters.simulator.execution.base import Execution, Op, executes
from clusters.simulator.job import Steps
from clusters.simulator.model import Instance


def check_node(execution: Execution, instance: Instance) -> None:
    node = execution.cluster.nodes[instance.primary]
    if node.offline:
        raise PrereqError(f"Can't use offline primary node: {node.name}", "wrong_state")
    if node.dead:
        raise PrereqError(
            f"Error checking node {node.name}: Connection to {node.primary_ip}:1811 timed out", "environment_error"
        )


def check_memory(execution: Execution, instance: Instance) -> None:
    cluster = execution.cluster
    needed = cluster.merged_beparams(instance)["maxmem"]
    free = cluster.free_memory(cluster.nodes[instance.primary])
    if instance.runs_on is None and needed > free:
        text = (
            f"Not enough memory on node {instance.primary} for starting instance {instance.name}:"
            f" needed {needed} MiB, available {free} MiB"
        )
        raise PrereqError(text, "insufficient_resources")


def set_admin_state(execution: Execution, instance: Instance, state: str) -> None:
    instance.admin_state = state
    instance.admin_state_source = "admin"
    execution.cluster.bump(instance)


@executes("INSTANCE_STARTUP")
def start(execution: Execution, op: Op) -> Steps:
    instance = execution.instance(op)
    if instance.admin_state == "offline":
        text = f"Instance '{instance.name}' is marked to be offline"
        raise PrereqError(f"{text}, cannot perform instance startup", "wrong_state")
    check_node(execution, instance)
    check_memory(execution, instance)
    yield 0.4
    if not op.get("no_remember"):
        set_admin_state(execution, instance, "up")
    yield 0.8
    execution.cluster.start(instance)
    return None


@executes("INSTANCE_SHUTDOWN")
def shut_down(execution: Execution, op: Op) -> Steps:
    op.setdefault("admin_state_source", "admin")
    instance = execution.instance(op)
    if instance.admin_state == "offline" and not op.get("force"):
        raise PrereqError(
            f"Instance '{instance.name}' is marked to be offline, cannot perform instance shutdown", "wrong_state"
        )
    node = execution.cluster.nodes[instance.primary]
    if node.offline and op.get("ignore_offline_nodes"):
        execution.warn("Primary node offline, marked instance as stopped")
        set_admin_state(execution, instance, "down")
        return None
    check_node(execution, instance)
    yield 0.4
    if not op.get("no_remember"):
        set_admin_state(execution, instance, "down")
    yield 0.1 if op.get("force") or not op.get("timeout") else 1.5
    execution.cluster.stop(instance)
    instance.disks_active = False
    return None


@executes("INSTANCE_REBOOT")
def reboot(execution: Execution, op: Op) -> Steps:
    instance = execution.instance(op)
    if instance.admin_state == "offline":
        raise PrereqError(
            f"Instance '{instance.name}' is marked to be offline, cannot perform instance reboot", "wrong_state"
        )
    check_node(execution, instance)
    yield 0.4
    if instance.runs_on and op["reboot_type"] == "soft":
        instance.boots += 1
    else:
        execution.cluster.stop(instance)
        yield 1.0
        execution.cluster.start(instance)
    set_admin_state(execution, instance, "up")
    return None


@executes("INSTANCE_ACTIVATE_DISKS")
def activate_disks(execution: Execution, op: Op) -> Steps:
    instance = execution.instance(op)
    check_node(execution, instance)
    yield 0.5
    instance.disks_active = True
    execution.cluster.bump(instance)
    return disk_paths(instance)


def disk_paths(instance: Instance) -> list[Any]:
    return [[instance.primary, f"disk/{i}", f"/dev/xenvg/{disk.uuid}.disk{i}"] for i, disk in enumerate(instance.disks)]


@executes("INSTANCE_DEACTIVATE_DISKS")
def deactivate_disks(execution: Execution, op: Op) -> Steps:
    instance = execution.instance(op)
    if instance.runs_on and not op.get("force"):
        raise ExecError(f"Instance {instance.name} is running, can't shutdown block devices")
    yield 0.5
    instance.disks_active = False
    execution.cluster.bump(instance)
    return None
