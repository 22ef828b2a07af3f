"""A process that is to end answers what was asked of it, takes nothing more, and is not kept by anybody."""

import pytest
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from tests.vncproxy.rig import Rig

ASK = b"GET / HTTP/1.1\r\nHost: gwm.example.org\r\n\r\n"


class Slow(Resource):
    """Answers when the test says so."""

    isLeaf = True

    def __init__(self):
        super().__init__()
        self.asked = []

    def render(self, request):
        self.asked.append(request)
        return NOT_DONE_YET

    def answer(self):
        request = self.asked.pop(0)
        request.write(b"an answer")
        request.finish()


@pytest.fixture
def rig():
    rig = Rig()
    rig.slow = Slow()
    rig.site.resource._rest = rig.site.resource._outside = rig.slow
    rig.gone = []
    return rig


def leave(rig, grace_s=8):
    rig.site.residents.leave(grace_s).addCallback(lambda _: rig.gone.append(True))


def test_nobody_there_is_nobody_to_wait_for(rig):
    leave(rig)
    assert rig.gone


def test_what_was_asked_is_answered_first(rig):
    wire = rig.connect()
    wire.protocol.dataReceived(ASK)
    leave(rig)
    rig.clock.advance(5)
    assert not rig.gone and not wire.disconnecting
    rig.slow.answer()
    assert wire.take().endswith(b"an answer\r\n0\r\n\r\n") and wire.disconnecting and not wire.aborted
    assert rig.gone


def test_whoever_had_come_but_not_asked_yet_is_answered_and_told_that_it_ends(rig):
    wire = rig.connect()
    leave(rig)
    assert not wire.disconnecting and not rig.gone
    wire.protocol.dataReceived(ASK)
    rig.slow.answer()
    assert b"Connection: close" in wire.take() and rig.gone


def test_half_of_a_second_request_is_waited_for(rig):
    wire = rig.connect()
    wire.protocol.dataReceived(ASK)
    rig.slow.answer()
    wire.take()
    wire.protocol.dataReceived(ASK[:20])
    leave(rig)
    assert not wire.disconnecting
    wire.protocol.dataReceived(ASK[20:])
    rig.slow.answer()
    assert b"an answer" in wire.take() and rig.gone


def test_a_connection_that_rests_ends_at_once(rig):
    wire = rig.connect()
    wire.protocol.dataReceived(ASK)
    rig.slow.answer()
    assert not wire.disconnecting
    leave(rig)
    assert wire.disconnecting and rig.gone


def test_one_that_takes_too_long_is_put_out(rig):
    wire = rig.connect()
    wire.protocol.dataReceived(ASK)
    leave(rig, 8)
    rig.clock.advance(7.9)
    assert not wire.aborted and not rig.gone
    rig.clock.advance(0.2)
    assert wire.aborted and rig.gone


def test_consoles_are_not_waited_for_here(rig):
    rig.open()
    leave(rig)
    assert rig.gone
