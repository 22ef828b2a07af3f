"""What administrators do to accounts. Nothing else writes them, save people themselves on their own pages."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.utils.translation import gettext_lazy, gettext_noop

from objectlog.changes import Change
from objectlog.words import gettext as _
from objectlog.words import ngettext
from operations.contract import Ask, Claims, Invalid, NoParams, Operation, Refusal, Site, Words
from operations.groups import Group
from people.account_names import find_fault, find_namesake
from people.directory.accounts import keeper_of, leave_to_administrators
from people.directory.described import Directory
from people.mailing import can_send, invite, tell_former_address, tell_of_password
from people.selectors import count_machines, lock_administrators
from permissions.models import User
from permissions.policy import Verdict, can, find_holdings_of, may_look_after
from permissions.services import delete_account

P = TypeVar("P")
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
LABELS = {
    "email": gettext_noop("email address"),
    "first_name": gettext_noop("first name"),
    "last_name": gettext_noop("last name"),
}


@dataclass(frozen=True)
class AccountParams:
    """What is known of a person; None: what it is."""

    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None

    @property
    def said(self) -> dict[str, str]:
        """What is not left out."""
        return {name: value for name in LABELS if (value := getattr(self, name)) is not None}


@dataclass(frozen=True)
class NewAccountParams(AccountParams):
    """The same of a new one, with the name and the first password; or whoever it is for is invited to choose one."""

    username: str = ""
    password: str = ""
    invite: bool = False


@dataclass(frozen=True)
class PasswordParams:
    """A new password."""

    password: str = ""


class OnPeople(Operation[User, P]):
    """Accounts are ours, and administrators' alone: no right on anything gives power over people."""

    kind = "person"
    needs = "change_people"
    icon = "person"
    sends = False
    needs_target = False
    locks = False
    # Whether it takes an administrator away: there must be another one, and nobody does it to themselves.
    takes_away: ClassVar[bool] = False
    # Whether its page asks for the password of who does it, if it was not typed lately.
    asks_again: ClassVar[bool] = False

    def judge(self, ask: Ask[User, P]) -> Verdict:
        return can(ask.actor.user, self.needs)

    def obstacle_for(self, user: User, target: User) -> str | None:
        if not self.takes_away or target.pk != user.pk:
            return None
        return _("You cannot do this to your own account. Ask another administrator.")

    def check(self, ask: Ask[User, P]) -> None:
        if not self.takes_away or not can(ask.target, self.needs):  # none of those who could
            return
        try:
            others = [person for person in lock_administrators() if person.pk != ask.target.pk]
        except OperationalError as error:
            raise Refusal(_("Another administrator's account is being changed just now. Try again.")) from error
        if not others:
            raise Refusal(_("%s is the last administrator. Make somebody else one first.") % ask.target)


class Add(Operation[Site, NewAccountParams]):
    """Add an account that may do nothing yet."""

    kind = "person"
    verb = "add"
    label = gettext_lazy("Add account")
    needs = "change_people"
    icon = "plus"
    sends = False
    locks = False
    has_own_page = True
    is_on_site = True
    params_type = NewAccountParams

    def check(self, ask: Ask[Site, NewAccountParams]) -> None:
        person, params = _made(ask.params), ask.params
        errors = {} if params.invite and not params.password else _wrong_password(params.password, person)
        if params.invite and (reason := why_not_invited(person)):
            errors["email"] = reason
        if fault := find_fault(person.username):
            errors["username"] = fault
        elif namesake := find_namesake(person.username):
            errors["username"] = _("It looks like the name of another account, %s.") % namesake
        try:
            person.full_clean(exclude=["password"])
        except ValidationError as error:
            errors |= {field: " ".join(words) for field, words in error.message_dict.items()}
        if errors:
            raise Invalid(errors)

    def changes(self, ask: Ask[Site, NewAccountParams]) -> Sequence[Change]:
        return [Change(name, LABELS[name], None, value) for name, value in ask.params.said.items() if value]

    def claim(self, ask: Ask[Site, NewAccountParams], entry: UUID) -> Claims:
        person = _made(ask.params)
        # Who is invited has a password that nobody knows, and may have a link for another one mailed at any time.
        person.set_password(ask.params.password or make_password())
        person.save()
        if ask.params.invite:
            invite(person)
        return Claims(made=person)

    def perform(self, ask: Ask[Site, NewAccountParams]) -> str:
        return ""

    def journal_params(self, params: NewAccountParams) -> dict[str, Any]:
        return {"name": params.username}


