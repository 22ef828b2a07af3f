"""Where a machine can run, and what would stay free there: for everything that makes or moves one.

Figures are those of the last reading. What Ganeti is certain to refuse is named; the rest it judges itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, Sum

from clusters.models import Cluster, Node
from objectlog.words import gettext as _
from objectlog.words import mib
from operations.once import read_once
from rapi.shapes.fields import listing, mapping
from virtualmachines.models import VirtualMachine

# Templates whose disks lie on a node, by the kind of storage there. The others lie elsewhere, or there are none.
_STORAGE = {"plain": "lvm", "drbd": "lvm", "file": "file"}
_NOBODY: Mapping[int, str] = {}
# What DRBD keeps beside each disk, in MiB (lib/constants: DRBD_META_SIZE).
DRBD_META_MIB = 128


@dataclass(frozen=True)
class Need:
    """What a machine takes of a node. `memory_mib`: when it starts there; 0 if it will not."""

    memory_mib: int = 0
    vcpus: int = 0
    disks_mib: tuple[int, ...] = ()
    disk_template: str = ""
    max_memory_mib: int = 0

    @property
    def disk_mib(self) -> int:
        """What its disks take on the node's own storage."""
        if self.disk_template not in _STORAGE:
            return 0
        extra = DRBD_META_MIB if self.disk_template == "drbd" else 0
        return sum(self.disks_mib) + extra * len(self.disks_mib)


def need_of(vm: VirtualMachine, *, runs: bool = True, brings_disks: bool = True) -> Need:
    """What a machine takes of a node that it comes to. DRBD's disks are on its second node already."""
    sizes = tuple(disk.get("size_mib") or 0 for disk in vm.disks) if brings_disks else ()
    least = vm.memory_min_mib or vm.memory_mib
    return Need(least if runs else 0, vm.vcpus, sizes, vm.disk_template, vm.memory_mib)


@dataclass(frozen=True)
class Place:
    """A node, and what stays free there with the machine; None where it is not known. `reason`: why it can't be."""

    node: Node
    memory_after_mib: int | None
    disk_after_mib: int | None
    vcpus_after: int
    reason: str = ""
    caution: str = ""

    @property
    def is_usable(self) -> bool:
        """Whether nothing is known that forbids it."""
        return not self.reason

    @property
    def words(self) -> str:
        """What stays free, or why it can't be."""
        if self.reason:
            return self.reason
        memory, disk = mib(self.memory_after_mib), mib(self.disk_after_mib)
        if self.disk_after_mib is None:
            free = _("%(memory)s of memory stay free") % {"memory": memory}
        else:
            free = _("%(memory)s of memory and %(disk)s of disk stay free") % {"memory": memory, "disk": disk}
        return _("%(free)s; %(caution)s") % {"free": free, "caution": self.caution} if self.caution else free

    def holds(self, need: Need, most: int) -> int:
        """How many like the one for which this was reckoned fit here, up to `most`."""
        if self.reason:
            return 0
        more = [
            after // each
            for after, each in ((self.memory_after_mib, need.memory_mib), (self.disk_after_mib, need.disk_mib))
            if after is not None and each
        ]
        return min([most, *(1 + each for each in more)])

    @property
    def share_free(self) -> float:
        """The scarcest of memory and disk: what part of the node's stays free."""
        shares = [
            after / total
            for after, total in (
                (self.memory_after_mib, self.node.memory_total_mib),
                (self.disk_after_mib, self.node.disk_total_mib),
            )
            if after is not None and total
        ]
        return min(shares, default=0.0)


def rank_nodes(
    cluster: Cluster, need: Need, *, group: str = "", barred: Mapping[int, str] | None = None
) -> list[Place]:
    """Every node of a cluster, best first, those that can't be last. Two queries, however many nodes.

    `group`: the name of the only group that counts. `barred`: nodes that are out for another reason, by key.
    """
    return ground_of(cluster).rank(need, group=group, barred=barred or {})


