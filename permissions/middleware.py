"""Rights as one request sees them."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from permissions.policy import reach_kept

_READS = ("GET", "HEAD")


class ReachReadOnce:
    """A page reads once how far its person's rights reach, however many lists it is made of.

    What changes something (by POST alone) may change rights too, and asks anew each time.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """See the class."""
        if request.method not in _READS:
            return self._get_response(request)
        with reach_kept():
            return self._get_response(request)
