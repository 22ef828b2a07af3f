"""Reading machines: always for somebody, and only what they may see (else Http404)."""

from collections import Counter
from typing import Any

from django.db.models import Count, IntegerField, Q, QuerySet, Sum
from django.db.models.functions import Cast, Coalesce

from clusters.models import Node
from clusters.moved import find_row
from permissions.models import User
from permissions.policy import visible
from ui.filtering import Wanted
from virtualmachines.columns import VM_TABLE
from virtualmachines.filters import GROUPS, group_of
from virtualmachines.models import VirtualMachine


def list_vms(user: User) -> QuerySet[VirtualMachine]:
    """The machines `user` may see."""
    return visible(user, "view", VirtualMachine.objects.all())


def list_vms_with_all(user: User) -> QuerySet[VirtualMachine]:
    """The same with their clusters, nodes and owners: for pages of one machine."""
    related = ("cluster__schedule", "primary_node", "secondary_node", "owner__user", "owner__group")
    return list_vms(user).select_related(*related).defer("cluster__info", "cluster__operating_systems")


def filter_vms(vms: QuerySet[VirtualMachine], wanted: Wanted) -> QuerySet[VirtualMachine]:
    """Those of `vms` that match."""
    return vms.filter(wanted.asked.condition)


def count_by_group(vms: QuerySet[VirtualMachine]) -> dict[str, int]:
    """How many of `vms` are in each group of states; under "" the sum. One query."""
    numbers: Counter[str] = Counter()
    for row in _by_state(vms).annotate(number=Count("*")):
        numbers[_group_of(row)] += row["number"]
    return {"": numbers.total(), **{name: numbers[name] for name in GROUPS}}


def sum_by_state(vms: QuerySet[VirtualMachine]) -> list[dict[str, Any]]:
    """Number, memory, disk (MiB) and vCPUs of `vms` by cluster and group of states; a pair may occur more than once."""
    found = _by_state(vms).annotate(
        number=Count("*"), memory=Sum(_small("memory_mib")), disk=Sum(_small("disk_mib")), cpus=Sum("vcpus")
    )
    return [{**row, "group": _group_of(row)} for row in found]


def _small(field: str) -> Cast:
    """A size in four bytes, which is up to 2 PiB: PostgreSQL adds these up many times as fast as those of eight."""
    return Cast(field, IntegerField())


def _by_state(vms: QuerySet[VirtualMachine]) -> QuerySet[Any, Any]:
    """`vms` grouped by just what the index `vm_counted` is ordered by: one run through it, however many there are."""
    return vms.order_by().values("cluster_id", "status", "missing_since", "busy_entry")


def _group_of(row: Any) -> str:
    return group_of(row["status"], is_missing=row["missing_since"] is not None, is_busy=row["busy_entry"] is not None)


def rows_of(vms: QuerySet[VirtualMachine]) -> QuerySet[VirtualMachine]:
    """`vms` with what a list shows if nobody has chosen otherwise, in one query."""
    rows: QuerySet[VirtualMachine] = VM_TABLE.load(vms, VM_TABLE.pick(None))
    return rows


def vms_on_node(vms: QuerySet[VirtualMachine], node: Node, *, is_primary: bool) -> QuerySet[VirtualMachine]:
    """Those of `vms` whose primary (or secondary) node this is."""
    return vms.filter(Q(primary_node=node) if is_primary else Q(secondary_node=node), missing_since__isnull=True)


def get_vm(user: User, slug: str, name: str) -> VirtualMachine:
    """One machine with what `list_vms_with_all` gives, see `clusters.moved.find_row`. Http404, Moved."""
    return find_row(list_vms_with_all(user), "instance", slug, name)


def sum_on_node(vms: QuerySet[VirtualMachine], node: Node) -> dict[str, int]:
    """What a node has promised, MiB: memory and vCPUs to those of its machines that should run, disk to all of them."""
    there = vms.filter(missing_since__isnull=True)
    up = Q(admin_state="up")
    primary = there.filter(primary_node=node).aggregate(
        primary=Count("*"),
        running=Count("pk", filter=Q(status="running")),
        memory_promised=Coalesce(Sum("memory_mib", filter=up), 0),
        vcpus_promised=Coalesce(Sum("vcpus", filter=up), 0),
        disk_promised=Coalesce(Sum("disk_mib"), 0),
    )
    secondary = there.filter(secondary_node=node).aggregate(
        secondary=Count("*"), disk_mirrored=Coalesce(Sum("disk_mib"), 0)
    )
    in_all = primary["disk_promised"] + secondary["disk_mirrored"]
    return {**primary, **secondary, "disk_promised_in_all": in_all}
