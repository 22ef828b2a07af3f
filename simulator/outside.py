"""What happens behind the manager's back: crashes, gnt-* commands, nodes that die. No jobs, no requests."""

from typing import Any

from simulator.cluster import Cluster
from simulator.job import Job
from simulator.model import Disk, Instance, Nic, Node
from simulator.opcodes import checked
from simulator.queue import Queue


class Outside:
    """Changes made at once; serial numbers and times move exactly where Ganeti moves them."""

    def __init__(self, cluster: Cluster, queue: Queue) -> None:
        self.cluster = cluster
        self.queue = queue

    # the hypervisor, of which the configuration knows nothing

    def crash(self, name: str) -> None:
        """The machine is gone: ERROR_down."""
        with self.cluster.lock:
            self.cluster.stop(self.cluster.instances[name])

    def stop_from_inside(self, name: str) -> None:
        """Shut down by its own user: USER_down where the cluster allows that, else ERROR_down."""
        with self.cluster.lock:
            instance = self.cluster.instances[name]
            self.cluster.stop(instance)
            instance.stopped_by_guest = True

    def start_stray(self, name: str, node: str | None = None) -> None:
        """The machine runs though it should not (ERROR_up), or on a node that is not its primary (ERROR_wrongnode)."""
        with self.cluster.lock:
            instance = self.cluster.instances[name]
            self.cluster.start(instance)
            instance.runs_on = node or instance.primary

    def set_memory_in_use(self, name: str, mebibytes: int) -> None:
        with self.cluster.lock:
            self.cluster.instances[name].memory_in_use = mebibytes

    # gnt-instance

    def add(self, name: str, node: str | None = None, **options: Any) -> Instance:
        """A new machine, running unless ``admin_state`` says otherwise; options are fields of Instance."""
        with self.cluster.lock:
            primary = node or next(iter(self.cluster.nodes))
            options.setdefault("disks", [Disk(1024)])
            options.setdefault("nics", [Nic(self.cluster.new_mac())])
            instance = self.cluster.add_instance(Instance(name, primary, **options))
            if instance.admin_state == "up":
                self.cluster.start(instance)
            else:
                instance.disks_active = False
            return instance

    def remove(self, name: str) -> None:
        with self.cluster.lock:
            self.cluster.remove_instance(name)

    def rename(self, name: str, new_name: str) -> Instance:
        with self.cluster.lock:
            return self.cluster.rename_instance(name, new_name)

    def migrate(self, name: str, node: str) -> None:
        """A live migration: neither serial number nor mtime move."""
        with self.cluster.lock:
            instance = self.cluster.instances[name]
            if instance.secondary:
                instance.secondary = instance.primary
            instance.primary = node
            if instance.runs_on:
                instance.runs_on = node

    def fail_over(self, name: str, node: str) -> None:
        with self.cluster.lock:
            self.migrate(name, node)
            self.cluster.bump(self.cluster.instances[name])

    def start(self, name: str) -> None:
        self.modify(name, admin_state="up")
        with self.cluster.lock:
            self.cluster.start(self.cluster.instances[name])

    def stop(self, name: str) -> None:
        self.modify(name, admin_state="down", disks_active=False)
        with self.cluster.lock:
            self.cluster.stop(self.cluster.instances[name])

    def modify(self, name: str, **changes: Any) -> Instance:
        """Set fields of an instance; dictionaries of parameters are merged into what is there."""
        with self.cluster.lock:
            instance = self.cluster.instances[name]
            self._set(instance, changes)
            self.cluster.bump(instance)
            return instance

    # gnt-node, gnt-group, gnt-network, gnt-cluster

    def add_node(self, name: str, **options: Any) -> Node:
        with self.cluster.lock:
            group = options.pop("group", None) or next(iter(self.cluster.groups.values())).uuid
            node = Node(name, group, **options)
            node.ctime = node.mtime = self.cluster.moment()
            self.cluster.nodes[name] = node
            return node

    def remove_node(self, name: str) -> None:
        with self.cluster.lock:
            del self.cluster.nodes[name]

    def modify_node(self, name: str, **changes: Any) -> Node:
        """Set fields such as ``offline`` and ``drained``; the cluster's mtime moves too."""
        with self.cluster.lock:
            node = self.cluster.nodes[name]
            self._set(node, changes)
            self.cluster.bump(node)
            self.cluster.touch()
            return node

    def kill_node(self, name: str) -> None:
        """Its power is gone and nobody has told Ganeti: no answer, no live data, no change of the configuration."""
        with self.cluster.lock:
            self.cluster.nodes[name].dead = True
            for instance in self.cluster.instances.values():
                if instance.runs_on == name:
                    self.cluster.stop(instance)

    def revive_node(self, name: str) -> None:
        with self.cluster.lock:
            self.cluster.nodes[name].dead = False

    def modify_group(self, name: str, **changes: Any) -> None:
        with self.cluster.lock:
            group = self.cluster.groups[name]
            self._set(group, changes)
            self.cluster.bump(group)

    def modify_network(self, name: str, **changes: Any) -> None:
        with self.cluster.lock:
            network = self.cluster.networks[name]
            self._set(network, changes)
            self.cluster.bump(network)

    def fail_over_master(self, node: str) -> None:
        """Another node becomes master; endpoints of the old one answer 502 from now on."""
        with self.cluster.lock:
            self.cluster.master = node
            self.cluster.nodes[node].master_candidate = True
            self.cluster.touch()

    def change_defaults(self, **sections: Any) -> None:
        """Such as beparams={"vcpus": 2}, hvparams={"kvm": {"acpi": False}} or candidate_pool_size=5.

        Merged parameters of every instance change with them; no instance's serial number or mtime does.
        """
        with self.cluster.lock:
            settings = self.cluster.settings
            for name, value in sections.items():
                if name in ("beparams", "nicparams"):
                    settings[name]["default"] |= value
                elif name in ("hvparams", "diskparams"):
                    for section, params in value.items():
                        settings[name][section] |= params
                elif isinstance(value, dict):
                    settings[name] |= value
                else:
                    settings[name] = value
            self.cluster.forget_merged()
            self.cluster.touch()

    # jobs that others submit, and that Ganeti puts away

    def submit(self, opcode: str, client: str = "gnt-instance", **params: Any) -> Job:
        """A job from the command line: submit("INSTANCE_SHUTDOWN", instance_name="vm1.example.org")."""
        with self.cluster.lock:
            op = checked(opcode, params)
            action = opcode.rpartition("_")[2].lower()
            op["reason"] = [[f"gnt:client:{client}", action, int(self.cluster.moment() * 1e9)]]
            return self.queue.jobs[self.queue.submit([op])]

    def archive_job(self, number: int) -> None:
        """As the watcher does after six hours: still answers by its number, no longer listed."""
        with self.cluster.lock:
            self.queue.jobs[number].archived = True

    def forget_job(self, number: int) -> None:
        """As after a master failover: Ganeti does not know it any more."""
        with self.cluster.lock:
            del self.queue.jobs[number]

    def _set(self, record: Any, changes: dict[str, Any]) -> None:
        for name, value in changes.items():
            current = getattr(record, name)
            setattr(record, name, current | value if isinstance(current, dict) and isinstance(value, dict) else value)
