"""What ends that a provider's word lets somebody in; by themselves, or by an administrator."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy

from objectlog.words import gettext as _
from operations.contract import Ask, Invalid, Refusal, Words
from operations.groups import Group
from people.directory.described import KEY
from people.openid.accounts import disconnect, list_connected, list_providers_of, name_at, why_not_disconnected
from people.operations.accounts import OnPeople
from people.selectors import list_administrators
from people.ways import Way
from permissions.models import User
from permissions.policy import Verdict, may_look_after


@dataclass(frozen=True)
class ProviderParams:
    """Which one."""

    provider: Way | None = None


class Disconnect(OnPeople[ProviderParams]):
    """Forget who somebody is at a provider; teams they are in by its word go. Sessions end, but for one's own."""

    verb = "disconnect"
    label = gettext_lazy("Disconnect a sign-in provider")
    icon = "logout"
    asks_again = True
    group = Group.DANGER
    question = gettext_lazy("Disconnect {target} from a sign-in provider?")
    consequence = gettext_lazy(
        "Whoever is signed in there as they can't sign in here any more, and all of their sessions end. Teams that "
        "they are in by its word go."
    )
    params_type = ProviderParams

    def suits(self, target: User) -> bool:
        return bool(list_providers_of(target))

    def obstacle(self, target: User) -> str | None:
        return None if list_providers_of(target) else _("%s is connected to no provider.") % target

    def judge(self, ask: Ask[User, ProviderParams]) -> Verdict:
        return may_look_after(ask.actor.user, ask.target)

    def check(self, ask: Ask[User, ProviderParams]) -> None:
        provider = ask.params.provider
        if provider is None or provider not in list_providers_of(ask.target):
            raise Invalid({"provider": _("%s is connected to no provider.") % ask.target})
        # Else the last administrator could be locked out; who is to be kept out is deactivated.
        is_own = ask.target.pk == ask.actor.user.pk
        reason = why_not_disconnected(ask.target, provider.key)
        if not is_own and provider.key == KEY and any(each.pk != ask.target.pk for each in list_administrators()):
            reason = ""  # an administrator gives them a password here next, which a directory's person can't have
        if reason:
            raise Refusal(reason if is_own else _("It is their only way to sign in."))

    def facts(self, target: User) -> Sequence[tuple[Words, str]]:
        return [(provider.name, name_at(provider, row)) for provider, row in list_connected(target) if row is not None]

    def perform(self, ask: Ask[User, ProviderParams]) -> str:
        if ask.params.provider is None:
            raise Refusal(_("%s is connected to no provider.") % ask.target)
        disconnect(ask.target, ask.params.provider, by=ask.actor)
        if ask.target.pk != ask.actor.user.pk:
            ask.target.sign_outs += 1
            ask.target.save(update_fields=["sign_outs"])
        return ""

    def journal_params(self, params: ProviderParams) -> dict[str, Any]:
        return {"provider": params.provider.name if params.provider is not None else ""}