class Edit(OnPeople[AccountParams]):
    """Change what is known of a person; their names people may change themselves."""

    verb = "edit"
    label = gettext_lazy("Edit account")
    icon = "edit"
    asks_again = True  # a new password is mailed to the address
    params_type = AccountParams

    def judge(self, ask: Ask[User, AccountParams]) -> Verdict:
        concerns_names = ask.params is not None and ask.params.email is None
        return (concerns_names and may_look_after(ask.actor.user, ask.target)) or super().judge(ask)

    def changes(self, ask: Ask[User, AccountParams]) -> Sequence[Change]:
        said = ((name, getattr(ask.target, name), value) for name, value in ask.params.said.items())
        return [Change(name, LABELS[name], old or None, new or None) for name, old, new in said if old != new]

    def alters(self, ask: Ask[User, AccountParams], changes: Sequence[Change]) -> bool:
        return bool(changes)

    def perform(self, ask: Ask[User, AccountParams]) -> str:
        if ask.params.email not in (None, ask.target.email):
            tell_former_address(ask.target)
        for name, value in ask.params.said.items():
            setattr(ask.target, name, value)
        ask.target.save(update_fields=list(ask.params.said))
        return ""

    def journal_params(self, params: AccountParams) -> dict[str, Any]:
        return {}


class SetPassword(OnPeople[PasswordParams]):
    """Set somebody's password; they are signed out everywhere."""

    verb = "set-password"
    label = gettext_lazy("Set password")
    icon = "key"
    asks_again = True
    question = gettext_lazy("Set the password of {target}?")
    consequence = gettext_lazy("All of their sessions and consoles end, and they sign in with the new password.")
    params_type = PasswordParams

    def obstacle_for(self, user: User, target: User) -> str | None:
        if target.pk != user.pk:
            return None
        # Whoever has found a session open would keep the owner out.
        return _("Change your own password with the one that you have, or use rescue_admin on the server.")

    def check(self, ask: Ask[User, PasswordParams]) -> None:
        if keeper := keeper_of(ask.target):
            raise Refusal(_kept(ask.target, keeper))
        if errors := _wrong_password(ask.params.password, ask.target):
            raise Invalid(errors)

    def perform(self, ask: Ask[User, PasswordParams]) -> str:
        ask.target.set_password(ask.params.password)
        ask.target.save(update_fields=["password"])
        tell_of_password(ask.target)
        return ""

    def journal_params(self, params: PasswordParams) -> dict[str, Any]:
        return {}


class SignOut(OnPeople[NoParams]):
    """End all sessions of somebody, and with them consoles and open pages."""

    verb = "sign-out"
    label = gettext_lazy("Sign out everywhere")
    icon = "logout"
    question = gettext_lazy("Sign {target} out everywhere?")
    consequence = gettext_lazy("All of their sessions, consoles and open pages end. They can sign in again.")

    def perform(self, ask: Ask[User, NoParams]) -> str:
        ask.target.sign_outs += 1
        ask.target.save(update_fields=["sign_outs"])
        return ""


class _Switch(OnPeople[NoParams]):
    """Set one flag of an account."""

    flag: ClassVar[str]
    to: ClassVar[bool]
    already: ClassVar[Any]

    def suits(self, target: User) -> bool:
        return bool(getattr(target, self.flag) != self.to)

    def obstacle(self, target: User) -> str | None:
        return _(self.already) % target if getattr(target, self.flag) == self.to else None

    def perform(self, ask: Ask[User, NoParams]) -> str:
        setattr(ask.target, self.flag, self.to)
        ask.target.save(update_fields=[self.flag])
        return ""


