"""Setting quotas, and claiming from them. The only writers of their tables."""

from collections.abc import Callable
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy, gettext_noop

from clusters.models import Cluster
from objectlog.words import gettext as _
from objectlog.words import joined, mib
from operations.locking import lock_rows
from operations.once import read_once
from permissions.models import Persona
from quotas.amounts import DIMENSIONS, UNLIMITED, Amounts, Limits
from quotas.models import Claim, DefaultQuota, Quota, Request
from quotas.selectors import standing_of

LABELS = {
    "memory_mib": gettext_noop("memory"),
    "disk_mib": gettext_noop("disk"),
    "vcpus": gettext_noop("vCPUs"),
    "machines": gettext_noop("machines"),
}
WORDS = {name: gettext_lazy(label) for name, label in LABELS.items()}
NO_LIMIT = gettext_noop("no limit")


class Exceeded(Exception):
    """More than is left; `over` says of what by how much, the text says it in words."""

    def __init__(self, persona: Persona, cluster: Cluster, over: dict[str, int], limits: Limits) -> None:
        parts = [_describe(name, amount, getattr(limits, name)) for name, amount in over.items()]
        super().__init__(
            _("This exceeds the quota of %(persona)s on %(cluster)s: %(parts)s.")
            % {"persona": persona, "cluster": cluster, "parts": joined(", ", parts)}
        )
        self.over = over
        self.cluster = cluster


def _describe(name: str, over: int, limit: int) -> str:
    words = (mib(over), mib(limit)) if name.endswith("_mib") else (str(over), str(limit))
    return _("%(what)s by %(over)s (limit %(limit)s)") % {"what": WORDS[name], "over": words[0], "limit": words[1]}


def set_default(cluster: Cluster, limits: Limits) -> DefaultQuota:
    """What every persona without a quota of its own may use on a cluster."""
    values = dict(zip(DIMENSIONS, limits.values(), strict=True))
    return DefaultQuota.objects.update_or_create(cluster=cluster, defaults=values)[0]


def set_quota(persona: Persona, cluster: Cluster, limits: Limits) -> Quota:
    """What this persona may use there, whatever the default is."""
    values = dict(zip(DIMENSIONS, limits.values(), strict=True)) | {"set_at": timezone.now()}
    return Quota.objects.update_or_create(persona=persona, cluster=cluster, defaults=values)[0]


def remove_quota(persona: Persona, cluster: Cluster) -> bool:
    """Back to the default; whether there was a quota."""
    return bool(Quota.objects.filter(persona=persona, cluster=cluster).delete()[0])


def judge_room(
    persona: Persona | None,
    cluster: Cluster,
    wanted: Amounts,
    usage: Callable[[], Amounts],
    *,
    may_exceed: bool = False,
) -> None:
    """Raises Exceeded where this much is more than is left. What belongs to nobody has no limit.

    `usage` counts what the persona's machines use there, where there is a limit. While many are judged
    (`operations.once`), what was wanted before and fits is counted, too: a plan does all of it.
    """
    if persona is None or may_exceed:
        return
    limits, claimed = read_once(("standing", persona.pk, cluster.pk), lambda: standing_of(persona, cluster))
    if limits == UNLIMITED:
        return
    before: list[Amounts] = read_once(("wanted", persona.pk, cluster.pk), list)
    over = limits.exceeded_by(sum(before, claimed + usage()), wanted)
    if over:
        raise Exceeded(persona, cluster, over, limits)
    before.append(wanted)


def require_room(
    persona: Persona | None,
    cluster: Cluster,
    wanted: Amounts,
    usage: Callable[[], Amounts],
    *,
    may_exceed: bool = False,
) -> None:
    """The same for what will be counted at once, by a row of this transaction. Raises Exceeded.

    It is counted under a lock that all who take of a quota take, so that of two at the same instant the second counts
    the first.
    """
    if persona is None:
        return
    if not connection.in_atomic_block:
        raise TypeError("room is taken in the transaction of what it is for")
    lock_rows(Persona.objects.all(), keeps_keys=True).get(pk=persona.pk)
    judge_room(persona, cluster, wanted, usage, may_exceed=may_exceed)


def claim(
    persona: Persona | None,
    cluster: Cluster,
    wanted: Amounts,
    entry: UUID,
    usage: Callable[[], Amounts],
    *,
    may_exceed: bool = False,
) -> Claim | None:
    """Claim what an operation will use, inside its first transaction: see `require_room`. Raises Exceeded.

    What belongs to nobody claims nothing.
    """
    require_room(persona, cluster, wanted, usage, may_exceed=may_exceed)
    if persona is None:
        return None
    values = dict(zip(DIMENSIONS, wanted.values(), strict=True))
    return Claim.objects.create(entry=entry, persona=persona, cluster=cluster, **values)


def give_back(entry: UUID) -> int:
    """What an operation had claimed: it has failed, or its machine shows now what it uses. How many claims."""
    return Claim.objects.filter(entry=entry).delete()[0]


def take_from_claim(entry: UUID, shown: Amounts) -> None:
    """So much of what an operation has claimed its machine shows by now: there it is counted, and here no more."""
    for held in Claim.objects.filter(entry=entry):
        left = held.amounts.without(shown)
        if left == Amounts():
            held.delete()
        elif left != held.amounts:
            Claim.objects.filter(pk=held.pk).update(**dict(zip(DIMENSIONS, left.values(), strict=True)))


def claim_request(number: int, by: UUID, *, instead_of: UUID | None) -> bool:
    """Let `by` make what is asked for; False if it was decided, or is claimed by another than what it was a moment ago.

    One conditional UPDATE, so that one of several succeeds that try at once.
    """
    claims = Q(made_by=by) | (Q(made_by=instead_of) if instead_of is not None else Q(made_by__isnull=True))
    return bool(Request.objects.filter(claims, pk=number, state=Request.State.OPEN).update(made_by=by))
