"""Clusters of any size for tests and measurements: regular names, a mix of states."""

import time

from simulator.cluster import FIRST_NETWORK_PORT, Cluster
from simulator.model import Disk, Group, Instance, Nic, Node

NODE_MEMORY = 262144  # MiB


def populate(cluster: Cluster, *, nodes: int = 2, instances: int = 0, domain: str = "example.org") -> None:
    """Fill an empty cluster: one group, ``nodes`` nodes, ``instances`` running KVM instances vm1, vm2, …"""
    moment = time.time()
    group = Group("default", mtime=moment)
    cluster.groups[group.name] = group
    memory = max(NODE_MEMORY, instances * 1024)
    for number in range(1, nodes + 1):
        name = f"node{number}.{domain}"
        # Of the loopback: whoever looks for another master there leaves this machine in peace and is refused at once.
        address = f"127.1.{number // 250}.{number % 250 + 1}"
        cluster.nodes[name] = Node(
            name, group.uuid, primary_ip=address, memory=memory, disk=64 * memory, ctime=moment, mtime=moment
        )
    cluster.master = next(iter(cluster.nodes), "")
    names = list(cluster.nodes)
    for index in range(instances):
        add_machine(cluster, f"vm{index + 1}.{domain}", names[index % len(names)], index, moment)


def add_machine(cluster: Cluster, name: str, node: str, index: int, moment: float) -> Instance:
    instance = Instance(
        name,
        node,
        disks=[Disk(1024)],
        nics=[Nic(cluster.new_mac())],
        beparams={"minmem": 128, "maxmem": 128},
        network_port=FIRST_NETWORK_PORT + index,
        ctime=moment,
        mtime=moment,
    )
    cluster.add_instance(instance)
    cluster.start(instance)
    return instance
