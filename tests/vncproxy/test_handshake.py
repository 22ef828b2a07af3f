"""Who gets as far as a WebSocket, and what is told to those who don't."""

import pytest

from tests.vncproxy.rig import HOST, Rig, head
from vncproxy.settings import networks, settings_from
from vncproxy.web import origin_allowed


def status(wire):
    return int(wire.value().split()[1])


@pytest.mark.feature("F207")
def test_a_ticket_opens_a_websocket():
    rig = Rig()
    assert status(rig.request(rig.ticket())) == 101
    assert rig.endpoints == []  # nothing is dialled for a ticket alone


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "",
        "https://evil.example",
        f"https://{HOST}.evil.example",
        f"https://evil.example/{HOST}",
        f"https://{HOST}@evil.example",
        f"https://{HOST}:8443",
        f"file://{HOST}",
        "https://",
        f"https://{HOST}\\@evil.example",
        f"https://[{HOST}",
    ],
)
def test_foreign_null_and_missing_origins_are_refused(origin):
    rig = Rig()
    wire = rig.request(rig.ticket(), Origin=origin)
    assert status(wire) == 403
    assert len(rig.used) == 0


def test_two_origins_are_refused():
    rig = Rig()
    wire = rig.connect()
    request = head(rig.ticket()).replace(b"Upgrade: ", b"Origin: https://evil.example\r\nUpgrade: ", 1)
    wire.protocol.dataReceived(request)
    assert status(wire) == 403


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("https://gwm.example.org", "gwm.example.org", True),
        ("HTTPS://GWM.example.org", "gwm.EXAMPLE.org", True),
        ("https://gwm.example.org", "gwm.example.org:443", True),
        ("http://gwm.example.org:8000", "gwm.example.org:8000", True),
        ("http://[2001:db8::1]:8000", "[2001:db8::1]:8000", True),
        ("http://gwm.example.org", "gwm.example.org:443", False),
        ("https://gwm.example.org", "", False),
        ("https://other.example.org", "gwm.example.org", True),
        ("https://other.example.org:444", "gwm.example.org", False),
        ("https://gwm.example.org/path", "gwm.example.org", False),
        ("https://gwm.example.org:x", "gwm.example.org:x", False),
    ],
)
def test_origins(origin, host, allowed):
    assert origin_allowed(origin, host, frozenset({"https://other.example.org"})) is allowed


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Upgrade": None}, 426),
        ({"Upgrade": "h2c"}, 426),
        ({"Connection": "keep-alive"}, 426),
        ({"Sec_WebSocket_Version": "8"}, 426),
        ({"Sec_WebSocket_Version": None}, 426),
        ({"Sec_WebSocket_Key": None}, 400),
        ({"Sec_WebSocket_Key": "short"}, 400),
        ({"Sec_WebSocket_Key": "ÄÖÜ"}, 400),
        ({"Sec_WebSocket_Protocol": None}, 403),
        ({"Sec_WebSocket_Protocol": "binary"}, 403),
        ({"Sec_WebSocket_Protocol": "binary, ticket."}, 403),
        ({"Sec_WebSocket_Protocol": "ticket.abc"}, 403),
        ({"Sec_WebSocket_Protocol": "binary, ticket.a, ticket.b"}, 403),
        ({"version": "HTTP/1.0"}, 426),
        ({"method": "POST"}, 405),
        ({"path": "/console/ws/"}, 200),  # the rest of the site
        ({"path": "//evil.example/console/ws"}, 200),
        ({"path": "/console"}, 200),
    ],
)
def test_what_is_no_handshake(changes, expected):
    rig = Rig()
    assert status(rig.request(rig.ticket(), **changes)) == expected
    assert rig.broker.list() == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/gwm/console/ws", 101),
        ("/console/ws", 101),  # for a proxy that takes the path off
        ("/gwm/gwm/console/ws", 200),  # the rest of the site
        ("/gwmore/console/ws", 200),
    ],
)
def test_below_a_path_the_console_is_there(path, expected):
    rig = Rig(below=(b"gwm",))
    assert status(rig.request(rig.ticket(), path=path)) == expected


