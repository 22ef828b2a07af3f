"""What is known here of a cluster, as far as new machines on it are judged by it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from itertools import islice
from typing import Any

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
        """Four queries at most, whatever the size of the cluster; none for another machine (`operations.once`)."""
        return read_once((cls, cluster.pk), lambda: cls._read(cluster))

    @classmethod
    def _read(cls, cluster: Cluster) -> "Facts":
        info = mapping(cluster.info)
        here = {"cluster": cluster, "missing_since": None}
        groups = {row["name"]: row for row in NodeGroup.objects.filter(**here).values("name", "uuid", "raw")}
        return cls(
            release=parse_version(cluster.software_version)[:2],
            defaults=Defaults.of(info),
            hypervisors=tuple(listing(info.get("enabled_hypervisors"))),
            templates=tuple(listing(info.get("enabled_disk_templates"))),
            systems=frozenset(cluster.operating_systems),
            allocator=str(info.get("default_iallocator") or ""),
            has_user_pool=bool(info.get("uid_pool")),
            policy=mapping(info.get("ipolicy")),
            policies={name: mapping(mapping(row["raw"]).get("ipolicy")) for name, row in groups.items()},
            nodes={
                node.name: _facts_of(node)
                for node in Node.objects.filter(**here).select_related("group").only(*_OF_NODE)
            },
            networks=_networks(
                Network.objects.filter(**here).values_list("name", "uuid", "cidr", "raw", "free_count"), groups
            ),
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


def _networks(rows: Any, groups: Mapping[str, Mapping[str, Any]]) -> dict[str, NetworkFacts]:
    """By name and by uuid: Ganeti takes both."""
    by_uuid = {row["uuid"]: name for name, row in groups.items()}
    found = {}
    for name, uuid, cidr, raw, free in rows:
        links = [listing(each) for each in listing(mapping(raw).get("group_list"))]
        reached = frozenset(by_uuid.get(str(link[0]), str(link[0])) for link in links if link)
        found[name] = found[uuid] = NetworkFacts(cidr, reached, name, free, str(mapping(raw).get("map") or ""))
    return found
