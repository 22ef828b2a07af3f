"""The cluster as a whole: finding things, placing them, and what follows when a record changes."""

import json
import random
import re
import threading
import time
from collections.abc import Iterable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from simulator.errors import PrereqError
from simulator.model import Disk, FilterRule, Group, Instance, Network, Node, Params, new_uuid

DATA = Path(__file__).parent / "data"
FIRST_NETWORK_PORT = 11000
GLOBAL_HVPARAMS = frozenset({"migration_port", "migration_bandwidth", "migration_mode", "xen_cmd"})
HYPERVISORS_WITH_PORT = frozenset({"kvm", "xen-hvm"})
DRBD_METADATA = 128  # MiB per disk


def load_data(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((DATA / name).read_text())
    return data


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sort key by which Ganeti orders names: vm2 comes before vm10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]


class Cluster:
    """Nodes, groups, networks and instances by name; every change of them is made under ``lock``."""

    def __init__(self, name: str = "cluster.example.org", seed: int = 0) -> None:
        self.name = name
        self.uuid = new_uuid()
        self.master = ""
        self.settings = load_data("cluster_defaults.json")
        self.settings["hvparams"] = load_data("hypervisor_defaults.json")
        self.tags: list[str] = []
        self.first_network_port = FIRST_NETWORK_PORT
        self.ctime = self.mtime = time.time()
        self.nodes: dict[str, Node] = {}
        self.groups: dict[str, Group] = {}
        self.networks: dict[str, Network] = {}
        self.instances: dict[str, Instance] = {}
        self.detached: dict[str, Disk] = {}
        self.filters: dict[str, FilterRule] = {}
        self.operating_systems = ["noop", "debootstrap+default", "debootstrap+bookworm", "debootstrap+trixie"]
        self.lock = threading.RLock()
        self.random = random.Random(seed or None)  # noqa: S311 (addresses and load figures, not secrets)
        self._order: list[str] | None = None
        self._merged: dict[Any, Params] = {}

    # finding

    def sorted_instances(self) -> list[Instance]:
        if self._order is None:
            self._order = sorted(self.instances, key=natural_key)
        return [self.instances[name] for name in self._order]

    def sorted_nodes(self) -> list[Node]:
        return [self.nodes[name] for name in sorted(self.nodes, key=natural_key)]

    def find_name(self, names: Iterable[str], wanted: str) -> str | None:
        """Return the full name that a full or partial name stands for, as Ganeti expands it."""
        known = names if isinstance(names, dict) else dict.fromkeys(names)
        if wanted in known:
            return wanted
        prefix = wanted + "."
        return next((name for name in sorted(known, key=natural_key) if name.startswith(prefix)), None)

    def instance(self, name: str) -> Instance:
        found = self.find_name(self.instances, name)
        if found is None:
            raise PrereqError(f"Instance '{name}' not known", "unknown_entity")
        return self.instances[found]

    def node(self, name: str) -> Node:
        found = self.find_name(self.nodes, name)
        if found is None:
            raise PrereqError(f"Node '{name}' not known", "unknown_entity")
        return self.nodes[found]

    def group(self, name: str) -> Group:
        for group in self.groups.values():
            if name in (group.name, group.uuid):
                return group
        raise PrereqError(f"Group '{name}' not found", "unknown_entity")

    def network(self, name: str) -> Network:
        for network in self.networks.values():
            if name in (network.name, network.uuid):
                return network
        raise PrereqError(f"Network '{name}' not found", "unknown_entity")

    def group_of(self, node: Node) -> Group:
        return next(group for group in self.groups.values() if group.uuid == node.group)

    # records come and go

    def add_instance(self, instance: Instance) -> Instance:
        instance.ctime = instance.ctime or time.time()
        instance.mtime = instance.mtime or instance.ctime
        if instance.network_port is None and instance.hypervisor in HYPERVISORS_WITH_PORT:
            instance.network_port = self.free_network_port()
        self.instances[instance.name] = instance
        self._order = None
        return instance

    def remove_instance(self, name: str) -> None:
        del self.instances[name]
        self._order = None
        self.touch()

    def rename_instance(self, name: str, new_name: str) -> Instance:
        instance = self.instances.pop(name)
        instance.name = new_name
        self.instances[new_name] = instance
        self._order = None
        self.bump(instance)
        return instance

    def bump(self, record: Instance | Node | Group | Network) -> None:
        """Note a change of the configuration, as Ganeti does: one more serial number, a new time."""
        record.serial_no += 1
        record.mtime = max(time.time(), record.mtime + 1e-6)

    def moment(self) -> float:
        return time.time()

    def touch(self) -> None:
        self.mtime = max(time.time(), self.mtime + 1e-6)

    def free_network_port(self) -> int:
        used = {instance.network_port for instance in self.instances.values()}
        port = self.first_network_port
        while port in used:
            port += 1
        return port

    def new_mac(self) -> str:
        tail = ":".join(f"{self.random.randrange(256):02x}" for _ in range(3))
        return f"{self.settings['mac_prefix']}:{tail}"

    # parameters

    def forget_merged(self) -> None:
        """Drop merged parameters after a change of the cluster's or a group's defaults."""
        self._merged.clear()

    def merged_hvparams(self, instance: Instance) -> Params:
        key = ("hv", instance.hypervisor, tuple(sorted(instance.hvparams.items())))
        merged = self._merged.get(key)
        if merged is None:
            both = self.settings["hvparams"].get(instance.hypervisor, {}) | instance.hvparams
            merged = {name: value for name, value in both.items() if name not in GLOBAL_HVPARAMS}
            self._merged[key] = merged
        return merged

    def merged_beparams(self, instance: Instance) -> Params:
        key = ("be", tuple(sorted(instance.beparams.items())))
        merged = self._merged.get(key)
        if merged is None:
            merged = self._merged[key] = self.settings["beparams"]["default"] | instance.beparams
        return merged

    def merged_nicparams(self, params: Params) -> Params:
        key = ("nic", tuple(sorted(params.items())))
        merged = self._merged.get(key)
        if merged is None:
            merged = self._merged[key] = self.settings["nicparams"]["default"] | params
        return merged

    # what is going on

    def reachable(self, node: Node) -> bool:
        return not (node.offline or node.dead)

    def memory_of(self, instance: Instance) -> int:
        if instance.memory_in_use is not None:
            return instance.memory_in_use
        memory: int = self.merged_beparams(instance)["maxmem"]
        return memory

    def disk_usage(self, instance: Instance) -> int:
        extra = DRBD_METADATA if instance.disk_template == "drbd" else 0
        return sum(disk.size + extra for disk in instance.disks)

    def free_memory(self, node: Node) -> int:
        """MiB that instances running on the node leave free."""
        taken = sum(self.memory_of(i) for i in self.instances.values() if i.runs_on == node.name)
        return max(node.memory - node.memory_of_host - taken, 0)

    def start(self, instance: Instance) -> None:
        if instance.runs_on is None:
            instance.boots += 1
        instance.runs_on = instance.primary
        instance.stopped_by_guest = False
        instance.disks_active = True

    def stop(self, instance: Instance) -> None:
        instance.runs_on = None
        instance.memory_in_use = None
        instance.stopped_by_guest = False

    def address_in_use(self, network: Network) -> set[str]:
        return {
            nic.ip
            for instance in self.instances.values()
            for nic in instance.nics
            if nic.network == network.uuid and nic.ip
        }

    def always_reserved(self, network: Network) -> list[str]:
        """First and last address and the gateway, which Ganeti lists as external reservations."""
        net = ip_network(network.network)
        ends = [str(net[0]), str(net[-1])]
        return [*ends, network.gateway] if network.gateway else ends
