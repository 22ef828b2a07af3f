"""Giving and taking rights, journalled: whoever has `admin` on something may."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction

from clusters.models import Cluster
from objectlog.models import Entry, Outcome, Via
from objectlog.services import Target, begin, note
from permissions.models import User
from permissions.policy import Denied, can
from permissions.services import grant, revoke
from virtualmachines.models import VirtualMachine


def change_grants(
    actor: User, *, via: Via, verbs: Sequence[str], who: User | Group, on: Cluster | VirtualMachine, take: bool
) -> Entry:
    """Give `who` the `verbs` on `on`, or take them. Raises UnknownVerb, PermissionError with the reason."""
    cluster = on.cluster if isinstance(on, VirtualMachine) else on
    kind = "vm" if isinstance(on, VirtualMachine) else "cluster"
    known: dict[str, Any] = {
        "actor_id": actor.pk,
        "actor_name": actor.username,
        "persona_name": actor.username,
        "via": via,
        "verb": f"{kind}.{'revoke' if take else 'grant'}",
        "target": Target(kind, on.pk, str(on), cluster.slug, cluster.pk, on.uuid),
        "params": {"who": f"@{who.name}" if isinstance(who, Group) else who.username, "verbs": list(verbs)},
    }
    verdict = can(actor, "admin", on)
    if isinstance(verdict, Denied):
        note(**known, outcome=Outcome.DENIED, words=verdict.reason)
        raise PermissionError(verdict.reason)
    with transaction.atomic():
        (revoke if take else grant)(verbs, who, on)
        return begin(**known, outcome=Outcome.DONE)
