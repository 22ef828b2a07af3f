"""What may be used, and what is claimed. What machines use is known to their app alone, and handed in."""

from typing import Any
from uuid import UUID

from django.db.models import IntegerField, Q, QuerySet, Sum, Value

from clusters.models import Cluster
from permissions.models import Persona
from quotas.amounts import DIMENSIONS, UNLIMITED, Amounts, Limits
from quotas.models import Claim, DefaultQuota, Quota, Request


def limits_of(persona: Persona | None, cluster: Cluster) -> Limits:
    """The persona's own on this cluster, or the default; what belongs to nobody has no limit."""
    if persona is None:
        return UNLIMITED
    own = Quota.objects.filter(persona=persona, cluster=cluster).first()
    found = own or DefaultQuota.objects.filter(cluster=cluster).first()
    return found.limits if found is not None else UNLIMITED


def standing_of(persona: Persona, cluster: Cluster) -> tuple[Limits, Amounts]:
    """The persona's limits on a cluster, and what operations under way have claimed there: one query."""
    own, default, claimed = (
        rows.order_by().values_list(Value(number, IntegerField()), *DIMENSIONS)
        for number, rows in enumerate(
            (
                Quota.objects.filter(persona=persona, cluster=cluster),
                DefaultQuota.objects.filter(cluster=cluster),
                Claim.objects.filter(persona=persona, cluster=cluster),
            )
        )
    )
    rows: list[list[Any]] = [[], [], []]
    for number, *amounts in own.union(default, claimed, all=True):
        rows[number].append(amounts)
    limits = [Limits(*amounts) for amounts in (*rows[0], *rows[1])] or [UNLIMITED]
    return limits[0], sum((Amounts(*amounts) for amounts in rows[2]), Amounts())


def default_of(cluster: Cluster) -> Limits:
    """What everybody without a quota of their own may use there."""
    found = DefaultQuota.objects.filter(cluster=cluster).first()
    return found.limits if found is not None else UNLIMITED


def has_limits(clusters: QuerySet[Cluster]) -> bool:
    """Whether anybody's use of anything is limited on any of these."""
    is_limited = ~Q(**{f"{dimension}__isnull": True for dimension in DIMENSIONS})
    there = Q(cluster__in=clusters.order_by().values("pk"))
    return any(rows.filter(is_limited, there).exists() for rows in (DefaultQuota.objects, Quota.objects))


def own_limits(persona: Persona, cluster: Cluster) -> Limits | None:
    """The persona's own there; None if the default counts."""
    found = Quota.objects.filter(persona=persona, cluster=cluster).first()
    return found.limits if found is not None else None


def list_own_quotas(persona: Persona) -> QuerySet[Quota]:
    """Where the persona has a quota of its own."""
    return Quota.objects.filter(persona=persona).order_by()


def list_quotas() -> QuerySet[Quota]:
    """All quotas of personas, with whom and where."""
    return Quota.objects.select_related("persona__user", "persona__group", "cluster").order_by("pk")


def own_limits_by_persona(cluster: Cluster) -> dict[int, Limits]:
    """Whose quota on a cluster is not the default, by the keys of personas."""
    return {each.persona_id: each.limits for each in Quota.objects.filter(cluster=cluster)}


def limits_by_cluster(persona: Persona) -> tuple[dict[int, Limits], dict[int, Limits]]:
    """The persona's own quotas, and the defaults, each by the keys of clusters."""
    own = {each.cluster_id: each.limits for each in Quota.objects.filter(persona=persona)}
    return own, {each.cluster_id: each.limits for each in DefaultQuota.objects.all()}


def claims_by_cluster(persona: Persona) -> dict[int, Amounts]:
    """What operations under way have claimed for a persona, by the keys of clusters."""
    return _claims(Claim.objects.filter(persona=persona), "cluster")


def claims_by_persona(cluster: Cluster) -> dict[int, Amounts]:
    """What operations under way have claimed on a cluster, by the keys of personas."""
    return _claims(Claim.objects.filter(cluster=cluster), "persona")


def _claims(claims: QuerySet[Claim], by: str) -> dict[int, Amounts]:
    sums = {f"sum_{name}": Sum(name) for name in DIMENSIONS}
    return {
        row[by]: Amounts(*(row[f"sum_{name}"] or 0 for name in DIMENSIONS))
        for row in claims.order_by().values(by).annotate(**sums)
    }


def claimed_by(persona: Persona, cluster: Cluster) -> Amounts:
    """What operations under way have claimed."""
    sums = Claim.objects.filter(persona=persona, cluster=cluster).aggregate(**{name: Sum(name) for name in DIMENSIONS})
    return Amounts(*(sums[name] or 0 for name in DIMENSIONS))


def room_of(persona: Persona | None, cluster: Cluster, used: Amounts) -> Limits:
    """What is left to a persona of whose machines this much is used; None where there is no limit."""
    limits = limits_of(persona, cluster)
    return limits if persona is None else limits.room(used + claimed_by(persona, cluster))


def find_claim_of_request(number: str) -> UUID | None:
    """What makes, or made last, what is asked for in the request with this number; None if nothing did."""
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        return None
    return Request.objects.filter(pk=int(number)).values_list("made_by", flat=True).first()
