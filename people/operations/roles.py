"""Roles: administrators make, change and delete them. A change counts at once for all who were granted the role."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy, gettext_noop

from objectlog.changes import Change
from objectlog.words import gettext as _
from operations.contract import Ask, Claims, Invalid, NoParams, Operation, Site
from people.operations.quotas import quotas_by_role, take_quotas_of
from people.operations.rights import GRANTED_ON, WITH_PAGES
from permissions.kinds import KINDS
from permissions.models import Role
from permissions.policy import Verdict, can, find_holdings_by_role
from permissions.selectors import has_role_called, list_verbs
from permissions.services import change_role, delete_role, make_role

P = TypeVar("P")
# It is typed on command lines, and stands in URLs.
_NAME = re.compile(r"\w([\w .+-]*[\w.+-])?")
_LONGEST = Role._meta.get_field("name").max_length or 100
_LONGEST_DESCRIPTION = Role._meta.get_field("description").max_length or 255
_VERSION_LENGTH = 16


@dataclass(frozen=True)
class RoleParams:
    """What a role is called and what it holds: verbs as "kind.verb".

    Of one that is there None leaves what it has. `opened`: the version (`version_of_role`) of which this was said; with
    another nothing is done. Empty: any.
    """

    name: str | None = None
    verbs: Sequence[str] = ()
    description: str | None = None
    opened: str = ""

    @property
    def by_kind(self) -> Mapping[str, set[str]]:
        """The verbs, for each kind."""
        found: dict[str, set[str]] = {}
        for each in self.verbs:
            kind, _dot, verb = each.partition(".")
            found.setdefault(kind, set()).add(verb)
        return found


class CreateRole(Operation[Site, RoleParams]):
    """Make a role, which nobody has yet."""

    kind = "role"
    verb = "create"
    label = gettext_lazy("Create role")
    needs = "change_roles"
    icon = "plus"
    sends = False
    locks = False
    has_own_page = True
    is_on_site = True
    params_type = RoleParams

    def check(self, ask: Ask[Site, RoleParams]) -> None:
        _judge(ask.params)

    def changes(self, ask: Ask[Site, RoleParams]) -> Sequence[Change]:
        return _changes(RoleParams(name=ask.params.name), ask.params)

    def claim(self, ask: Ask[Site, RoleParams], entry: UUID) -> Claims:
        name, description = ask.params.name or "", ask.params.description or ""
        try:
            with transaction.atomic():
                return Claims(made=make_role(name, ask.params.by_kind, description=description))
        except IntegrityError as error:  # somebody was faster
            raise Invalid({"name": _taken(name)}) from error

    def perform(self, ask: Ask[Site, RoleParams]) -> str:
        return ""

    def journal_params(self, params: RoleParams) -> dict[str, Any]:
        return {"name": params.name or ""}


class _OnRoles(Operation[Role, P]):
    kind = "role"
    needs = "change_roles"
    sends = False
    needs_target = False
    locks = False

    def judge(self, ask: Ask[Role, P]) -> Verdict:
        return can(ask.actor.user, self.needs)

    def journal_params(self, params: P) -> dict[str, Any]:
        return {}


class EditRole(_OnRoles[RoleParams]):
    """Change what a role holds, what it is for and (of one's own) what it is called."""

    verb = "edit"
    label = gettext_lazy("Edit role")
    icon = "edit"
    question = gettext_lazy("Edit role {target}?")
    consequence = gettext_lazy("It counts at once for everybody who has the role.")
    params_type = RoleParams

    def check(self, ask: Ask[Role, RoleParams]) -> None:
        role, wanted = ask.target, _complete(ask)
        if wanted.opened and wanted.opened != version_of_role(role):
            raise Invalid({"": _("Somebody else has changed this role meanwhile. Nothing was saved; open it again.")})
        _judge(wanted, role)
        if role.is_built_in and wanted.name != role.name:
            raise Invalid({"name": _("This role is built in and keeps its name.")})

    def changes(self, ask: Ask[Role, RoleParams]) -> Sequence[Change]:
        role = ask.target
        return _changes(RoleParams(role.name, list_verbs(role), role.description), _complete(ask))

    def alters(self, ask: Ask[Role, RoleParams], changes: Sequence[Change]) -> bool:
        return bool(changes)

    def perform(self, ask: Ask[Role, RoleParams]) -> str:
        wanted, quotas = _complete(ask), quotas_by_role(ask.target)
        name, description = wanted.name or "", wanted.description or ""
        try:
            with transaction.atomic():
                change_role(ask.target, name, wanted.by_kind, description=description)
        except IntegrityError as error:
            raise Invalid({"name": _taken(name)}) from error
        return take_quotas_of(quotas)


class DeleteRole(_OnRoles[NoParams]):
    """Delete a role with all grants of it."""

    verb = "delete"
    label = gettext_lazy("Delete role")
    icon = "trash"
    is_destructive = True
    wants_typed_name = True
    question = gettext_lazy("Delete role {target}?")
    consequence = gettext_lazy("Everybody who has it loses what it allows.")

    def obstacle(self, target: Role) -> str | None:
        return _("This role is built in and cannot be deleted.") if target.is_built_in else None

    def facts(self, target: Role) -> Sequence[tuple[Any, str]]:
        holders = _list_holders(target)
        return [(gettext_lazy("Holders"), ", ".join(holders))] if holders else []

    def changes(self, ask: Ask[Role, NoParams]) -> Sequence[Change]:
        holders = Change("holders", gettext_noop("holders"), _list_holders(ask.target) or None, None)
        gone = _changes(RoleParams(None, list_verbs(ask.target), ask.target.description), RoleParams())
        return [*gone, holders] if holders.before else gone

    def perform(self, ask: Ask[Role, NoParams]) -> str:
        quotas = quotas_by_role(ask.target)
        delete_role(ask.target)
        return take_quotas_of(quotas)


def version_of_role(role: Role) -> str:
    """What tells a role from what it was before it was changed."""
    said = "\n".join((role.name, role.description, *list_verbs(role)))
    return hashlib.sha256(said.encode()).hexdigest()[:_VERSION_LENGTH]


def verbs_to_hold() -> Mapping[str, Any]:
    """All that a role can hold, "kind.verb", with what each allows."""
    kinds = ((name, KINDS[name]) for name in WITH_PAGES if name in GRANTED_ON)
    return {f"{name}.{verb}": says for name, kind in kinds for verb, says in kind.model.access.verbs.items()}  # type: ignore[attr-defined]


def _complete(ask: Ask[Role, RoleParams]) -> RoleParams:
    """With what it has where nothing else is said."""
    params, role = ask.params, ask.target
    name = role.name if params.name is None else params.name
    return replace(
        params, name=name, description=role.description if params.description is None else params.description
    )


def _judge(params: RoleParams, own: Role | None = None) -> None:
    """Raise Invalid for a name that nobody could type or that another role has, and for what none can hold."""
    errors: dict[str, str] = {}
    name, description = params.name or "", params.description or ""
    is_new = own is None or name != own.name  # one that has an odd name from before keeps it
    if not name:
        errors["name"] = _("Type the name of the role.")
    elif is_new and (len(name) > _LONGEST or not _NAME.fullmatch(name)):
        errors["name"] = _(
            "A name has letters, digits, spaces and any of . _ + -, begins with a letter or digit, and is short."
        )
    elif is_new and has_role_called(name, besides=own):
        errors["name"] = _taken(name)
    known = verbs_to_hold()
    if not params.verbs:
        errors["verbs"] = _("Say which rights; known: %s") % ", ".join(known)
    elif wrong := [each for each in params.verbs if each not in known]:
        words = _("“%(verb)s” is nothing that a role can hold; known: %(known)s")
        errors["verbs"] = words % {"verb": wrong[0], "known": ", ".join(known)}
    if len(description) > _LONGEST_DESCRIPTION:
        errors["description"] = _("A description has %d characters at most.") % _LONGEST_DESCRIPTION
    if errors:
        raise Invalid(errors)


def _changes(before: RoleParams, after: RoleParams) -> list[Change]:
    told: list[tuple[str, str, Any, Any]] = [
        ("name", gettext_noop("name"), before.name or None, after.name or None),
        ("description", gettext_noop("description"), before.description or None, after.description or None),
        ("verbs", gettext_noop("rights"), sorted(before.verbs) or None, sorted(after.verbs) or None),
    ]
    return [Change(field, label, old, new) for field, label, old, new in told if old != new]


def _list_holders(role: Role) -> list[str]:
    return sorted({each.name for each in find_holdings_by_role(role)})


def _taken(name: str) -> str:
    return _("There is a role “%s” already.") % name
