"""Creating, removing, renaming and reinstalling instances."""

import re
from typing import Any

from simulator.errors import ExecError, PrereqError
from simulator.execution.allocation import ALLOCATOR, choose_node, make_nic
from simulator.execution.backup import check_macs, take_over
from simulator.execution.base import Execution, Op, executes
from simulator.execution.params import check_beparams, check_hvparams, check_hypervisor
from simulator.job import Steps
from simulator.model import Disk, Instance, Node
from simulator.sizes import parse_size, show_size

HOST_NAME = re.compile(r"[a-zA-Z0-9._-]+")


def check_host_name(op: Op) -> None:
    """Names under .invalid and those without a dot are the ones that this simulator's DNS does not know."""
    name = op["instance_name"]
    if not HOST_NAME.fullmatch(name):
        raise PrereqError(f"Invalid hostname '{name}'", "wrong_input")
    if op["name_check"] and ("." not in name or name.endswith(".invalid")):
        text = f"The given name ({name}) does not resolve: Temporary failure in name resolution"
        raise PrereqError(text, "resolver_error")


def check_name_free(execution: Execution, name: str) -> None:
    if name in execution.cluster.instances:
        raise PrereqError(f"Instance '{name}' is already in the cluster", "already_exists")


def check_policy(execution: Execution, op: Op, node: Node, instance: Instance) -> None:
    """The instance policy's bounds, as far as a form can run into them."""
    if op.get("ignore_ipolicy"):
        return
    cluster = execution.cluster
    group = cluster.group_of(node)
    bounds = (cluster.settings["ipolicy"] | group.ipolicy)["minmax"][0]
    beparams = cluster.merged_beparams(instance)
    counts = {
        "cpu-count": [beparams["vcpus"]],
        "memory-size": [beparams["maxmem"]],
        "nic-count": [len(instance.nics)],
        "disk-count": [len(instance.disks)] if instance.disks else [],
        "disk-size": [disk.size for disk in instance.disks],
    }
    for what, values in counts.items():
        low, high = bounds["min"][what], bounds["max"][what]
        for value in values:
            if not low <= value <= high:
                text = f"Instance allocation to group {group.uuid} ({group.name}) violates policy:"
                raise PrereqError(f"{text} {what} value {value} is not in range [{low}, {high}]", "wrong_input")


def place(execution: Execution, op: Op, memory: int) -> tuple[Node, Node | None]:
    """Primary and secondary node: those asked for, or hail's choice."""
    cluster = execution.cluster
    mirrored = op["disk_template"] == "drbd"
    if op.get("pnode"):
        primary = cluster.node(op["pnode"])
        if primary.offline:
            raise PrereqError(f"Cannot use offline primary node '{primary.name}'", "wrong_state")
        if primary.drained:
            raise PrereqError(f"Cannot use drained primary node '{primary.name}'", "wrong_state")
        if mirrored and not op.get("snode"):
            raise PrereqError("The networked disk templates need a mirror node", "wrong_input")
        return primary, cluster.node(op["snode"]) if mirrored else None
    group = cluster.group(op["group_name"]).uuid if op.get("group_name") else None
    primary = choose_node(cluster, memory, avoid=set(), group=group)
    secondary = choose_node(cluster, memory, avoid={primary.name}, group=primary.group) if mirrored else None
    return primary, secondary


def make_disks(op: Op) -> list[Disk]:
    if any("size" not in given for given in op["disks"]):
        raise PrereqError("Missing disk size", "wrong_input")
    return [
        Disk(parse_size(given["size"]), name=given.get("name"), mode=given.get("mode", "rw")) for given in op["disks"]
    ]


