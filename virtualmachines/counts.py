"""How many machines there are and how large, by cluster and state: kept where it changes, for pages do not count rows.

Triggers write what every statement changes, so a writer cannot forget it and it is in the same transaction
(`MachineCount`); `fold` puts rows of the same state into one; `check_counts` compares all of it, and the owners' names
that are kept in the same way (`owner_triggers`), with the machines themselves. Where there are no triggers (see
operations.triggers) machines are counted.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from django.db import connection, transaction
from django.db.models import Count, Q, Sum
from django.utils import timezone

from clusters.models import Cluster
from operations.triggers import are_there
from virtualmachines.count_triggers import KEY, MISSING, SUMS, VMS, add_up
from virtualmachines.models import CountCheck, MachineCount
from virtualmachines.owner_triggers import KEEP_ALL, WRONG

logger = logging.getLogger("virtualmachines.counts")

_AT_ONCE = 2000


def fold() -> int:
    """Put rows of the same state into one, as far as they are committed; how many went. Whoever adds rows meanwhile is
    not kept waiting."""
    by_state = MachineCount.objects.order_by().values(*KEY).annotate(rows=Count("*"), left=Sum("machines"))
    clusters = by_state.filter(Q(rows__gt=1) | Q(left=0)).values_list("cluster_id", flat=True)
    return sum(_fold_cluster(key) for key in sorted(set(clusters)))


def _fold_cluster(key: int) -> int:
    gone = 0
    while True:
        with transaction.atomic():
            some = list(MachineCount.objects.select_for_update().filter(cluster=key).order_by("pk")[:_AT_ONCE])
            sums: dict[tuple[object, ...], list[int]] = {}
            for row in some:
                of_state = sums.setdefault(tuple(getattr(row, name) for name in KEY), [0] * len(SUMS))
                for position, name in enumerate(SUMS):
                    of_state[position] += getattr(row, name)
            left = [_row(state, each) for state, each in sums.items() if any(each)]
            if len(left) == len(some):
                return gone
            MachineCount.objects.filter(pk__in=[row.pk for row in some]).delete()
            MachineCount.objects.bulk_create(left)
        gone += len(some) - len(left)


def _row(state: Iterable[object], sums: Iterable[int]) -> MachineCount:
    return MachineCount(**dict(zip((*KEY, *SUMS), (*state, *sums), strict=True)))


def _mend() -> list[MachineCount]:
    """Keep what is missing in what is kept; what that was."""
    with connection.cursor() as cursor:
        cursor.execute(add_up(MISSING))
        rows = [(*row[: len(KEY)], *map(int, row[len(KEY) :])) for row in cursor.fetchall()]
    return MachineCount.objects.bulk_create(_row(row[: len(KEY)], row[len(KEY) :]) for row in rows)


def _mend_names_of_owners(slugs: Mapping[int, str]) -> list[str]:
    """Keep the names that owners have; on which cluster how many were others, a line each."""
    wrong = f"SELECT cluster_id, COUNT(*) FROM {VMS} WHERE {WRONG} GROUP BY cluster_id ORDER BY cluster_id"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(wrong)
        found = [f"cluster {slugs.get(key, key)}: the owner's name of {n} machines" for key, n in cursor.fetchall()]
        if found:
            cursor.execute(KEEP_ALL)
    return found


def check_counts() -> list[str]:
    """Compare what is kept with the machines counted and mend it; what differed, a line each, is returned, logged and
    told on the page of health."""
    if not are_there(connection):
        return []
    with transaction.atomic():
        # One at a time, or two would mend the same.
        CountCheck.objects.get_or_create(pk=1, defaults={"checked_at": timezone.now()})
        check = CountCheck.objects.select_for_update().get(pk=1)
        slugs = dict(Cluster.objects.values_list("pk", "slug"))
        found = [_describe(row, slugs) for row in _mend()] + _mend_names_of_owners(slugs)
        check.checked_at = timezone.now()
        if found:
            check.differed_at, check.differences = check.checked_at, "\n".join(found)
        check.save()
    for line in found:
        logger.error("kept counts were wrong and have been mended: %s", line)
    return found


def _describe(row: MachineCount, slugs: Mapping[int, str]) -> str:
    """What was missing in what was kept. For the log, so not translated."""
    state = " ".join([row.status or "no state", *(["missing"] * row.is_missing), *(["busy"] * row.is_busy)])
    return (
        f"cluster {slugs.get(row.cluster_id, row.cluster_id)}, {state}: {row.machines:+d} machines, "
        f"{row.memory_mib:+d} MiB memory, {row.disk_mib:+d} MiB disk, {row.vcpus:+d} vCPUs"
    )
