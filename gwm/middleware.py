"""What holds for every request and every answer: who is asking, what is let in, what others may keep."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase

from gwm.live.note import now
from gwm.roomy import call_with_room
from gwm.views.errors import bad_request
from objectlog.logged import logged_with
from objectlog.origin import asked_from
from vncproxy.forwarded import real_client
from vncproxy.settings import within

_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_REQUEST_ID")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class ProxyHeaders:
    """Makes REMOTE_ADDR the client's real address, for everything behind: limits, logs, the journal.

    The forwarding headers of trusted proxies (GWM_BEHIND_PROXY, GWM_TRUSTED_PROXIES) are believed, those of everybody
    else are taken away. Stands before everything that asks for the client's address or for https.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """See the class."""
        trusted = settings.GWM_TRUSTED_PROXIES if settings.GWM_BEHIND_PROXY else ()
        peer = request.META.get("REMOTE_ADDR", "")
        if not within(peer, trusted):
            for name in _FORWARDED:
                request.META.pop(name, None)
        address = real_client(peer, request.META.get("HTTP_X_FORWARDED_FOR", ""), trusted)
        request.META["REMOTE_ADDR"] = address
        with asked_from(address):
            return self._get_response(request)


class NameRequest:
    """Gives each request an id, which lines of the log and the answer have: that of a trusted proxy, or one of ours.

    Stands behind `ProxyHeaders`, which takes those of others away.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """See the class."""
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        name = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        with logged_with(request=name, person=lambda: getattr(getattr(request, "_cached_user", None), "pk", None)):
            answer = self._get_response(request)
        answer["X-Request-ID"] = name
        return answer


class RefuseNul:
    """400 for a NUL in the path, in a parameter or in a field: PostgreSQL cannot take one and would raise anywhere.

    A cookie with one is no cookie of ours.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Take such cookies away."""
        for name in [name for name, value in request.COOKIES.items() if "\0" in name + value]:
            del request.COOKIES[name]
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        """Answer instead of the page."""
        if "\0" in request.path or _has_nul(request.GET) or _has_nul(request.POST):
            return bad_request(request)
        return None


def _has_nul(given: QueryDict) -> bool:
    return any("\0" in text for name, values in given.lists() for text in (name, *values))


class KeepPrivate:
    """Nothing of ours stays in a cache, neither a proxy's nor that of a browser which others use after us.

    Static files are answered before, and may be kept.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Say so in every answer."""
        response = self._get_response(request)
        response["Cache-Control"] = "no-store, private"
        return response


class Arrival:
    """Notes when a request came: what is changed later may be missing on the page that answers it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """See the class."""
        request.arrived_at = now()  # type: ignore[attr-defined]
        answer: HttpResponseBase = call_with_room(self._get_response, request)
        return answer
