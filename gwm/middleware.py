"""Who is really asking, when a proxy stands in between."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from vncproxy.forwarded import real_client
from vncproxy.settings import within

_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST")


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
        request.META["REMOTE_ADDR"] = real_client(peer, request.META.get("HTTP_X_FORWARDED_FOR", ""), trusted)
        return self._get_response(request)
