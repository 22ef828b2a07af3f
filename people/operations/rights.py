"""Giving and taking rights and roles: whoever has `admin` on something may."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.auth.models import Group
from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clusters.models import Cluster
from objectlog.services import Target
from operations.contract import SITE, Ask, Invalid, Operation, Site
from permissions.models import Persona, Role, Team, User
from permissions.policy import access_of
from permissions.services import BadScope, UnknownVerb, grant, grant_role, revoke, revoke_role, set_role
from virtualmachines.models import VirtualMachine

# What rights are granted on; the site stands for everything, for roles.
Grantable = Cluster | VirtualMachine | Team | Site
P = TypeVar("P")
_KINDS: dict[str, type[Model]] = {"vm": VirtualMachine, "cluster": Cluster, "team": Team}


@dataclass(frozen=True)
class GrantParams:
    """Which verbs, to or from whom; when a grant ends."""

    who: User | Group | None = None
    verbs: Sequence[str] = ()
    until: datetime | None = None


@dataclass(frozen=True)
class RoleGrantParams:
    """Which role, to or from whom; for machines with a tag or of an owner alone; when a grant ends."""

    who: User | Group | None = None
    role: Role | None = None
    tag: str = ""
    owner: Persona | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class RoleParams:
    """What a role holds: verbs as "kind.verb"."""

    name: str = ""
    verbs: Sequence[str] = ()
    description: str = ""


class _OnRights(Operation[Grantable, P]):
    """Rights are ours: no cluster is asked, and nothing else that is under way matters."""

    needs = "admin"
    icon = "key"
    sends = False
    needs_target = False
    locks = False
    has_own_page = True

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def target_of(self, target: Any) -> Target:
        if target is SITE:
            return Target("site", None, _("everything"))
        if isinstance(target, VirtualMachine | Cluster):
            cluster = target.cluster if isinstance(target, VirtualMachine) else target
            return Target(self.kind, target.pk, str(target), cluster.slug, cluster.pk, target.uuid)
        return Target(self.kind, target.pk, f"@{target.name}")


class Grant(_OnRights[GrantParams]):
    """Give verbs on an object, for good or until some moment."""

    verb = "grant"
    label = gettext_lazy("Grant a right")
    params_type = GrantParams

    def perform(self, ask: Ask[Grantable, GrantParams]) -> str:
        params = ask.params
        try:
            grant(params.verbs, _somebody(params.who), _object(ask.target), by=ask.actor.user, until=params.until)
        except UnknownVerb as error:
            raise Invalid({"verbs": str(error)}) from error
        return ""

    def journal_params(self, params: GrantParams) -> dict[str, Any]:
        return {"who": _name(params.who), "verbs": list(params.verbs), **_until(params.until)}


class Revoke(_OnRights[GrantParams]):
    """Take verbs on an object; what was not held is passed over."""

    verb = "revoke"
    label = gettext_lazy("Revoke a right")
    params_type = GrantParams

    def perform(self, ask: Ask[Grantable, GrantParams]) -> str:
        try:
            revoke(ask.params.verbs, _somebody(ask.params.who), _object(ask.target))
        except UnknownVerb as error:
            raise Invalid({"verbs": str(error)}) from error
        return ""

    def journal_params(self, params: GrantParams) -> dict[str, Any]:
        return {"who": _name(params.who), "verbs": list(params.verbs)}


class _OnRoleGrants(_OnRights[RoleGrantParams]):
    params_type = RoleGrantParams

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.is_on_site = kind == "site"
        self.needs = "grant_everywhere" if self.is_on_site else "admin"

    def journal_params(self, params: RoleGrantParams) -> dict[str, Any]:
        told = {"who": _name(params.who), "role": params.role.name if params.role else "", **_until(params.until)}
        if params.tag:
            told["tag"] = params.tag
        if params.owner is not None:
            told["owner"] = params.owner.name
        return told


class GrantRole(_OnRoleGrants):
    """Give a role on an object, on what is in a cluster, or on everything."""

    verb = "grant-role"
    label = gettext_lazy("Grant a role")

    def perform(self, ask: Ask[Grantable, RoleGrantParams]) -> str:
        params = ask.params
        try:
            grant_role(
                _role(params.role),
                _somebody(params.who),
                None if ask.target is SITE else _object(ask.target),
                tag=params.tag,
                owner=params.owner,
                by=ask.actor.user,
                until=params.until,
            )
        except BadScope as error:
            raise Invalid({"": str(error)}) from error
        return ""


class RevokeRole(_OnRoleGrants):
    """Take a role back where it was given with just this scope."""

    verb = "revoke-role"
    label = gettext_lazy("Revoke a role")

    def perform(self, ask: Ask[Grantable, RoleGrantParams]) -> str:
        params, on = ask.params, None if ask.target is SITE else _object(ask.target)
        revoke_role(_role(params.role), _somebody(params.who), on, tag=params.tag, owner=params.owner)
        return ""


class SetRole(Operation[Site, RoleParams]):
    """Make a role hold just these verbs: whoever has it holds them from then on."""

    kind = "role"
    verb = "set"
    label = gettext_lazy("Set what a role holds")
    needs = "change_roles"
    icon = "key"
    sends = False
    locks = False
    has_own_page = True
    is_on_site = True
    params_type = RoleParams

    def check(self, ask: Ask[Site, RoleParams]) -> None:
        _by_kind(ask.params.verbs)
        if not ask.params.name:
            raise Invalid({"name": _("Type the name of the role.")})

    def target_of(self, target: Any) -> Target:
        return Target(self.kind, None, "")

    def perform(self, ask: Ask[Site, RoleParams]) -> str:
        set_role(ask.params.name, _by_kind(ask.params.verbs), description=ask.params.description)
        return ""

    def journal_params(self, params: RoleParams) -> dict[str, Any]:
        return {"name": params.name, "verbs": sorted(params.verbs)}


def _by_kind(verbs: Sequence[str]) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for each in verbs:
        kind, _dot, verb = each.partition(".")
        if kind not in _KINDS or verb not in access_of(_KINDS[kind]).verbs:
            known = ", ".join(f"{some}.{each}" for some, model in _KINDS.items() for each in access_of(model).verbs)
            words = _("“%(verb)s” is nothing that a role can hold; known: %(known)s")
            raise Invalid({"verbs": words % {"verb": each, "known": known}})
        found.setdefault(kind, set()).add(verb)
    return found


def _object(target: Grantable) -> Cluster | VirtualMachine | Team:
    if isinstance(target, Site):
        raise Invalid({"": _("Single rights are granted on one object; on everything there are roles.")})
    return target


def _somebody(who: User | Group | None) -> User | Group:
    if who is None:
        raise Invalid({"who": _("Say who: a user name, or @ and the name of a team.")})
    return who


def _role(role: Role | None) -> Role:
    if role is None:
        raise Invalid({"role": _("Say which role.")})
    return role


def _name(who: User | Group | None) -> str:
    return "" if who is None else f"@{who.name}" if isinstance(who, Group) else who.username


def _until(until: datetime | None) -> dict[str, Any]:
    return {"until": until.isoformat(timespec="seconds")} if until is not None else {}
