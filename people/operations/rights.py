"""Giving and taking rights and roles: whoever has `admin` on something may."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.auth.models import Group
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext_lazy, gettext_noop

from clusters.models import Cluster
from objectlog.changes import Change
from objectlog.messages import Message
from objectlog.services import Target
from objectlog.words import gettext as _
from objectlog.words import moment
from operations.contract import SITE, Ask, Invalid, Operation, Site
from people.operations.quotas import take_quota_with_last_right, take_quotas_with_role
from people.selectors import is_member
from permissions.kinds import KINDS
from permissions.models import Persona, Role, Team, User
from permissions.policy import access_of, can, granted_roles, granted_verbs, held_until
from permissions.selectors import name_of_persona
from permissions.services import explain_scope, grant, grant_role, revoke, revoke_role
from virtualmachines.models import VirtualMachine

# What rights are granted on; the site stands for everything, for roles.
Grantable = Cluster | VirtualMachine | Team | Site
P = TypeVar("P")
GRANTED_ON = tuple(kind.name for kind in KINDS.values() if kind.grantable)
# On these it is asked for on pages; on the others by commands alone.
WITH_PAGES = ("cluster", "vm", "team", "template", "site")
ROLES_GRANTED_ON = (*GRANTED_ON, "site")


@dataclass(frozen=True)
class GrantParams:
    """Which verbs, to or from whom; when a grant ends."""

    who: User | Group
    verbs: Sequence[str]
    until: datetime | None = None


@dataclass(frozen=True)
class RoleGrantParams:
    """Which role, to or from whom; for machines with a tag or of an owner alone; when a grant ends."""

    who: User | Group
    role: Role
    tag: str = ""
    owner: Persona | None = None
    until: datetime | None = None


class _OnRights(Operation[Grantable, P]):
    """Rights are ours: no cluster is asked, and nothing else that is under way matters."""

    needs = "admin"
    icon = "key"
    sends = False
    needs_target = False
    locks = False

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.has_own_page = kind not in WITH_PAGES

    def alters(self, ask: Ask[Grantable, P], changes: Sequence[Change]) -> bool:
        return bool(changes)

    def name_of(self, target: Any) -> str:
        return _("everything") if target is SITE else str(target)

    def target_of(self, target: Any) -> Target:
        if target is SITE:
            return Target("site", None, self.name_of(target))
        if isinstance(target, VirtualMachine | Cluster):
            cluster = target.cluster if isinstance(target, VirtualMachine) else target
            return Target(self.kind, target.pk, str(target), cluster.slug, cluster.pk, target.uuid)
        return Target(self.kind, target.pk, f"@{target.name}")


def _outside(ask: Ask[Grantable, Any]) -> dict[str, str]:
    """On a team its admins give rights to its members and to itself; administrators give them to anybody."""
    team, who = ask.target, ask.params.who
    if not isinstance(team, Team) or can(ask.actor.user, "change_teams"):
        return {}
    if who.pk == team.pk if isinstance(who, Group) else is_member(team, who):
        return {}
    return {"who": _("%(who)s is no member of %(team)s.") % {"who": _name(who), "team": team}}


class Grant(_OnRights[GrantParams]):
    """Give verbs on an object, for good or until some moment."""

    verb = "grant"
    label = gettext_lazy("Grant rights")
    question = gettext_lazy("Grant rights on {target}?")
    params_type = GrantParams

    def check(self, ask: Ask[Grantable, GrantParams]) -> None:
        _judge(_wrong_verbs(self.kind, ask.params.verbs) | _outside(ask) | _wrong_end(ask, ask.params.until))

    def changes(self, ask: Ask[Grantable, GrantParams]) -> list[Change]:
        before = granted_verbs(ask.params.who, _object(ask))
        return _verbs_change(before, before | dict.fromkeys(ask.params.verbs, ask.params.until))

    def perform(self, ask: Ask[Grantable, GrantParams]) -> str:
        params = ask.params
        grant(params.verbs, params.who, _object(ask), by=ask.actor.user, until=params.until)
        return ""

    def journal_params(self, params: GrantParams) -> dict[str, Any]:
        return {"who": _name(params.who), "verbs": list(params.verbs), **_until(params.until)}


class Revoke(_OnRights[GrantParams]):
    """Take verbs on an object; what was not held is passed over."""

    verb = "revoke"
    label = gettext_lazy("Revoke rights")
    question = gettext_lazy("Revoke rights on {target}?")
    is_destructive = True
    params_type = GrantParams

    def check(self, ask: Ask[Grantable, GrantParams]) -> None:
        _judge(_wrong_verbs(self.kind, ask.params.verbs))

    def changes(self, ask: Ask[Grantable, GrantParams]) -> list[Change]:
        before = granted_verbs(ask.params.who, _object(ask))
        return _verbs_change(before, {verb: end for verb, end in before.items() if verb not in ask.params.verbs})

    def perform(self, ask: Ask[Grantable, GrantParams]) -> str:
        revoke(ask.params.verbs, ask.params.who, _object(ask))
        return take_quota_with_last_right(ask.params.who, ask.target)

    def journal_params(self, params: GrantParams) -> dict[str, Any]:
        return {"who": _name(params.who), "verbs": list(params.verbs)}


class SetRights(_OnRights[GrantParams]):
    """Make somebody hold just these verbs on an object, of those that are given one by one."""

    verb = "set-rights"
    label = gettext_lazy("Change rights")
    question = gettext_lazy("Change rights on {target}?")
    params_type = GrantParams

    def check(self, ask: Ask[Grantable, GrantParams]) -> None:
        errors = _wrong_verbs(self.kind, ask.params.verbs) if ask.params.verbs else {}
        _judge(errors | _outside(ask) | (_wrong_end(ask, ask.params.until) if _given_anew(ask) else {}))

    def changes(self, ask: Ask[Grantable, GrantParams]) -> list[Change]:
        before = granted_verbs(ask.params.who, _object(ask))
        return _verbs_change(before, dict.fromkeys(ask.params.verbs, ask.params.until))

    def perform(self, ask: Ask[Grantable, GrantParams]) -> str:
        params, on = ask.params, _object(ask)
        grant(_given_anew(ask), params.who, on, by=ask.actor.user, until=params.until)
        revoke([verb for verb in granted_verbs(params.who, on) if verb not in params.verbs], params.who, on)
        return take_quota_with_last_right(params.who, on)

    def journal_params(self, params: GrantParams) -> dict[str, Any]:
        return {"who": _name(params.who), "verbs": list(params.verbs), **_until(params.until)}


class _OnRoleGrants(_OnRights[RoleGrantParams]):
    params_type = RoleGrantParams
    gives: bool

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.is_on_site = kind == "site"
        self.needs = "grant_everywhere" if self.is_on_site else "admin"

    def check(self, ask: Ask[Grantable, RoleGrantParams]) -> None:
        params = ask.params
        why = explain_scope(_on(ask), tag=params.tag, owner=params.owner)
        errors = {"tag" if params.tag else "owner" if params.owner else "": why} if why else {}
        _judge(errors | (_outside(ask) | _wrong_end(ask, params.until) if self.gives else {}))

    def changes(self, ask: Ask[Grantable, RoleGrantParams]) -> list[Change]:
        params = ask.params
        held = granted_roles(params.who, _on(ask))
        before = {_RoleHeld(each.role, each.tag, each.owner): each.expires_at for each in held}
        this = _RoleHeld(params.role, params.tag, params.owner)
        others = {role: end for role, end in before.items() if role != this}
        after = others | ({this: params.until} if self.gives else {})
        return _change("roles", gettext_noop("roles"), _with_ends(before), _with_ends(after))

    def journal_params(self, params: RoleGrantParams) -> dict[str, Any]:
        held = _RoleHeld(params.role, params.tag, params.owner)
        told = {"who": _name(params.who), "role": str(held), **_until(params.until)}
        if params.tag:
            told["tag"] = params.tag
        if params.owner is not None:
            told["owner"] = params.owner.name
        return told


class GrantRole(_OnRoleGrants):
    """Give a role on an object, on what is in a cluster, or on everything."""

    verb = "grant-role"
    label = gettext_lazy("Grant a role")
    question = gettext_lazy("Grant a role on {target}?")
    gives = True

    def perform(self, ask: Ask[Grantable, RoleGrantParams]) -> str:
        params, by = ask.params, ask.actor.user
        grant_role(params.role, params.who, _on(ask), tag=params.tag, owner=params.owner, by=by, until=params.until)
        return ""


class RevokeRole(_OnRoleGrants):
    """Take a role back where it was given with just this scope."""

    verb = "revoke-role"
    label = gettext_lazy("Revoke a role")
    question = gettext_lazy("Revoke a role on {target}?")
    is_destructive = True
    gives = False

    def perform(self, ask: Ask[Grantable, RoleGrantParams]) -> str:
        params = ask.params
        revoke_role(params.role, params.who, _on(ask), tag=params.tag, owner=params.owner)
        if not isinstance(ask.target, Site):
            return take_quota_with_last_right(params.who, ask.target)
        is_narrow = params.tag or params.owner is not None
        return "" if is_narrow else take_quotas_with_role(params.who, params.role)


@dataclass(frozen=True)
class _RoleHeld:
    """A role as it was granted: for all, or for machines with a tag or of an owner."""

    role: Role
    tag: str
    owner: Persona | None

    def __str__(self) -> str:
        narrow = [f"tag {self.tag}"] if self.tag else []
        narrow += [f"owner {name_of_persona(self.owner)}"] if self.owner is not None else []
        return f"{self.role} ({', '.join(narrow)})" if narrow else str(self.role)


def _verbs_change(before: Mapping[str, datetime | None], after: Mapping[str, datetime | None]) -> list[Change]:
    return _change("verbs", gettext_noop("rights"), _with_ends(before), _with_ends(after))


def _with_ends(held: Mapping[Any, datetime | None]) -> list[Any]:
    """What is held, each with its end if it has one."""
    until = gettext_noop("%(what)s until %(end)s")
    return [
        str(what) if end is None else Message(until, {"what": str(what), "end": f"{end:%Y-%m-%d %H:%M} UTC"})
        for what, end in sorted(held.items(), key=lambda each: str(each[0]))
    ]


def _change(field: str, label: str, before: list[Any], after: list[Any]) -> list[Change]:
    return [] if before == after else [Change(field, label, before or None, after or None)]


def _judge(errors: Mapping[str, str]) -> None:
    """Raise Invalid if there is any."""
    if errors:
        raise Invalid(errors)


def _wrong_verbs(kind: str, verbs: Sequence[str]) -> dict[str, str]:
    known = list(access_of(KINDS[kind].model).verbs)
    wrong = [verb for verb in verbs if verb not in known]
    if not verbs:
        return {"verbs": _("Say which rights; known: %s") % ", ".join(known)}
    words = _("“%(verb)s” cannot be granted on a %(noun)s; known: %(known)s")
    told = {"verb": wrong[0] if wrong else "", "noun": KINDS[kind].noun, "known": ", ".join(known)}
    return {"verbs": words % told} if wrong else {}


def _given_anew(ask: Ask[Grantable, GrantParams]) -> list[str]:
    """What is not held yet, or with another end."""
    before = granted_verbs(ask.params.who, _object(ask))
    return [verb for verb in ask.params.verbs if verb not in before or before[verb] != ask.params.until]


def _wrong_end(ask: Ask[Grantable, Any], until: datetime | None) -> dict[str, str]:
    """It is to come; and whoever may grant for a while grants for no longer, to themselves neither."""
    if until is not None and until <= timezone.now():
        return {"until": _("This moment has passed already.")}
    end = None if isinstance(ask.target, Site) else held_until(ask.actor.user, "admin", ask.target)
    if end is None or (until is not None and until <= end):
        return {}
    return {"until": _("You may grant here until %s. Type an end that is no later.") % moment(end)}


def _on(ask: Ask[Grantable, Any]) -> Model | None:
    """What a role is granted on; None: everything."""
    return None if isinstance(ask.target, Site) else ask.target


def _object(ask: Ask[Grantable, Any]) -> Model:
    """What single rights are granted on: there is no such operation on the site."""
    if isinstance(ask.target, Site):
        raise TypeError("Single rights are granted on one object.")
    return ask.target


def _name(who: User | Group) -> str:
    return f"@{who.name}" if isinstance(who, Group) else who.username


def _until(until: datetime | None) -> dict[str, Any]:
    return {"until": until.isoformat(timespec="seconds")} if until is not None else {}
