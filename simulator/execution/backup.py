"""Exports: what is kept of a machine, and what another one takes of it."""

from typing import Any

from simulator.errors import ExecError, PrereqError
from simulator.execution.base import Execution, Op, executes
from simulator.execution.moving import check_target
from simulator.execution.power import check_node
from simulator.job import Steps
from simulator.model import Instance, Params

FOLDER = "/var/lib/ganeti/export"
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
    for node in cluster.nodes.values():
        node.exports.pop(instance.name, None)
    target.exports[instance.name] = describe(execution, instance)
    if starts and not has_snapshots:
        execution.log(f"Starting instance {instance.name}")
        cluster.start(instance)
    if op["remove_instance"]:
        execution.log(f"Removing instance {instance.name}")
        cluster.remove_instance(instance.name)
    return [True, [True] * len(instance.disks)]


def describe(execution: Execution, instance: Instance) -> Params:
    """What config.ini of an export says of a machine, as an opcode would."""
    cluster = execution.cluster
    nics: list[Params] = []
    for nic in instance.nics:
        network = next((each.name for each in cluster.networks.values() if each.uuid == nic.network), None)
        place = {"network": network} if network else cluster.settings["nicparams"]["default"] | nic.params
        given = {"mac": nic.mac, "ip": nic.ip, "name": nic.name, **place}
        nics.append({name: value for name, value in given.items() if value is not None})
    return {
        "os_type": instance.os,
        "hypervisor": instance.hypervisor,
        "disks": [{"size": disk.size} | ({"name": disk.name} if disk.name else {}) for disk in instance.disks],
        "nics": nics,
        "beparams": cluster.merged_beparams(instance),
        "hvparams": dict(instance.hvparams),
        "osparams": dict(instance.osparams),
        "tags": sorted(instance.tags),
    }


def take_over(execution: Execution, op: Op) -> None:
    """What a creation does not say is as in its export; the OS always. From then on the opcode says it."""
    cluster = execution.cluster
    name = (op.get("src_path") or op["instance_name"]).removeprefix(f"{FOLDER}/")
    node = cluster.node(op["src_node"])
    export = {} if node.dead or node.offline else node.exports.get(name, {})
    if not export:
        why = "Export info file doesn't have the required fields"
        raise ExecError(f"No export or invalid export found in dir {FOLDER}/{name}: {why}")
    op["os_type"] = export["os_type"]
    if op["instance_name"] == name:
        for given, kept in zip(op["nics"], export["nics"], strict=False):
            given["mac"] = given.get("mac") or kept["mac"]
    for key in ("disks", "nics", "tags"):
        op[key] = op[key] or [*export[key]]
    op["hypervisor"] = op.get("hypervisor") or export["hypervisor"]
    for key in ("beparams", "hvparams", "osparams"):
        op[key] = {**export[key], **op[key]}


def check_macs(execution: Execution, nics: list[dict[str, Any]]) -> None:
    taken = {nic.mac for each in execution.cluster.instances.values() for nic in each.nics}
    for nic in nics:
        if nic.get("mac") in taken:
            raise PrereqError(f"MAC address {nic['mac']} already in use in cluster", "resource_not_unique")
