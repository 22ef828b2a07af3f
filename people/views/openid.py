"""Signing in with an OpenID Connect provider, and which of them are connected to one's account."""

import time
from typing import Any

from allauth.core.internal import ratelimit
from allauth.socialaccount.providers.base.constants import AuthProcess
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from objectlog.words import gettext
from operations.actors import actor_of
from operations.contract import AnyOperation, Ask, Refusal
from operations.pipeline import run
from people.answers import refuse, too_many_requests
from people.directory.described import KEY
from people.openid.accounts import list_connected, name_at, why_not_disconnected
from people.openid.asking import NoAnswer, Untrue
from people.openid.flow import find_provider, finish, send_there
from people.openid.providers import Provider
from people.operations.providers import Disconnect, ProviderParams
from people.proving import has_own_proof, prove_here, was_proven
from people.signing_in import logger, record_failure, refuse_uncounted
from people.ways import find_way
from permissions.signed_in import find_person, person_of
from ui.outside import is_ours

_TRY_FOR_S = 600
DISCONNECT: AnyOperation = Disconnect()


@require_POST
def begin(request: HttpRequest, provider: str) -> HttpResponse:
    """Send somebody to the provider, to sign in there."""
    there = _pick(provider)
    refused = refuse_uncounted(request) or _too_many(request)
    if refused is not None:
        return refused
    next_url = _next_of(request)
    if find_person(request) is None:
        request.session.set_expiry(_TRY_FOR_S)  # a stranger's session is kept no longer than it takes
    return _send(request, there, AuthProcess.LOGIN, next_url)


@require_safe
def come_back(request: HttpRequest, provider: str) -> HttpResponse:
    """Where the provider sends people back to."""
    there = _pick(provider)
    refused = _too_many(request)
    if refused is not None:
        return refused
    try:
        answer: HttpResponse = finish(request, there.key)
    except (NoAnswer, Untrue) as error:
        return _turn_away(request, there, error)
    return answer


@require_safe
def connections(request: HttpRequest) -> HttpResponse:
    """The providers there are, and with which of them one can sign in."""
    person = person_of(request)
    rows = [
        {
            "provider": provider,
            "is_directory": provider.key == KEY,
            "row": row,
            "name": name_at(provider, row) if row is not None else "",
            "obstacle": why_not_disconnected(person, provider.key) if row is not None else "",
        }
        for provider, row in list_connected(person)
    ]
    return render(request, "people/connections.html", {"rows": rows})


@require_POST
def connect(request: HttpRequest, provider: str) -> HttpResponse:
    """Send somebody to the provider, whose word will do for their account from then on; or is to be given `again`."""
    there, is_again = _pick(provider), "again" in request.POST
    refused = _too_many(request) or (_refuse_word(request) if is_again else _ask_again(request))
    if refused is not None:
        return refused
    kept = {"person": person_of(request).pk, "again": time.time() if is_again else None}
    return _send(request, there, AuthProcess.CONNECT, _next_of(request), **kept)


@require_POST
def disconnect(request: HttpRequest, provider: str) -> HttpResponse:
    """Let the provider's word do no more."""
    there, person = find_way(provider), person_of(request)
    if there is None:
        raise Http404(_("There is no such way to sign in."))
    refused = _ask_again(request)
    if refused is not None:
        return refused
    try:
        run(DISCONNECT, Ask(actor_of(request), person, ProviderParams(there)))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("You can sign in with %s no more.") % there.name)
    return redirect("connections")


def _pick(key: str) -> Provider:
    provider = find_provider(key)
    if provider is None:
        raise Http404(_("There is no such way to sign in."))
    return provider


def _next_of(request: HttpRequest) -> str:
    """Where one wants to go on to, if that is ours."""
    url: str = request.POST.get("next", "")
    return url if is_ours(request, url) else ""


def _too_many(request: HttpRequest) -> HttpResponse | None:
    there = ratelimit.consume(request, app="allauth.account", action="openid", limit_get=True)
    return None if there else too_many_requests(request)


def _ask_again(request: HttpRequest) -> HttpResponse | None:
    if was_proven(request):
        return None
    return prove_here(reverse("connections"))


def _refuse_word(request: HttpRequest) -> HttpResponse | None:
    """Who can show here who they are is asked here: a session that was found open may be one at the provider, too."""
    return prove_here(_next_of(request)) if has_own_proof(person_of(request)) else None


def _send(request: HttpRequest, provider: Provider, process: str, next_url: str = "", **kept: Any) -> HttpResponse:
    """A page that goes on by itself: a form may lead nowhere else (Content-Security-Policy), not even by a redirect."""
    try:
        url = send_there(request, provider.key, process, next_url, **kept)
    except (NoAnswer, Untrue) as error:
        return _turn_away(request, provider, error)
    return render(request, "people/going_on.html", {"provider": provider, "url": url})


def _turn_away(request: HttpRequest, provider: Provider, error: NoAnswer | Untrue) -> HttpResponse:
    logger.warning("sign-in with %s: %s", provider.key, error)
    if isinstance(error, NoAnswer):
        words, status, remedy = gettext("%s does not answer.") % provider.name, 502, _("Try again in a moment.")
    else:
        words, status = gettext("What %s says of you could not be verified.") % provider.name, 403
        remedy = _("Sign in again. If it stays, tell whoever runs this service.")
    record_failure(find_person(request), request.META["REMOTE_ADDR"], words)
    return refuse(request, words, status=status, remedy=remedy)
