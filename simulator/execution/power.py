"""Starting, stopping and rebooting instances; their disks on and off."""

from typing import Any

from simulator.errors import PrereqError
from simulator.execution.base import Execution, Op, executes
from simulator.execution.paths import path_of
from simulator.job import Steps
from simulator.model import Instance


def check_online(instance: Instance) -> None:
    if instance.admin_state == "offline":
        text = f"Instance '{instance.name}' is marked to be offline"
        raise PrereqError(f"{text}, can't use instance from outside down, up states", "wrong_state")


def check_node(execution: Execution, instance: Instance) -> None:
    node = execution.cluster.nodes[instance.primary]
    if node.offline:
        raise PrereqError(f"Can't use offline node: {node.name}", "wrong_state")
    if node.dead:
        text = f"Error checking bridges on destination node '{node.name}'"
        raise PrereqError(f"{text}: Error 28: Connection timed out after 5000 milliseconds", "environment_error")


def check_memory(execution: Execution, instance: Instance) -> None:
    cluster = execution.cluster
    needed = cluster.merged_beparams(instance)["minmem"]
    free = cluster.free_memory(cluster.nodes[instance.primary])
    if instance.runs_on is None and needed > free:
        text = f"Not enough memory on node {instance.primary} for starting instance {instance.name}:"
        raise PrereqError(f"{text} needed {needed} MiB, available {free} MiB", "insufficient_resources")


def set_admin_state(execution: Execution, instance: Instance, state: str) -> None:
    if instance.admin_state != state:
        instance.admin_state = state
        instance.admin_state_source = "admin"
        execution.cluster.bump(instance)


def set_disks_active(execution: Execution, instance: Instance, active: bool) -> None:
    if instance.disks_active != active:
        instance.disks_active = active
        execution.cluster.bump(instance)


@executes("INSTANCE_STARTUP")
def start(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    instance = execution.instance(op)
    check_online(instance)
    node = cluster.nodes[instance.primary]
    if node.offline and op.get("ignore_offline_nodes"):
        execution.warn("Ignoring offline primary node")
        execution.warn("Overridden parameters are ignored")
        yield 0.0
        set_admin_state(execution, instance, "up")
        return None
    check_node(execution, instance)
    check_memory(execution, instance)
    yield 0.4
    if not op.get("no_remember"):
        was = instance.serial_no
        set_admin_state(execution, instance, "up")
        instance.disks_active = True
        if instance.serial_no == was and instance.runs_on is None:
            cluster.bump(instance)
    yield 0.8
    cluster.start(instance)
    return None


@executes("INSTANCE_SHUTDOWN")
def shut_down(execution: Execution, op: Op) -> Steps:
    op.setdefault("admin_state_source", "admin")
    instance = execution.instance(op)
    if not op.get("force"):
        check_online(instance)
    node = execution.cluster.nodes[instance.primary]
    if node.offline and op.get("ignore_offline_nodes"):
        execution.warn("Ignoring offline primary node")
    else:
        check_node(execution, instance)
    yield 0.4
    if not op.get("no_remember"):
        set_admin_state(execution, instance, "down")
    if node.offline:
        execution.warn("Primary node offline, marked instance as stopped")
        return None
    yield 0.1 if op.get("force") or not op.get("timeout") else 1.5
    execution.cluster.stop(instance)
    set_disks_active(execution, instance, False)
    return None


@executes("INSTANCE_REBOOT")
def reboot(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    instance = execution.instance(op)
    check_online(instance)
    check_node(execution, instance)
    yield 0.4
    if instance.runs_on is None:
        execution.info(f"Instance {instance.name} was already stopped, starting now")
        set_disks_active(execution, instance, True)
    elif op["reboot_type"] == "soft":
        instance.boots += 1
        return None
    cluster.stop(instance)
    yield 1.0
    cluster.start(instance)
    set_admin_state(execution, instance, "up")
    return None


@executes("INSTANCE_ACTIVATE_DISKS")
def activate_disks(execution: Execution, op: Op) -> Steps:
    instance = execution.instance(op)
    check_node(execution, instance)
    yield 0.5
    set_disks_active(execution, instance, True)
    return disk_paths(instance)


def disk_paths(instance: Instance) -> list[Any]:
    return [[instance.primary, f"disk/{index}", path_of(instance, index)] for index in range(len(instance.disks))]


@executes("INSTANCE_DEACTIVATE_DISKS")
def deactivate_disks(execution: Execution, op: Op) -> Steps:
    instance = execution.instance(op)
    if instance.admin_state == "up" and not op.get("force"):
        raise PrereqError(f"Instance '{instance.name}' is marked to be up, cannot shutdown disks", "wrong_state")
    yield 0.5
    set_disks_active(execution, instance, False)
    return None
