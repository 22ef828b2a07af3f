"""Giving and taking rights, journalled: whoever has `admin` on something may."""

from collections.abc import Sequence

from django.contrib.auth.models import Group
from django.db import transaction

from clusters.models import Cluster
from objectlog.models import Entry, Outcome, Via
from objectlog.services import Target, begin
from permissions.models import User
from permissions.policy import Denied, can
from permissions.services import grant, revoke
from virtualmachines.models import VirtualMachine


def change_grants(
    actor: User, *, via: Via, verbs: Sequence[str], who: User | Group, on: Cluster | VirtualMachine, take: bool
) -> Entry:
    """Give `who` the `verbs` on `on`, or take them. Raises UnknownVerb, PermissionError with the reason."""
    verdict = can(actor, "admin", on)
    if isinstance(verdict, Denied):
        raise PermissionError(verdict.reason)
    cluster = on.cluster if isinstance(on, VirtualMachine) else on
    name = f"@{who.name}" if isinstance(who, Group) else who.username
    with transaction.atomic():
        (revoke if take else grant)(verbs, who, on)
        return begin(
            actor_id=actor.pk,
            actor_name=actor.username,
            persona_name=actor.username,
            via=via,
            verb="revoke" if take else "grant",
            target=Target(
                "vm" if isinstance(on, VirtualMachine) else "cluster", on.pk, str(on), cluster.slug, cluster.pk, on.uuid
            ),
            params={"who": name, "verbs": list(verbs)},
            outcome=Outcome.DONE,
        )
