"""Rights on a cluster that have ended by themselves: the quota goes with the last of them, as when it is revoked."""

from django.db import transaction

from clusters.models import Cluster
from objectlog.models import Outcome, Via
from objectlog.services import Target, note
from people.operations.quotas import RemoveQuota, take_quota_with_last_right
from permissions.policy import last_endings
from permissions.selectors import name_of_persona
from quotas.selectors import list_quotas


def take_quotas_of_ended() -> int:
    """Remove the quotas of those whose last right on a cluster has ended since it was set; how many."""
    ended = last_endings(Cluster)
    taken = 0
    for quota in list_quotas() if ended else ():
        persona, cluster = quota.persona, quota.cluster
        who = persona.user or persona.group
        if who is None:
            continue
        end = ended.get(("user" if persona.user is not None else "group", who.pk, cluster.pk))
        # of one that was set by a release before nobody knows whether it came after the end: it stays
        if end is None or quota.set_at is None or quota.set_at > end:
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
