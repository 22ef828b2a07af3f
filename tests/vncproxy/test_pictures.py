"""Pictures of screens: the frame that is read, the PNG that is made of it, and what hostile servers may do."""

import base64
import json
import struct
import zlib

import pytest
from twisted.internet.error import ConnectionRefusedError

from simulator.rfb.screen import HEIGHT, WIDTH
from tests.ganeti.rfb import RfbClient
from tests.vncproxy.conftest import run_daemon
from tests.vncproxy.ends import ticket
from tests.vncproxy.rig import Rig
from tests.vncproxy.screens import Machine
from vncproxy.client import NoPicture, list_consoles, take_picture
from vncproxy.control import Conversation
from vncproxy.frame import LARGEST_SIDE, Frame, FrameReader
from vncproxy.png import LARGEST_WIDTH, as_png, halve
from vncproxy.troubles import ConsoleError, Trouble

LOGGED_IN = b"RFB 003.008\n\x01\x01\0\0\0\0"


def hello(width: int, height: int, name: bytes = b"web1") -> bytes:
    """What a server says first after the login."""
    return struct.pack(">HH", width, height) + bytes(16) + struct.pack(">I", len(name)) + name


def update(*rectangles: bytes) -> bytes:
    return struct.pack(">BxH", 0, len(rectangles)) + b"".join(rectangles)


def rectangle(x: int, y: int, w: int, h: int, pixels: bytes, encoding: int = 0) -> bytes:
    return struct.pack(">HHHHi", x, y, w, h, encoding) + pixels


def packed(pixels: bytes) -> bytes:
    data = zlib.compress(pixels)
    return struct.pack(">I", len(data)) + data


