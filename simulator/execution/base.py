"""The table of opcodes and the frame in which each runs."""

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from simulator.cluster import Cluster
from simulator.errors import ExecError
from simulator.job import Job, Steps
from simulator.model import Instance, Node

if TYPE_CHECKING:
    from simulator.queue import Queue

Op = dict[str, Any]
EXCLUSIVE, SHARED = "exclusive", "shared"


class Execution:
    """What an opcode works with: the cluster, its job's log, and the queue for jobs of its own."""

    def __init__(self, cluster: Cluster, queue: "Queue", job: Job) -> None:
        self.cluster = cluster
        self.queue = queue
        self.job = job

    def log(self, text: str) -> None:
        self.job.log(text)

    def info(self, text: str) -> None:
        self.job.log(f" - INFO: {text}")

    def warn(self, text: str) -> None:
        self.job.log(f" - WARNING: {text}")

    def instance(self, op: Op) -> Instance:
        """The instance an opcode is about; its full name and uuid go into the opcode, as Ganeti writes them."""
        instance = self.cluster.instance(op["instance_name"])
        op["instance_name"], op["instance_uuid"] = instance.name, instance.uuid
        return instance

    def node(self, op: Op) -> Node:
        node = self.cluster.node(op["node_name"])
        op["node_name"], op["node_uuid"] = node.name, node.uuid
        return node


Executor = Callable[[Execution, Op], Generator[float, None, Any]]
EXECUTORS: dict[str, Executor] = {}


def executes(opcode: str) -> Callable[[Executor], Executor]:
    def register(function: Executor) -> Executor:
        EXECUTORS[f"OP_{opcode}"] = function
        return function

    return register


def run(execution: Execution, op: Op) -> Steps:
    """Run one opcode. A dry run checks the prerequisites, that is up to the first step, and no further."""
    executor = EXECUTORS.get(op["OP_ID"])
    if executor is None:
        raise ExecError(f"The simulator does not do {op['OP_ID']}")
    steps = executor(execution, op)
    if op.get("dry_run"):
        yield next(steps)
        execution.info("dry-run mode requested, not actually executing the operation")
        return None
    result = yield from steps
    return result


def locks_of(cluster: Cluster, op: Op) -> dict[str, str]:
    """Locks an opcode takes, by the names that /2/query/lock shows."""
    locks = {"cluster/BGL": SHARED}
    if op["OP_ID"] == "OP_CLUSTER_SET_PARAMS":
        return {"cluster/BGL": EXCLUSIVE}
    name = op.get("instance_name")
    if name:
        full = cluster.find_name(cluster.instances, name) or name
        locks[f"instance/{full}"] = EXCLUSIVE
    for key in ("node_name", "pnode", "snode", "target_node"):
        wanted = op.get(key)
        node = cluster.find_name(cluster.nodes, wanted) if isinstance(wanted, str) else None
        if node:
            locks[f"node/{cluster.nodes[node].uuid}"] = SHARED if key == "pnode" else EXCLUSIVE
    group = op.get("group_name")
    for known in cluster.groups.values():
        if group in (known.name, known.uuid):
            locks[f"nodegroup/{known.uuid}"] = EXCLUSIVE
    return locks
