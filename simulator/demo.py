"""The demo cluster: some thirty invented machines in all states, and a history of jobs."""

import time

from simulator.cluster import Cluster, load_data
from simulator.demo_history import write_history
from simulator.job import Job
from simulator.model import Disk, Group, Instance, Network, Nic, Node, Params, new_uuid

DAY = 86400.0
DOMAIN = "example.org"


def build_demo(name: str, first_console_port: int) -> tuple[Cluster, dict[int, Job], int]:
    """Make the cluster as it is at the very first start."""
    plan = load_data("demo.json")
    cluster = Cluster(name, seed=2026)
    cluster.uuid = new_uuid()
    cluster.first_network_port = first_console_port
    moment = time.time()
    cluster.ctime, cluster.mtime = moment - 400 * DAY, moment - 3 * DAY
    cluster.tags = list(plan["tags"])
    cluster.operating_systems = list(plan["operating_systems"])
    for section, value in plan["settings"].items():
        cluster.settings[section] = merged(cluster.settings.get(section), value)
    for given in plan["groups"]:
        group = Group(**given, ctime=cluster.ctime, mtime=cluster.mtime)
        cluster.groups[group.name] = group
    for given in plan["nodes"]:
        add_node(cluster, dict(given), moment)
    cluster.master = next(iter(cluster.nodes))
    for given in plan["networks"]:
        add_network(cluster, dict(given), moment)
    for index, given in enumerate(plan["instances"]):
        add_instance(cluster, dict(given), moment - (200 - 5 * index) * DAY, first_console_port + index)
    jobs = write_history(cluster, plan["history"], moment)
    return cluster, jobs, max(jobs)


def move_console_ports(cluster: Cluster, first: int) -> None:
    """Let a cluster from a state file have its consoles elsewhere: its old ports may be taken by now."""
    shift = first - cluster.first_network_port
    if not shift:
        return
    cluster.first_network_port = first
    for instance in cluster.instances.values():
        if instance.network_port is not None:
            instance.network_port += shift
            cluster.bump(instance)


def merged(current: object, value: object) -> object:
    """Put the plan's settings over the defaults, one level of dictionaries deep per level of the plan."""
    if isinstance(current, dict) and isinstance(value, dict):
        return current | {name: merged(current.get(name), each) for name, each in value.items()}
    return value


def add_node(cluster: Cluster, given: Params, moment: float) -> None:
    group = cluster.groups[given.pop("group")]
    name = f"{given.pop('name')}.{DOMAIN}"
    node = Node(name, group.uuid, primary_ip="127.0.0.1", ctime=moment - 390 * DAY, mtime=moment - 9 * DAY)
    for attribute, value in given.items():
        setattr(node, attribute, value)
    cluster.nodes[node.name] = node


def add_network(cluster: Cluster, given: Params, moment: float) -> None:
    links = given.pop("groups")
    network = Network(**given, ctime=moment - 380 * DAY, mtime=moment - 60 * DAY)
    network.groups = {cluster.groups[group].uuid: dict(params) for group, params in links.items()}
    cluster.networks[network.name] = network


def add_instance(cluster: Cluster, given: Params, moment: float, port: int) -> None:
    """One line of the plan: name, node and what differs from a running KVM machine with a plain disk of 20 GiB."""
    name = f"{given.pop('name')}.{DOMAIN}"
    primary = f"{given.pop('node')}.{DOMAIN}"
    instance = Instance(name, primary, ctime=moment, mtime=moment + DAY, serial_no=3)
    secondary = given.pop("secondary", None)
    instance.secondary = f"{secondary}.{DOMAIN}" if secondary else None
    instance.disks = [Disk(int(size * 1024)) for size in given.pop("disks_gib", [20])]
    instance.nics = [make_nic(cluster, nic) for nic in given.pop("nics", [{}])]
    memory = given.pop("memory", 2048)
    instance.beparams = {
        "maxmem": memory,
        "minmem": given.pop("minimum_memory", memory),
        "vcpus": given.pop("vcpus", 2),
    }
    running = given.pop("runs", True)
    elsewhere = given.pop("runs_on", None)
    for attribute, value in given.items():
        setattr(instance, attribute, value)
    if instance.hypervisor in ("kvm", "xen-hvm"):
        instance.network_port = port
    cluster.add_instance(instance)
    if running:
        cluster.start(instance)
        instance.runs_on = f"{elsewhere}.{DOMAIN}" if elsewhere else primary
        if instance.admin_state != "up":
            instance.disks_active = False
    else:
        instance.disks_active = instance.admin_state == "up"


def make_nic(cluster: Cluster, given: Params) -> Nic:
    network = cluster.networks.get(given.get("network", ""))
    nic = Nic(cluster.new_mac(), name=given.get("name"), ip=given.get("ip"))
    if network:
        nic.network = network.uuid
        nic.params = dict(next(iter(network.groups.values())))
    return nic
