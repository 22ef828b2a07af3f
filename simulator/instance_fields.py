"""What /2/query/instance can tell: 292 fields on a real 3.0.2."""

from collections.abc import Callable, Iterable
from typing import Any

from simulator.cluster import GLOBAL_HVPARAMS, Cluster, load_data
from simulator.model import Instance, Nic
from simulator.query import AT_OFFLINE, NODATA, UNAVAIL, Field, Getter, Resource, or_unavailable

MAX_DISKS, MAX_NICS = 16, 8
ORDINALS = ["1st", "2nd", "3rd"]

# the fields of /2/instances?bulk=1, in Ganeti's order
BULK_FIELDS: list[str] = load_data("bulk_fields.json")["instance"]


class InstanceView:
    """The cluster with what many rows share worked out once."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.nodes = cluster.nodes
        self.groups = {group.uuid: group for group in cluster.groups.values()}
        self.networks = {network.uuid: network.name for network in cluster.networks.values()}
        self.user_shutdown = cluster.settings["enabled_user_shutdown"]
        self.hvparams = cluster.merged_hvparams
        self.beparams = cluster.merged_beparams
        self.nicparams = cluster.merged_nicparams


def live(view: InstanceView, instance: Instance) -> Any:
    """True or False when the primary answers, otherwise why there is nothing to say."""
    node = view.nodes[instance.primary]
    if node.offline:
        return AT_OFFLINE
    if node.dead:
        return NODATA
    return instance.runs_on == instance.primary


def status(view: InstanceView, instance: Instance) -> str:
    node = view.nodes[instance.primary]
    if node.offline:
        return "ERROR_nodeoffline"
    if node.dead:
        return "ERROR_nodedown"
    if instance.runs_on is not None and instance.runs_on != instance.primary:
        return "ERROR_wrongnode"
    if instance.runs_on:
        return "running" if instance.admin_state == "up" else "ERROR_up"
    if instance.admin_state == "up":
        return "USER_down" if instance.stopped_by_guest and view.user_shutdown else "ERROR_down"
    return "ADMIN_offline" if instance.admin_state == "offline" else "ADMIN_down"


def while_running(get: Callable[[InstanceView, Instance], Any]) -> Getter:
    def value(view: InstanceView, instance: Instance) -> Any:
        running = live(view, instance)
        if running is True:
            return get(view, instance)
        return UNAVAIL if running is False else running

    return value


def console(view: InstanceView, instance: Instance) -> Any:
    """What luxid passes on: VNC consoles are lost on every release, so there is no data for them."""
    params = view.hvparams(instance)
    if instance.hypervisor == "fake":
        text = "Console not available for fake hypervisor"
        return {"instance": instance.name, "kind": "msg", "message": text}
    if instance.hypervisor == "kvm" and not params.get("serial_console"):
        if params.get("vnc_bind_address"):
            return NODATA
        if params.get("spice_bind"):
            host, port = params["spice_bind"], instance.network_port
            return {"instance": instance.name, "kind": "spice", "host": host, "port": port}
        return {"instance": instance.name, "kind": "msg", "message": f"No serial shell for instance {instance.name}"}
    wrapper = "/usr/lib/ganeti/tools/kvm-console-wrapper" if instance.hypervisor == "kvm" else "xl"
    return {
        "instance": instance.name, "kind": "ssh", "host": instance.primary, "port": 22, "user": "root",
        "command": [wrapper, instance.name],
    }  # fmt: skip


def console_if_reachable(view: InstanceView, instance: Instance) -> Any:
    running = live(view, instance)
    return console(view, instance) if isinstance(running, bool) else running


def nic_bridge(view: InstanceView, nic: Nic) -> Any:
    params = view.nicparams(nic.params)
    return params["link"] if params["mode"] == "bridged" else None


def nic_vlan(view: InstanceView, nic: Nic) -> Any:
    params = view.nicparams(nic.params)
    return params["vlan"] if params["mode"] == "openvswitch" else None


NIC_GETTERS: dict[str, tuple[str, str, Callable[[InstanceView, Nic], Any]]] = {
    "ip": ("ips", "NicIP", lambda view, nic: nic.ip),
    "mac": ("macs", "NicMAC", lambda view, nic: nic.mac),
    "mode": ("modes", "NicMode", lambda view, nic: view.nicparams(nic.params)["mode"]),
    "link": ("links", "NicLink", lambda view, nic: view.nicparams(nic.params)["link"]),
    "bridge": ("bridges", "NicBridge", nic_bridge),
    "vlan": ("vlans", "NicVLAN", nic_vlan),
    "uuid": ("uuids", "NicUUID", lambda view, nic: nic.uuid),
    "name": ("names", "NicName", lambda view, nic: nic.name),
    "network": ("networks", "NicNetwork", lambda view, nic: nic.network),
    "network.name": ("networks.names", "NicNetworkName", lambda view, nic: view.networks.get(nic.network or "")),
}
DISK_GETTERS: dict[str, tuple[str, str, str]] = {
    "size": ("sizes", "Disk", "unit"),
    "name": ("names", "DiskName", "text"),
    "uuid": ("uuids", "DiskUUID", "text"),
    "spindles": ("spindles", "DiskSpindles", "number"),
}


def nic_list(get: Callable[[InstanceView, Nic], Any]) -> Getter:
    return lambda view, instance: [get(view, nic) for nic in instance.nics]


def nic_at(get: Callable[[InstanceView, Nic], Any], index: int) -> Getter:
    def value(view: InstanceView, instance: Instance) -> Any:
        return or_unavailable(get(view, instance.nics[index])) if index < len(instance.nics) else UNAVAIL

    return value


def disk_list(attribute: str) -> Getter:
    return lambda view, instance: [getattr(disk, attribute) for disk in instance.disks]


def disk_at(attribute: str, index: int) -> Getter:
    def value(view: InstanceView, instance: Instance) -> Any:
        return or_unavailable(getattr(instance.disks[index], attribute)) if index < len(instance.disks) else UNAVAIL

    return value


def hv_parameter(name: str) -> Getter:
    return lambda view, instance: or_unavailable(view.hvparams(instance).get(name))


def be_parameter(name: str) -> Getter:
    return lambda view, instance: view.beparams(instance)[name]


def group_names(attribute: str) -> Callable[[InstanceView, list[str]], list[str]]:
    def names(view: InstanceView, nodes: list[str]) -> list[str]:
        return [getattr(view.groups[view.nodes[name].group], attribute) for name in nodes]

    return names


def secondaries(instance: Instance) -> list[str]:
    return [instance.secondary] if instance.secondary else []


SIMPLE: dict[str, Getter] = {
    "name": lambda view, i: i.name,
    "uuid": lambda view, i: i.uuid,
    "os": lambda view, i: i.os,
    "hypervisor": lambda view, i: i.hypervisor,
    "admin_state": lambda view, i: i.admin_state,
    "admin_state_source": lambda view, i: i.admin_state_source,
    "admin_up": lambda view, i: i.admin_state == "up",
    "pnode": lambda view, i: i.primary,
    "snodes": lambda view, i: secondaries(i),
    "pnode.group": lambda view, i: view.groups[view.nodes[i.primary].group].name,
    "pnode.group.uuid": lambda view, i: view.nodes[i.primary].group,
    "snodes.group": lambda view, i: group_names("name")(view, secondaries(i)),
    "snodes.group.uuid": lambda view, i: group_names("uuid")(view, secondaries(i)),
    "disk_template": lambda view, i: i.disk_template if i.disks else "diskless",
    "disks_active": lambda view, i: i.disks_active,
    "disk_usage": lambda view, i: view.cluster.disk_usage(i),
    "disk.count": lambda view, i: len(i.disks),
    "nic.count": lambda view, i: len(i.nics),
    "forthcoming": lambda view, i: i.forthcoming,
    "network_port": lambda view, i: or_unavailable(i.network_port),
    "beparams": lambda view, i: view.beparams(i),
    "hvparams": lambda view, i: view.hvparams(i),
    "osparams": lambda view, i: view.cluster.settings["osparams"].get(i.os.split("+")[0], {}) | i.osparams,
    "custom_beparams": lambda view, i: i.beparams,
    "custom_hvparams": lambda view, i: i.hvparams,
    "custom_osparams": lambda view, i: i.osparams,
    "custom_nicparams": lambda view, i: [nic.params for nic in i.nics],
    "vcpus": be_parameter("vcpus"),
    "ctime": lambda view, i: i.ctime,
    "mtime": lambda view, i: i.mtime,
    "serial_no": lambda view, i: i.serial_no,
    "tags": lambda view, i: sorted(i.tags),
    "status": status,
    "oper_state": lambda view, i: NODATA if view.nodes[i.primary].offline else live(view, i),
    "oper_ram": while_running(lambda view, i: view.cluster.memory_of(i)),
    "oper_vcpus": while_running(lambda view, i: view.beparams(i)["vcpus"]),
    "console": console_if_reachable,
    "ip": nic_at(NIC_GETTERS["ip"][2], 0),
    "mac": nic_at(NIC_GETTERS["mac"][2], 0),
    "bridge": nic_at(NIC_GETTERS["bridge"][2], 0),
    "nic_mode": nic_at(NIC_GETTERS["mode"][2], 0),
    "nic_link": nic_at(NIC_GETTERS["link"][2], 0),
    "nic_network": nic_at(NIC_GETTERS["network"][2], 0),
    "sda_size": disk_at("size", 0),
    "sdb_size": disk_at("size", 1),
}


def kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, int) else "other"


def ordinal(index: int) -> str:
    return ORDINALS[index] if index < len(ORDINALS) else f"{index + 1}th"


def build_fields() -> dict[str, Field]:
    fields: dict[str, Field] = {}
    nic_lists = {plural: get for plural, _, get in NIC_GETTERS.values()}
    disk_lists = {plural: name for name, (plural, _, _) in DISK_GETTERS.items()}
    for name, title, kind in load_data("fields.json")["instance"]:
        getter = SIMPLE.get(name)
        if getter is None:
            family, _, plural = name.partition(".")
            getter = nic_list(nic_lists[plural]) if family == "nic" else disk_list(disk_lists[plural])
        fields[name] = Field(name, title, kind, getter, f"{title.replace('_', ' ')} of the instance")
    for name, (_, title, get) in NIC_GETTERS.items():
        for index in range(MAX_NICS):
            doc = f"{title.removeprefix('Nic')} of {ordinal(index)} network interface"
            fields[f"nic.{name}/{index}"] = Field(
                f"nic.{name}/{index}", f"{title}/{index}", "text", nic_at(get, index), doc
            )
    for attribute, (_, title, kind) in DISK_GETTERS.items():
        for index in range(MAX_DISKS):
            full, doc = f"disk.{attribute}/{index}", f"{attribute.capitalize()} of {ordinal(index)} disk"
            fields[full] = Field(full, f"{title}/{index}", kind, disk_at(attribute, index), doc)
    for params in load_data("hypervisor_defaults.json").values():
        for name, value in params.items():
            if name not in GLOBAL_HVPARAMS:
                full, doc = f"hv/{name}", f'The "{name}" hypervisor parameter'
                fields[full] = Field(full, full, kind_of(value), hv_parameter(name), doc)
    for name, kind in BE_KINDS.items():
        full, doc = f"be/{name}", f'The "{name}" backend parameter'
        source = "maxmem" if name == "memory" else name
        fields[full] = Field(full, f"Config{name.capitalize()}", kind, be_parameter(source), doc)
    return fields


BE_KINDS = {
    "always_failover": "bool", "auto_balance": "bool", "maxmem": "unit", "memory": "unit", "minmem": "unit",
    "spindle_use": "number", "vcpus": "number",
}  # fmt: skip


def all_rows(view: InstanceView) -> Iterable[Instance]:
    return view.cluster.sorted_instances()


def find(view: InstanceView, name: str) -> Instance | None:
    """Find by full name, uuid or partial name."""
    cluster = view.cluster
    found = cluster.find_name(cluster.instances, name)
    if found is not None:
        return cluster.instances[found]
    return next((instance for instance in cluster.instances.values() if instance.uuid == name), None)


INSTANCES = Resource("instance", build_fields(), InstanceView, all_rows, find=find)
