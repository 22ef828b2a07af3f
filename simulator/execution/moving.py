"""Migration, failover, evacuation."""

from simulator.errors import ExecError, PrereqError
from simulator.execution.allocation import ALLOCATOR, choose_node, target_of_move
from simulator.execution.base import Execution, Op, executes
from simulator.execution.power import check_node
from simulator.job import Steps
from simulator.model import Instance, Node
from simulator.opcodes import checked

MIRRORED = frozenset({"drbd", "blockdev", "diskless", "ext", "gluster", "rbd", "sharedfile"})
MIGRATABLE = frozenset({"fake", "kvm", "xen-pvm", "xen-hvm"})


def check_layout(instance: Instance, what: str) -> None:
    if instance.disk_template not in MIRRORED:
        raise PrereqError(f"Instance's disk layout '{instance.disk_template}' does not allow {what}", "wrong_state")


def check_target(target: Node) -> None:
    if target.offline:
        raise PrereqError(f"Can't use offline node {target.name}", "wrong_state")
    if target.drained:
        raise PrereqError(f"Can't use drained node {target.name}", "wrong_state")


def check_memory(execution: Execution, instance: Instance, target: Node) -> None:
    """As Ganeti does for failovers, too, and in the same words."""
    needed = execution.cluster.merged_beparams(instance)["minmem"]
    available = execution.cluster.free_memory(target)
    if needed > available:
        text = f"Not enough memory on node {target.name} for migrating instance {instance.name}:"
        raise PrereqError(f"{text} needed {needed} MiB, available {available} MiB", "insufficient_resources")


def move(instance: Instance, target: Node) -> None:
    """Make the target the primary; with DRBD the nodes change places."""
    if instance.disk_template == "drbd":
        instance.secondary = instance.primary
    instance.primary = target.name


