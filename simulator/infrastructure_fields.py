"""What /2/query tells of nodes, groups, networks, exports and filter rules."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from ipaddress import ip_address, ip_network
from typing import Any

from simulator.cluster import Cluster, load_data, natural_key
from simulator.model import FilterRule, Group, Instance, Network, Node
from simulator.query import AT_OFFLINE, NODATA, UNAVAIL, Field, Getter, Resource, or_unavailable

NODE_BULK_FIELDS: list[str] = load_data("bulk_fields.json")["node"]
GROUP_BULK_FIELDS: list[str] = load_data("bulk_fields.json")["group"]
NETWORK_BULK_FIELDS: list[str] = load_data("bulk_fields.json")["network"]
FILTER_BULK_FIELDS = ["uuid", "watermark", "priority", "predicates", "action", "reason_trail"]


class View:
    """The cluster with what many rows share worked out once."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.groups = {group.uuid: group for group in cluster.groups.values()}
        self.primaries: dict[str, list[Instance]] = defaultdict(list)
        self.secondaries: dict[str, list[Instance]] = defaultdict(list)
        self.running: dict[str, int] = defaultdict(int)  # MiB in use
        for instance in cluster.instances.values():
            self.primaries[instance.primary].append(instance)
            if instance.secondary:
                self.secondaries[instance.secondary].append(instance)
            if instance.runs_on:
                self.running[instance.runs_on] += cluster.memory_of(instance)

    def ndparams(self, node: Node) -> dict[str, Any]:
        merged: dict[str, Any] = self.cluster.settings["ndparams"] | self.groups[node.group].ndparams
        return merged | node.ndparams

    def disk_in_use(self, node: Node) -> int:
        here = self.primaries[node.name] + self.secondaries[node.name]
        return sum(self.cluster.disk_usage(instance) for instance in here)

    def nodes_of(self, group: Group) -> list[Node]:
        return [node for node in self.cluster.nodes.values() if node.group == group.uuid]


def names(instances: list[Instance]) -> list[str]:
    return sorted((instance.name for instance in instances), key=natural_key)


def role(view: View, node: Node) -> str:
    if node.name == view.cluster.master:
        return "M"
    if node.offline:
        return "O"
    if node.drained:
        return "D"
    return "C" if node.master_candidate else "R"


def while_alive(get: Callable[[View, Node], Any]) -> Getter:
    def value(view: View, node: Node) -> Any:
        if node.offline:
            return AT_OFFLINE
        return NODATA if node.dead or not node.vm_capable else get(view, node)

    return value


def always(value: Any) -> Getter:
    return lambda view, row: value


NODE_GETTERS: dict[str, Getter] = {
    "name": lambda view, n: n.name,
    "uuid": lambda view, n: n.uuid,
    "pip": lambda view, n: n.primary_ip,
    "sip": lambda view, n: n.secondary_ip or n.primary_ip,
    "offline": lambda view, n: n.offline,
    "drained": lambda view, n: n.drained,
    "master": lambda view, n: n.name == view.cluster.master,
    "master_candidate": lambda view, n: n.master_candidate,
    "master_capable": lambda view, n: n.master_capable,
    "vm_capable": lambda view, n: n.vm_capable,
    "role": role,
    "group": lambda view, n: view.groups[n.group].name,
    "group.uuid": lambda view, n: n.group,
    "ndparams": lambda view, n: view.ndparams(n),
    "custom_ndparams": lambda view, n: n.ndparams,
    "pinst_cnt": lambda view, n: len(view.primaries[n.name]),
    "sinst_cnt": lambda view, n: len(view.secondaries[n.name]),
    "pinst_list": lambda view, n: names(view.primaries[n.name]),
    "sinst_list": lambda view, n: names(view.secondaries[n.name]),
    "ctime": lambda view, n: n.ctime,
    "mtime": lambda view, n: n.mtime,
    "serial_no": lambda view, n: n.serial_no,
    "tags": lambda view, n: sorted(n.tags),
    "powered": always(UNAVAIL),
    "hv_state": always(UNAVAIL),
    "disk_state": always(UNAVAIL),
    "bootid": while_alive(lambda view, n: n.boot_id),
    "mtotal": while_alive(lambda view, n: n.memory),
    "mnode": while_alive(lambda view, n: n.memory_of_host),
    "mfree": while_alive(lambda view, n: max(n.memory - n.memory_of_host - view.running[n.name], 0)),
    "dtotal": while_alive(lambda view, n: n.disk),
    "dfree": while_alive(lambda view, n: max(n.disk - view.disk_in_use(n), 0)),
    "sptotal": while_alive(always(NODATA)),
    "spfree": while_alive(always(NODATA)),
    "ctotal": while_alive(lambda view, n: n.cpus),
    "cnos": while_alive(lambda view, n: n.cpus),
    "cnodes": while_alive(lambda view, n: n.cpu_sockets),
    "csockets": while_alive(lambda view, n: n.cpu_sockets),
}


