"""What is known here of a cluster, as far as new machines on it are judged by it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from itertools import islice
from operator import itemgetter
from typing import Any

from django.db.models import IntegerField, Value

from clusters.catalogue import Release
from clusters.models import Cluster, Network, Node, NodeGroup
from operations.once import read_once
from rapi.features import parse_version
from rapi.shapes.fields import listing, mapping
from virtualmachines.spec import Defaults


@dataclass(frozen=True)
class NodeFacts:
    """A node: in which group, how many CPUs, and why nothing can be put on it ("" if something can)."""

    group: str
    cpus: int | None = None
    trouble: str = ""


@dataclass(frozen=True)
class NetworkFacts:
    """A network: its addresses, how many are free, and the groups that reach it."""

    cidr: str = ""
    groups: frozenset[str] = frozenset()
    name: str = ""
    free: int | None = None
    address_map: str = ""

    @property
    def first_free(self) -> list[str]:
        """The first few addresses that nobody has: "." in Ganeti's map of them."""
        try:
            start = ip_network(self.cidr, strict=False).network_address
        except ValueError:
            return []
        free = (at for at, taken in enumerate(self.address_map) if taken == ".")
        return [str(start + at) for at in islice(free, 10)]


@dataclass(frozen=True)
class Facts:
    """A cluster. What it does not tell is not judged: Ganeti judges again."""

    release: Release = (3, 0)
    defaults: Defaults = field(default_factory=Defaults)
    hypervisors: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    systems: frozenset[str] = frozenset()
    allocator: str = ""
    has_user_pool: bool = False
    policy: Mapping[str, Any] = field(default_factory=dict)
    policies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    nodes: Mapping[str, NodeFacts] = field(default_factory=dict)
    networks: Mapping[str, NetworkFacts] = field(default_factory=dict)

    @classmethod
    def of(cls, cluster: Cluster) -> "Facts":
        """Two queries, whatever the size of the cluster; none for another machine (`operations.once`)."""
        return read_once((cls, cluster.pk), lambda: cls._read(cluster))

    @classmethod
    def _read(cls, cluster: Cluster) -> "Facts":
        info = mapping(cluster.info)
        groups, networks = _read_groups_and_networks(cluster)
        nodes = Node.objects.filter(cluster=cluster, missing_since=None).select_related("group").only(*_OF_NODE)
        return cls(
            release=parse_version(cluster.software_version)[:2],
            defaults=Defaults.of(info),
            hypervisors=tuple(listing(info.get("enabled_hypervisors"))),
            templates=tuple(listing(info.get("enabled_disk_templates"))),
            systems=frozenset(cluster.operating_systems),
            allocator=str(info.get("default_iallocator") or ""),
            has_user_pool=bool(info.get("uid_pool")),
            policy=mapping(info.get("ipolicy")),
            policies={name: mapping(mapping(raw).get("ipolicy")) for name, _uuid, raw in groups},
            nodes={node.name: _facts_of(node) for node in nodes},
            networks=_networks(networks, {uuid: name for name, uuid, _raw in groups}),
        )

    def judged_by(self, primary: str, group: str) -> Mapping[str, Mapping[str, Any]]:
        """The instance policies that may apply, by group: of the node, of the group, or of any group."""
        node = self.nodes.get(primary)
        wanted = node.group if node is not None else group
        some = {name: each for name, each in self.policies.items() if each and wanted in ("", name)}
        return some or {"": self.policy}


_OF_NODE = ("name", "offline", "drained", "vm_capable", "cpu_total", "group__name")


def _facts_of(node: Node) -> NodeFacts:
    trouble = "offline" if node.offline else "drained" if node.drained else "" if node.vm_capable else "not vm_capable"
    return NodeFacts(node.group.name if node.group is not None else "", node.cpu_total, trouble)


def _read_groups_and_networks(cluster: Cluster) -> tuple[list[tuple[str, str, Any]], list[tuple[Any, ...]]]:
    """Name, uuid and record of the groups; of the networks their addresses and how many are free, too. One query."""
    here = {"cluster": cluster, "missing_since": None}
    group, network, no_number = (Value(each, IntegerField()) for each in (0, 1, None))
    groups = NodeGroup.objects.filter(**here).values_list(group, "name", "uuid", "raw", Value(""), no_number)
    networks = Network.objects.filter(**here).values_list(network, "name", "uuid", "raw", "cidr", "free_count")
    rows = sorted(groups.order_by().union(networks.order_by(), all=True), key=itemgetter(0, 1))
    return [row[1:4] for row in rows if not row[0]], [row[1:] for row in rows if row[0]]


def _networks(rows: Iterable[tuple[Any, ...]], groups: Mapping[str, str]) -> dict[str, NetworkFacts]:
    """By name and by uuid: Ganeti takes both. `groups`: the names of groups, by uuid."""
    found = {}
    for name, uuid, raw, cidr, free in rows:
        links = [listing(each) for each in listing(mapping(raw).get("group_list"))]
        reached = frozenset(groups.get(str(link[0]), str(link[0])) for link in links if link)
        found[name] = found[uuid] = NetworkFacts(cidr, reached, name, free, str(mapping(raw).get("map") or ""))
    return found
