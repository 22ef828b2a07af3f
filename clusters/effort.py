"""What is asked of a cluster, how long it takes and what of it fails: added up in its schedule by who asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F

from clusters.models import Schedule
from rapi.client import RapiClient

# What the columns begin with, by who asks.
ASKERS = {"updates": "rapi", "followers": "follow", "operations": "operation"}


def describe_effort(
    asker: str, before: Mapping[str, int] | None, calls: int, seconds: float, failures: Mapping[str, int]
) -> dict[str, Any]:
    """What the schedule is to say, for one UPDATE. `before` is what had failed: who writes it does so alone."""
    begin = ASKERS[asker]
    values: dict[str, Any] = {
        f"{begin}_calls": F(f"{begin}_calls") + calls,
        f"{begin}_seconds": F(f"{begin}_seconds") + seconds,
    }
    if failures:
        known = before or {}
        values[f"{begin}_failures"] = {
            **known,
            **{kind: known.get(kind, 0) + count for kind, count in failures.items()},
        }
    return values


def note_failures(cluster_pk: int, client: RapiClient, *, calls: int, seconds: float) -> None:
    """Add what failed in an operation, of which several may end at the same moment; with the calls that it made."""
    with transaction.atomic():
        rows = Schedule.objects.filter(pk=cluster_pk)
        for before in rows.select_for_update().values_list("operation_failures", flat=True):
            rows.update(**describe_effort("operations", before, calls, seconds, client.failures))