def merged_ipolicy(view: View, group: Group) -> dict[str, Any]:
    merged: dict[str, Any] = view.cluster.settings["ipolicy"] | group.ipolicy
    return merged


def merged_diskparams(view: View, group: Group) -> dict[str, Any]:
    return {
        name: params | group.diskparams.get(name, {}) for name, params in view.cluster.settings["diskparams"].items()
    }


def group_instances(view: View, group: Group) -> list[str]:
    return names([instance for node in view.nodes_of(group) for instance in view.primaries[node.name]])


GROUP_GETTERS: dict[str, Getter] = {
    "name": lambda view, g: g.name,
    "uuid": lambda view, g: g.uuid,
    "alloc_policy": lambda view, g: g.alloc_policy,
    "node_cnt": lambda view, g: len(view.nodes_of(g)),
    "node_list": lambda view, g: [node.name for node in view.nodes_of(g)],
    "pinst_cnt": lambda view, g: len(group_instances(view, g)),
    "pinst_list": group_instances,
    "ipolicy": merged_ipolicy,
    "custom_ipolicy": lambda view, g: g.ipolicy,
    "diskparams": merged_diskparams,
    "custom_diskparams": lambda view, g: g.diskparams,
    "ndparams": lambda view, g: view.cluster.settings["ndparams"] | g.ndparams,
    "custom_ndparams": lambda view, g: g.ndparams,
    "ctime": lambda view, g: g.ctime,
    "mtime": lambda view, g: g.mtime,
    "serial_no": lambda view, g: g.serial_no,
    "tags": lambda view, g: sorted(g.tags),
}


def external(view: View, network: Network) -> list[str]:
    taken = {*view.cluster.always_reserved(network), *network.reserved}
    return sorted(taken, key=lambda address: int(ip_address(address)))


def taken_addresses(view: View, network: Network) -> set[str]:
    return set(external(view, network)) | view.cluster.address_in_use(network)


def address_map(view: View, network: Network) -> str:
    taken = {int(ip_address(address)) for address in taken_addresses(view, network)}
    return "".join("X" if int(address) in taken else "." for address in ip_network(network.network))


def network_instances(view: View, network: Network) -> list[str]:
    return names([i for i in view.cluster.instances.values() if any(nic.network == network.uuid for nic in i.nics)])


def connections(view: View, network: Network) -> list[list[str]]:
    return [
        [view.groups[uuid].name, params["mode"], params["link"], params.get("vlan", "")]
        for uuid, params in network.groups.items()
        if uuid in view.groups
    ]