def test_the_origin_of_a_public_url_with_a_path_is_its_host():
    told = settings_from({"GWM_CONSOLE_KEYS": "k", "GWM_PUBLIC_URL": "https://GWM.example.org/a/b/"})
    assert told.origins == {"https://gwm.example.org"} and told.below == (b"a", b"b")
    assert settings_from({"GWM_CONSOLE_KEYS": "k"}).below == ()


def test_the_rest_of_the_site_is_served_as_before():
    rig = Rig()
    wire = rig.connect()
    for _ in range(2):  # on one connection
        wire.protocol.dataReceived(b"GET /vms/ HTTP/1.1\r\nHost: x\r\n\r\n")
        assert wire.take().endswith(b"the rest")


def test_an_oversized_head_is_refused():
    rig = Rig()
    wire = rig.connect()
    line = b"X-Filler: " + b"x" * 1000 + b"\r\n"
    wire.protocol.dataReceived(b"GET /console/ws HTTP/1.1\r\n" + line * 20)
    assert status(wire) == 400
    assert wire.protocol is None


@pytest.mark.parametrize("before", [b"", b"GET /vms/ HTTP/1.1\r\nHost: x\r\n\r\n"], ids=["first", "second"])
def test_a_slow_head_is_cut(before):
    rig = Rig(handshake_timeout_s=10)
    wire = rig.connect()
    wire.protocol.dataReceived(before)
    for _ in range(9):
        wire.protocol.dataReceived(b"G")
        rig.clock.advance(1)
    assert not wire.aborted
    wire.protocol.dataReceived(b"G")
    rig.clock.advance(1)
    assert wire.aborted


def test_a_resting_connection_is_not_cut_early():
    rig = Rig(handshake_timeout_s=10)
    wire = rig.connect()
    wire.protocol.dataReceived(b"GET /vms/ HTTP/1.1\r\nHost: x\r\n\r\n")
    rig.clock.advance(30)
    assert not wire.aborted


def test_nothing_of_a_ticket_is_shown():
    rig = Rig()
    ticket = rig.ticket(password="nodesecret")
    wire = rig.request(ticket)
    assert ticket not in repr(rig.broker.list())
    assert ticket.encode() not in wire.value()  # nor sent back as the chosen subprotocol
    assert "nodesecret" not in repr(rig.broker.list())


@pytest.mark.feature("F216")
@pytest.mark.parametrize(
    ("address", "admitted"), [("198.51.100.7", True), ("192.0.2.9", False), ("::ffff:198.51.100.7", True), ("x", False)]
)
def test_only_clients_of_some_networks(address, admitted):
    rig = Rig(client_networks=networks("x", "198.51.100.0/24"))
    wire = rig.request(rig.ticket(), address=address)
    assert len(rig.broker.list()) == admitted
    assert (b"\x0f\xad" in wire.value()) is not admitted  # close code 4013


def test_forwarded_addresses_count_only_from_a_trusted_proxy():
    only = networks("x", "203.0.113.5/32")
    for trusted in ("", "192.0.2.0/24"):
        rig = Rig(client_networks=only, trusted_proxies=networks("x", trusted))
        rig.request(rig.ticket(), X_Forwarded_For="203.0.113.5")
        assert rig.broker.list() == []
    rig = Rig(client_networks=only, trusted_proxies=networks("x", "198.51.100.7"))
    rig.request(rig.ticket(), X_Forwarded_For="203.0.113.5, 203.0.113.6")
    assert rig.broker.list() == []
    rig.request(rig.ticket(), X_Forwarded_For="203.0.113.6, 203.0.113.5")
    assert len(rig.broker.list()) == 1
