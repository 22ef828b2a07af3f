"""Which teams somebody knows of and may name: of others they learn nothing, not even that there are such."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Model, QuerySet

from clusters.models import Cluster
from permissions.models import Persona, Team, User
from permissions.policy import access_of, can, find_holdings, find_holdings_of_team, visible
from permissions.selectors import find_group, find_persona_of_anybody, list_teams
from permissions.services import persona_of
from quotas.models import Request
from quotas.selectors import list_quotas
from virtualmachines.models import MachineTemplate, VirtualMachine


def find_known_team(user: User, name: str, on: Model | None = None) -> Team | None:
    """The team with this name, if `user` knows of it: they may see it, or its name stands on pages that they may see.

    Those are of machines and templates that it owns, of requests of its, of rights and quotas where it has some, and of
    the rights `on` an object, which may come from elsewhere.
    """
    team = find_group(name)
    return team if team is not None and (_is_told(user, team) or _stands_on(user, team, on)) else None


def find_known_persona(user: User, name: str, on: Model | None = None) -> Persona | None:
    """Of anybody by user name, and (with @) of a team that `user` knows of; made at first use."""
    if not name.startswith("@"):
        return find_persona_of_anybody(name)
    team = find_known_team(user, name.removeprefix("@"), on)
    return persona_of(team) if team is not None else None


def _is_told(user: User, team: Team) -> bool:
    return any(visible(user, verb, rows.order_by()).exists() for verb, rows in _told_on(team))


def _told_on(team: Team) -> Iterator[tuple[str, QuerySet[Any]]]:
    """Objects whose pages name the team, and the right that reads them."""
    yield "view", list_teams().filter(pk=team.pk)
    yield "view", VirtualMachine.objects.filter(owner__group=team.pk)
    yield "view", MachineTemplate.objects.filter(owner__group=team.pk)
    yield "view", Request.objects.filter(persona__group=team.pk)
    yield "audit", Cluster.objects.filter(pk__in=list_quotas().filter(persona__group=team.pk).values("cluster"))
    by_model: dict[type[Model], list[Any]] = {}
    for held in find_holdings_of_team(team):
        if held.on is not None and _has_page_of_rights(type(held.on)):
            by_model.setdefault(type(held.on), []).append(held.on.pk)
    for model, keys in by_model.items():
        yield "audit", model._default_manager.filter(pk__in=keys)


def _stands_on(user: User, team: Team, on: Model | None) -> bool:
    """Whether the page of rights of `on` names the team, and `user` may read it."""
    if on is None or not _has_page_of_rights(type(on)) or not can(user, "audit", on):
        return False
    name = f"@{team.name}"
    return any(name in (each.name, each.narrowed.get("owner")) for each in find_holdings(on))


def _has_page_of_rights(model: type[Model]) -> bool:
    return "audit" in access_of(model).every