NETWORK_GETTERS: dict[str, Getter] = {
    "name": lambda view, n: n.name,
    "uuid": lambda view, n: n.uuid,
    "network": lambda view, n: n.network,
    "gateway": lambda view, n: or_unavailable(n.gateway),
    "network6": lambda view, n: or_unavailable(n.network6),
    "gateway6": lambda view, n: or_unavailable(n.gateway6),
    "mac_prefix": lambda view, n: or_unavailable(n.mac_prefix),
    "map": address_map,
    "free_count": lambda view, n: address_map(view, n).count("."),
    "reserved_count": lambda view, n: address_map(view, n).count("X"),
    "group_list": connections,
    "group_cnt": lambda view, n: len(connections(view, n)),
    "inst_list": network_instances,
    "inst_cnt": lambda view, n: len(network_instances(view, n)),
    "external_reservations": lambda view, n: ", ".join(external(view, n)),
    "ctime": lambda view, n: n.ctime,
    "mtime": lambda view, n: n.mtime,
    "serial_no": lambda view, n: n.serial_no,
    "tags": lambda view, n: sorted(n.tags),
}
FILTER_GETTERS: dict[str, Getter] = {
    "uuid": lambda view, f: f.uuid,
    "watermark": lambda view, f: f.watermark,
    "priority": lambda view, f: f.priority,
    "predicates": lambda view, f: f.predicates,
    "action": lambda view, f: f.action,
    "reason_trail": lambda view, f: f.reason_trail,
}
EXPORT_GETTERS: dict[str, Getter] = {
    "node": lambda view, row: row[0],
    "export": lambda view, row: NODATA if row[1] is None else row[1],
}
NDPARAM_KINDS = {
    "cpu_speed": "float", "exclusive_storage": "bool", "oob_program": "other", "ovs": "bool", "ovs_link": "other",
    "ovs_name": "other", "spindle_count": "number", "ssh_port": "number",
}  # fmt: skip


def ndparam(params: Getter, name: str) -> Getter:
    return lambda view, row: or_unavailable(params(view, row).get(name))


def build(resource: str, getters: dict[str, Getter]) -> dict[str, Field]:
    """Pair Ganeti's field definitions with our getters; a definition without a getter is an error."""
    what = resource.capitalize()
    fields = {
        name: Field(name, title, kind, getters[name], f"{title} ({what})")
        for name, title, kind in load_data("fields.json")[resource]
    }
    if "ndparams" in getters:
        for name, kind in NDPARAM_KINDS.items():
            full, get = f"ndp/{name}", ndparam(getters["ndparams"], name)
            fields[full] = Field(full, full, kind, get, f'The "{name}" node parameter')
    return fields


def node_rows(view: View) -> list[Node]:
    return view.cluster.sorted_nodes()


def export_rows(view: View) -> Iterable[tuple[str, str | None]]:
    """Node and name. A node without one and a node that does not answer look alike."""
    for node in view.cluster.sorted_nodes():
        there = [] if node.dead or node.offline else sorted(node.exports)
        yield from ((node.name, name) for name in there)
        if not there:
            yield node.name, None


def group_rows(view: View) -> list[Group]:
    return sorted(view.cluster.groups.values(), key=lambda group: natural_key(group.name))


def network_rows(view: View) -> list[Network]:
    return sorted(view.cluster.networks.values(), key=lambda network: natural_key(network.name))


def filter_rows(view: View) -> Iterable[FilterRule]:
    return sorted(view.cluster.filters.values(), key=lambda rule: (rule.priority, rule.watermark, rule.uuid))


def find_node(view: View, name: str) -> Node | None:
    nodes = view.cluster.nodes
    found = view.cluster.find_name(nodes, name)
    if found is not None:
        return nodes[found]
    return next((node for node in nodes.values() if node.uuid == name), None)


def by_name_or_uuid(rows: Callable[[View], Iterable[Any]]) -> Callable[[View, str], Any]:
    return lambda view, name: next((row for row in rows(view) if name in (row.name, row.uuid)), None)


NODES = Resource("node", build("node", NODE_GETTERS), View, node_rows, find=find_node)
GROUPS = Resource("group", build("group", GROUP_GETTERS), View, group_rows, find=by_name_or_uuid(group_rows))
NETWORKS = Resource(
    "network", build("network", NETWORK_GETTERS), View, network_rows, find=by_name_or_uuid(network_rows)
)
FILTERS = Resource("filter", build("filter", FILTER_GETTERS), View, filter_rows, key="uuid")
EXPORTS = Resource("export", build("export", EXPORT_GETTERS), View, export_rows, key="node")
