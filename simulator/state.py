"""A simulated cluster as a file: so that the demo goes on after a restart where it was, job numbers included."""

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from simulator.cluster import Cluster
from simulator.job import ERROR, FINAL, QUEUED, RUNNING, Job
from simulator.model import Disk, FilterRule, Group, Instance, Network, Nic, Node
from simulator.queue import Queue

VERSION = 1
KEPT_JOBS = 300  # the newest; older ones are forgotten
CLUSTER_FIELDS = (
    "name",
    "uuid",
    "master",
    "settings",
    "tags",
    "ctime",
    "mtime",
    "operating_systems",
    "first_network_port",
)
RUNTIME_FIELDS = {"steps", "due", "cancel_asked", "locks", "holds_locks"}
JOB_FIELDS = [field.name for field in fields(Job) if field.name not in RUNTIME_FIELDS]
INTERRUPTED = ["OpExecError", ["The job was interrupted by a restart"]]


class StateError(Exception):
    """The file is not a state of ours, or of another version."""


def to_json(cluster: Cluster, queue: Queue) -> str:
    newest = queue.sorted_jobs()[-KEPT_JOBS:]
    state: dict[str, Any] = {
        "version": VERSION,
        "cluster": {name: getattr(cluster, name) for name in CLUSTER_FIELDS},
        "nodes": [asdict(node) for node in cluster.nodes.values()],
        "groups": [asdict(group) for group in cluster.groups.values()],
        "networks": [asdict(network) for network in cluster.networks.values()],
        "instances": [asdict(instance) for instance in cluster.instances.values()],
        "filters": [asdict(rule) for rule in cluster.filters.values()],
        "last_id": queue.last_id,
        "jobs": [{name: getattr(job, name) for name in JOB_FIELDS} for job in newest],
    }
    return json.dumps(state)


def save(text: str, path: Path) -> None:
    """Write the whole file or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.replace(path)


def load(path: Path) -> tuple[Cluster, dict[int, Job], int]:
    """Return the cluster, its jobs and the last job number; jobs that ran when it was saved end in error."""
    try:
        state = json.loads(path.read_text())
        if state["version"] != VERSION:
            raise StateError(f"{path} is of version {state['version']}, not {VERSION}")
        cluster = cluster_from(state)
        jobs = {each["id"]: job_from(each) for each in state["jobs"]}
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(f"{path} does not hold the state of a simulated cluster: {error}") from error
    return cluster, jobs, state["last_id"]


def cluster_from(state: dict[str, Any]) -> Cluster:
    cluster = Cluster()
    for name in CLUSTER_FIELDS:
        setattr(cluster, name, state["cluster"][name])
    cluster.nodes = {each["name"]: Node(**each) for each in state["nodes"]}
    cluster.groups = {each["name"]: Group(**each) for each in state["groups"]}
    cluster.networks = {each["name"]: Network(**each) for each in state["networks"]}
    cluster.filters = {each["uuid"]: FilterRule(**each) for each in state["filters"]}
    for each in state["instances"]:
        disks = [Disk(**disk) for disk in each.pop("disks")]
        nics = [Nic(**nic) for nic in each.pop("nics")]
        cluster.add_instance(Instance(**each, disks=disks, nics=nics))
    return cluster


def job_from(record: dict[str, Any]) -> Job:
    job = Job(**record)
    for index, status in enumerate(job.status_of):
        if status == RUNNING:
            job.end(index, ERROR, INTERRUPTED)
        elif status not in FINAL:
            job.status_of[index] = QUEUED
    return job
