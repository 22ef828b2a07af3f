"""Counts that are kept, while real processes change machines of one cluster in opposite orders and fold the rest."""

from __future__ import annotations

import pytest

from tests.processes.commands import Commands

pytestmark = [pytest.mark.standalone, pytest.mark.feature("G052")]

MAKE = """
from clusters.models import Cluster
from virtualmachines.models import VirtualMachine
cluster = Cluster.objects.create(slug="lab", host="192.0.2.1")
VirtualMachine.objects.bulk_create(
    VirtualMachine(cluster=cluster, name=f"vm{number}", status="running", memory_mib=number) for number in range(20)
)
print(VirtualMachine.objects.earliest("pk").pk)
"""
# One process goes from running to stopped and back, the other the other way round.
CHANGE = """
from django.db import transaction
from virtualmachines.models import VirtualMachine
machines = VirtualMachine.objects.filter(pk__in=range({first}, {first} + 10))
for turn in range(15):
    with transaction.atomic():
        for status in ("ADMIN_down", "running")[::{step}]:
            machines.update(status=status, memory_mib=turn)
machines.update(status="running")
"""
FOLD = """
from virtualmachines.counts import check_counts, fold
for turn in range(20):
    fold()
    assert check_counts() == [], turn
"""
END = """
from virtualmachines.counts import check_counts, fold
from virtualmachines.models import MachineCount
assert check_counts() == []
fold()
print(sorted(MachineCount.objects.values_list("status", "machines")))
"""


def test_processes_that_change_machines_at_once_neither_wait_in_a_circle_nor_miscount(
    commands: Commands,
) -> None:
    def shell(code: str) -> list[str]:
        return ["shell", "-v0", "-c", code]

    first = int(commands.manage(*shell(MAKE)))
    codes = [CHANGE.format(first=first, step=1), CHANGE.format(first=first + 10, step=-1), FOLD, FOLD]
    processes = [commands.start(*shell(code)) for code in codes]
    for process in processes:
        process.end()
    assert commands.manage(*shell(END)).strip() == "[('running', 20)]"
