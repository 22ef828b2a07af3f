"""Exports, as far as their jobs go: nothing is written, so nothing can be imported again."""

from simulator.errors import ExecError, PrereqError
from simulator.execution.base import Execution, Op, executes
from simulator.execution.moving import check_target
from simulator.execution.power import check_node
from simulator.job import Steps

SNAPSHOTS = frozenset({"drbd", "ext", "plain"})
NO_SNAPSHOT = (
    "Not all disks could be snapshotted, and you did not allow the instance to remain offline for a longer time through"
    " the --long-sleep option; aborting"
)
NO_LIVE = "Not all disks could be snapshotted, and you requested a live export; aborting"


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
    check_target(target)
    if op["remove_instance"] and instance.admin_state == "up" and not op["shutdown"]:
        raise PrereqError("Can not remove instance without shutting it down before", "wrong_state")
    if op["long_sleep"] and not op["shutdown"]:
        text = "The long sleep option only makes sense when the instance can be shut down."
        raise PrereqError(text, "wrong_input")
    has_snapshots = instance.disk_template in SNAPSHOTS
    was_running = instance.runs_on is not None
    yield 0.4
    if op["shutdown"] and was_running:
        execution.log(f"Shutting down instance {instance.name}")
        cluster.stop(instance)
        yield 1.0
    if was_running and not op["remove_instance"]:
        execution.log(f"Creating a snapshot of disk/0 on node {instance.primary}")
        if not (has_snapshots or (op["shutdown"] and op["long_sleep"])):
            raise ExecError(NO_SNAPSHOT if op["shutdown"] else NO_LIVE)
    starts = op["shutdown"] and was_running and not op["remove_instance"]
    if starts and has_snapshots:
        execution.log(f"Starting instance {instance.name}")
        cluster.start(instance)
    for index, disk in enumerate(instance.disks):
        execution.log(f"Exporting disk/{index} from {instance.primary} to {target.name}")
        yield max(1.0, disk.size / 20480)
        execution.log(f"disk/{index} finished receiving data")
    execution.log(f"Finalizing export on {target.name}")
    yield 0.3
    if not instance.disks:  # measured on 3.0.2: nothing has made the folder
        raise ExecError("Export failed, errors in export finalization")
    if starts and not has_snapshots:
        execution.log(f"Starting instance {instance.name}")
        cluster.start(instance)
    if op["remove_instance"]:
        execution.log(f"Removing instance {instance.name}")
        cluster.remove_instance(instance.name)
    return [True, [True] * len(instance.disks)]
