"""Which teams somebody knows of and may name: of others they learn nothing, not even that there are such."""

from django.db.models import Model

from clusters.models import Cluster
from permissions.models import Persona, Team, User
from permissions.policy import access_of, can, find_holdings, visible
from permissions.selectors import find_group, find_persona_of_anybody, list_teams
from permissions.services import persona_of
from quotas.models import Request
from quotas.selectors import list_quotas
from virtualmachines.models import MachineTemplate, VirtualMachine


def find_known_team(user: User, name: str, on: Model | None = None) -> Team | None:
    """The team with this name, if `user` knows of it: they may see it, or its name stands on pages that they may see.

    Those are of machines and templates that it owns, of requests of its, and of rights and quotas `on` an object.
    """
    team = find_group(name)
    return team if team is not None and (_is_seen(user, team) or _stands_on(user, team, on)) else None


def find_known_persona(user: User, name: str) -> Persona | None:
    """Of anybody by user name, and (with @) of a team that `user` knows of; made at first use."""
    if not name.startswith("@"):
        return find_persona_of_anybody(name)
    team = find_known_team(user, name.removeprefix("@"))
    return persona_of(team) if team is not None else None


def _is_seen(user: User, team: Team) -> bool:
    theirs = (
        list_teams().filter(pk=team.pk),
        VirtualMachine.objects.filter(owner__group=team.pk),
        MachineTemplate.objects.filter(owner__group=team.pk),
        Request.objects.filter(persona__group=team.pk),
    )
    return any(visible(user, "view", rows.order_by()).exists() for rows in theirs)


def _stands_on(user: User, team: Team, on: Model | None) -> bool:
    """Whether the pages of rights and quotas of `on` name the team, and `user` may read them."""
    if on is None or "audit" not in access_of(type(on)).every or not can(user, "audit", on):
        return False
    name = f"@{team.name}"
    if any(name in (each.name, each.narrowed.get("owner")) for each in find_holdings(on)):
        return True
    return isinstance(on, Cluster) and list_quotas().filter(cluster=on, persona__group=team.pk).exists()
