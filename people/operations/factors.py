"""What administrators do about second factors that are lost."""

from django.utils.translation import gettext_lazy

from objectlog.words import gettext as _
from objectlog.words import ngettext
from operations.contract import Ask, NoParams
from operations.groups import Group
from people.factors import has_factor, remove_all
from people.mailing import tell_of_factors
from people.operations.accounts import OnPeople
from permissions.models import User


class ResetFactors(OnPeople[NoParams]):
    """Take away the second factors of somebody who has lost them. Nobody does it to themselves, nor to those above."""

    verb = "reset-factors"
    label = gettext_lazy("Remove second factors")
    icon = "shield"
    asks_again = True
    group = Group.DANGER
    question = gettext_lazy("Remove all second factors of {target}?")
    consequence = gettext_lazy(
        "Their authenticator app, passkeys and recovery codes go, and all of their sessions end. They sign in with the "
        "password alone, until they set a factor up again. Be sure that it is they who ask for it."
    )

    def suits(self, target: User) -> bool:
        return has_factor(target)

    def obstacle(self, target: User) -> str | None:
        return None if has_factor(target) else _("%s has no second factor.") % target

    def obstacle_for(self, user: User, target: User) -> str | None:
        if target.pk != user.pk:
            return None
        # Whoever has found a session open would be rid of the factor.
        return _("Remove your own factors on your profile, or use rescue_admin on the server.")

    def perform(self, ask: Ask[User, NoParams]) -> str:
        removed = remove_all(ask.target)
        tell_of_factors(ask.target)
        ask.target.sign_outs += 1
        ask.target.save(update_fields=["sign_outs"])
        return ngettext("%d factor removed.", "%d factors removed.", removed) % removed
