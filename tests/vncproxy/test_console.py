"""A console from its ticket to its end, with every step in the test's hands."""

import struct

import pytest
from twisted.internet.error import ConnectionRefusedError, NoRouteError
from twisted.internet.error import TimeoutError as ConnectTimeoutError

from tests.vncproxy.rig import BrowserEnd, Rig
from vncproxy.rfb import answer
from vncproxy.troubles import Trouble


@pytest.mark.feature("F207")
def test_joins_browser_and_machine():
    rig = Rig()
    browser, node = rig.open()
    browser.send(b"\x01")
    assert node.take() == b"\x01"
    node.protocol.dataReceived(b"screen")
    assert browser.messages() == [b"screen"]
    (listed,) = rig.broker.list()
    assert (listed["user"], listed["vm"], listed["open"]) == ("alice", "1/abc", True)
    assert (listed["bytes_to_browser"], listed["bytes_to_node"]) == (10, 1)


def test_dials_the_address_of_the_ticket_after_the_login_only():
    rig = Rig(names={"node1.example.org": [["192.0.2.9"]]})
    browser = rig.browser(host="node1.example.org", port=11007, connect_timeout_s=3.0)
    assert rig.endpoints == []
    browser.log_in()
    (endpoint,) = rig.endpoints
    assert (endpoint.host, endpoint.port, endpoint.seconds) == ("192.0.2.9", 11007, 3.0)


@pytest.mark.feature("F208")
def test_a_ticket_serves_once():
    rig = Rig()
    ticket = rig.ticket()
    first = rig.request(ticket)
    second = BrowserEnd(rig.request(ticket))
    second.wire.take().partition(b"\r\n\r\n")
    assert len(rig.broker.list()) == 1
    first.end()
    third = rig.request(ticket)  # also after the first has gone
    assert rig.broker.list() == []
    assert struct.pack(">H", Trouble.USED.code) in third.value()


@pytest.mark.feature("F208")
def test_a_ticket_dies_after_30_seconds():
    rig = Rig()
    ticket = rig.ticket()
    rig.clock.advance(30)
    wire = rig.request(ticket)
    assert struct.pack(">H", Trouble.EXPIRED.code) in wire.value()
    assert rig.broker.list() == []


@pytest.mark.parametrize("set_back_s", [0.0, 20.0, 50.0])
def test_a_used_ticket_stays_used_though_the_clock_is_set_back(set_back_s):
    """By as much as two hosts may differ; what was forgotten in between would be good again."""
    rig = Rig()
    ticket = rig.ticket()
    rig.request(ticket)
    rig.clock.advance(31 + set_back_s)
    rig.request(rig.ticket())  # at each new one the old ones are looked through
    rig.clock.rightNow -= 2 + set_back_s
    assert struct.pack(">H", Trouble.USED.code) in rig.request(ticket).value()


def test_used_tickets_are_forgotten_in_time():
    rig = Rig()
    rig.request(rig.ticket())
    rig.clock.advance(600)
    rig.request(rig.ticket())
    assert len(rig.used) == 1


def test_tampered_and_foreign_tickets_are_told_apart_from_nothing():
    rig = Rig()
    for text in ("abc", rig.ticket()[:-8] + "AAAAAAAA"):
        wire = rig.request(text)
        assert struct.pack(">H", Trouble.BAD_TICKET.code) in wire.value()
        rig.clock.advance(4)
        assert wire.aborted  # the goodbye is not waited for
    assert rig.broker.list() == []


@pytest.mark.parametrize(
    "data", [b"RFB 003.008\n\x01", b"RFB 003.008\n\x00\x01\x01", b"\x01" * 12, b"RFB 003.008\n\x10"]
)
def test_cve_2022_36436_the_none_type_gets_nobody_in(data):
    rig = Rig()
    browser = rig.browser()
    browser.send(data)
    assert browser.close_code() == Trouble.BROWSER_PROTOCOL.code
    assert rig.endpoints == []


def test_a_browser_that_skips_the_login_gets_nowhere():
    rig = Rig()
    browser = rig.browser()
    browser.send(b"RFB 003.008\n\x02" + bytes(16) + b"\x01" + bytes(100))
    assert browser.close_code() == Trouble.BROWSER_LOGIN.code
    assert rig.endpoints == []


def test_the_password_of_another_ticket_does_not_do():
    rig = Rig()
    browser = rig.browser(browser_password="another1")
    browser.log_in()
    assert browser.close_code() == Trouble.BROWSER_LOGIN.code
    assert rig.endpoints == []


def test_a_slow_login_is_ended():
    rig = Rig(handshake_timeout_s=10)
    browser = rig.browser()
    for byte in b"RFB 003":
        browser.send(bytes([byte]))
        rig.clock.advance(1)
    assert browser.close_code() is None
    rig.clock.advance(3)
    assert browser.close_code() == Trouble.BROWSER_SLOW.code
    rig.clock.advance(3)
    assert browser.wire.aborted


