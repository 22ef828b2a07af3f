"""What the machines of a persona use of a cluster, as quotas count it."""

from django.db.models import Case, Count, F, IntegerField, Q, Sum, When

from clusters.models import Cluster
from permissions.models import Persona
from quotas.amounts import Amounts
from virtualmachines.models import VirtualMachine
from virtualmachines.spec import Defaults, VMSpec

# A stopped machine holds its disks alone; one that is to run holds all, and so does a row that waits to be made.
_IS_STOPPED = Q(admin_state__in=["down", "offline"]) & ~Q(status__in=["running", "ERROR_up"])


def usage_of(persona: Persona, cluster: Cluster, *, without: VirtualMachine | None = None) -> Amounts:
    """Sums over the rows that are there; `without` one that is about to change, whose new size is wanted as a whole."""
    rows = VirtualMachine.objects.filter(owner=persona, cluster=cluster, missing_since__isnull=True)
    if without is not None:
        rows = rows.exclude(pk=without.pk)
    sums = rows.order_by().aggregate(
        memory=_of_running("memory_mib"),
        disk=Sum("disk_mib"),
        vcpus=_of_running("vcpus"),
        machines=Count("pk"),
    )
    return Amounts(sums["memory"] or 0, sums["disk"] or 0, sums["vcpus"] or 0, sums["machines"])


def _of_running(column: str) -> Sum:
    return Sum(Case(When(_IS_STOPPED, then=0), default=F(column), output_field=IntegerField()))


def growth_of(vm: VirtualMachine, after: VMSpec, defaults: Defaults) -> Amounts:
    """How much more it would use. What is stopped holds its disks alone, also when it is larger."""
    beparams = {**defaults.beparams, **after.beparams}
    holds = vm.admin_state == "up" or vm.is_running
    memory, vcpus = beparams.get("maxmem", vm.memory_mib), beparams.get("vcpus", vm.vcpus)
    disk = sum(each.size_mib for each in after.disks)
    return Amounts(
        memory_mib=int(memory) - vm.memory_mib if holds else 0,
        disk_mib=disk - vm.disk_mib,
        vcpus=int(vcpus) - vm.vcpus if holds else 0,
    )
