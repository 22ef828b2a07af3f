"""Who is asking: the proxy's word counts only when we were told that there is one."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from gwm.middleware import ProxyHeaders, RefuseNul
from vncproxy.settings import networks


def seen(rf: RequestFactory, peer: str = "192.0.2.9", **headers: str) -> HttpRequest:
    requests: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        requests.append(request)
        return HttpResponse()

    ProxyHeaders(view)(rf.get("/", REMOTE_ADDR=peer, **headers))
    return requests[0]


def test_without_a_proxy_forwarding_headers_are_taken_away(rf: RequestFactory, settings) -> None:
    settings.GWM_BEHIND_PROXY = False
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    request = seen(rf, HTTP_X_FORWARDED_FOR="203.0.113.5", HTTP_X_FORWARDED_PROTO="https", HTTP_X_FORWARDED_HOST="evil")
    assert request.META["REMOTE_ADDR"] == "192.0.2.9"
    assert not [name for name in request.META if "FORWARDED" in name]
    assert not request.is_secure()


@pytest.mark.parametrize(
    ("peer", "header", "address"),
    [
        ("192.0.2.9", "203.0.113.5", "203.0.113.5"),
        ("192.0.2.9", "6.6.6.6, 203.0.113.5", "203.0.113.5"),
        ("192.0.2.9", "6.6.6.6, 203.0.113.5, 192.0.2.10", "203.0.113.5"),
        ("::ffff:192.0.2.9", "203.0.113.5", "203.0.113.5"),
        ("192.0.2.9", "", "192.0.2.9"),
        ("192.0.2.9", "203.0.113.5, unknown", "192.0.2.9"),
        ("198.51.100.1", "203.0.113.5", "198.51.100.1"),
    ],
)
def test_of_what_trusted_proxies_say_the_last_stranger_is_the_client(
    rf: RequestFactory, settings, peer: str, header: str, address: str
) -> None:
    settings.GWM_BEHIND_PROXY = True
    settings.GWM_TRUSTED_PROXIES = networks("GWM_TRUSTED_PROXIES", "192.0.2.0/24")
    assert seen(rf, peer, HTTP_X_FORWARDED_FOR=header).META["REMOTE_ADDR"] == address


def test_a_stranger_who_reaches_us_past_the_proxy_is_not_believed(rf: RequestFactory, settings) -> None:
    settings.GWM_BEHIND_PROXY = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.GWM_TRUSTED_PROXIES = networks("GWM_TRUSTED_PROXIES", "192.0.2.9")
    assert seen(rf, "192.0.2.9", HTTP_X_FORWARDED_PROTO="https").is_secure()
    request = seen(rf, "192.0.2.8", HTTP_X_FORWARDED_FOR="203.0.113.5", HTTP_X_FORWARDED_PROTO="https")
    assert not request.is_secure()
    assert not [name for name in request.META if "FORWARDED" in name]


def test_a_cookie_with_a_nul_is_taken_away(rf: RequestFactory) -> None:
    seen_cookies: list[dict[str, str]] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen_cookies.append(dict(request.COOKIES))
        return HttpResponse()

    RefuseNul(view)(rf.get("/", HTTP_COOKIE='theme=dark; gwm_session="\\000aaaaaaaa"'))
    assert seen_cookies == [{"theme": "dark"}]
