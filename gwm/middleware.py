"""Who is really asking, when a proxy stands in between."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST")


class ProxyHeaders:
    """Believes the forwarding headers of our proxy (GWM_BEHIND_PROXY), else takes them away.

    Stands before everything that asks for the client's address or for https.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Set REMOTE_ADDR to what the proxy saw: the last entry; those before it are anybody's claim."""
        if settings.GWM_BEHIND_PROXY:
            last = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
            request.META["REMOTE_ADDR"] = last or request.META.get("REMOTE_ADDR", "")
        else:
            for name in _FORWARDED:
                request.META.pop(name, None)
        return self._get_response(request)
