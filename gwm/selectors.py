"""Reading what spans apps: counts for the frame, sums of clusters, what needs attention, the journal of a person."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, DateTimeField, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from clusters.disclosure import JobLine
from clusters.models import Cluster, Node
from clusters.models.states import address_of
from clusters.selectors import ACTIVE, few_lines_of, have_failed, list_clusters, read_job_lines
from clusters.states import NodeTally
from gwm.cluster_list import group_of
from objectlog.models import Event
from permissions.models import User
from permissions.policy import read_visible, sifting, visible
from ui.kept import Beside, Given, Kept
from virtualmachines.filters import TROUBLE
from virtualmachines.models import VirtualMachine, is_left_of_creation
from virtualmachines.selectors import StateSum, list_vms, sum_all_by_state

FAILED_SHOWN_FOR = timedelta(hours=1)
ATTENTION_FOR = timedelta(hours=24)
DOCK_JOBS = 20
# One more than a page shows.
MOST_FAILED, MOST_TROUBLED = 13, 13
# How old what we know of a cluster is: in the row of its updates.
AGES = ("schedule__synced_at", "schedule__live_at")


class ClusterInFrame(NamedTuple):
    """A cluster as the navigation shows it: a hundred of them are read for every page, so they are no whole rows."""

    pk: int
    slug: str
    unreachable_since: datetime | None
    last_error: str
    last_error_kind: str
    answers_at: str
    synced_at: datetime | None


def list_clusters_for_frame(user: User) -> tuple[list[ClusterInFrame], dict[int, NodeTally]]:
    """The clusters of the navigation, and by their keys the nodes that `user` may see. One query."""
    which, nodes = sifting(user, "view", Cluster), sifting(user, "view", Node)
    if which is False:
        return [], {}
    sifted = None if which is True else which
    if nodes is False:
        return [ClusterInFrame(*row) for row in _IN_FRAME.read(sifted)], {}
    sql, values = _TALLIES.statement(None if nodes is True else nodes)
    tallies = Beside(
        (f"({sql}) AS tally", values), "tally.cluster_id", "pk", f"tally.{', tally.'.join(_TALLIED)}", (), "kept.slug"
    )
    clusters, found = [], {}
    for row in _IN_FRAME.read_with(tallies, sifted):
        cluster, numbers = ClusterInFrame(*row[: -len(_TALLIED)]), row[-len(_TALLIED) :]
        clusters.append(cluster)
        if numbers[0] is not None:
            found[cluster.pk] = NodeTally(*numbers)
    return clusters, found


_IN_FRAME = Kept(
    Cluster,
    lambda clusters: clusters.order_by("slug").values_list(*ClusterInFrame._fields[:-1], "schedule__synced_at"),
)


def list_ages(user: User, keys: list[int]) -> dict[int, dict[str, datetime]]:
    """When clusters were read (`synced`: complete, `live`: live state, `read`: either), by key.

    Who sees a machine sees how old its state is, and no more of its cluster.
    """
    seen = Q(pk__in=list_clusters(user).values("pk")) | Q(pk__in=list_vms(user).order_by().values("cluster_id"))
    rows = Cluster.objects.filter(seen, pk__in=keys).values_list("pk", *AGES)
    return {
        pk: {
            name: when
            for name, when in (("synced", synced), ("live", live), ("read", live or synced))
            if when is not None
        }
        for pk, synced, live in rows
    }


_ONLINE = Q(offline=False)
_DRAINED, _UNRESPONSIVE = _ONLINE & Q(drained=True), _ONLINE & Q(answers=False)


# In the order in which NodeTally has them.
_TALLIED = {
    "nodes": Count("*"),
    "drained": Count("pk", filter=_DRAINED),
    "unresponsive": Count("pk", filter=_UNRESPONSIVE),
}
_TALLIES = Kept(
    Node,
    lambda nodes: nodes.filter(missing_since__isnull=True).order_by().values_list("cluster_id").annotate(**_TALLIED),
)


def list_dock_jobs(user: User) -> list[JobLine]:
    """The jobs of the dock: under way, or failed lately. One query."""
    return read_job_lines(user, _IN_DOCK, lately=timezone.now() - FAILED_SHOWN_FOR)


_LATELY = Given("lately", DateTimeField())
_IN_DOCK = few_lines_of(lambda jobs: jobs.filter(Q(status__in=ACTIVE) | have_failed(_LATELY)), DOCK_JOBS)


class ClusterInLine(NamedTuple):
    """A cluster as one line of a list shows it, no whole row either."""

    pk: int
    slug: str
    description: str
    username: str
    read_only: bool
    is_demo: bool
    software_version: str
    default_hypervisor: str
    master: str
    host: str
    port: int
    uuid: str
    created_at: datetime
    unreachable_since: datetime | None
    last_error: str
    last_error_kind: str
    answers_at: str
    synced_at: datetime | None

    @property
    def is_read_only(self) -> bool:
        """As the model says it."""
        return self.read_only or not self.username


class ClusterSums(NamedTuple):
    """A cluster in one line. Sizes are MiB; `counts` is by group of states, under "" the sum without missing ones."""

    cluster: ClusterInLine
    counts: dict[str, int]
    memory_allocated: int = 0
    disk_allocated: int = 0
    vcpus: int = 0
    nodes: int = 0
    nodes_online: int = 0
    nodes_drained: int = 0
    nodes_unresponsive: int = 0
    memory_total: int | None = None
    memory_used: int | None = None
    disk_total: int | None = None
    disk_used: int | None = None
    cpus: int | None = None

    @property
    def tally(self) -> NodeTally:
        """The nodes, as the cluster's state is judged by them."""
        return NodeTally(self.nodes, self.nodes_drained, self.nodes_unresponsive)

    @property
    def running(self) -> int:
        """Machines that run."""
        return self.counts.get("running", 0)

    @property
    def machines(self) -> int:
        """Machines that are there."""
        return self.counts.get("", 0)

    @property
    def status(self) -> str:
        """How its updates go."""
        return group_of(self.cluster)

    @property
    def memory_share(self) -> float | None:
        """Which part of its memory is in use."""
        return self.memory_used / self.memory_total if self.memory_total and self.memory_used is not None else None

    @property
    def disk_share(self) -> float | None:
        """Which part of its disks is in use."""
        return self.disk_used / self.disk_total if self.disk_total and self.disk_used is not None else None

    @property
    def memory_unused(self) -> int | None:
        """Memory allocated to machines beyond what is in use."""
        return max(0, self.memory_allocated - self.memory_used) if self.memory_used is not None else None

    @property
    def disk_unused(self) -> int | None:
        """Disk allocated to machines beyond what is in use."""
        return max(0, self.disk_allocated - self.disk_used) if self.disk_used is not None else None


