"""Tokens of scripts: made by their person alone, withdrawn by them or by an administrator."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext_lazy, gettext_noop

from objectlog.changes import Change
from objectlog.services import Target
from objectlog.words import gettext as _
from operations.contract import Ask, Claims, Forbidden, Invalid, NoParams, Operation, Site
from people.tokens import LEAST, digest_of
from permissions.models import Token, User
from permissions.policy import Denied, Verdict, access_of, can, may_look_after, may_speak_as

MOST_TOKENS = 50
_NAME = re.compile(r"[\w.-]{1,60}")


@dataclass(frozen=True)
class TokenParams:
    """What it is called, what it counts on (None: everything), until when, and what the script will show."""

    name: str = ""
    on: Model | None = None
    until: datetime | None = None
    secret: str = ""


class AddToken(Operation[User, TokenParams]):
    """Nobody makes tokens in somebody else's name."""

    kind = "token"
    asked_of = "person"
    verb = "add"
    label = gettext_lazy("Add token")
    needs = "change_people"
    icon = "plus"
    sends = False
    needs_target = False
    locks = False
    has_own_page = True
    params_type = TokenParams

    def judge(self, ask: Ask[User, TokenParams]) -> Verdict:
        return may_speak_as(ask.actor.user, ask.target)

    def check(self, ask: Ask[User, TokenParams]) -> None:
        person, params = ask.target, ask.params
        verdict = may_read_keys(person, params.on)
        if isinstance(verdict, Denied):
            everything = _("Only administrators may have a token for everything.")
            raise Invalid({"on": everything if params.on is None else verdict.reason})
        if not _NAME.fullmatch(params.name):
            raise Invalid({"name": _("Type a name of letters, digits, dots, - and _, such as install-hook.")})
        if person.tokens.filter(name=params.name).exists():
            raise Invalid({"name": _there_is_one(params.name)})
        if person.tokens.count() >= MOST_TOKENS:
            raise Invalid({"name": _("There are %d tokens. Withdraw one first.") % MOST_TOKENS})
        if params.until is None or params.until <= timezone.now():
            raise Invalid({"until": _("Type an end that is to come.")})
        if len(params.secret) < LEAST:
            raise Invalid({"secret": _("It must be random, and have at least %d characters.") % LEAST})

    def changes(self, ask: Ask[User, TokenParams]) -> Sequence[Change]:
        return [
            Change("on", gettext_noop("for the keys of"), None, _name_of(ask.params.on)),
            Change("until", gettext_noop("until"), None, ask.params.until and ask.params.until.isoformat()),
        ]

    def target_of(self, target: Any) -> Target:
        return super().target_of(target) if isinstance(target, Token) else Target("person", target.pk, target.username)

    def claim(self, ask: Ask[User, TokenParams], entry: UUID) -> Claims:
        params = ask.params
        if params.until is None:
            raise Forbidden(_("A token needs an end."))
        token = Token(
            person=ask.target,
            name=params.name,
            scope_kind="" if params.on is None else access_of(type(params.on)).kind,
            scope_pk=None if params.on is None else params.on.pk,
            scope_name=_name_of(params.on),
            digest=digest_of(params.secret),
            expires_at=params.until,
        )
        try:
            with transaction.atomic():
                token.save()
        except IntegrityError as taken:
            raise Invalid({"name": _there_is_one(params.name)}) from taken
        return Claims(made=token)

    def perform(self, ask: Ask[User, TokenParams]) -> str:
        return ""

    def journal_params(self, params: TokenParams) -> dict[str, Any]:
        return {"name": params.name}


class WithdrawToken(Operation[Token, NoParams]):
    """From now on it opens nothing."""

    kind = "token"
    verb = "withdraw"
    label = gettext_lazy("Withdraw token")
    needs = "change_people"
    icon = "trash"
    sends = False
    needs_target = False
    locks = False
    is_destructive = True
    question = gettext_lazy("Withdraw token {target}?")
    consequence = gettext_lazy("Whatever uses it is refused from now on.")

    def judge(self, ask: Ask[Token, NoParams]) -> Verdict:
        return may_look_after(ask.actor.user, ask.target.person)

    def perform(self, ask: Ask[Token, NoParams]) -> str:
        ask.target.delete()
        return ""


def may_read_keys(person: User, target: Model | None) -> Verdict:
    """Whether somebody may read who is let in there: who may say it, does."""
    return can(person, "change_people") if target is None else can(person, "admin", target)


def _name_of(target: Model | Site | None) -> str:
    return str(_("everything")) if target is None else str(target)


def _there_is_one(name: str) -> str:
    return _("There is a token “%s” already.") % name
