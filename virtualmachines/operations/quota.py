"""What an operation on a machine takes of its owner's quota: judged when it is asked for, taken when it begins."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from clusters.models import Cluster
from operations.contract import Actor, OverQuota
from permissions.models import Persona
from quotas.amounts import Amounts
from quotas.services import Exceeded, claim, judge_room, require_room
from virtualmachines.models import VirtualMachine
from virtualmachines.usage import read_usage, usage_of


def judge_quota(actor: Actor, owner: Persona | None, cluster: Cluster, more: Amounts, field: str = "") -> None:
    """For a `check`: whether the owner may use so much more there; takes nothing. Raises OverQuota."""
    if owner is None:
        return
    with _quota_at(field):
        judge_room(owner, cluster, more, lambda: read_usage(owner, cluster), may_exceed=actor.may_exceed)


def claim_quota(
    actor: Actor, owner: Persona | None, cluster: Cluster, more: Amounts, entry: UUID, field: str = ""
) -> None:
    """For a `claim`, where the machine's row shows what it uses only later: held until then. Raises OverQuota."""
    if owner is None:
        return
    with _quota_at(field):
        claim(owner, cluster, more, entry, lambda: usage_of(owner, cluster), may_exceed=actor.may_exceed)


def require_quota(
    actor: Actor,
    owner: Persona | None,
    cluster: Cluster,
    wanted: Amounts,
    field: str = "",
    *,
    instead_of: VirtualMachine | None = None,
) -> None:
    """For a `claim`, where a row of the same transaction shows it at once. Raises OverQuota.

    `instead_of`: the machine that is wanted as a whole and may be counted already.
    """
    if owner is None:
        return
    with _quota_at(field):
        require_room(
            owner,
            cluster,
            wanted,
            lambda: usage_of(owner, cluster, without=instead_of),
            may_exceed=actor.may_exceed,
        )


@contextmanager
def _quota_at(field: str) -> Iterator[None]:
    """What exceeds a quota in here is wrong with this field, or with all of it. Raises OverQuota."""
    try:
        yield
    except Exceeded as exceeded:
        raise OverQuota({field: str(exceeded)}, exceeded.cluster.slug) from exceeded