@executes("INSTANCE_MIGRATE")
def migrate(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    instance = execution.instance(op)
    check_layout(instance, "migrations")
    if instance.hypervisor not in MIGRATABLE:
        raise PrereqError(f"Hypervisor {instance.hypervisor} doesn't support live migration", "wrong_state")
    op.setdefault("mode", cluster.settings["hvparams"].get(instance.hypervisor, {}).get("migration_mode", "live"))
    target = target_of_move(execution, instance, op)
    if op.get("cleanup"):
        return (yield from clean_up_steps(execution, instance, target))
    check_target(target)
    check_memory(execution, instance, target)
    if cluster.nodes[instance.primary].offline:
        raise PrereqError("Can't migrate, please use failover: Node is marked offline", "wrong_state")
    check_node(execution, instance)
    if instance.admin_state != "up" or instance.runs_on is None:
        if op.get("allow_failover"):
            execution.info("Instance is not running, fallback to failover allowed and requested, failing over")
            return (yield from fail_over_steps(execution, instance, target))
        raise PrereqError("Instance is not running, please use failover", "wrong_state")
    source = instance.primary
    yield 0.3
    execution.log(f"Migrating instance {instance.name}")
    execution.log("* checking disk consistency between source and target")
    yield 0.5
    execution.log(f"* preparing {target.name} to accept the instance")
    yield 0.4
    execution.log(f"* migrating instance to {target.name}")
    execution.log("* starting memory transfer")
    for percent in (23.4, 57.9, 88.1):
        yield 0.8
        execution.log(f"* memory transfer progress: {percent:.2f} %")
    yield 0.5
    execution.log("* memory transfer complete")
    move(instance, target)  # no new serial number, no new mtime: Ganeti does it so
    instance.runs_on = target.name
    execution.log(f"* closing instance disks on node {source}")
    execution.log("* done")
    return None


def clean_up_steps(execution: Execution, instance: Instance, target: Node) -> Steps:
    """Take the node on which it runs for its primary, whatever the configuration says."""
    yield 0.3
    execution.log(f"Migrating instance {instance.name}")
    execution.log("* checking where the instance actually runs (if this hangs, the hypervisor might be in a bad state)")
    if instance.runs_on is None:
        raise ExecError(
            "Instance does not seem to be running at all; in this case it's safer to repair by running 'gnt-instance"
            " stop' to ensure disk shutdown, and then restarting it"
        )
    if instance.runs_on == instance.primary:
        execution.log(f"* instance confirmed to be running on its primary node ({instance.primary})")
    else:
        execution.log(f"* instance running on secondary node ({instance.runs_on}), updating config")
        move(instance, execution.cluster.nodes[instance.runs_on])
    execution.log("* done")
    return None


@executes("INSTANCE_FAILOVER")
def fail_over(execution: Execution, op: Op) -> Steps:
    instance = execution.instance(op)
    check_layout(instance, "failovers")
    target = target_of_move(execution, instance, op)
    check_target(target)
    if instance.admin_state == "up":
        check_memory(execution, instance, target)
    yield 0.3
    return (yield from fail_over_steps(execution, instance, target))


def fail_over_steps(execution: Execution, instance: Instance, target: Node) -> Steps:
    cluster = execution.cluster
    was_up = instance.admin_state == "up"
    execution.log(f"Failover instance {instance.name}")
    execution.log("* checking disk consistency between source and target")
    yield 0.4
    execution.log("* shutting down instance on source node")
    cluster.stop(instance)
    yield 1.0
    execution.log("* deactivating the instance's disks on source node")
    move(instance, target)
    cluster.bump(instance)
    if was_up:
        execution.log(f"* activating the instance's disks on target node {target.name}")
        execution.log(f"* starting the instance on the target node {target.name}")
        yield 0.6
        cluster.start(instance)
        cluster.bump(instance)
    return None


@executes("NODE_MIGRATE")
def migrate_all(execution: Execution, op: Op) -> Steps:
    node = execution.node(op)
    yield 0.4
    jobs = []
    for instance in primaries(execution, node):
        child = checked("INSTANCE_MIGRATE", {"instance_name": instance.name, "allow_failover": True})
        jobs.append([True, execution.queue.submit([child | {"reason": list(op["reason"])}])])
    return {"jobs": jobs}


def primaries(execution: Execution, node: Node) -> list[Instance]:
    return [instance for instance in execution.cluster.sorted_instances() if instance.primary == node.name]


@executes("NODE_EVACUATE")
def evacuate(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    node = execution.node(op)
    moving = primaries(execution, node) if op["mode"] != "secondary-only" else []
    if op["mode"] != "primary-only":
        moving += [instance for instance in cluster.sorted_instances() if instance.secondary == node.name]
    names = ", ".join(instance.name for instance in moving)
    if not moving:
        execution.info(f"No instances to evacuate from node '{node.name}'")
        return {"jobs": []}
    op.setdefault("iallocator", ALLOCATOR)
    yield 0.4
    execution.info(f"Evacuating instances from node '{node.name}': {names}")
    jobs = []
    for instance in moving:
        if instance.secondary == node.name:
            target = choose_node(cluster, 0, avoid={instance.primary, node.name}, group=node.group)
            params = {"instance_name": instance.name, "mode": "replace_new_secondary", "remote_node": target.name}
            child = checked("INSTANCE_REPLACE_DISKS", params)
        else:
            running = instance.runs_on is not None
            child = checked("INSTANCE_MIGRATE" if running else "INSTANCE_FAILOVER", {"instance_name": instance.name})
        jobs.append([True, execution.queue.submit([child | {"reason": list(op["reason"])}])])
    return {"jobs": jobs}


@executes("INSTANCE_REPLACE_DISKS")
def replace_disks(execution: Execution, op: Op) -> Steps:
    cluster = execution.cluster
    mode, wanted, allocator = op["mode"], op.get("remote_node"), op.get("iallocator")
    if mode == "replace_new_secondary" and not (wanted or allocator):
        text = "When changing the secondary either an iallocator script must be used or the new node given"
        raise PrereqError(text, "wrong_input")
    if mode != "replace_new_secondary" and (wanted or allocator):
        text = "The iallocator and new node options can only be used when changing the secondary node"
        raise PrereqError(text, "wrong_input")
    instance = execution.instance(op)
    if instance.secondary is None:
        text = "The instance has a strange layout, expected one secondary but found 0"
        raise PrereqError(text, "internal_error")
    if op.get("disks") and mode in ("replace_new_secondary", "replace_auto"):
        raise PrereqError("Cannot specify disks to be replaced", "wrong_input")
    new = cluster.nodes[instance.secondary]
    if mode == "replace_new_secondary":
        new = new_secondary(execution, instance, wanted)
    for node in (cluster.nodes[instance.primary], new):
        if node.offline:
            raise PrereqError(f"Can't use offline node {node.name}", "wrong_state")
    numbers = list(op.get("disks") or range(len(instance.disks)))
    yield 0.4
    if mode == "replace_auto":
        execution.log(f"No disks need replacement for instance '{instance.name}'")
        return None
    execution.log(f"Replacing disk(s) {', '.join(map(str, numbers))} for instance '{instance.name}'")
    execution.log(f"Current primary node: {instance.primary}")
    for step in ("Check device existence", "Check peer consistency", "Allocate new storage", "Sync devices"):
        execution.log(f"STEP {step}")
        yield 0.5
    instance.secondary = new.name
    cluster.bump(instance)
    return None


def new_secondary(execution: Execution, instance: Instance, wanted: str | None) -> Node:
    """The node asked for, or one that hail selects."""
    cluster = execution.cluster
    if not wanted:
        group = cluster.nodes[instance.primary].group
        return choose_node(cluster, 0, avoid={instance.primary, instance.secondary or ""}, group=group)
    node = cluster.node(wanted)
    if node.name == instance.primary:
        raise PrereqError("The specified node is the primary node of the instance", "wrong_input")
    if node.name == instance.secondary:
        raise PrereqError("The specified node is already the secondary node of the instance", "wrong_input")
    if node.drained:
        raise PrereqError(f"Can't use drained node {node.name}", "wrong_state")
    return node