class Deactivate(_Switch):
    """Switch an account off: sessions, consoles and open pages end, and nobody signs in with it."""

    verb = "deactivate"
    label = gettext_lazy("Deactivate")
    icon = "lock"
    group = Group.DANGER
    consequence = gettext_lazy(
        "Their sessions and consoles end within seconds, and nobody signs in with the account until it is activated "
        "again. Their tokens are withdrawn for good. Rights, quotas and machines stay."
    )
    flag, to = "is_active", False
    already = gettext_noop("%s is deactivated already.")
    takes_away = True

    def perform(self, ask: Ask[User, NoParams]) -> str:
        ask.target.sign_outs += 1  # a session of before is none when the account is switched on again
        ask.target.save(update_fields=["sign_outs"])
        # Nor does a script go on that somebody has forgotten meanwhile, or left behind.
        tokens = ask.target.tokens.all().delete()[0]
        super().perform(ask)
        leave_to_administrators(ask.target)
        return ngettext("%d token was withdrawn.", "%d tokens were withdrawn.", tokens) % tokens if tokens else ""


class Activate(_Switch):
    """Switch an account on again."""

    verb = "activate"
    label = gettext_lazy("Activate")
    icon = "check"
    group = Group.DANGER
    consequence = gettext_lazy("They can sign in again, with the rights that they have. No old session begins again.")
    flag, to = "is_active", True
    already = gettext_noop("%s is active already.")

    def perform(self, ask: Ask[User, NoParams]) -> str:
        leave_to_administrators(ask.target)
        return super().perform(ask)


class Promote(_Switch):
    """Make somebody an administrator, who may do everything."""

    verb = "promote"
    label = gettext_lazy("Make administrator")
    icon = "shield"
    asks_again = True
    group = Group.DANGER
    question = gettext_lazy("Make {target} an administrator?")
    consequence = gettext_lazy(
        "Administrators may do everything, on every cluster and to every account, yours included."
    )
    flag, to = "is_superuser", True
    already = gettext_noop("%s is an administrator already.")


class Demote(_Switch):
    """Take away what makes somebody an administrator; rights that were granted stay."""

    verb = "demote"
    label = gettext_lazy("Make ordinary user")
    icon = "shield"
    group = Group.DANGER
    question = gettext_lazy("Make {target} an ordinary user?")
    consequence = gettext_lazy("They keep the rights that were granted to them, and nothing else.")
    flag, to = "is_superuser", False
    already = gettext_noop("%s is no administrator.")
    takes_away = True


class Delete(OnPeople[NoParams]):
    """Delete an account with its rights and quotas. Its machines stay, and have no owner then; so does the journal."""

    verb = "delete"
    label = gettext_lazy("Delete account")
    icon = "trash"
    asks_again = True
    group = Group.DANGER
    consequence = gettext_lazy(
        "This can't be undone. Rights, quotas and sessions go with the account. Machines stay as they are, without an "
        "owner; the journal stays, too. To keep somebody out for a while, deactivate the account instead."
    )
    is_destructive = True
    wants_typed_name = True
    takes_away = True

    def facts(self, target: User) -> Sequence[tuple[Words, str]]:
        machines, rights = count_machines(target), len(find_holdings_of(target, with_teams=False))
        return [
            (gettext_lazy("Machines that have no owner then"), str(machines)),
            (gettext_lazy("Objects on which rights are lost"), str(rights)),
        ]

    def perform(self, ask: Ask[User, NoParams]) -> str:
        machines = count_machines(ask.target)
        delete_account(ask.target)
        if not machines:
            return ""
        return ngettext("%d machine has no owner now.", "%d machines have no owner now.", machines) % machines


def why_not_invited(person: User) -> str | None:
    """Why no link for a password can be mailed to somebody."""
    if not can_send():
        return _("This service sends no mail (GWM_MAIL_URL).")
    if keeper := keeper_of(person) if person.pk is not None else None:
        return _kept(person, keeper)
    if not person.email:
        return _("The account has no email address.")
    return None if person.is_active else _("The account is deactivated.")


def _kept(person: User, keeper: Directory) -> str:
    words = _("The password of %(name)s is kept by %(directory)s. Disconnect the two first.")
    return words % {"name": person, "directory": keeper.name}


def make_password() -> str:
    """A password that nobody has chosen, easy to read out: four groups of letters and digits without look-alikes."""
    return "-".join("".join(secrets.choice(_READABLE) for _each in range(5)) for _group in range(4))


def _made(params: NewAccountParams) -> User:
    return User(username=User.normalize_username(params.username), **params.said)


def _wrong_password(password: str, person: User) -> dict[str, str]:
    try:
        validate_password(password, person)
    except ValidationError as error:
        return {"password": " ".join(error.messages)}
    return {}
