"""The brake on guessing passwords, and what else of signing in differs from allauth's own ways.

Failed attempts are counted by account and address, by address, and by account alone. That would let anybody keep an
administrator out by failing on purpose; so a browser in which the account has signed in before carries a signed note of
it, and is counted by itself.
"""

import secrets
from collections.abc import Iterable
from datetime import timedelta
from logging import getLogger
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.stagekit import clear_login
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal import ratelimit
from allauth.mfa.stages import AuthenticateStage
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from objectlog.models import Outcome, Via
from objectlog.services import NO_TARGET, Target, note
from objectlog.words import gettext
from people.answers import refuse, too_many_requests, unable_to_count
from people.directory.accounts import keeper_of
from people.directory.turned_away import TurnedAway
from people.limits import (
    BY_ACCOUNT,
    BY_ACCOUNT_THERE,
    BY_ADDRESS,
    BY_SECOND_FACTOR,
    BY_SECOND_FACTOR_A_DAY,
    Limit,
    name_to_count,
)
from people.proving import can_prove
from permissions.acting import act_as_at_first
from permissions.models import User
from permissions.signed_in import find_person
from ui.outside import is_ours

logger = getLogger("people.signing_in")

KNOWN_BROWSER_COOKIE = "gwm_known_browser"
_KNOWN_BROWSER_AGE = timedelta(days=365)


class Adapter(DefaultAccountAdapter):
    """allauth, with accounts made by administrators alone and with the limits of this module."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _("Wrong user name or password"),
        "enter_current_password": _("Wrong password"),
        "incorrect_password": _("Wrong password"),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes an account for himself."""
        return False

    def is_ajax(self, request: HttpRequest) -> bool:
        """Pages answer with pages, whatever a client claims to be."""
        return False

    def is_safe_url(self, url: str) -> bool:
        """Only URLs of ours."""
        return is_ours(self.request, url)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Where one goes after changing the password."""
        return resolve_url(settings.LOGIN_REDIRECT_URL)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """One page asks for whatever there is."""
        return [{"id": "reauthenticate", "url": reverse("password-again")}] if can_prove(user) else []

    def get_login_stages(self) -> list[str]:
        """With our stage of the second factor."""
        ours = f"{SecondFactorStage.__module__}.{SecondFactorStage.__name__}"
        return [ours if stage.endswith(".AuthenticateStage") else stage for stage in super().get_login_stages()]

    def login(self, request: HttpRequest, user: Any) -> None:
        """Nobody who was deactivated since the password was right; the others begin as the persona that they chose."""
        if not user.is_active:
            clear_login(request)
            raise ImmediateHttpResponse(redirect("login"))
        super().login(request, user)
        act_as_at_first(request, user)

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        """Only who has shown elsewhere who they are comes so far: to others such an account is like none."""
        record_failure(user, self.get_client_ip(request), gettext("The account is deactivated."))
        return refuse(request, gettext("Your account here is deactivated."))

    def post_login(self, request: HttpRequest, user: Any, **hooks: Any) -> HttpResponse:
        """However one has signed in: know this browser again, and write the journal."""
        request.session.set_expiry(None)  # that of the session in which it began does not count
        response: HttpResponse = super().post_login(request, user, **hooks)
        remember_browser(response, user, secure=settings.SESSION_COOKIE_SECURE)
        by = (hooks["signal_kwargs"] or {}).get("sociallogin")
        there = by.provider if by is not None else _keeper_if_asked(request, user)
        words = gettext("By %s.") % there.name if there is not None else ""
        record_sign_in(user, self.get_client_ip(request), words)
        return response

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Who is turned away for another reason than name and password is told so. It stays counted: else passwords of
        accounts here could be guessed without end while the directory is down."""
        try:
            return super().authenticate(request, **credentials)
        except TurnedAway as why:
            record_failure(why.person, self.get_client_ip(request), why.words)
            raise ImmediateHttpResponse(refuse(request, why.words, status=why.status, remedy=why.remedy)) from why

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that gwm.middleware found, which knows the trusted proxies."""
        address: str = request.META.get("REMOTE_ADDR", "")
        if not address:
            raise PermissionDenied
        return address

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """allauth's own messages are not ours."""

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count an attempt before the password is looked at, so that many at once are counted too."""
        account = name_to_count(credentials["username"])
        browser = known_browser(request, credentials["username"])
        if browser:
            limits = [(BY_ACCOUNT_THERE, f"{account}\n{browser}")]
        else:
            there = ratelimit.get_ip(request)
            limits = [(BY_ACCOUNT_THERE, f"{account}\n{there}"), (BY_ADDRESS, ""), (BY_ACCOUNT, account)]
        self._counted = count_attempt(request, limits)

    def _rollback_login_failed_rl_usage(self) -> None:
        """Who signs in did not fail; what failed before stays counted."""
        forgive(self._counted)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Say it in log and journal; a name only if it is one, for people sometimes type their password there."""
        record_failure(User.objects.filter(username=credentials["username"]).first(), self.get_client_ip(request))


class SecondFactorStage(AuthenticateStage):
    """What follows the password, of whoever has a second factor, by whatever way they sign in.

    The half of a sign-in that was done is void once the account is deactivated, has another password or was signed out.
    """

    urlname = "second-factor"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        """Ask for it on our page."""
        if not self._should_handle(self.request):
            return None, True
        self.state["began"] = self.login.user.get_session_auth_hash()
        return redirect(self.urlname), True

    @property
    def is_void(self) -> bool:
        """Whether it can't be finished any more."""
        person = self.login.user
        return person is None or not person.is_active or self.state.get("began") != person.get_session_auth_hash()


