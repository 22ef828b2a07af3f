"""Rights on a cluster that have ended by themselves: the quota goes with the last of them, as when it is revoked."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django.core.cache import cache
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from clusters.models import Cluster
from objectlog.models import Outcome, Via
from objectlog.services import Target, note
from people.operations.quotas import RemoveQuota, take_quota_with_last_right
from permissions.policy import last_endings
from permissions.selectors import name_of_persona
from quotas.selectors import list_quotas

# Up to when it was looked. Where the cache has forgotten it, everything that ever ended is looked at.
_LOOKED = "ended-rights-and-roles-looked-at"
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_OVERLAP = timedelta(minutes=10)  # for hosts whose clocks differ, and grants that were being written


def take_quotas_of_ended() -> int:
    """Remove the quotas of those whose last right on a cluster has ended since it was set; how many.

    One whose last right goes otherwise loses it then, so it is enough to look at what ended since the last time.
    """
    now = timezone.now()
    ended = last_endings(Cluster, cache.get(_LOOKED, _EVER) - _OVERLAP, now)
    taken = _take_quotas(ended) if ended else 0
    cache.set(_LOOKED, now, None)
    return taken


def _take_quotas(ended: Mapping[tuple[str, int, int | None], datetime]) -> int:
    taken = 0
    there = Q(cluster__in={cluster for _whom, _who, cluster in ended if cluster is not None})
    for whom in ("user", "group"):
        there |= Q(**{f"persona__{whom}__in": [who for each, who, cluster in ended if (each, cluster) == (whom, None)]})
    for quota in list_quotas().filter(there):
        persona, cluster = quota.persona, quota.cluster
        who = persona.user or persona.group
        if who is None:
            continue
        whom = "user" if persona.user is not None else "group"
        ends = [end for on in (cluster.pk, None) if (end := ended.get((whom, who.pk, on))) is not None]
        # of one that was set by a release before nobody knows whether it came after the end: it stays
        if not ends or quota.set_at is None or quota.set_at > max(ends):
            continue
        with transaction.atomic():
            words = take_quota_with_last_right(who, cluster)
            if not words:
                continue
            note(
                actor_id=None,
                actor_name="",
                via=Via.UPDATE,
                verb=RemoveQuota().key,
                outcome=Outcome.DONE,
                target=Target("cluster", cluster.pk, str(cluster), cluster.slug, cluster.pk, cluster.uuid),
                params={"who": name_of_persona(persona)},
                words=words,
            )
            taken += 1
    return taken