_CLUSTER_ROW = (*ClusterInLine._fields[:-1], "schedule__synced_at")


def summarize_clusters(user: User, clusters: QuerySet[Cluster]) -> list[ClusterSums]:
    """The sums of some `clusters`, in three queries however many there are."""
    found = [ClusterInLine(*row) for row in clusters.values_list(*_CLUSTER_ROW)]
    if not found:
        return []
    keys = [cluster.pk for cluster in found]
    nodes = visible(user, "view", Node.objects.filter(cluster__in=keys))
    return _sum_up(found, sum_all_by_state(user, keys), _sum_nodes(nodes))


def summarize_all_clusters(user: User, states: Iterable[StateSum]) -> list[ClusterSums]:
    """The sums of all clusters that `user` may see, where `states` are those of all their machines. Two queries."""
    found = [ClusterInLine(*row) for row in read_visible(user, "view", _ALL_CLUSTERS)]
    return _sum_up(found, states, read_visible(user, "view", _ALL_NODES)) if found else []


def _sum_up(found: list[ClusterInLine], states: Iterable[StateSum], of_nodes: Iterable[Any]) -> list[ClusterSums]:
    counts: dict[int, dict[str, int]] = defaultdict(lambda: {"": 0})
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for each in states:
        of_cluster = counts[each.cluster]
        of_cluster[each.group] = of_cluster.get(each.group, 0) + each.machines
        if each.group == "missing":
            continue
        of_cluster[""] += each.machines
        summed = sums[each.cluster]
        summed[1] += each.disk
        if each.group != "stopped":
            summed[0] += each.memory
            summed[2] += each.vcpus
    nodes = {cluster: numbers for cluster, *numbers in of_nodes}
    return [
        ClusterSums(cluster, counts[cluster.pk], *sums[cluster.pk], *nodes.get(cluster.pk, ())) for cluster in found
    ]


