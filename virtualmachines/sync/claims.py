"""What an operation has claimed of a quota, and its machine shows while its job still runs: it counts once."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction

from clusters.models import Cluster
from clusters.sync.rows import lock_writers
from quotas.amounts import Amounts
from quotas.services import take_from_claim
from virtualmachines.models import VirtualMachine
from virtualmachines.usage import amounts_of_machine

# By which columns a quota counts a machine.
COUNTED = frozenset({"admin_state", "status", "memory_mib", "disk_mib", "vcpus"})


@contextmanager
def counting_once(cluster: Cluster, entries: Collection[UUID]) -> Iterator[None]:
    """Around the writing of machines on which these operations are under way: what a machine uses more afterwards is
    taken from the claim of its operation, in the same transaction."""
    if not entries:
        yield
        return
    with transaction.atomic():
        lock_writers(cluster)
        before = _amounts(cluster, entries)
        yield
        for entry, now in _amounts(cluster, entries).items():
            take_from_claim(entry, now - before.get(entry, now))


def _amounts(cluster: Cluster, entries: Collection[UUID]) -> dict[UUID, Amounts]:
    rows = VirtualMachine.objects.filter(cluster=cluster, busy_entry__in=entries)
    return {vm.busy_entry: amounts_of_machine(vm) for vm in rows if vm.busy_entry is not None}
