"""What is otherwise in Ganeti than here, or belongs to nobody: the rows and their list."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Q, QuerySet
from django.template import Context
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from clusters.models import Cluster, Node
from objectlog.changes import as_rows
from permissions.models import User
from permissions.policy import can_somewhere, sifting, visible
from ui.columns import Column
from ui.kept import Kept
from ui.tables import Table, declare
from ui.templatetags.parts import draw
from ui.templatetags.times import since
from ui.templatetags.units import DASH
from virtualmachines.columns import VM_TABLE
from virtualmachines.drifting import tell_drift_of
from virtualmachines.filters import MACHINES, RECONCILE
from virtualmachines.models import VirtualMachine
from virtualmachines.tags import show_told

#: Of more it is only told that there are more.
MOST = 999
#: The parts of the page, in their order. Of each it is told how many there are: an index has these machines alone.
SHOWN: Mapping[str, Any] = {
    "unowned": _("Without owner"),
    "changed": _("Changed elsewhere"),
    "missing": _("Missing"),
    "owner-tag": _("Other owner by its tag"),
}
_ODD = Q(missing_since__isnull=False) | Q(drift_since__isnull=False)


def list_reconcilable(user: User) -> QuerySet[VirtualMachine]:
    """The machines of the clusters that `user` administers."""
    return visible(user, "accept", VirtualMachine.objects.all())


def may_reconcile(user: User) -> bool:
    """Whether `user` administers a cluster."""
    return can_somewhere(user, "admin", Cluster)


def list_nodes_to_reconcile(user: User) -> QuerySet[Node]:
    """Nodes that are missing or were changed elsewhere."""
    nodes = visible(user, "accept", Node.objects.filter(_ODD)).select_related("cluster", "group").defer("raw")
    return nodes.order_by("name", "pk")


def count_to_reconcile(vms: QuerySet[VirtualMachine], nodes: QuerySet[Node] | None = None) -> dict[str, int]:
    """How many of `vms` are in each of these parts, and of `nodes`; one more than MOST where there are more. One query.

    No part is counted further than it is told: indexes have these machines alone, whatever there are besides.
    """
    counted: dict[str, QuerySet[Any]] = {part: vms.filter(RECONCILE[part]) for part in SHOWN}
    if nodes is not None:
        counted["nodes"] = nodes
    try:
        return _count({part: _some(rows).query.sql_with_params() for part, rows in counted.items()})
    except EmptyResultSet:
        return dict.fromkeys(counted, 0)  # who administers no cluster


def count_all_to_reconcile(user: User) -> dict[str, int]:
    """The same of all that `list_reconcilable` and `list_nodes_to_reconcile` list, for the overview."""
    machines, nodes = (sifting(user, "accept", model) for model in (VirtualMachine, Node))
    if machines is False or nodes is False:
        return {}
    which = None if machines is True else machines
    counted = {part: kept.statement(which) for part, kept in _IN_ALL.items()}
    return _count(counted | {"nodes": _ODD_NODES.statement(None if nodes is True else nodes)})


def _some(rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    return rows.order_by().values_list("pk")[: MOST + 1]


def _kept_part(part: str) -> Kept:
    return Kept(VirtualMachine, lambda vms: _some(vms.filter(RECONCILE[part])))


_IN_ALL = {part: _kept_part(part) for part in SHOWN}
_ODD_NODES = Kept(Node, lambda nodes: _some(nodes.filter(_ODD)))


def _count(counted: Mapping[str, tuple[str, Iterable[Any]]]) -> dict[str, int]:
    parts = [f"(SELECT COUNT(*) FROM ({sql}) AS counted)" for sql, _params in counted.values()]  # noqa: S608 - of Django's
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", [value for _sql, params in counted.values() for value in params])
        return dict(zip(counted, cursor.fetchone(), strict=True))


def _told(vm: VirtualMachine) -> list[tuple[str, str, str]]:
    return as_rows(change.as_data() for change in tell_drift_of(vm, sees_host=True))


def _changes(vm: VirtualMachine, _context: Context) -> SafeString | str:
    lines = [draw("<div>{}: <del>{}</del> <ins>{}</ins></div>", *each) for each in _told(vm)]
    return draw("{}" * len(lines), *lines) if lines else DASH


def _since(vm: VirtualMachine, _context: Context) -> object:
    when = vm.missing_since or vm.drift_since
    return DASH if when is None else since(when)


# What the changes are told by: the watched columns, and the names of the rows that they lead to.
_READ = tuple(f"{field}__name" if column.endswith("_id") else field for field, column in VirtualMachine.watched.items())
_OF_MACHINES = {column.name: column for column in VM_TABLE.columns}

RECONCILIATION_TABLE = declare(
    Table(
        name="reconciliation",
        title=_("Reconciliation"),
        kind="vm",
        language=MACHINES,
        order="name",
        fields=VM_TABLE.fields,
        columns=(
            *(_OF_MACHINES[name] for name in ("status", "name", "cluster", "owner")),
            Column(
                name="owner_tag",
                label=_("Owner by its tag"),
                about=_("As it stands in Ganeti; nobody has checked it"),
                cell=lambda vm, _context: show_told(vm.owner_tag) or DASH,
                values={"owner_tag": lambda vm: show_told(vm.owner_tag)},
                fields=("owner_tag",),
            ),
            Column(
                name="changes",
                label=_("Before and after"),
                about=_("What was changed past this program since somebody accepted it last"),
                cell=_changes,
                values={"changes": lambda vm: [f"{label}: {was} → {now}" for label, was, now in _told(vm)]},
                fields=("drift", "raw", "hypervisor", *_READ),
                width=300,
                css="wrap",
            ),
            Column(
                name="since",
                label=_("Since"),
                cell=_since,
                values={"since": lambda vm: vm.missing_since or vm.drift_since},
                fields=("drift_since",),
                css="num dim p2",
            ),
            *(_OF_MACHINES[name] for name in ("node", "vcpus", "memory", "disk", "menu")),
        ),
    )
)