def places_for(vm: VirtualMachine, *, runs: bool = True, brings_disks: bool | None = None) -> list[Place]:
    """Every node that a machine could be moved to, best first. The node where it is now comes last, and says so."""
    brings = vm.disk_template in ("plain", "file") if brings_disks is None else brings_disks
    barred = {vm.primary_node_id: explain_there_now()} if vm.primary_node_id is not None else {}
    return ground_of(vm.cluster).rank(need_of(vm, runs=runs, brings_disks=brings), barred=barred, home=home_of(vm))


def places_for_secondary(vm: VirtualMachine) -> list[Place]:
    """Every node that could have the second copy of a machine's disks, best first."""
    barred = {key: explain_there_now() for key in (vm.primary_node_id, vm.secondary_node_id) if key is not None}
    return ground_of(vm.cluster).rank(need_of(vm, runs=False), barred=barred, home=home_of(vm))


def list_receivers(vm: VirtualMachine) -> list[Place]:
    """Every node that can take an export. How much space there is for exports Ganeti does not tell."""
    return ground_of(vm.cluster).rank(Need())


def place_on(vm: VirtualMachine, node: Node, *, runs: bool = True, brings_disks: bool = False) -> Place:
    """One node as a place for a machine: its secondary, for instance."""
    ground = Ground([vm.cluster], Node.objects.filter(pk=node.pk))
    return ground.rank(need_of(vm, runs=runs, brings_disks=brings_disks), home=home_of(vm))[0]


def explain_there_now() -> str:
    """Why a machine can't be moved to its own node."""
    return _("it is there now")


def home_of(vm: VirtualMachine) -> int | None:
    """Its node group: within it Ganeti does not judge a machine by the policy again."""
    return vm.primary_node.group_id if vm.primary_node is not None else None


class Ground:
    """Nodes of clusters as they were read last, and what was given to machines since. Two queries, however many."""

    def __init__(self, clusters: Iterable[Cluster], nodes: Any) -> None:
        self.nodes: dict[int, Node] = {node.pk: node for node in nodes.select_related("group").defer("raw")}
        running = ~Q(admin_state__in=["down", "offline"]) | Q(status__in=["running", "ERROR_up"])
        there = VirtualMachine.objects.filter(primary_node__in=self.nodes, missing_since__listed__isnull=True)
        rows = there.filter(running).order_by()
        self._vcpus: dict[int, int] = dict(rows.values_list("primary_node").annotate(Sum("vcpus")))
        self._storage = {cluster.pk: _storage_told(cluster) for cluster in clusters}
        self._given: dict[int, tuple[int, int, int]] = {}

    def give(self, node: Node, need: Need) -> None:
        """A machine like this comes to the node: whoever asks from now on is told what is left."""
        self._given[node.pk] = self._with(node, need)

    def take_back(self, node: Node, need: Need) -> None:
        """A machine like this leaves the node."""
        memory, disk, vcpus = self._given.get(node.pk, (0, 0, 0))
        self._given[node.pk] = memory - need.memory_mib, disk - need.disk_mib, vcpus - need.vcpus

    def memory_left_mib(self, node: Node) -> int:
        """What is free there beside what was given; little where it is not known."""
        return (node.memory_free_mib or 0) - self._with(node, Need())[0]

    def _with(self, node: Node, need: Need) -> tuple[int, int, int]:
        memory, disk, vcpus = self._given.get(node.pk, (0, 0, 0))
        return memory + need.memory_mib, disk + need.disk_mib, vcpus + (need.vcpus if need.memory_mib else 0)

    def place(
        self, node: Node, need: Need, *, group: str = "", barred: Mapping[int, str] = _NOBODY, home: int | None = None
    ) -> Place:
        """One node, for what comes to it beside what was given."""
        wanted_memory, wanted_disk, wanted_vcpus = self._with(node, need)
        memory = None if node.memory_free_mib is None else node.memory_free_mib - wanted_memory
        tells_disk = _STORAGE.get(need.disk_template) == self._storage[node.cluster_id] != ""
        disk = node.disk_free_mib - wanted_disk if tells_disk and node.disk_free_mib is not None else None
        used = (self._vcpus.get(node.pk) or 0) + wanted_vcpus
        policy = mapping(node.group.raw.get("ipolicy")) if node.group is not None else {}
        breach = find_breach(policy, need) if home is None or node.group_id != home else ""
        reason = barred.get(node.pk) or _find_bar(node, group) or breach or _find_lack(memory, disk)
        return Place(node, memory, disk, used, reason, _warn_of_vcpus(node, policy, used))

    def rank(self, need: Need, **rules: Any) -> list[Place]:
        """Every node, best first, those that can't be last."""
        places = (self.place(node, need, **rules) for node in self.nodes.values())
        return sorted(places, key=lambda place: (bool(place.reason), -place.share_free, place.node.name))


