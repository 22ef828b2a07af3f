"""Something goes on in the demo: now and then a job that nobody here asked for, and memory that breathes."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from simulator.cluster import Cluster
from simulator.model import Instance
from simulator.simulator import Simulator

logger = logging.getLogger("simulator")

ARCHIVED_AFTER, FORGOTTEN_AFTER = 6 * 3600.0, 7 * 86400.0  # seconds
FIRST, LEAST, MOST = 8.0, 60.0, 150.0  # seconds until the first job, and between two
RESTLESS = "batch"  # tag of the machines that may be rebooted
BALLOON = "balloon"  # tag of those whose memory moves

NEWCOMER: dict[str, Any] = {
    "instance_name": "build4.example.org",
    "mode": "create",
    "disk_template": "drbd",
    "disks": [{"size": 20480}],
    "nics": [{"network": "lan", "ip": "pool"}],
    "os_type": "debootstrap+trixie",
    "hypervisor": "kvm",
    "beparams": {"memory": 4096, "vcpus": 4},
    "group_name": "rack-a",
    "name_check": False,
    "ip_check": False,
    "tags": ["env:build", "batch"],
}


class Activity:
    """A thread that submits jobs as a cron job on the master would."""

    def __init__(self, simulator: Simulator, *, first: float = FIRST, least: float = LEAST, most: float = MOST) -> None:
        self.simulator = simulator
        self.first, self.least, self.most = first, least, most
        self.history_until = simulator.queue.last_id  # the demo's invented history stays in the list
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo-activity", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(5)

    def _run(self) -> None:
        pause = self.first
        with ThreadPoolExecutor(1, thread_name_prefix="demo-activity") as pool:
            while not self._stopping.wait(pause):
                failure = pool.submit(self.act).exception()
                if failure is not None:
                    logger.error("The demo's activity failed once and goes on.", exc_info=failure)
                pause = self.simulator.cluster.random.uniform(self.least, self.most)

    def act(self) -> None:
        """Submit one job, and let some machines use more or less memory."""
        with self.simulator.cluster.lock:
            self._act()

    def _act(self) -> None:
        cluster, outside = self.simulator.cluster, self.simulator.outside
        self.put_jobs_away()
        for instance in cluster.instances.values():
            if BALLOON in instance.tags and instance.runs_on:
                beparams = cluster.merged_beparams(instance)
                instance.memory_in_use = cluster.random.randint(beparams["minmem"], beparams["maxmem"])
        if NEWCOMER["instance_name"] not in cluster.instances:
            outside.submit("INSTANCE_CREATE", **NEWCOMER)
            return
        movable = [instance for instance in cluster.instances.values() if self.can_move(cluster, instance)]
        restless = [each for each in cluster.instances.values() if RESTLESS in each.tags and each.runs_on]
        choice = cluster.random.random()
        if movable and choice < 0.55:
            moved = cluster.random.choice(movable)
            outside.submit("INSTANCE_MIGRATE", instance_name=moved.name)
        elif restless and choice < 0.85:
            rebooted = cluster.random.choice(restless)
            outside.submit("INSTANCE_REBOOT", instance_name=rebooted.name, reboot_type="hard")
        else:
            outside.submit("CLUSTER_REDIST_CONF", client="gnt-cluster")

    def put_jobs_away(self) -> None:
        """Archive as the watcher does, and forget in the end."""
        queue = self.simulator.queue
        moment = self.simulator.cluster.moment()
        for job in queue.sorted_jobs():
            if job.end_ts is None:
                continue
            age = moment - job.end_ts[0]
            if age > FORGOTTEN_AFTER:
                self.simulator.outside.forget_job(job.id)
            elif age > ARCHIVED_AFTER and job.id > self.history_until:
                self.simulator.outside.archive_job(job.id)

    def can_move(self, cluster: Cluster, instance: Instance) -> bool:
        if instance.disk_template != "drbd" or instance.runs_on != instance.primary or instance.secondary is None:
            return False
        target = cluster.nodes[instance.secondary]
        return instance.admin_state == "up" and cluster.reachable(target) and not target.drained
