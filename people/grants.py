"""Giving and taking rights and roles, journalled: whoever has `admin` on something may."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from clusters.models import Cluster
from objectlog.models import Entry, Outcome, Via
from objectlog.services import Target, begin, note
from permissions.models import Persona, Role, Team, User
from permissions.policy import Denied, Verdict, access_of, can
from permissions.services import UnknownVerb, grant, grant_role, revoke, revoke_role, set_role
from virtualmachines.models import VirtualMachine

# What rights are granted on; None is everything, for roles.
Grantable = Cluster | VirtualMachine | Team | None
_KINDS: dict[str, type[Model]] = {"vm": VirtualMachine, "cluster": Cluster, "team": Team}


@dataclass(frozen=True)
class Scope:
    """Where a role counts: on an object, what is in a cluster, or everything; for some machines alone."""

    on: Grantable
    tag: str = ""
    owner: Persona | None = None


def change_grants(
    actor: User,
    *,
    via: Via,
    verbs: Sequence[str],
    who: User | Group,
    on: Grantable,
    take: bool,
    until: datetime | None = None,
) -> Entry:
    """Give `who` the `verbs` on `on`, or take them. Raises UnknownVerb, PermissionError with the reason."""
    if on is None:
        raise UnknownVerb(_("Single rights are granted on one object; on everything there are roles."))
    params = {"who": _name(who), "verbs": list(verbs), **_until(until)}
    known = _known(actor, via, "revoke" if take else "grant", _target(on), params)
    _check(can(actor, "admin", on), known)
    with transaction.atomic():
        if take:
            revoke(verbs, who, on)
        else:
            grant(verbs, who, on, by=actor, until=until)
        return begin(**known, outcome=Outcome.DONE)


def change_role_grant(
    actor: User,
    *,
    via: Via,
    role: Role,
    who: User | Group,
    scope: Scope,
    take: bool,
    until: datetime | None = None,
) -> Entry:
    """Give `who` a role within a scope, or take it. Raises BadScope, PermissionError with the reason."""
    params = {"who": _name(who), "role": role.name, **_until(until)}
    if scope.tag:
        params["tag"] = scope.tag
    if scope.owner is not None:
        params["owner"] = scope.owner.name
    known = _known(actor, via, "revoke-role" if take else "grant-role", _target(scope.on), params)
    _check(can(actor, "grant_everywhere") if scope.on is None else can(actor, "admin", scope.on), known)
    with transaction.atomic():
        if take:
            revoke_role(role, who, scope.on, tag=scope.tag, owner=scope.owner)
        else:
            grant_role(role, who, scope.on, tag=scope.tag, owner=scope.owner, by=actor, until=until)
        return begin(**known, outcome=Outcome.DONE)


def change_role(actor: User, *, via: Via, name: str, verbs: Iterable[str], description: str = "") -> Entry:
    """Make a role hold just these verbs, each "kind.verb". Raises UnknownVerb, PermissionError with the reason."""
    by_kind = _by_kind(verbs)
    told = sorted(f"{kind}.{verb}" for kind, some in by_kind.items() for verb in some)
    known = _known(actor, via, "set", Target("role", None, name), {"verbs": told})
    _check(can(actor, "change_roles"), known)
    with transaction.atomic():
        set_role(name, by_kind, description=description)
        return begin(**known, outcome=Outcome.DONE)


def _by_kind(verbs: Iterable[str]) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for each in verbs:
        kind, _dot, verb = each.partition(".")
        if kind not in _KINDS or verb not in access_of(_KINDS[kind]).verbs:
            known = ", ".join(f"{some}.{each}" for some, model in _KINDS.items() for each in access_of(model).verbs)
            raise UnknownVerb(
                _("“%(verb)s” is nothing that a role can hold; known: %(known)s") % {"verb": each, "known": known}
            )
        found.setdefault(kind, set()).add(verb)
    return found


def _check(verdict: Verdict, known: dict[str, Any]) -> None:
    """A refusal is journalled as well. PermissionError."""
    if isinstance(verdict, Denied):
        note(**known, outcome=Outcome.DENIED, words=verdict.reason)
        raise PermissionError(verdict.reason)


def _name(who: User | Group) -> str:
    return f"@{who.name}" if isinstance(who, Group) else who.username


def _until(until: datetime | None) -> dict[str, Any]:
    return {"until": until.isoformat(timespec="seconds")} if until is not None else {}


def _target(on: Grantable) -> Target:
    if isinstance(on, VirtualMachine):
        return Target("vm", on.pk, str(on), on.cluster.slug, on.cluster.pk, on.uuid)
    if isinstance(on, Cluster):
        return Target("cluster", on.pk, str(on), on.slug, on.pk, on.uuid)
    if isinstance(on, Team):
        return Target("team", on.pk, f"@{on.name}")
    return Target("site", None, _("everything"))


def _known(actor: User, via: Via, verb: str, target: Target, params: dict[str, Any]) -> dict[str, Any]:
    """What the journal is told whatever becomes of it."""
    return {
        "actor_id": actor.pk,
        "actor_name": actor.username,
        "persona_name": actor.username,
        "via": via,
        "verb": f"{target.kind}.{verb}",
        "target": target,
        "params": params,
    }