def _keeper_if_asked(request: HttpRequest, person: User) -> Any:
    """The directory, if it was its password with which somebody signs in."""
    asked = any(each["method"] == "password" for each in get_authentication_records(request, person))
    return keeper_of(person) if asked and not person.has_usable_password() else None


def count_attempt(request: HttpRequest, limits: Iterable[tuple[Limit, str]]) -> list[ratelimit.RateLimitUsage]:
    """Count an attempt by each of these limits and keys, before it is looked at; answers 429 where one is reached."""
    counted: list[ratelimit.RateLimitUsage] = []
    for limit, key in limits:
        usage = ratelimit.consume(request, app="allauth.account", action=limit.action, key=key)
        if not usage:
            logger.warning("too many failed attempts to sign in from %s", request.META["REMOTE_ADDR"])
            raise ImmediateHttpResponse(too_many_requests(request, wait_s=min(limit.within_s, 3600)))
        counted.append(usage)
    return counted


def count_second_factor(request: HttpRequest, person: User) -> list[ratelimit.RateLimitUsage]:
    """The same of a code or a passkey that somebody shows; a browser or a session of theirs is counted by itself."""
    there = "signed in" if find_person(request) is not None else known_browser(request, person.username)
    key = f"{person.pk}\n{there}"
    return count_attempt(request, [(BY_SECOND_FACTOR, key), (BY_SECOND_FACTOR_A_DAY, key)])


def forgive(counted: Iterable[ratelimit.RateLimitUsage]) -> None:
    """It did not fail, and does not count."""
    for usage in counted:
        usage.rollback()


def refuse_uncounted(request: HttpRequest) -> HttpResponse | None:
    """An answer to a form with a password while attempts can't be counted; to be asked before anything is counted.

    The cache in the database keeps to itself that it can't write (a full disk), and what is not counted is not stopped.
    """
    if request.method != "POST":
        return None
    token = secrets.token_hex(8)
    cache.set(f"gwm:can-count:{token}", token, timeout=10)
    if cache.get(f"gwm:can-count:{token}") == token:
        return None
    request.session.save()  # fails in the database's own words, which have a page
    return unable_to_count(request)


def known_browser(request: HttpRequest, username: str) -> str:
    """What tells this browser from others, if this account has signed in with it before; else empty."""
    try:
        noted = request.get_signed_cookie(
            KNOWN_BROWSER_COOKIE, "", salt=KNOWN_BROWSER_COOKIE, max_age=_KNOWN_BROWSER_AGE
        )
    except BadSignature:
        return ""
    token, _colon, pk = (noted or "").partition(":")
    if pk and User.objects.filter(pk=pk, username=username).exists():
        return f"browser {token}"
    return ""


def remember_browser(response: HttpResponse, user: User, *, secure: bool) -> None:
    """Note in the browser that the account has signed in with it; it lets nobody in."""
    response.set_signed_cookie(
        KNOWN_BROWSER_COOKIE,
        f"{secrets.token_hex(8)}:{user.pk}",
        salt=KNOWN_BROWSER_COOKIE,
        max_age=int(_KNOWN_BROWSER_AGE.total_seconds()),
        httponly=True,
        secure=secure,
        samesite="Lax",
        path=reverse("login"),
    )


def record_failure(person: User | None, address: str, words: str = "") -> None:
    """Write into log and journal that a sign-in failed; `words` say why, where it was not the password."""
    logger.warning("failed attempt to sign in from %s", address)
    note(
        actor_id=None,
        actor_name="",
        via=Via.WEB,
        verb="person.sign-in",
        outcome=Outcome.FAILED,
        target=Target("person", person.pk, person.username) if person is not None else NO_TARGET,
        params={"address": address},
        words=words,
    )


def record_factor(person: User, verb: str, **params: Any) -> None:
    """Write into the journal what somebody has done to, or with, their own second factors."""
    note(
        actor_id=person.pk,
        actor_name=person.username,
        via=Via.WEB,
        verb=f"person.{verb}",
        outcome=Outcome.DONE,
        target=Target("person", person.pk, person.username),
        params=params,
    )


def record_password_change(person: User) -> None:
    """Write into the journal that somebody has changed their own password."""
    note(
        actor_id=person.pk,
        actor_name=person.username,
        via=Via.WEB,
        verb="person.change-password",
        target=Target("person", person.pk, person.username),
        outcome=Outcome.DONE,
    )


def record_password_reset(person: User, address: str) -> None:
    """Write into the journal that a new password was set by a link that was mailed."""
    note(
        actor_id=person.pk,
        actor_name=person.username,
        via=Via.WEB,
        verb="person.reset-password",
        target=Target("person", person.pk, person.username),
        outcome=Outcome.DONE,
        params={"address": address},
    )


def record_rescue(person: User) -> None:
    """Write into the journal that somebody on the server has made an administrator."""
    note(
        actor_id=None,
        actor_name="",
        via=Via.CLI,
        verb="person.rescue",
        target=Target("person", person.pk, person.username),
        outcome=Outcome.DONE,
    )


def record_sign_in(person: User, address: str, words: str = "") -> None:
    """Write into the journal that somebody has signed in."""
    note(
        actor_id=person.pk,
        actor_name=person.username,
        via=Via.WEB,
        verb="person.sign-in",
        outcome=Outcome.DONE,
        target=Target("person", person.pk, person.username),
        params={"address": address},
        words=words,
    )
