"""Reading machines: always for somebody, and only what they may see (else Http404)."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.http import Http404

from clusters.models import Cluster, Node
from clusters.moved import Moved, find_row
from objectlog.models import Entry
from objectlog.sentences import CHECK
from operations.triggers import are_there
from permissions.models import User
from permissions.policy import as_statement, by_parent, can, visible, visible_by_parent
from rapi.shapes.fields import BadRecord
from rapi.shapes.instance import InstanceInfo
from ui.filtering import Wanted
from ui.kept import Condition, Kept
from ui.paging import DEEPEST
from virtualmachines.columns import VM_TABLE
from virtualmachines.deleted import explain_gone
from virtualmachines.filters import GROUPS, group_of
from virtualmachines.models import MachineCount, VirtualMachine
from virtualmachines.spec import VMSpec, read_spec
from virtualmachines.spec.copying import as_settings, without_guarded


def list_vms(user: User) -> QuerySet[VirtualMachine]:
    """The machines `user` may see."""
    return visible(user, "view", VirtualMachine.objects.all())


_RELATED = ("cluster__schedule", "primary_node", "secondary_node", "owner__user", "owner__group")
# What no operation on one machine asks of what it belongs to.
_UNASKED = ("cluster__info", "cluster__operating_systems", "primary_node__raw", "secondary_node__raw")
# What the pages of one machine show of it, and what its buttons ask of it: a quarter of the columns.
_SHOWN = (
    *(f"cluster__{name}" for name in ("slug", "host", "username", "read_only", "is_demo", "cd_images")),
    *(f"cluster__{name}" for name in ("unreachable_since", "last_error", "schedule__synced_at", "schedule__live_at")),
    *(f"{node}__{name}" for node in ("primary_node", "secondary_node") for name in ("name", "offline", "drained")),
    *("primary_node__primary_ip", "owner__user__username", "owner__group__name"),
)


def list_vms_with_all(user: User) -> QuerySet[VirtualMachine]:
    """The same with their clusters, nodes and owners: for what is done to one machine."""
    return list_vms(user).select_related(*_RELATED).defer(*_UNASKED)


def list_vms_to_show(user: User) -> QuerySet[VirtualMachine]:
    """The same with what pages of one machine show of all that. Wide rows take Django long."""
    own = (field.name for field in VirtualMachine._meta.concrete_fields)
    return list_vms(user).select_related(*_RELATED).only(*own, *_SHOWN)


def filter_vms(vms: QuerySet[VirtualMachine], wanted: Wanted) -> QuerySet[VirtualMachine]:
    """Those of `vms` that match."""
    return vms.filter(wanted.asked.condition)


class StateSum(NamedTuple):
    """Machines in a state: how many and, where they are told by cluster, of which and how large (MiB)."""

    group: str
    is_missing: bool
    machines: int
    cluster: int = 0
    memory: int = 0
    disk: int = 0
    vcpus: int = 0


def count_by_group(
    vms: QuerySet[VirtualMachine],
    asked: QuerySet[VirtualMachine] | None = None,
    *,
    is_group: bool = False,
    deepest: int = DEEPEST,
) -> tuple[dict[str, int | None], int | None]:
    """How many of `vms` are in each group of states, under "" the sum; and how many of them are `asked` for, None where
    the former tells it, for `is_group`: these are one of the groups. One query, as it costs to look for words.

    Of more than pages show (`ui.paging`) it is only told that there are more.
    """
    some = vms.order_by().values_list("status", "missing_since", "busy_entry")[: deepest + 1]
    numbers: Counter[str] = Counter()
    also, values = "NULL", ()
    try:
        sql, params = some.query.sql_with_params()
    except EmptyResultSet:
        return {"": 0, **dict.fromkeys(GROUPS, 0)}, 0
    if asked is not None:
        try:
            counted, values = asked.order_by().values("pk")[: deepest + 1].query.sql_with_params()
            also = f"(SELECT COUNT(*) FROM ({counted}) AS asked)"  # noqa: S608 - of Django's
            if is_group:
                also = f"CASE WHEN SUM(COUNT(*)) OVER () > {deepest} THEN {also} END"
        except EmptyResultSet:  # a state that there is not, of machines that there are
            also = "0"
    key = "status, missing_since IS NOT NULL, busy_entry IS NOT NULL"
    statement = f"SELECT {key}, COUNT(*), {also} FROM ({sql}) AS found GROUP BY {key}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, (*values, *params))
        rows = cursor.fetchall()
    for status, is_missing, is_busy, number, _asked in rows:
        numbers[group_of(status, is_missing=is_missing, is_busy=is_busy)] += number
    total = numbers.total()
    counts = {"": total, **{name: numbers[name] if total <= deepest else None for name in GROUPS}}
    return counts, rows[0][-1] if rows else 0


def count_all_by_state(user: User, slug: str = "") -> list[StateSum]:
    """How many machines `user` may see, in all or on one cluster."""
    return _all_by_state(user, {"cluster__slug": slug} if slug else {}, by_cluster=False)


def count_there(states: Iterable[StateSum]) -> int:
    """How many of them are there."""
    return sum(each.machines for each in states if not each.is_missing)


def sum_all_by_state(user: User, clusters: Collection[int] | None = None) -> list[StateSum]:
    """Sums of all machines that `user` may see, of these clusters alone if there are any given; there can be several of
    a cluster and group."""
    return _all_by_state(user, {"cluster__in": clusters} if clusters is not None else {}, by_cluster=True)


def sum_by_group(sums: Iterable[StateSum]) -> dict[str, int]:
    """How many are in each group; under "" the sum."""
    numbers: Counter[str] = Counter()
    for each in sums:
        numbers[each.group] += each.machines
    return {"": numbers.total(), **{name: numbers[name] for name in GROUPS}}


_SIZES = {"sum_memory": Sum("memory_mib"), "sum_disk": Sum("disk_mib"), "sum_vcpus": Sum("vcpus")}


def _all_by_state(user: User, which: Mapping[str, Any], *, by_cluster: bool) -> list[StateSum]:
    """What is kept of the clusters all of whose machines `user` may see (virtualmachines.counts), and the rest counted:
    the few machines that are theirs one by one. One query."""
    if are_there(connection) and not which:
        return _told_by_state(_read_all(user, by_cluster=by_cluster), by_cluster=by_cluster)
    vms = VirtualMachine.objects.filter(**which).order_by()
    if not are_there(connection):
        return _told_by_state(_count(visible(user, "view", vms), by_cluster=by_cluster), by_cluster=by_cluster)
    clusters, others = visible_by_parent(user, "view", vms)
    found = _sum_kept(MachineCount.objects.filter(cluster__in=clusters).filter(**which), by_cluster=by_cluster)
    if not others.query.is_empty():
        found = found.union(_count(others, by_cluster=by_cluster), all=True)
    return _told_by_state(found, by_cluster=by_cluster)


def _read_all(user: User, *, by_cluster: bool) -> Iterable[Any]:
    """The same rows by statements that are written once."""
    covered, rows = by_parent(user, "view", VirtualMachine)
    kept, counted = _SUMS if by_cluster else _COUNTS
    below = Q(cluster__in=covered.parents)
    parts: tuple[tuple[Kept, Condition | bool], ...] = ((kept, True),)
    if not covered.everything:
        parts = (kept, as_statement(below, MachineCount)), (counted, as_statement(rows & ~below, VirtualMachine))
    asked = [each.statement(None if which is True else which) for each, which in parts if which is not False]
    if not asked:
        return []
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(sql for sql, _params in asked), [each for _sql, all in asked for each in all])
        found: list[Any] = cursor.fetchall()
    return found


def _sum_kept(counts: QuerySet[MachineCount], *, by_cluster: bool) -> QuerySet[Any, Any]:
    key, sizes = (["cluster_id"], _SIZES) if by_cluster else ([], {})
    states = counts.order_by().values_list("status", "is_missing", "is_busy", *key)
    return states.annotate(sum_machines=Sum("machines"), **sizes)


def _count(vms: QuerySet[VirtualMachine], *, by_cluster: bool) -> QuerySet[Any, Any]:
    key, sizes = (["cluster_id"], _SIZES) if by_cluster else ([], {})
    flags = {
        name: ExpressionWrapper(Q(**{f"{field}__isnull": False}), BooleanField())
        for name, field in (("has_gone", "missing_since"), ("has_entry", "busy_entry"))
    }
    states = vms.order_by().annotate(**flags).values_list("status", *flags, *key)
    return states.annotate(sum_machines=Count("*"), **sizes)


_SUMS, _COUNTS = (
    (
        Kept(MachineCount, partial(_sum_kept, by_cluster=by_cluster)),
        Kept(VirtualMachine, partial(_count, by_cluster=by_cluster), along="vm_by_key"),
    )
    for by_cluster in (True, False)
)


def _told_by_state(found: Iterable[Any], *, by_cluster: bool) -> list[StateSum]:
    sums = []
    for status, is_missing, is_busy, *numbers in found:
        cluster = numbers.pop(0) if by_cluster else 0
        group = group_of(status, is_missing=is_missing, is_busy=is_busy)
        sums.append(StateSum(group, bool(is_missing), int(numbers[0]), cluster, *map(int, numbers[1:])))
    return sums


def rows_of(vms: QuerySet[VirtualMachine]) -> QuerySet[VirtualMachine]:
    """`vms` with what a list shows if nobody has chosen otherwise, in one query."""
    rows: QuerySet[VirtualMachine] = VM_TABLE.load(vms, VM_TABLE.pick(None))
    return rows


def vms_on_node(vms: QuerySet[VirtualMachine], node: Node, *, is_primary: bool) -> QuerySet[VirtualMachine]:
    """Those of `vms` whose primary (or secondary) node this is."""
    return vms.filter(Q(primary_node=node) if is_primary else Q(secondary_node=node), missing_since__isnull=True)


def get_vm(user: User, slug: str, name: str, *, to_show: bool = False) -> VirtualMachine:
    """One machine with what `list_vms_with_all` gives, or only `to_show` it, see `clusters.moved.find_row`. Http404,
    Moved, Deleted."""
    try:
        return find_row((list_vms_to_show if to_show else list_vms_with_all)(user), "instance", slug, name)
    except Moved:
        raise
    except Http404 as missing:
        raise explain_gone(user, slug, name) or missing from missing


def settings_of(user: User, vm: VirtualMachine) -> tuple[VMSpec, list[str]] | None:
    """Its settings for another machine, and the names of those that `user` may neither set nor see, left out.

    None: what is kept of it can't be read, as an older release has written it.
    """
    try:
        spec = as_settings(read_spec(InstanceInfo.parse(vm.raw)))
    except BadRecord:
        return None
    return (spec, []) if can(user, "admin", vm.cluster) else without_guarded(spec)


def creation_of_vm(vm: VirtualMachine) -> Entry | None:
    """How far its creation has come, or why it failed, while Ganeti has no machine of it. One query, for such alone."""
    if vm.uuid:
        return None
    return Entry.objects.filter(verb="vm.create", target_kind="vm", target_pk=vm.pk).order_by("-pk").first()


def list_clusters_to_create_on(user: User) -> QuerySet[Cluster]:
    """The clusters on which `user` may create machines, without what is large."""
    return visible(user, "create_vm", Cluster.objects.order_by("slug")).defer("info", "operating_systems")


def find_vm_called(user: User, called: str) -> VirtualMachine | None:
    """The machine that is called so, cluster/name, if `user` may see what it is made of: there is a record of it."""
    slug, _slash, name = called.strip().partition("/")
    there = list_vms(user).filter(cluster__slug=slug, name=name.lower(), missing_since=None).exclude(uuid="")
    return there.first()


def is_seen(user: User, cluster: Cluster, name: str) -> bool:
    """Whether there is a machine of this name which `user` may see, also one that is only being created."""
    return list_vms(user).filter(cluster=cluster, name=name, missing_since=None).exists()


def find_creation(user: User, uuid: str) -> Entry | None:
    """A creation, or a check of one, that `user` asked for."""
    return _asked_by(user, uuid).filter(verb__in=["vm.create", "vm.create" + CHECK]).first()


def find_change(user: User, vm: VirtualMachine, uuid: str) -> Entry | None:
    """A change of this machine's settings, or a check of one, that `user` asked for."""
    asked = _asked_by(user, uuid).filter(target_kind="vm", target_pk=vm.pk)
    return asked.filter(verb__in=["vm.modify", "vm.modify" + CHECK]).first()


def _asked_by(user: User, uuid: str) -> QuerySet[Entry]:
    try:
        return Entry.objects.filter(uuid=UUID(uuid), actor=user)
    except ValueError:
        return Entry.objects.none()


def sum_on_node(vms: QuerySet[VirtualMachine], node: Node) -> dict[str, int]:
    """What of a node is allocated, MiB: memory and vCPUs to machines that should run, disk to all of them."""
    there = vms.filter(missing_since__isnull=True)
    up = Q(admin_state="up")
    primary = there.filter(primary_node=node).aggregate(
        primary=Count("*"),
        running=Count("pk", filter=Q(status="running")),
        memory_allocated=Coalesce(Sum("memory_mib", filter=up), 0),
        vcpus_allocated=Coalesce(Sum("vcpus", filter=up), 0),
        disk_allocated=Coalesce(Sum("disk_mib"), 0),
    )
    secondary = there.filter(secondary_node=node).aggregate(
        secondary=Count("*"), disk_mirrored=Coalesce(Sum("disk_mib"), 0)
    )
    in_all = primary["disk_allocated"] + secondary["disk_mirrored"]
    return {**primary, **secondary, "disk_allocated_in_all": in_all}