def test_too_much_before_the_login_is_over():
    rig = Rig()
    browser = rig.browser()
    browser.log_in()
    for _ in range(5):
        browser.send(bytes(1000))
    assert browser.close_code() == Trouble.BROWSER_PROTOCOL.code
    assert rig.endpoints[0].cancelled


def answers(data):
    def answer(endpoint):
        endpoint.succeed().protocol.dataReceived(data)

    return answer


@pytest.mark.feature("F217")
@pytest.mark.parametrize(
    ("host", "happens"),
    [
        ("192.0.2.1", lambda endpoint: endpoint.waiting.errback(ConnectionRefusedError())),
        ("192.0.2.1", lambda endpoint: endpoint.waiting.errback(NoRouteError())),
        ("192.0.2.1", lambda endpoint: endpoint.waiting.errback(ConnectTimeoutError())),
        ("192.0.2.1", lambda endpoint: None),
        ("192.0.2.1", lambda endpoint: endpoint.succeed()),
        ("192.0.2.1", lambda endpoint: endpoint.succeed().end()),
        ("192.0.2.1", answers(b"SSH-2.0-Open")),
        ("192.0.2.1", answers(b"RFB oh no, not")),
        ("127.0.0.1", None),
        ("nonesuch.example.org", None),
    ],
    ids=[
        "refused",
        "no-route",
        "timed-out",
        "no-answer",
        "silent",
        "hung-up",
        "not-vnc",
        "almost-vnc",
        "loopback",
        "no-name",
    ],
)
def test_nothing_tells_what_is_at_an_address(host, happens):
    rig = Rig(connect_timeout_s=5)
    browser = rig.browser(host=host)
    browser.log_in()
    if happens is None:
        assert rig.endpoints == []
    else:
        happens(rig.endpoints[0])
    rig.clock.pump([0.5] * 9)
    assert browser.messages() == []
    assert browser.closed_with is None
    rig.clock.advance(0.5)
    assert browser.messages() == []
    assert browser.closed_with == (Trouble.UNREACHABLE.code, Trouble.UNREACHABLE.reason())
    assert all(endpoint.cancelled or endpoint.waiting.called for endpoint in rig.endpoints)


def test_a_port_that_opens_in_time_is_found():
    rig = Rig(connect_timeout_s=5)
    browser = rig.browser()
    browser.log_in()
    rig.endpoints[0].waiting.errback(ConnectionRefusedError())
    rig.clock.advance(0.5)
    node = rig.endpoints[1].succeed()
    node.protocol.dataReceived(b"RFB 003.008\n\x01\x01\0\0\0\0")
    assert browser.messages() == [bytes(4)]


@pytest.mark.feature("F217")
def test_a_ticket_names_its_own_time_out():
    rig = Rig(connect_timeout_s=10)
    browser = rig.browser(connect_timeout_s=2.0)
    browser.log_in()
    rig.clock.advance(2)
    assert browser.close_code() == Trouble.UNREACHABLE.code
    assert rig.endpoints[0].cancelled


def test_a_node_that_accepts_and_says_nothing_times_out():
    rig = Rig(connect_timeout_s=5)
    browser = rig.browser()
    browser.log_in()
    rig.endpoints[0].succeed()
    rig.clock.advance(5)
    assert browser.close_code() == Trouble.UNREACHABLE.code


def test_logs_in_at_the_node_with_the_password_that_the_browser_never_sees():
    rig = Rig()
    browser = rig.browser(password="nodesecret")
    browser.log_in()
    node = rig.endpoints[0].succeed()
    node.protocol.dataReceived(b"RFB 003.008\n\x01\x02" + bytes(16))
    assert node.take() == b"RFB 003.008\n\x02" + answer(bytes(16), "nodesecret")
    node.protocol.dataReceived(b"\0\0\0\0first words")
    assert b"".join(browser.messages()) == bytes(4) + b"first words"


def test_a_node_password_that_is_missing_or_wrong_is_said():
    for password, says, trouble in (
        ("", b"RFB 003.008\n\x01\x02", Trouble.PASSWORD_MISSING),
        ("pw", b"RFB 003.008\n\x01\x02" + bytes(16) + b"\0\0\0\1\0\0\0\x04Nope", Trouble.PASSWORD_WRONG),
    ):
        rig = Rig()
        browser = rig.browser(password=password)
        browser.log_in()
        rig.endpoints[0].succeed().protocol.dataReceived(says)
        assert browser.close_code() == trouble.code


def test_both_sides_end_together_when_the_node_hangs_up():
    rig = Rig()
    browser, node = rig.open()
    node.protocol.dataReceived(b"last words")
    node.end()
    assert browser.messages() == [b"last words"]
    assert browser.closed_with[0] == Trouble.NODE_CLOSED.code
    browser.send(struct.pack(">H", 4040), opcode=8)  # the browser says goodbye, too
    assert browser.wire.protocol is None
    assert rig.broker.list() == []


