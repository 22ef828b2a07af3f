"""What is done to accounts by mail: an invitation, and an address that somebody shows to be theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy

from objectlog.changes import Change
from objectlog.words import gettext as _
from operations.contract import Ask, NoParams, Refusal
from people.confirming import read_confirmation
from people.mailing import invite, tell_former_address
from people.operations.accounts import LABELS, OnPeople, why_not_invited
from permissions.models import User
from permissions.policy import Verdict, may_look_after


@dataclass(frozen=True)
class EmailParams:
    """What stands in a link that was mailed to an address."""

    token: str = ""


class UseEmail(OnPeople[EmailParams]):
    """Take over an email address that was shown to be one's own, by the link that was mailed there."""

    verb = "use-email"
    label = gettext_lazy("Use email address")
    icon = "edit"
    has_own_page = True
    params_type = EmailParams

    def judge(self, ask: Ask[User, EmailParams]) -> Verdict:
        return may_look_after(ask.actor.user, ask.target) or super().judge(ask)

    def check(self, ask: Ask[User, EmailParams]) -> None:
        if not read_confirmation(ask.target, ask.params.token):
            raise Refusal(_("This link is not for this account, it is too old, or the address was changed meanwhile."))

    def changes(self, ask: Ask[User, EmailParams]) -> Sequence[Change]:
        address = read_confirmation(ask.target, ask.params.token)
        return [Change("email", LABELS["email"], ask.target.email or None, address)]

    def perform(self, ask: Ask[User, EmailParams]) -> str:
        tell_former_address(ask.target)
        ask.target.email = read_confirmation(ask.target, ask.params.token)
        ask.target.save(update_fields=["email"])
        return ""

    def journal_params(self, params: EmailParams) -> dict[str, Any]:
        return {}


class Invite(OnPeople[NoParams]):
    """Mail a link with which somebody sets their password."""

    verb = "invite"
    label = gettext_lazy("Invite by mail")
    icon = "external"
    question = gettext_lazy("Invite {target} by mail?")
    consequence = gettext_lazy(
        "They get a link with which they set a password. Until then, the password that they have stays."
    )

    def obstacle(self, target: User) -> str | None:
        return why_not_invited(target)

    def perform(self, ask: Ask[User, NoParams]) -> str:
        invite(ask.target)
        return ""
