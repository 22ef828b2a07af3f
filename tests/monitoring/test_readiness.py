"""`/healthz` and `/readyz`: what a stranger is told, and what monitoring is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.web.http_headers import Headers
from twisted.web.test.requesthelper import DummyRequest

from gwm.processes.health import Alive, Ready
from gwm.processes.watchers import Watchers
from vncproxy.settings import networks

pytestmark = pytest.mark.feature("G029")
TOKEN = "a token of sixteen or more"
TROUBLES = {"database": "The database does not answer."}
PROXY = "127.0.0.1"


def ask(address: str = "203.0.113.9", method: bytes = b"GET", **headers: str) -> Any:
    """A request from an address with these headers."""
    request = DummyRequest([b""])
    request.method = method
    request.client = IPv4Address("TCP", address, 5000)
    request.getClientAddress = lambda: request.client  # type: ignore[method-assign]
    request.requestHeaders = Headers({name.replace("_", "-"): [value] for name, value in headers.items()})
    return request


def told(watchers: Watchers, request: Any, troubles: dict[str, str] = TROUBLES) -> tuple[int, Any]:
    """Status and body of an answer that was found a moment ago."""
    ready = Ready(Clock(), dict, watchers)
    ready.tell(troubles)
    ready.render(request)
    return request.responseCode or 200, json.loads(b"".join(request.written))


def watch(**kinds: str) -> Watchers:
    """Monitoring as the settings have it."""
    return Watchers(kinds.get("token", ""), networks("N", kinds.get("at", "")), networks("P", kinds.get("behind", "")))


BEARER = f"Bearer {TOKEN}"
BY_TOKEN = watch(token=TOKEN)
BY_ADDRESS = watch(at="192.0.2.0/24")
PROXIED = watch(at="192.0.2.0/24", behind="127.0.0.0/8")


# Monitoring is on the host of the proxy, too.
BESIDE = watch(at="192.0.2.0/24,127.0.0.1/32", behind="127.0.0.0/8")
UNREADABLE = ("unknown", "_hidden", "203.0.113.9:443", "192.0.2.7:443", "[2001:db8::1]:5", "for=192.0.2.7", "300.0.2.7")


def strangers() -> list[tuple[Watchers, Any]]:
    """Who is not monitoring, and asks."""
    return [
        (watch(), ask()),
        (watch(), ask(PROXY)),
        (watch(), ask(authorization="Bearer ")),
        (watch(), ask(authorization=BEARER)),
        (BY_TOKEN, ask()),
        (BY_TOKEN, ask(PROXY)),
        (BY_TOKEN, ask(authorization=f"Bearer {TOKEN}x")),
        (BY_TOKEN, ask(authorization=f"Bearer {TOKEN[:-1]}")),
        (BY_TOKEN, ask(authorization=f"Basic {TOKEN}")),
        (BY_TOKEN, ask(authorization=TOKEN)),
        (BY_ADDRESS, ask()),
        (BY_ADDRESS, ask(x_forwarded_for="192.0.2.7")),
        (BY_ADDRESS, ask(authorization=BEARER)),
        (PROXIED, ask(PROXY)),
        (PROXIED, ask(PROXY, x_forwarded_for="203.0.113.9")),
        (PROXIED, ask(PROXY, x_forwarded_for="192.0.2.7, 203.0.113.9")),
        (BESIDE, ask(PROXY, x_forwarded_for="")),
        (BESIDE, ask(PROXY, x_forwarded_for="127.0.0.1, 203.0.113.9")),
        *((BESIDE, ask(PROXY, x_forwarded_for=each)) for each in UNREADABLE),
        *((BESIDE, ask(PROXY, x_forwarded_for=f"192.0.2.7, {each}")) for each in UNREADABLE),
        *((BESIDE, ask(PROXY, x_forwarded_for=f"{each}, 127.0.0.2")) for each in UNREADABLE),
    ]


def monitoring() -> list[tuple[Watchers, Any]]:
    """Who is, and asks."""
    return [
        (BY_TOKEN, ask(authorization=BEARER)),
        (BY_TOKEN, ask(authorization=f"bearer  {TOKEN}")),
        (BY_ADDRESS, ask("192.0.2.7")),
        (PROXIED, ask(PROXY, x_forwarded_for="203.0.113.9, 192.0.2.7")),
        (PROXIED, ask(PROXY, x_forwarded_for="unknown, 192.0.2.7")),
        (BESIDE, ask(PROXY)),
        (BESIDE, ask(PROXY, x_forwarded_for="127.0.0.1")),
        (watch(token=TOKEN, at="192.0.2.0/24"), ask("192.0.2.7")),
        (watch(token=TOKEN, at="192.0.2.0/24"), ask(authorization=BEARER)),
    ]


def test_strangers_learn_whether_it_works_and_no_more() -> None:
    assert [told(watchers, request) for watchers, request in strangers()] == [(503, {"ready": False})] * len(
        strangers()
    )
    assert told(watch(), ask(), {}) == (200, {"ready": True})


def test_monitoring_learns_what_is_wrong() -> None:
    answer = 503, {"ready": False, "troubles": TROUBLES}
    assert [told(watchers, request) for watchers, request in monitoring()] == [answer] * len(monitoring())
    assert told(BY_TOKEN, ask(authorization=BEARER), {}) == (200, {"ready": True, "troubles": {}})


def test_a_second_header_with_a_token_is_no_token() -> None:
    request = ask()
    request.requestHeaders.setRawHeaders("authorization", [BEARER, BEARER])
    assert told(BY_TOKEN, request) == (503, {"ready": False})


def test_a_check_that_takes_too_long_is_no_detail_either() -> None:
    clock = Clock()
    stranger, watcher = ask(), ask(authorization=BEARER)
    ready = Ready(clock, dict, BY_TOKEN)  # its thread is not started: the check never ends
    for request in (stranger, watcher):
        ready.render(request)
    clock.advance(5)
    assert json.loads(b"".join(stranger.written)) == {"ready": False}
    assert list(json.loads(b"".join(watcher.written))["troubles"]) == ["check"]


def test_the_token_stands_in_no_repr() -> None:
    assert TOKEN not in repr(BY_TOKEN)


def test_alive_is_said_to_everybody_and_asked_by_no_other_method() -> None:
    request, posted = ask(), ask(method=b"POST")
    assert Alive().render(request) == b"ok\n"
    assert (Alive().render(posted), posted.responseCode) == (b"", 405)
