"""WebSocket framing: pieces, limits, and what must not be held in memory."""

import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vncproxy.framing import FrameMeter, Framing
from vncproxy.troubles import ConsoleError, Trouble

HEADERS = {
    "upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "binary",
}


def frame(payload=b"", *, opcode=2, final=True, masked=True, reserved=0):
    """A frame as a browser sends it."""
    mask = os.urandom(4) if masked else b""
    size = len(payload)
    if size < 126:
        head = bytes([opcode | reserved | 0x80 * final, size | 0x80 * masked])
    elif size < 65536:
        head = struct.pack(">BBH", opcode | reserved | 0x80 * final, 126 | 0x80 * masked, size)
    else:
        head = struct.pack(">BBQ", opcode | reserved | 0x80 * final, 127 | 0x80 * masked, size)
    if masked:
        payload = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    return head + mask + payload


class End:
    def __init__(self, *, limit=1000, may_answer=True):
        self.sent = []
        self.pongs = 0
        self.framing = Framing(self.sent.append, limit=limit, may_answer=lambda: may_answer, on_pong=self.heard)
        self.framing.accept(HEADERS)
        self.answer = b"".join(self.sent)
        self.sent.clear()

    def heard(self):
        self.pongs += 1

    def feed(self, data):
        return list(self.framing.feed(data))


def test_answers_the_handshake_of_the_standard():
    answer = End().answer
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer
    assert b"Sec-WebSocket-Protocol: binary\r\n" in answer


@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=8), st.integers(1, 40))
def test_messages_arrive_whole_however_they_are_cut(messages, size):
    end = End()
    stream = b"".join(frame(message) for message in messages)
    arrived = [m for start in range(0, len(stream), size) for m in end.feed(stream[start : start + size])]
    assert arrived == messages


def test_large_and_fragmented_messages():
    end = End(limit=65536)
    large = os.urandom(65536)
    assert end.feed(frame(large)) == [large]
    pieces = frame(b"one ", final=False) + frame(b"", opcode=9) + frame(b"two", opcode=0)
    assert end.feed(pieces) == [b"one two"]


@pytest.mark.parametrize(
    ("data", "trouble"),
    [
        (frame(bytes(1001)), Trouble.TOO_BIG),
        (b"\x82\xff" + (2**62).to_bytes(8, "big") + b"mask", Trouble.TOO_BIG),
        (frame(bytes(600), final=False) + frame(bytes(600), opcode=0), Trouble.TOO_BIG),
        (frame(b"text", opcode=1), Trouble.BROWSER_PROTOCOL),
        (frame(b"bare", masked=False) + b"more", Trouble.BROWSER_PROTOCOL),
        (frame(b"?", opcode=5), Trouble.BROWSER_PROTOCOL),
        (frame(b"x", reserved=0x40), Trouble.BROWSER_PROTOCOL),
        (frame(bytes(126), opcode=9), Trouble.BROWSER_PROTOCOL),
        (frame(b"x", opcode=9, final=False), Trouble.BROWSER_PROTOCOL),
        (frame(b"x", opcode=0), Trouble.BROWSER_PROTOCOL),
        (frame(b"x", final=False) + frame(b"y"), Trouble.BROWSER_PROTOCOL),
    ],
    ids=[
        "large",
        "large head",
        "large in pieces",
        "text",
        "not masked",
        "unknown kind",
        "reserved bit",
        "large ping",
        "ping in pieces",
        "second piece alone",
        "new message within one",
    ],  # masks are random, and test processes must agree on names
)
def test_what_is_too_big_or_not_allowed(data, trouble):
    with pytest.raises(ConsoleError) as caught:
        End().feed(data)
    assert caught.value.trouble is trouble


def test_the_size_is_refused_by_the_head_alone():
    meter = FrameMeter(1000)
    with pytest.raises(ConsoleError):
        meter.feed(b"\x82\xff" + (10**9).to_bytes(8, "big") + b"mask")


def test_pings_are_answered_unless_the_line_is_full():
    end = End()
    end.feed(frame(b"hello", opcode=9))
    assert b"".join(end.sent) == b"\x8a\x05hello"
    full = End(may_answer=False)
    full.feed(frame(b"hello", opcode=9) * 1000)
    assert full.sent == []


def test_pongs_are_heard():
    end = End()
    end.framing.ping()
    assert end.sent == [b"\x89\x00"]
    end.feed(frame(b"", opcode=10))
    assert end.pongs == 1


def test_closing_is_said_once_and_nothing_after_it():
    end = End()
    end.framing.close(4040, "gone")
    end.framing.close(4041, "again")
    end.framing.send(b"late")
    end.framing.ping()
    assert b"".join(end.sent) == b"\x88\x06" + struct.pack(">H", 4040) + b"gone"
    assert not end.framing.peer_closed
    end.feed(frame(struct.pack(">H", 4040), opcode=8))
    assert end.framing.peer_closed


def test_a_close_of_the_browser_is_answered():
    end = End()
    assert end.feed(frame(b"last") + frame(struct.pack(">H", 1000), opcode=8) + frame(b"late")) == [b"last"]
    assert end.framing.peer_closed
    assert b"".join(end.sent) == b"\x88\x02" + struct.pack(">H", 1000)
    end.framing.send(b"late")
    end.framing.close(4040, "late")
