"""What becomes of somebody whom a provider has vouched for: signed in, connected to an account, or turned away."""

from typing import Any, NoReturn

from allauth.account.internal.flows.login import record_authentication
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext

from objectlog.words import gettext as _
from people.answers import refuse
from people.openid.accounts import BadName, account_for, follow_teams, record_connected
from people.openid.asking import Untrue
from people.openid.flow import get_provider
from people.openid.tokens import LEEWAY_S, read_when_asked
from people.proving import has_own_proof, prove_here
from people.signing_in import record_failure
from permissions.models import User
from permissions.signed_in import find_person


class Adapter(DefaultSocialAccountAdapter):
    """allauth, with the providers of our file, and with refusals that say what to do."""

    def list_apps(self, request: Any, provider: str | None = None, client_id: str | None = None) -> list[SocialApp]:
        """Those of the file alone; none from the database."""
        return [
            SocialApp(provider="openid_connect", provider_id=each.key, name=each.name, client_id=each.client_id)
            for each in settings.GWM_OPENID_PROVIDERS
            if provider in (None, "openid_connect", each.key)
        ]

    def can_authenticate_by_email(self, login: SocialLogin, email: str) -> bool:
        """An address is nobody's proof of being somebody here."""
        return False

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """allauth's own mails are not ours."""

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        """Say it in our words."""
        context = extra_context or {}
        if error == AuthError.CANCELLED:
            words, status = _("Signing in with %s was cancelled.") % provider.name, 403
        elif exception is None and "state_id" in context:
            words, status = _("This attempt to sign in has expired, or was begun in another browser."), 400
        else:
            words, status = _("%s could not say who you are.") % provider.name, 403
        record_failure(None, request.META["REMOTE_ADDR"], words)
        remedy = gettext("Sign in again.")
        raise ImmediateHttpResponse(refuse(request, words, status=status, remedy=remedy))

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Connect an account, or go on and sign in."""
        person, name = find_person(request), sociallogin.provider.name
        if sociallogin.state.get("process") != AuthProcess.CONNECT:
            if sociallogin.is_existing:
                follow_teams(sociallogin.user, sociallogin)
            return
        if person is None or sociallogin.state.get("person") != person.pk:
            self._turn_away(request, _("You were signed out meanwhile."))
        if sociallogin.is_existing and sociallogin.user.pk != person.pk:
            self._turn_away(request, _("What you chose at %s belongs to another account here.") % name)
        if sociallogin.state.get("again"):
            self._prove(request, sociallogin, person)
        self._connect(request, sociallogin, person)
        raise ImmediateHttpResponse(redirect("connections"))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Whether a first sign-in makes an account; if not, it is said what to do instead."""
        if not get_provider(sociallogin.account.provider).adds_accounts:
            self._turn_away(
                request,
                _("No account here is connected to the one that you have at %s.") % sociallogin.provider.name,
                gettext(
                    "If you have an account here, sign in with its password and connect the two on your profile. "
                    "Otherwise ask your administrator for one."
                ),
            )
        return True

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> Any:
        """Make the account; both of it or nothing."""
        try:
            with transaction.atomic():
                sociallogin.user = account_for(sociallogin)
                sociallogin.account.user = sociallogin.user
                sociallogin.account.save()
                follow_teams(sociallogin.user, sociallogin)
        except (BadName, IntegrityError):
            self._turn_away(
                request,
                _("No account can be made for you: the user name that %s has of you cannot be used here.")
                % sociallogin.provider.name,
                gettext(
                    "If it is the name of your account here, sign in with its password and connect the two on your "
                    "profile. Otherwise ask your administrator."
                ),
            )
        return sociallogin.user

    def _prove(self, request: HttpRequest, sociallogin: SocialLogin, person: User) -> NoReturn:
        """Somebody has shown there once more who they are, if the provider says that it has asked them. Untrue."""
        if not sociallogin.is_existing:
            self._turn_away(
                request, _("No account here is connected to the one that you have at %s.") % sociallogin.provider.name
            )
        if has_own_proof(person):  # since they were sent there
            raise ImmediateHttpResponse(prove_here(sociallogin.get_redirect_url(request) or reverse("connections")))
        asked_at = read_when_asked(sociallogin.claims)
        if asked_at < sociallogin.state["again"] - LEEWAY_S:
            raise Untrue("it has not asked again who somebody is")
        record_authentication(request, person, "socialaccount", reauthenticated=True)
        raise ImmediateHttpResponse(redirect(sociallogin.get_redirect_url(request) or "connections"))

    def _connect(self, request: HttpRequest, sociallogin: SocialLogin, person: User) -> None:
        if not sociallogin.is_existing:
            sociallogin.account.user = person
            sociallogin.account.save()
            record_connected(person, sociallogin.provider.name)
        follow_teams(person, sociallogin)
        messages.success(request, gettext("You can sign in with %s now.") % sociallogin.provider.name)

    def _turn_away(self, request: HttpRequest, words: str, remedy: str = "") -> NoReturn:
        record_failure(find_person(request), request.META["REMOTE_ADDR"], words)
        raise ImmediateHttpResponse(refuse(request, words, remedy=remedy))
