"""What the machines of a persona use of a cluster, as quotas count it."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db.models import Case, Count, F, IntegerField, Q, Sum, When

from clusters.models import Cluster
from operations.once import read_once
from permissions.models import Persona
from quotas.amounts import Amounts
from rapi.shapes.fields import whole
from virtualmachines.models import VirtualMachine
from virtualmachines.spec import Defaults, VMSpec

# A stopped machine holds its disks alone, unless the setting says otherwise; one that is to run holds all, and so does
# a row that waits to be made.
_TO_BE_STOPPED = ("down", "offline")
_IS_STOPPED = Q(admin_state__in=_TO_BE_STOPPED) & ~Q(status__in=["running", "ERROR_up"])


def usage_of(persona: Persona, cluster: Cluster, *, without: VirtualMachine | None = None) -> Amounts:
    """Sums over the rows that are there; `without` one that is about to change, whose new size is wanted as a whole."""
    rows = VirtualMachine.objects.filter(owner=persona, cluster=cluster, missing_since__isnull=True)
    if without is not None:
        rows = rows.exclude(pk=without.pk)
    return _as_amounts(rows.order_by().aggregate(**_sums()))


def read_usage(persona: Persona, cluster: Cluster) -> Amounts:
    """The same; read once while many are judged."""
    return read_once(("used", persona.pk, cluster.pk), lambda: usage_of(persona, cluster))


def usage_by_cluster(persona: Persona) -> dict[int, Amounts]:
    """The same on every cluster where the persona owns machines, by the keys of clusters. One query."""
    rows = VirtualMachine.objects.filter(owner=persona, missing_since__isnull=True).order_by()
    return {row["cluster"]: _as_amounts(row) for row in rows.values("cluster").annotate(**_sums())}


def usage_by_owner(cluster: Cluster) -> dict[int, Amounts]:
    """The same of everybody who owns machines on a cluster, by the keys of personas. One query."""
    rows = VirtualMachine.objects.filter(cluster=cluster, owner__isnull=False, missing_since__isnull=True).order_by()
    return {row["owner"]: _as_amounts(row) for row in rows.values("owner").annotate(**_sums())}


def usage_of_all() -> dict[tuple[int, int], Amounts]:
    """The same of everybody, by the keys of persona and cluster. One query."""
    rows = VirtualMachine.objects.filter(owner__isnull=False, missing_since__isnull=True).order_by()
    return {
        (row["owner"], row["cluster"]): _as_amounts(row) for row in rows.values("owner", "cluster").annotate(**_sums())
    }


def amounts_to_run(vm: VirtualMachine) -> Amounts | None:
    """How much more a machine uses when it is started; None where it is counted as one that runs already."""
    return None if _holds_all(vm) else Amounts(memory_mib=vm.memory_mib, vcpus=vm.vcpus)


def amounts_of_machine(vm: VirtualMachine) -> Amounts:
    """What one machine uses, as it is counted here."""
    holds = _holds_all(vm)
    return Amounts(vm.memory_mib if holds else 0, vm.disk_mib, vm.vcpus if holds else 0, 1)


def _holds_all(vm: VirtualMachine) -> bool:
    """Whether memory and vCPUs of one machine count, as in `_IS_STOPPED` of many."""
    return settings.GWM_QUOTAS_COUNT_STOPPED or vm.is_running or vm.admin_state not in _TO_BE_STOPPED


def _sums() -> dict[str, Any]:
    return {
        "memory": _of_running("memory_mib"),
        "disk": Sum("disk_mib"),
        "cpus": _of_running("vcpus"),
        "number": Count("pk"),
    }


def _as_amounts(sums: Mapping[str, Any]) -> Amounts:
    return Amounts(sums["memory"] or 0, sums["disk"] or 0, sums["cpus"] or 0, sums["number"])


def _of_running(column: str) -> Sum:
    if settings.GWM_QUOTAS_COUNT_STOPPED:
        return Sum(column)
    return Sum(Case(When(_IS_STOPPED, then=0), default=F(column), output_field=IntegerField()))


def growth_of(vm: VirtualMachine, after: VMSpec, defaults: Defaults) -> Amounts:
    """How much more it would use. What is stopped holds its disks alone, also when it is larger."""
    beparams = {**defaults.beparams, **after.beparams}
    holds = _holds_all(vm)
    memory, vcpus = whole(beparams.get("maxmem")), whole(beparams.get("vcpus"))
    disk = sum(each.size_mib for each in after.disks)
    return Amounts(
        memory_mib=memory - vm.memory_mib if holds and memory is not None else 0,
        disk_mib=disk - vm.disk_mib,
        vcpus=vcpus - vm.vcpus if holds and vcpus is not None else 0,
    )
