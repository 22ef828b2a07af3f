"""What may be used, and what is claimed. What machines use is known to their app alone, and handed in."""

from django.db.models import Sum

from clusters.models import Cluster
from permissions.models import Persona
from quotas.amounts import DIMENSIONS, UNLIMITED, Amounts, Limits
from quotas.models import Claim, DefaultQuota, Quota


def limits_of(persona: Persona | None, cluster: Cluster) -> Limits:
    """The persona's own on this cluster, or the default; what belongs to nobody has no limit."""
    if persona is None:
        return UNLIMITED
    own = Quota.objects.filter(persona=persona, cluster=cluster).first()
    found = own or DefaultQuota.objects.filter(cluster=cluster).first()
    return found.limits if found is not None else UNLIMITED


def claimed_by(persona: Persona, cluster: Cluster) -> Amounts:
    """What operations under way have claimed."""
    sums = Claim.objects.filter(persona=persona, cluster=cluster).aggregate(**{name: Sum(name) for name in DIMENSIONS})
    return Amounts(*(sums[name] or 0 for name in DIMENSIONS))


def room_of(persona: Persona | None, cluster: Cluster, used: Amounts) -> Limits:
    """What is left to a persona of whose machines this much is used; None where there is no limit."""
    limits = limits_of(persona, cluster)
    return limits if persona is None else limits.room(used + claimed_by(persona, cluster))
