"""Rows for the tags of machines, in step with the column that shows them."""

from collections.abc import Iterable

from django.db.models import Q

from clusters.models import Cluster
from clusters.sync.rows import Plan
from virtualmachines.models import MachineTag, VirtualMachine

_BATCH = 500


def tags_changed(plan: Plan) -> list[Q]:
    """Which machines have other tags once the plan is written, some at a time; where none has, nothing is asked."""
    changed = [pk for pk, values in plan.changed.items() if "tags" in values]
    new = [uuid for uuid, values in plan.new.items() if values.get("tags")]
    found = [Q(pk__in=changed[start : start + _BATCH]) for start in range(0, len(changed), _BATCH)]
    return [*found, *(Q(uuid__in=new[start : start + _BATCH]) for start in range(0, len(new), _BATCH))]


def mirror_tags(cluster: Cluster, which: Q) -> int:
    """Write for these machines the rows that differ from their columns, which are read anew; how many.

    An update leaves out rows that somebody else wrote meanwhile; therefore not what was planned counts, but what is.
    """
    wanted = {
        (pk, tag)
        for pk, tags in VirtualMachine.objects.filter(which, cluster=cluster).order_by().values_list("pk", "tags")
        for tag in tags
    }
    machines = VirtualMachine.objects.filter(which, cluster=cluster).order_by().values("pk")
    present = {
        (machine, tag): pk
        for pk, machine, tag in MachineTag.objects.filter(machine__in=machines).values_list("pk", "machine_id", "tag")
    }
    return _write(wanted - present.keys(), [pk for pair, pk in present.items() if pair not in wanted])


def _write(missing: Iterable[tuple[int, str]], surplus: list[int]) -> int:
    rows = [MachineTag(machine_id=machine, tag=tag) for machine, tag in sorted(missing)]
    if surplus:
        MachineTag.objects.filter(pk__in=surplus).delete()
    if rows:
        MachineTag.objects.bulk_create(rows, batch_size=_BATCH, ignore_conflicts=True)
    return len(rows) + len(surplus)


def mirror_all_tags() -> int:
    """The same for all machines: after a release that knows the columns alone has run on these tables for a while."""
    wanted = {
        (pk, tag)
        for pk, tags in VirtualMachine.objects.exclude(tags=[]).order_by().values_list("pk", "tags")
        for tag in tags
    }
    rows = MachineTag.objects.order_by().values_list("pk", "machine_id", "tag")
    present = {(machine, tag): pk for pk, machine, tag in rows}
    surplus = [pk for pair, pk in present.items() if pair not in wanted]
    return sum(_write((), surplus[start : start + _BATCH]) for start in range(0, len(surplus), _BATCH)) + _write(
        wanted - present.keys(), []
    )
