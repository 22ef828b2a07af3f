"""Exports, as far as their jobs go: nothing is written, so nothing can be imported again."""

from simulator.errors import PrereqError
from simulator.execution.base import Execution, Op, executes
from simulator.execution.power import check_node
from simulator.job import Steps


@executes("BACKUP_PREPARE")
def prepare(execution: Execution, op: Op) -> Steps:
    instance = execution.instance(op)
    check_node(execution, instance)
    yield 0.4
    return None


@executes("BACKUP_EXPORT")
def export(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    instance = execution.instance(op)
    check_node(execution, instance)
    if op["mode"] != "local":
        raise PrereqError("Cannot get destination information from the target cluster", "environment_error")
    target = cluster.node(op["target_node"])
    was_running = instance.runs_on is not None
    yield 0.4
    if op["shutdown"] and was_running:
        execution.log(f"Shutting down instance {instance.name}")
        cluster.stop(instance)
        yield 1.0
    execution.log(f"Creating a snapshot of disk/0 on node {instance.primary}")
    if op["shutdown"] and was_running and not op["remove_instance"]:
        execution.log(f"Starting instance {instance.name}")
        cluster.start(instance)
    for index, disk in enumerate(instance.disks):
        execution.log(f"Exporting disk/{index} from {instance.primary} to {target.name}")
        yield max(1.0, disk.size / 20480)
        execution.log(f"disk/{index} finished receiving data")
    execution.log(f"Finalizing export on {target.name}")
    yield 0.3
    return [True, [True] * len(instance.disks)]