@pytest.mark.parametrize("how", ["vanishes", "says so"])
def test_both_sides_end_together_when_the_browser_goes(how):
    rig = Rig()
    browser, node = rig.open()
    browser.send(b"last key")
    if how == "vanishes":
        browser.wire.end()
    else:
        browser.send(struct.pack(">H", 1000), opcode=8)
    assert node.protocol is None
    assert node.take() == b"last key"
    assert rig.broker.list() == []


def test_a_browser_that_goes_while_the_node_is_dialled():
    rig = Rig()
    browser = rig.browser()
    browser.log_in()
    browser.wire.end()
    assert rig.endpoints[0].cancelled
    assert rig.broker.list() == []


def test_nothing_is_left_behind():
    rig = Rig()
    for _ in range(3):
        browser, node = rig.open()
        node.end()
        browser.send(struct.pack(">H", 4040), opcode=8)
    rig.clock.advance(10)
    calls = [call for call in rig.clock.getDelayedCalls() if "_ping" not in repr(call.func)]
    assert calls == []
    assert rig.broker._consoles == {}


def test_each_side_holds_back_the_other():
    rig = Rig()
    browser, node = rig.open()
    browser.wire.producer.pauseProducing()  # the browser reads nothing: its transport is full
    assert node.paused
    assert not browser.wire.paused
    browser.wire.producer.resumeProducing()
    assert not node.paused
    node.producer.pauseProducing()
    assert browser.wire.paused
    node.producer.resumeProducing()
    assert not browser.wire.paused


def test_a_browser_that_is_full_before_the_node_is_there():
    rig = Rig()
    browser = rig.browser()
    browser.log_in()
    browser.wire.producer.pauseProducing()
    node = rig.endpoints[0].succeed()
    assert node.paused


def test_a_full_browser_is_not_answered_its_pings():
    rig = Rig()
    browser, _ = rig.open()
    browser.wire.producer.pauseProducing()
    for _ in range(100):
        browser.send(b"x" * 100, opcode=9)
    assert browser.wire.value() == b""


def test_a_message_that_is_too_big_ends_the_console():
    rig = Rig(message_limit=65536)
    browser, node = rig.open()
    browser.send(bytes(65536))
    assert len(node.take()) == 65536
    browser.send(bytes(65537))
    assert browser.close_code() == 1009
    assert node.protocol is None


def test_browsers_that_fall_silent_are_noticed():
    rig = Rig(ping_interval_s=25)
    browser, _ = rig.open()
    for _ in range(4):
        rig.clock.advance(25)
        browser.send(b"", opcode=10)
    assert browser.close_code() is None
    rig.clock.advance(25)
    rig.clock.advance(25)
    assert browser.close_code() is None
    rig.clock.advance(25)
    assert browser.close_code() == Trouble.BROWSER_SILENT.code


@pytest.mark.parametrize(("idle_s", "code"), [(0, None), (60, Trouble.IDLE.code)])
def test_idle_consoles_stay_unless_told_otherwise(idle_s, code):
    rig = Rig(idle_s=idle_s, ping_interval_s=25)
    browser, _ = rig.open()
    for _ in range(400):
        rig.clock.advance(25)
        if not browser.close_code():
            browser.send(b"", opcode=10)
    assert browser.close_code() == code


def test_there_are_not_too_many():
    rig = Rig(limit=2)
    rig.open()
    rig.open()
    wire = rig.request(rig.ticket())
    assert struct.pack(">H", Trouble.FULL.code) in wire.value()


@pytest.mark.parametrize(
    ("chosen", "count"),
    [({"user_id": 7}, 2), ({"user_id": 8}, 0), ({"vm": "1/b"}, 1), ({"vm": "1/a", "user_id": 7}, 1)],
)
def test_consoles_are_closed_by_what_they_are(chosen, count):
    rig = Rig()
    pairs = [rig.open(vm="1/a"), rig.open(vm="1/b")]
    assert rig.broker.close(**chosen, reason="Your right was withdrawn.") == count
    closed = [browser.close_code() for browser, _ in pairs]
    assert closed.count(Trouble.CLOSED_BY_STAFF.code) == count
    assert [node.protocol for _, node in pairs].count(None) == count


def test_closing_does_not_wait_for_a_browser_that_reads_nothing():
    rig = Rig()
    browser, node = rig.open()
    browser.wire.producer.pauseProducing()
    rig.broker.close(user_id=7)
    assert node.protocol is None
    rig.clock.advance(3)
    assert browser.wire.aborted


def test_stopping_says_goodbye_to_all():
    rig = Rig()
    browser, _ = rig.open()
    gone = rig.broker.stopService()
    assert browser.close_code() == Trouble.SHUTTING_DOWN.code
    assert not gone.called
    rig.clock.advance(3)
    assert gone.called
    assert rig.clock.getDelayedCalls() == []