def _sum_nodes(nodes: QuerySet[Node]) -> QuerySet[Any, Any]:
    """By cluster; in the order in which ClusterSums has them."""
    return (
        nodes.filter(missing_since__isnull=True)
        .order_by()
        .values_list("cluster_id")
        .annotate(
            nodes=Count("*"),
            nodes_online=Count("pk", filter=_ONLINE & Q(answers=True)),
            nodes_drained=Count("pk", filter=_DRAINED),
            nodes_unresponsive=Count("pk", filter=_UNRESPONSIVE),
            memory_total=Sum("memory_total_mib", filter=_ONLINE),
            memory_used=Sum(F("memory_total_mib") - F("memory_free_mib"), filter=_ONLINE),
            disk_total=Sum("disk_total_mib", filter=_ONLINE),
            disk_used=Sum(F("disk_total_mib") - F("disk_free_mib"), filter=_ONLINE),
            cpus=Sum("cpu_total", filter=_ONLINE),
        )
    )


_ALL_CLUSTERS = Kept(Cluster, lambda clusters: clusters.values_list(*_CLUSTER_ROW))
_ALL_NODES = Kept(Node, _sum_nodes)


class VMLine(NamedTuple):
    """A machine as one line shows it that says how it is and where, no whole row."""

    name: str
    uuid: str
    status: str
    missing_since: datetime | None
    busy_with: str
    busy_entry: UUID | None
    cluster: str
    node: str | None

    @property
    def address(self) -> str:
        """As of a row."""
        return address_of(self)

    @property
    def was_never_made(self) -> bool:
        """As of a row."""
        return is_left_of_creation(self)


_VM_LINE = (*VMLine._fields[:-2], "cluster__slug", "primary_node__name")


def list_vms_in_trouble(user: User, *, with_missing: bool) -> list[VMLine]:
    """The first MOST_TROUBLED that crashed or sit on dead nodes, then missing ones. One query, two `with_missing`."""
    found = read_visible(user, "view", _TROUBLED)
    if with_missing:
        found += read_visible(user, "view", _MISSING)
    return [VMLine(*row) for row in found[:MOST_TROUBLED]]


_TROUBLED = Kept(
    VirtualMachine,
    lambda vms: (
        vms.filter(status__in=TROUBLE, missing_since__isnull=True)
        .order_by("status")
        .values_list(*_VM_LINE)[:MOST_TROUBLED]
    ),
)
_MISSING = Kept(
    VirtualMachine,
    lambda vms: (
        vms.filter(missing_since__isnull=False).order_by("missing_since").values_list(*_VM_LINE)[:MOST_TROUBLED]
    ),
)


def list_failed_jobs(user: User) -> list[JobLine]:
    """The last MOST_FAILED jobs that failed within a day and were not cleared. One query."""
    return read_job_lines(user, _FAILED, lately=timezone.now() - ATTENTION_FOR)


_FAILED = few_lines_of(lambda jobs: jobs.filter(have_failed(_LATELY)), MOST_FAILED)


def events_about(events: QuerySet[Event], kind: str, pk: int) -> QuerySet[Event]:
    """Those of `events` that are about one object."""
    return events.filter(target_kind=kind, target_pk=pk)


def events_of(events: QuerySet[Event], person_pk: int) -> QuerySet[Event]:
    """Those of `events` that somebody did, or that are about their account."""
    return events.filter(Q(actor=person_pk) | Q(target_kind="person", target_pk=person_pk))


def events_on(events: QuerySet[Event], cluster_pk: int) -> QuerySet[Event]:
    """Those of `events` that are about a cluster or anything on it."""
    return events.filter(cluster_pk=cluster_pk)


def with_links(events: QuerySet[Event]) -> QuerySet[Event]:
    """`events`, each with `cluster_slug`: what URLs call its cluster now, if it is there."""
    return events.annotate(cluster_slug=Subquery(Cluster.objects.filter(pk=OuterRef("cluster_pk")).values("slug")))