@executes("INSTANCE_CREATE")
def create(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    check_host_name(op)
    check_name_free(execution, op["instance_name"])
    if op["mode"] == "import":
        if op.get("no_install"):
            execution.info("No-installation mode has no effect during import")
            op["no_install"] = False
        take_over(execution, op)
        check_macs(execution, op["nics"])
    hypervisor = op.setdefault("hypervisor", cluster.settings["enabled_hypervisors"][0])
    check_hypervisor(cluster, hypervisor)
    check_hvparams(cluster, hypervisor, op["hvparams"])
    op["beparams"] = check_beparams(op["beparams"])
    template = op.setdefault("disk_template", cluster.settings["enabled_disk_templates"][0])
    enabled = cluster.settings["enabled_disk_templates"]
    if template not in enabled:
        text = f"Disk template '{template}' is not enabled in cluster."
        raise PrereqError(f"{text} Enabled disk templates are: {','.join(enabled)}")
    instance = Instance(op["instance_name"], "", os=op.get("os_type") or "", hypervisor=hypervisor)
    for name in ("hvparams", "beparams", "osparams"):
        setattr(instance, name, dict(op[name]))
    memory = cluster.merged_beparams(instance)["maxmem"]
    primary, secondary = place(execution, op, memory)
    if not op.get("pnode"):
        op.setdefault("iallocator", ALLOCATOR)
        chosen = ", ".join(node.name for node in (primary, secondary) if node)
        execution.info(f"Selected nodes for instance {instance.name} via iallocator {ALLOCATOR}: {chosen}")
    op["pnode"], op["pnode_uuid"] = primary.name, primary.uuid
    instance.primary = primary.name
    instance.secondary = secondary.name if secondary else None
    instance.disk_template = template
    instance.disks = make_disks(op)
    instance.nics = [make_nic(execution, index, nic, primary) for index, nic in enumerate(op["nics"])]
    instance.tags = list(op["tags"])
    instance.admin_state, instance.disks_active = "down", False
    check_policy(execution, op, primary, instance)
    if op.get("os_type") and op["os_type"] not in cluster.operating_systems:
        text = f"OS Parameters validation failed on node {primary.name}: Directory for OS"
        raise ExecError(f"{text} {op['os_type']} not found in search path")
    if op["start"] and not op.get("no_install") and memory > cluster.free_memory(primary):
        free = cluster.free_memory(primary)
        text = f"Not enough memory on node {primary.name} for creating instance {instance.name}"
        raise PrereqError(f"{text}: needed {memory} MiB, available {free} MiB", "insufficient_resources")
    if op["start"] and op.get("no_install"):
        execution.info("No-installation mode selected, disabling startup")
    yield 0.5
    yield from build(execution, op, instance)
    return [primary.name, *([secondary.name] if secondary else [])]


def build(execution: Execution, op: Op, instance: Instance) -> Steps:
    cluster = execution.cluster
    for index, disk in enumerate(instance.disks):
        execution.log(f"* disk {index}, size {show_size(disk.size)}")
    execution.log("* creating instance disks...")
    yield 0.8
    check_name_free(execution, instance.name)
    execution.log(f"adding instance {instance.name} to cluster config")
    cluster.add_instance(instance)
    execution.log("adding disks to cluster config")
    yield 0.3
    if op["wait_for_sync"] and instance.disks:
        yield from sync_disks(execution, instance)
    if op.get("os_type") and not op.get("no_install") and instance.disks:
        what = "import" if op["mode"] == "import" else "create"
        execution.log(f"* running the instance OS {what} scripts...")
        yield 2.0
    if op["start"] and not op.get("no_install"):
        execution.log("* starting instance...")
        instance.admin_state = "up"
        cluster.bump(instance)
        yield 0.6
        cluster.start(instance)
    return None


def sync_disks(execution: Execution, instance: Instance) -> Steps:
    execution.info(f"Waiting for instance {instance.name} to sync disks")
    if instance.disk_template == "drbd":
        for percent in (22.5, 61.3, 94.8):
            execution.log(f"- device disk/0: {percent:5.2f}% done, {int((100 - percent) / 20)}s remaining (estimated)")
            yield 0.7
    yield 0.2
    execution.info(f"Instance {instance.name}'s disks are in sync")
    return None


@executes("INSTANCE_MULTI_ALLOC")
def create_many(execution: Execution, op: Op) -> Steps:
    yield 0.5
    jobs = [[True, execution.queue.submit([child | {"reason": list(op["reason"])}])] for child in op["instances"]]
    names = [child["instance_name"] for child in op["instances"]]
    return {"allocatable": names, "failed": [], "jobs": jobs}


@executes("INSTANCE_REMOVE")
def remove(execution: Execution, op: Op) -> Steps:
    instance = execution.instance(op)
    node = execution.cluster.nodes[instance.primary]
    if node.offline:
        raise PrereqError(f"Can't use offline node '{node.name}'", "wrong_state")
    yield 0.4
    if instance.runs_on:
        execution.cluster.stop(instance)
        yield 1.0
    execution.cluster.remove_instance(instance.name)
    return None


@executes("INSTANCE_RENAME")
def rename(execution: Execution, op: Op) -> Steps:
    instance = execution.instance(op)
    new_name = op["new_name"]
    if instance.admin_state == "up" or instance.runs_on:
        raise PrereqError(f"Instance '{instance.name}' is marked to be up, cannot rename", "wrong_state")
    check_name_free(execution, new_name)
    yield 0.6
    execution.cluster.rename_instance(instance.name, new_name)
    return new_name


@executes("INSTANCE_REINSTALL")
def reinstall(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    instance = execution.instance(op)
    if instance.admin_state == "up" or instance.runs_on:
        raise PrereqError(f"Instance '{instance.name}' is marked to be up, cannot reinstall", "wrong_state")
    if not instance.disks:
        raise PrereqError(f"Instance '{instance.name}' has no disks", "wrong_input")
    wanted = op.get("os_type")
    if wanted and wanted not in cluster.operating_systems:
        text = f"OS Parameters validation failed on node {instance.primary}: Directory for OS"
        raise ExecError(f"{text} {wanted} not found in search path")
    yield 0.4
    if wanted:
        instance.os = wanted
    instance.osparams = instance.osparams | (op.get("osparams") or {})
    execution.info("Running instance OS create scripts...")
    yield 2.0
    cluster.bump(instance)
    return None


@executes("INSTANCE_QUERY_DATA")
def query_data(execution: Execution, op: Op) -> Steps:
    yield 0.3
    return {name: describe(execution, execution.cluster.instance(name), op["static"]) for name in op["instances"]}


def describe(execution: Execution, instance: Instance, static: bool) -> dict[str, Any]:
    cluster = execution.cluster
    group = cluster.group_of(cluster.nodes[instance.primary])
    return {
        "name": instance.name,
        "config_state": instance.admin_state,
        "run_state": None if static else ("up" if instance.runs_on else "down"),
        "pnode": instance.primary,
        "pnode_group_name": group.name,
        "pnode_group_uuid": group.uuid,
        "snodes": [instance.secondary] if instance.secondary else [],
        "os": instance.os,
        "nics": [
            [nic.name, nic.uuid, nic.ip, nic.mac, *cluster.merged_nicparams(nic.params).values()]
            for nic in instance.nics
        ],
        "disk_template": instance.disk_template,
        "disks": [
            {"iv_name": f"disk/{index}", "size": disk.size, "mode": disk.mode, "name": disk.name, "uuid": disk.uuid}
            for index, disk in enumerate(instance.disks)
        ],
        "hypervisor": instance.hypervisor,
        "network_port": instance.network_port,
        "hv_instance": instance.hvparams,
        "hv_actual": cluster.merged_hvparams(instance),
        "be_instance": instance.beparams,
        "be_actual": cluster.merged_beparams(instance),
        "os_instance": instance.osparams,
        "os_actual": instance.osparams,
        "serial_no": instance.serial_no,
        "mtime": instance.mtime,
        "ctime": instance.ctime,
        "uuid": instance.uuid,
    }
