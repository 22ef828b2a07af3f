"""What one client can take of a site: time for a head and for a body, and connections."""

import resource

import pytest

from tests.vncproxy.rig import Rig
from vncproxy.connections import Connections, connections_for
from vncproxy.settings import networks

HEAD = b"POST / HTTP/1.1\r\nHost: gwm.example.org\r\nContent-Length: 1000\r\n\r\n"
CHUNKED = HEAD.replace(b"Content-Length: 1000", b"Transfer-Encoding: chunked")


def trickle(rig, wire, data, seconds):
    """Send a piece each second as long as the connection is there; returns how long that was."""
    for passed in range(seconds):
        if wire.aborted:
            return passed
        wire.protocol.dataReceived(data)
        rig.clock.advance(1)
    return seconds


@pytest.mark.parametrize(
    ("start", "data", "lasts"),
    [
        (b"", b"G", 10),
        (b"GET / HTTP/1.1\r\n", b"X-A: b\r\n", 10),
        (HEAD, b"x", 30),
        (CHUNKED, b"1\r\nx\r\n", 30),
        (b"GET / HTTP/1.1\r\nHost: gwm.example.org\r\n\r\n" + HEAD, b"x", 30),
    ],
)
def test_bytes_that_trickle_extend_no_deadline(start, data, lasts):
    rig = Rig()
    wire = rig.connect()
    if start:
        wire.protocol.dataReceived(start)
    assert trickle(rig, wire, data, 60) == lasts


def test_a_connection_that_says_nothing_is_ended():
    rig = Rig()
    wire = rig.connect()
    rig.clock.advance(10)
    assert wire.aborted


def test_a_request_in_time_may_be_followed_by_another():
    rig = Rig()
    wire = rig.connect()
    for _ in range(5):
        rig.clock.advance(9)
        wire.protocol.dataReceived(HEAD)
        rig.clock.advance(29)
        wire.protocol.dataReceived(bytes(1000))
        assert wire.take().startswith(b"HTTP/1.1 ")
    assert not wire.aborted


@pytest.mark.parametrize(
    ("addresses", "taken"),
    [
        (["192.0.2.1"] * 5, 3),
        (["192.0.2.1", "::ffff:192.0.2.1"] * 3, 3),
        ([f"2001:db8::{number}" for number in range(1, 6)], 3),
        ([f"2001:db8:0:{number}::1" for number in range(1, 6)], 5),
        (["198.51.100.1"] * 5, 5),
        ([f"192.0.2.{number}" for number in range(12)], 8),
        (["198.51.100.1"] * 12, 8),
    ],
)
def test_connections_are_counted_by_address_and_in_all(addresses, taken):
    rig = Rig()
    rig.site.connections = Connections(8, 3, networks("x", "198.51.100.0/24"))
    wires = [rig.connect(address) for address in addresses]
    assert [wire.aborted for wire in wires] == [False] * taken + [True] * (len(wires) - taken)
    wires[0].protocol.dataReceived(b"GET / HTTP/1.1\r\nHost: gwm.example.org\r\n\r\n")
    assert wires[0].take().startswith(b"HTTP/1.1 200 ")
    for wire in wires[:taken]:
        wire.end()
    assert rig.site.connections.count == 0
    assert [rig.connect(address).aborted for address in addresses[:taken]] == [False] * taken


def test_consoles_count_until_they_end():
    rig = Rig()
    rig.site.connections = Connections(100, 2)
    consoles = [rig.open()[0] for _ in range(2)]
    assert rig.connect().aborted
    consoles[0].wire.end()
    assert not rig.connect().aborted


def test_one_address_never_takes_all():
    assert Connections(100, 256).per_address == 50


@pytest.mark.parametrize(
    ("files", "connections"), [(1024, 412), (524_288, 10_000), (resource.RLIM_INFINITY, 10_000), (100, 1)]
)
def test_connections_fit_into_the_files_that_a_process_may_open(files, connections):
    assert connections_for(files) == connections


def test_no_answer_says_which_program_gave_it():
    rig = Rig()
    for path in ("/", "/console/ws"):
        wire = rig.connect()
        wire.protocol.dataReceived(f"GET {path} HTTP/1.1\r\nHost: gwm.example.org\r\n\r\n".encode())
        assert b"erver:" not in wire.take()


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5",
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: 5, 5",
        b"Content-Length: +5",
        b"Content-Length: -5",
        b"Content-Length: 0x5",
        b"Content-Length: ",
        b"Content-Length : 5",
        b" Content-Length: 5",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding:\x0bchunked",
        b"Transfer-Encoding : chunked",
        b"X: a\rTransfer-Encoding: chunked",
        b"X: a\x00",
    ],
)
def test_a_request_whose_end_two_servers_could_see_elsewhere_is_refused(framing):
    rig = Rig()
    wire = rig.connect()
    request = b"POST / HTTP/1.1\r\nHost: gwm.example.org\r\n" + framing + b"\r\n\r\n"
    wire.protocol.dataReceived(request + b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: gwm.example.org\r\n\r\n")
    answers = wire.take()
    assert answers.startswith(b"HTTP/1.1 400 ")
    assert answers.count(b"HTTP/1.1 ") == 1
    wire.end()


@pytest.mark.parametrize("chunk", [b"0x5\r\n", b"+5\r\n", b"-1\r\n", b"5;\n", b"fffffffffffffffff\r\n", b"g\r\n"])
def test_a_chunk_of_no_clear_length_is_refused(chunk):
    rig = Rig()
    wire = rig.connect()
    wire.protocol.dataReceived(CHUNKED + chunk + b"12345\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"HTTP/1.1 200 " not in wire.take()
    wire.end()