def decode(png: bytes) -> tuple[int, int, bytes]:
    """Width, height, and the colours of a PNG as we make them; every checksum is compared."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, rest = {}, png[8:]
    while rest:
        (length,) = struct.unpack(">I", rest[:4])
        kind, data, checksum, rest = (
            rest[4:8],
            rest[8 : 8 + length],
            rest[8 + length : 12 + length],
            rest[12 + length :],
        )
        assert struct.unpack(">I", checksum)[0] == zlib.crc32(kind + data)
        chunks[kind] = data
    width, height, *form = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert form == [8, 2, 0, 0, 0]
    raw, line = zlib.decompress(chunks[b"IDAT"]), 1 + 3 * width
    assert len(raw) == line * height
    return width, height, b"".join(raw[at + 1 : at + line] for at in range(0, len(raw), line))


@pytest.mark.parametrize("size", [1, 3, 4096])
def test_a_frame_is_read_in_pieces_of_any_size(size: int) -> None:
    """Raw and zlib, whose stream goes on from one rectangle to the next; what else is said is passed over."""
    red, blue = b"\xff\0\0\0", b"\0\0\xff\0"
    stream = zlib.compressobj()
    parts = [stream.compress(pixels) + stream.flush(zlib.Z_SYNC_FLUSH) for pixels in (red * 2, blue * 2)]
    said = hello(4, 2) + b"\x02" + struct.pack(">BxxxI", 3, 5) + b"words" + struct.pack(">BxHH", 1, 0, 1) + bytes(6)
    said += update(rectangle(0, 0, 4, 1, red * 4))
    said += update(*(rectangle(2 * at, 1, 2, 1, struct.pack(">I", len(p)) + p, 6) for at, p in enumerate(parts)))
    reader, sent = FrameReader(), b""
    for at in range(0, len(said), size):
        sent += reader.feed(said[at : at + size])
    assert reader.frame == Frame(4, 2, red * 6 + blue * 2)
    assert sent[20:32] == struct.pack(">BxHii", 2, 2, 6, 0)
    assert sent[32:] == struct.pack(">BBHHHH", 3, 0, 0, 0, 4, 2) + struct.pack(">BBHHHH", 3, 1, 0, 0, 4, 2)


@pytest.mark.parametrize(
    "said",
    [
        hello(0, 10),
        hello(LARGEST_SIDE + 1, 1),
        hello(LARGEST_SIDE, LARGEST_SIDE),
        hello(4, 4)[:20] + struct.pack(">I", 0xFFFFFFFF),
        hello(4, 4) + b"\x09",
        hello(4, 4) + struct.pack(">BxxxI", 3, 0xFFFFFFFF),
        hello(4, 4) + update(rectangle(1, 0, 4, 4, b"")),
        hello(4, 4) + update(rectangle(0, 65535, 1, 1, b"")),
        hello(4, 4) + update(rectangle(0, 0, 4, 4, b"", 7)),
        hello(4, 4) + update(rectangle(0, 0, 4, 4, packed(bytes(65)), 6)),
        hello(4, 4) + update(rectangle(0, 0, 4, 4, packed(bytes(63)), 6)),
        hello(4, 4) + update(rectangle(0, 0, 4, 4, packed(bytes(1 << 24)), 6)),
        hello(4, 4) + update(rectangle(0, 0, 4, 4, struct.pack(">I", 4) + b"junk", 6)),
        hello(4, 4) + update(rectangle(0, 0, 4, 4, struct.pack(">I", 0x7FFFFFFF), 6)),
        hello(4, 4) + update() * 5000,
        hello(4, 4) + b"\x02" * 5000,
        hello(4, 4) + update(*[rectangle(0, 0, 0, 0, b"")] * 60000),
    ],
    ids=range(17),
)
def test_what_a_hostile_server_says_ends_it(said: bytes) -> None:
    reader = FrameReader()
    with pytest.raises(ConsoleError) as ended:
        reader.feed(said)
    assert ended.value.trouble is Trouble.NO_PICTURE


def test_halving_takes_the_mean_of_each_four_pixels_and_leaves_no_odd_rest() -> None:
    lines = [[(10 * x + y, 255 - x, 255, 7) for x in range(5)] for y in range(3)]
    frame = halve(Frame(5, 3, bytes(value for line in lines for pixel in line for value in pixel)))
    assert (frame.width, frame.height) == (2, 1)
    for x, pixel in enumerate((frame.pixels[:4], frame.pixels[4:])):
        four = [lines[y][2 * x + side] for y in (0, 1) for side in (0, 1)]
        exact = [sum(values) / 4 for values in zip(*four, strict=True)]
        assert all(0 <= mean - got < 2 for mean, got in zip(exact, pixel, strict=True))


@pytest.mark.parametrize(("width", "height"), [(1, 1), (639, 3), (640, 480), (1920, 1200), (3, 2001)])
def test_a_picture_is_small_and_keeps_its_colours(width: int, height: int) -> None:
    shown_width, shown_height, colours = decode(as_png(Frame(width, height, b"\x10\x80\xf0\0" * (width * height))))
    assert max(shown_width, shown_height) < LARGEST_WIDTH
    assert shown_width >= min(width, LARGEST_WIDTH // 2) or height > width
    assert colours == b"\x10\x80\xf0" * (shown_width * shown_height)


def sealed(port: int, host: str = "127.0.0.1") -> str:
    """A ticket for a picture of a machine."""
    return ticket(port, host=host, kind="picture", browser_password="", connect_timeout_s=5.0)


class Taken:
    """A picture that is being taken; `outcome` is the PNG or the trouble, None until it ends."""

    def __init__(self, rig: Rig, **changes: object) -> None:
        self.outcome: object = None
        values = {"kind": "picture", "browser_password": "", "connect_timeout_s": 5.0}
        taking = rig.broker.pictures.take(rig.ticket(**(values | changes)))
        taking.addCallbacks(self._done, lambda failure: self._done(failure.value.trouble))

    def _done(self, outcome: object) -> None:
        self.outcome = outcome


def test_others_at_the_screen_may_stay_and_the_connection_ends_with_the_frame() -> None:
    rig = Rig()
    taken = Taken(rig)
    node = rig.endpoints[-1].succeed()
    node.protocol.dataReceived(LOGGED_IN)
    assert node.take() == b"RFB 003.008\n\x01" + b"\x01"
    node.protocol.dataReceived(hello(2, 2) + update(rectangle(0, 0, 2, 2, bytes(16))))
    assert isinstance(taken.outcome, bytes)
    assert node.aborted


@pytest.mark.parametrize("says", [None, b"", b"SSH-2.0-x\r\n"], ids=["refused", "silent", "another protocol"])
def test_no_picture_tells_what_is_at_an_address(says: bytes | None) -> None:
    """All that does not speak VNC takes the same time and is one trouble."""
    rig = Rig()
    taken = Taken(rig)
    if says is None:
        rig.endpoints[-1].waiting.errback(ConnectionRefusedError())
    else:
        rig.endpoints[-1].succeed().protocol.dataReceived(says)
    rig.clock.advance(4.9)
    assert taken.outcome is None
    rig.clock.advance(0.2)
    assert taken.outcome is Trouble.UNREACHABLE


def test_a_server_that_hangs_after_its_login_is_given_up() -> None:
    rig = Rig()
    taken = Taken(rig)
    node = rig.endpoints[-1].succeed()
    node.protocol.dataReceived(LOGGED_IN + hello(800, 600))
    rig.clock.advance(5)
    assert taken.outcome is Trouble.NO_PICTURE
    assert node.aborted


def test_a_password_that_is_missing_is_said() -> None:
    rig = Rig()
    taken = Taken(rig)
    rig.endpoints[-1].succeed().protocol.dataReceived(b"RFB 003.008\n\x01\x02")
    assert taken.outcome is Trouble.PASSWORD_MISSING


def test_addresses_are_judged_as_those_of_consoles() -> None:
    rig = Rig()
    taken = Taken(rig, host="127.0.0.1")
    rig.clock.advance(5)
    assert (taken.outcome, rig.endpoints) == (Trouble.UNREACHABLE, [])


def test_so_many_at_a_time() -> None:
    rig = Rig(pictures=2)
    first, second, third = Taken(rig), Taken(rig), Taken(rig)
    assert (first.outcome, second.outcome, third.outcome) == (None, None, Trouble.BUSY)
    rig.clock.advance(5)
    rig.clock.advance(1)
    assert Taken(rig).outcome is None


def test_tickets_of_consoles_and_of_pictures_are_not_taken_for_each_other() -> None:
    rig = Rig()
    assert Taken(rig, kind="vnc", browser_password="secret").outcome is Trouble.BAD_TICKET
    assert struct.pack(">H", Trouble.BAD_TICKET.code) in rig.request(rig.ticket(kind="picture")).value()


def test_a_question_whose_asker_has_gone_is_answered_to_nobody() -> None:
    rig = Rig()
    asked = Conversation(rig.broker, rig.clock)
    wire = rig.connect()
    asked.makeConnection(wire)
    ticket = rig.ticket(kind="picture", browser_password="", connect_timeout_s=5.0)
    asked.lineReceived(json.dumps({"do": "picture", "ticket": ticket}).encode())
    asked.connected = 0
    rig.clock.advance(5)
    assert wire.value() == b""


@pytest.mark.feature("G038")
def test_the_daemon_takes_a_picture_of_a_machine(daemon) -> None:
    """Over real sockets, beside somebody who is at the screen; no console is open for it."""
    machine = Machine()
    try:
        picture = take_picture(daemon.control, sealed(machine.port), timeout_s=30)
        width, height, colours = decode(base64.b64decode(picture))
        assert (width, height) == (WIDTH // 2, HEIGHT // 2)
        assert len(set(colours)) > 1, "there is something on the screen"
        assert list_consoles(daemon.control) == []
    finally:
        machine.close()


def test_the_daemon_says_why_there_is_none(daemon, vnc) -> None:
    with pytest.raises(NoPicture) as said:
        take_picture(daemon.control, sealed(vnc(password="x").port), timeout_s=30)
    assert said.value.trouble == "PASSWORD_MISSING"


@pytest.mark.ganeti
@pytest.mark.feature("G038")
def test_a_real_machine_gives_its_picture(tmp_path, ganeti) -> None:
    """QEMU packs it, which the simulator doesn't."""
    guest = ganeti.add_guest()
    host, port = ganeti.vnc_address(guest)
    with RfbClient(host, port) as direct:
        direct.wait_until_still()
    with run_daemon(tmp_path, GWM_CONSOLE_NODE_NETWORKS=f"{host}/32") as daemon:
        picture = take_picture(daemon.control, sealed(port, host), timeout_s=30)
    width, height, colours = decode(base64.b64decode(picture))
    assert 300 < width < LARGEST_WIDTH
    assert height > 150
    assert len(set(colours)) > 1, "there is something on the screen"
    ganeti.remove(guest)
