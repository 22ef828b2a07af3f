"""What was used day by day. What machines use is known to their app alone, and handed in."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Model, Sum
from django.db.models.functions import TruncMonth

from clusters.models import Cluster
from permissions.models import Persona
from quotas.amounts import DIMENSIONS, Amounts
from quotas.models import UsageDay

# Thirteen months: the current one, and a whole year before.
KEPT_DAYS = 400
_AT_ONCE = 1000


def keep_usage(day: date, used: Mapping[tuple[int, int], Amounts]) -> int:
    """Keep what is used now, by the keys of persona and cluster, where it is the most of the day; how many rows.

    Two that do it at once do no harm: the later one may keep what was a little less.
    """
    known = {(each.persona_id, each.cluster_id): each for each in UsageDay.objects.filter(day=day)}
    changed = []
    for (persona, cluster), amounts in used.items():
        kept = known.get((persona, cluster))
        most = amounts if kept is None else amounts.most(kept.amounts)
        if kept is None or most != kept.amounts:
            values = dict(zip(DIMENSIONS, most.values(), strict=True))
            changed.append(UsageDay(persona_id=persona, cluster_id=cluster, day=day, **values))
    kept_rows = sum(_keep(changed[at : at + _AT_ONCE]) for at in range(0, len(changed), _AT_ONCE))
    UsageDay.objects.filter(day__lt=day - timedelta(days=KEPT_DAYS)).delete()
    return kept_rows


def _keep(days: Sequence[UsageDay]) -> int:
    """Keep those whose persona and cluster are still there: either may have been deleted since it was looked at."""
    with transaction.atomic():
        personas = _hold(Persona, {each.persona_id for each in days})
        clusters = _hold(Cluster, {each.cluster_id for each in days})
        there = [each for each in days if each.persona_id in personas and each.cluster_id in clusters]
        UsageDay.objects.bulk_create(
            there, update_conflicts=True, unique_fields=["persona", "cluster", "day"], update_fields=DIMENSIONS
        )
    return len(there)


def _hold(model: type[Model], keys: set[int]) -> set[int]:
    """Which of these rows there are; none of them goes before the transaction ends."""
    rows = model._default_manager.select_for_update().filter(pk__in=keys).order_by("pk")
    return set(rows.values_list("pk", flat=True))


def days_by_cluster(persona: Persona, since: date) -> dict[int, dict[date, Amounts]]:
    """What was used on each day since then, by the keys of clusters. One query."""
    found: dict[int, dict[date, Amounts]] = {}
    for each in UsageDay.objects.filter(persona=persona, day__gte=since):
        found.setdefault(each.cluster_id, {})[each.day] = each.amounts
    return found


def months_of(persona: Persona) -> list[Any]:
    """Month by month and cluster by cluster: on how many days something was used, the most, and all days together."""
    sums = {f"{name}_days": Sum(name) for name in DIMENSIONS} | {f"{name}_most": Max(name) for name in DIMENSIONS}
    rows = UsageDay.objects.filter(persona=persona).annotate(month=TruncMonth("day"))
    grouped = rows.order_by().values("month", "cluster__slug").annotate(days=Count("pk"), **sums)
    return list(grouped.order_by("month", "cluster__slug"))
