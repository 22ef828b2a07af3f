"""Where many machines that are moved at once would be, and whether there is room for all of them together."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import QuerySet

from clusters.models import Cluster, Node
from objectlog.words import gettext as _
from objectlog.words import ngettext
from operations.contract import Foreseen, Foresight
from rapi.shapes.fields import mapping
from virtualmachines.models import VirtualMachine
from virtualmachines.room import Ground, Need, explain_there_now, home_of, need_of

# Disks that lie where every node reaches them (constants.DTS_EXT_MIRROR): the machine can go anywhere in its group.
SHARED = frozenset({"blockdev", "diskless", "ext", "gluster", "rbd", "sharedfile"})
MIRRORED = "drbd"
_READ = (
    "cluster",
    "primary_node",
    "secondary_node",
    "disk_template",
    "memory_mib",
    "memory_min_mib",
    "vcpus",
    "status",
    "admin_state",
)


def explain_no_allocator() -> str:
    """Why a node must be named."""
    return _("Choose a node: this cluster has no allocator that would choose one.")


def allocator_in(info: Any) -> str:
    """What chooses a node where nobody does, by what a cluster says of itself; empty if it has none."""
    return str(mapping(info).get("default_iallocator") or "")


def say_place(node: str, room: str, *, is_usable: bool) -> str:
    """Where a machine would be."""
    where = _("It will be on %(node)s (%(room)s).") if is_usable else _("It would be on %(node)s: %(room)s.")
    return where % {"node": node, "room": room}


def foresee_moves(targets: QuerySet[VirtualMachine], to: str, runs: Callable[[VirtualMachine], bool]) -> Foresight:
    """Of machines that are moved to their secondary node, to the node called `to`, or where the allocator says.

    Each is told what is left when those before it are there. What they leave behind on their own nodes is not counted:
    nobody knows which of them has gone by then. Four queries.
    """
    machines = list(targets.select_related(None).only(*_READ))
    clusters = Cluster.objects.only("info").in_bulk({vm.cluster_id for vm in machines})
    return _Moves(clusters, to, runs).foresee(machines)


class _Moves:
    def __init__(self, clusters: Mapping[int, Cluster], to: str, runs: Callable[[VirtualMachine], bool]) -> None:
        self.clusters, self.to, self.runs = clusters, to, runs
        self.ground = Ground(clusters.values(), Node.objects.filter(cluster__in=clusters, missing_since=None))
        self.by_name = {(node.cluster_id, node.name): node for node in self.ground.nodes.values()}

    def foresee(self, machines: list[VirtualMachine]) -> Foresight:
        """First those of which it is known where they go: what they leave is for the allocator."""
        found: dict[int, Foreseen] = {}
        coming: Counter[int] = Counter()
        open_ones = []
        for vm in machines:
            if vm.primary_node_id in self.ground.nodes:
                vm.primary_node = self.ground.nodes[vm.primary_node_id]
            if vm.disk_template in SHARED and not self.to:
                open_ones.append(vm)
            elif (node := self._destination(vm)) is not None:
                found[vm.pk] = self._send(vm, node)
                coming[node.pk] += 1
        together = [self._sum_up(self.ground.nodes[pk], number) for pk, number in coming.items()]
        together.sort(key=lambda each: (not each.is_warning, each.words))
        left_open = {vm.pk: self._leave_open(vm) for vm in open_ones}
        if left_open:
            together.append(_sum_up_open(list(left_open.values())))
        return Foresight(found | left_open, together)

    def _destination(self, vm: VirtualMachine) -> Node | None:
        if vm.disk_template == MIRRORED:
            return self.ground.nodes.get(vm.secondary_node_id or 0)
        return self.by_name.get((vm.cluster_id, self.to)) if vm.disk_template in SHARED else None

    def _need(self, vm: VirtualMachine) -> Need:
        return need_of(vm, runs=self.runs(vm), brings_disks=False)

    def _rules(self, vm: VirtualMachine) -> dict[str, Any]:
        return {"home": home_of(vm), "barred": {vm.primary_node_id: explain_there_now()}}

    def _send(self, vm: VirtualMachine, node: Node) -> Foreseen:
        need = self._need(vm)
        place = self.ground.place(node, need, **self._rules(vm))
        self.ground.give(node, need)
        return Foreseen(say_place(node.name, place.words, is_usable=place.is_usable), not place.is_usable)

    def _sum_up(self, node: Node, number: int) -> Foreseen:
        """What all that come to a node leave of it."""
        place = self.ground.place(node, Need())
        words = ngettext(
            "%(number)d machine comes to %(node)s: %(room)s.", "%(number)d machines come to %(node)s: %(room)s.", number
        )
        return Foreseen(words % {"number": number, "node": node.name, "room": place.words}, not place.is_usable)

    def _leave_open(self, vm: VirtualMachine) -> Foreseen:
        """The node that most is free on stands for the one that the allocator will choose."""
        if not allocator_in(self.clusters[vm.cluster_id].info):
            return Foreseen(explain_no_allocator(), is_warning=True)
        need, rules = self._need(vm), self._rules(vm)
        nodes = [node for node in self.ground.nodes.values() if node.cluster_id == vm.cluster_id]
        for node in sorted(nodes, key=self.ground.memory_left_mib, reverse=True):
            if self.ground.place(node, need, **rules).is_usable:
                self.ground.give(node, need)
                words = _("The cluster's allocator chooses its node; there is room on %s, for instance.")
                return Foreseen(words % node.name)
        words = _("The cluster's allocator chooses its node, and none has room for it beside the others.")
        return Foreseen(words, is_warning=True)


def _sum_up_open(found: list[Foreseen]) -> Foreseen:
    number, fitting = len(found), sum(not each.is_warning for each in found)
    words = ngettext(
        "%(number)d machine goes where the allocator of its cluster says; there is room for %(fitting)d.",
        "%(number)d machines go where the allocator of their cluster says; there is room for %(fitting)d.",
        number,
    )
    return Foreseen(words % {"number": number, "fitting": fitting}, fitting < number)
