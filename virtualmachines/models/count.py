"""Sums of machines, kept where they change. See virtualmachines.counts."""

from django.db import models

from clusters.models import Cluster


class MachineCount(models.Model):
    """A part of how many machines of a cluster are in a state, and how large they are: all rows of a state add up.

    A change of a machine adds a row, with what came or went. So no two writers wait for each other, and a change
    counts with the transaction that makes it.
    """

    # No constraint: rows that go with their cluster leave what they take off here.
    cluster = models.ForeignKey(Cluster, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    status = models.CharField(max_length=20, blank=True)
    is_missing = models.BooleanField()
    is_busy = models.BooleanField()
    machines = models.BigIntegerField()
    memory_mib = models.BigIntegerField()
    disk_mib = models.BigIntegerField()
    vcpus = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.machines:+d} {self.status}"


class CountCheck(models.Model):
    """The last comparison of kept counts with machines counted, and the last one that found a difference. One row."""

    checked_at = models.DateTimeField()
    differed_at = models.DateTimeField(null=True, blank=True)
    differences = models.TextField(blank=True, help_text="what differed then, a line each")

    def __str__(self) -> str:
        return f"checked {self.checked_at:%Y-%m-%d %H:%M}"
