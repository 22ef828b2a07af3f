"""SSH public keys: added, called otherwise, removed, by their person or by an administrator."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy, gettext_noop

from objectlog.changes import Change
from objectlog.services import Target
from objectlog.words import gettext as _
from operations.contract import Ask, Claims, Invalid, NoParams, Operation
from people.public_keys import NotTaken, PublicKey, clean_comment, read_public_key
from permissions.models import SshKey, User
from permissions.policy import Verdict, may_look_after

MOST_KEYS = 50
P = TypeVar("P")


@dataclass(frozen=True)
class KeyParams:
    """A key as it was pasted."""

    key: str = ""

    @cached_property
    def read(self) -> PublicKey:
        """What it is. Raises NotTaken."""
        return read_public_key(self.key)


@dataclass(frozen=True)
class CommentParams:
    """What a key is called."""

    comment: str = ""


class AddKey(Operation[User, KeyParams]):
    """Add a key to a person."""

    kind = "key"
    asked_of = "person"
    verb = "add"
    label = gettext_lazy("Add SSH key")
    needs = "change_people"
    icon = "plus"
    sends = False
    needs_target = False
    locks = False
    has_own_page = True
    params_type = KeyParams

    def judge(self, ask: Ask[User, KeyParams]) -> Verdict:
        return may_look_after(ask.actor.user, ask.target)

    def check(self, ask: Ask[User, KeyParams]) -> None:
        try:
            found = ask.params.read
        except NotTaken as error:
            raise Invalid({"key": error.args[0]}) from error
        keys = ask.target.ssh_keys.all()
        if keys.filter(fingerprint=found.fingerprint).exists():
            raise Invalid({"key": _there_is_one(ask.target)})
        if keys.count() >= MOST_KEYS:
            raise Invalid({"key": _("%(who)s has %(most)d keys. Remove one first.") % _said(ask.target)})

    def changes(self, ask: Ask[User, KeyParams]) -> Sequence[Change]:
        found = ask.params.read
        return [
            Change("kind", gettext_noop("type"), None, found.kind),
            Change("fingerprint", gettext_noop("fingerprint"), None, found.fingerprint),
            Change("comment", gettext_noop("comment"), None, found.comment or None),
        ]

    def target_of(self, target: Any) -> Target:
        return super().target_of(target) if isinstance(target, SshKey) else Target("person", target.pk, target.username)

    def claim(self, ask: Ask[User, KeyParams], entry: UUID) -> Claims:
        found = ask.params.read
        key = SshKey(
            person=ask.target,
            kind=found.kind,
            body=found.body,
            bits=found.bits,
            comment=found.comment,
            fingerprint=found.fingerprint,
        )
        try:
            with transaction.atomic():
                key.save()
        except IntegrityError as taken:
            raise Invalid({"key": _there_is_one(ask.target)}) from taken
        return Claims(made=key)

    def perform(self, ask: Ask[User, KeyParams]) -> str:
        return ""

    def journal_params(self, params: KeyParams) -> dict[str, Any]:
        return {}


class _OnKey(Operation[SshKey, P]):
    kind = "key"
    needs = "change_people"
    sends = False
    needs_target = False
    locks = False

    def judge(self, ask: Ask[SshKey, P]) -> Verdict:
        return may_look_after(ask.actor.user, ask.target.person)


class EditKey(_OnKey[CommentParams]):
    """Call a key otherwise."""

    verb = "edit"
    label = gettext_lazy("Change comment")
    icon = "edit"
    question = gettext_lazy("Change the comment of this key?")
    params_type = CommentParams

    def changes(self, ask: Ask[SshKey, CommentParams]) -> Sequence[Change]:
        old, new = ask.target.comment, clean_comment(ask.params.comment)
        return [Change("comment", gettext_noop("comment"), old or None, new or None)] if old != new else []

    def alters(self, ask: Ask[SshKey, CommentParams], changes: Sequence[Change]) -> bool:
        return bool(changes)

    def perform(self, ask: Ask[SshKey, CommentParams]) -> str:
        ask.target.comment = clean_comment(ask.params.comment)
        ask.target.save(update_fields=["comment"])
        return ""

    def journal_params(self, params: CommentParams) -> dict[str, Any]:
        return {}


class RemoveKey(_OnKey[NoParams]):
    """Remove a key from the feeds; where it was installed already it stays until they are read again."""

    verb = "remove"
    label = gettext_lazy("Remove SSH key")
    icon = "trash"
    is_destructive = True
    question = gettext_lazy("Remove this key?")
    consequence = gettext_lazy(
        "No feed has it from now on. A machine where it was installed lets it in until that is made anew from the feed."
    )

    def facts(self, target: SshKey) -> Sequence[tuple[Any, str]]:
        return [
            (gettext_lazy("Type"), target.kind),
            (gettext_lazy("Fingerprint"), target.fingerprint),
            (gettext_lazy("Comment"), target.comment),
        ]

    def perform(self, ask: Ask[SshKey, NoParams]) -> str:
        ask.target.delete()
        return ""


def _there_is_one(person: User) -> str:
    return _("%s has this key already.") % person


def _said(person: User) -> dict[str, Any]:
    return {"who": person, "most": MOST_KEYS}