def ground_of(cluster: Cluster) -> Ground:
    """All nodes of a cluster; while many machines are judged they are read once."""
    listed = Node.objects.filter(cluster=cluster, missing_since=None)
    return read_once(("ground", cluster.pk), lambda: Ground([cluster], listed))


def _storage_told(cluster: Cluster) -> str:
    """The kind of storage whose free space Ganeti tells of nodes: that of the first template that is enabled."""
    templates = listing(mapping(cluster.info).get("enabled_disk_templates"))
    return _STORAGE.get(str(templates[0]), "") if templates else ""


def _find_bar(node: Node, group: str) -> str:
    """Why no machine can come to the node at all."""
    if node.offline:
        return _("set offline")
    if node.drained:
        return _("drained: nothing new is put there")
    if not node.vm_capable:
        return _("does not run machines")
    if group and (node.group is None or node.group.name != group):
        return _("not in group %(group)s") % {"group": group}
    if not node.answers:
        return _("does not respond")
    return ""


def _find_lack(memory: int | None, disk: int | None) -> str:
    """What there is not enough of."""
    if memory is not None and memory < 0:
        return _("%(size)s of memory too little") % {"size": mib(-memory)}
    if disk is not None and disk < 0:
        return _("%(size)s of disk too little") % {"size": mib(-disk)}
    return ""


def _warn_of_vcpus(node: Node, policy: Mapping[str, Any], used: int) -> str:
    """Ganeti's allocator keeps the ratio; where a person names the node, nobody does."""
    ratio = policy.get("vcpu-ratio")
    if not isinstance(ratio, int | float) or not node.cpu_total or used <= ratio * node.cpu_total:
        return ""
    return _("%(used)d vCPUs on %(cpus)d CPUs, above the policy") % {"used": used, "cpus": node.cpu_total}


def find_breach(policy: Mapping[str, Any], need: Need) -> str:
    """Why the policy of instances of a node group takes no machine like this; empty if it does, or is not known.

    As Ganeti judges (lib/cmdlib/instance_utils.py, ComputeIPolicySpecViolation): it is enough to fit one of the pairs.
    """
    templates = listing(policy.get("disk-templates"))
    if templates and need.disk_template and need.disk_template not in templates:
        return _("the policy of its group does not allow %(template)s disks") % {"template": need.disk_template}
    pairs = [mapping(pair) for pair in listing(policy.get("minmax"))]
    breaches = [breach for pair in pairs if (breach := _find_breach_of(pair, need))]
    return breaches[0] if pairs and len(breaches) == len(pairs) else ""


def _find_breach_of(pair: Mapping[str, Any], need: Need) -> str:
    least, most = mapping(pair.get("min")), mapping(pair.get("max"))
    memory = need.max_memory_mib or need.memory_mib
    wanted = [("memory-size", memory, _("memory")), ("cpu-count", need.vcpus, _("vCPUs"))]
    wanted += [("disk-size", size, _("disk size")) for size in need.disks_mib]
    wanted += [("disk-count", len(need.disks_mib), _("number of disks"))] if need.disks_mib else []
    for name, value, words in wanted:
        low, high = least.get(name), most.get(name)
        if isinstance(high, int) and value > high:
            return _("its group allows %(what)s up to %(limit)s") % {"what": words, "limit": _say(name, high)}
        if isinstance(low, int) and 0 < value < low:
            return _("its group allows %(what)s from %(limit)s") % {"what": words, "limit": _say(name, low)}
    return ""


def _say(name: str, value: int) -> str:
    return mib(value) if name.endswith("-size") else str(value)
