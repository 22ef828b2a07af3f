"""Who is asking: the proxy's word counts only when we were told that there is one."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from gwm.middleware import ProxyHeaders


def seen(rf: RequestFactory, **headers: str) -> HttpRequest:
    requests: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        requests.append(request)
        return HttpResponse()

    ProxyHeaders(view)(rf.get("/", REMOTE_ADDR="192.0.2.9", **headers))
    return requests[0]


def test_without_a_proxy_forwarding_headers_are_taken_away(rf: RequestFactory, settings) -> None:
    settings.GWM_BEHIND_PROXY = False
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    request = seen(rf, HTTP_X_FORWARDED_FOR="203.0.113.5", HTTP_X_FORWARDED_PROTO="https", HTTP_X_FORWARDED_HOST="evil")
    assert request.META["REMOTE_ADDR"] == "192.0.2.9"
    assert not [name for name in request.META if "FORWARDED" in name]
    assert not request.is_secure()


@pytest.mark.parametrize(
    ("header", "address"),
    [("203.0.113.5", "203.0.113.5"), ("6.6.6.6, 203.0.113.5", "203.0.113.5"), ("", "192.0.2.9")],
)
def test_behind_a_proxy_the_last_entry_is_the_client(rf: RequestFactory, settings, header: str, address: str) -> None:
    settings.GWM_BEHIND_PROXY = True
    assert seen(rf, HTTP_X_FORWARDED_FOR=header).META["REMOTE_ADDR"] == address
