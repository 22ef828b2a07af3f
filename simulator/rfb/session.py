"""One client of a machine's screen: the RFB protocol, versions 3.3, 3.7 and 3.8, raw encoding."""

import select
import socket
import struct
from collections.abc import Callable

from simulator.rfb.font import CELL_HEIGHT, CELL_WIDTH
from simulator.rfb.guest import Guest
from simulator.rfb.screen import HEIGHT, WIDTH, Cell, PixelFormat, Rectangle, changes, render
from simulator.rfb.security import CHALLENGE_LENGTH, is_right, new_challenge

NONE, VNC_AUTHENTICATION = 1, 2
OK, FAILED = 0, 1
RAW = 0
SET_PIXEL_FORMAT, SET_ENCODINGS, UPDATE_REQUEST, KEY_EVENT, POINTER_EVENT, CUT_TEXT = 0, 2, 3, 4, 5, 6
LENGTHS = {SET_PIXEL_FORMAT: 20, SET_ENCODINGS: 4, UPDATE_REQUEST: 10, KEY_EVENT: 8, POINTER_EVENT: 6, CUT_TEXT: 8}
HANDSHAKE_TIMEOUT = 10.0
TICK = 0.1  # seconds between looks at the guest
MAX_CUT_TEXT = 1 << 20


class Gone(Exception):
    """The client went away, or said something that is not RFB."""


class Session:
    """Runs in a thread of its own until the client, the machine or the server ends it."""

    def __init__(
        self, connection: socket.socket, name: str, password: str | None, find_guest: Callable[[], Guest | None]
    ):
        self.connection = connection
        self.name = name
        self.password = password
        self.find_guest = find_guest  # the present boot, None when the machine is off
        self.pixels = PixelFormat()
        self.shown: list[list[Cell]] | None = None  # what the client has, None for nothing
        self.wanted = False  # it waits for an update
        self.buffer = b""

    def run(self) -> None:
        self.connection.settimeout(HANDSHAKE_TIMEOUT)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.shake_hands()
            while self.step():
                pass
        except (Gone, OSError, struct.error):
            return
        finally:
            self.connection.close()

    # handshake

    def shake_hands(self) -> None:
        self.connection.sendall(b"RFB 003.008\n")
        version = self.read(12)
        if not version.startswith(b"RFB 003."):
            raise Gone
        minor = int(version[8:11])
        security = VNC_AUTHENTICATION if self.password else NONE
        if minor < 7:
            self.connection.sendall(struct.pack(">I", security))
        else:
            self.connection.sendall(bytes([1, security]))
            if self.read(1)[0] != security:
                raise Gone
        if self.password:
            self.authenticate(self.password, minor)
        elif minor >= 8:
            self.connection.sendall(struct.pack(">I", OK))
        self.read(1)  # whether others may share the screen: always
        name = self.name.encode()
        pixels = struct.pack(">BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
        self.connection.sendall(struct.pack(">HH", WIDTH, HEIGHT) + pixels + struct.pack(">I", len(name)) + name)

    def authenticate(self, password: str, minor: int) -> None:
        challenge = new_challenge()
        self.connection.sendall(challenge)
        if is_right(challenge, self.read(CHALLENGE_LENGTH), password):
            self.connection.sendall(struct.pack(">I", OK))
            return
        reason = b"Authentication failed"
        self.connection.sendall(
            struct.pack(">I", FAILED) + (struct.pack(">I", len(reason)) + reason if minor >= 8 else b"")
        )
        raise Gone

    # afterwards

    def step(self) -> bool:
        """Wait for a message or a moment, take what came, send what changed; false when the machine is off."""
        if not self.buffer:
            select.select([self.connection], [], [], TICK)
        while self.pending():
            self.take_message()
        guest = self.find_guest()
        if guest is None:
            return False
        if self.wanted:
            self.send_changes(guest)
        return True

    def pending(self) -> bool:
        return bool(self.buffer) or bool(select.select([self.connection], [], [], 0)[0])

    def read(self, count: int) -> bytes:
        while len(self.buffer) < count:
            chunk = self.connection.recv(65536)
            if not chunk:
                raise Gone
            self.buffer += chunk
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def take_message(self) -> None:
        kind = self.read(1)[0]
        if kind not in LENGTHS:
            raise Gone
        body = self.read(LENGTHS[kind] - 1)
        if kind == SET_PIXEL_FORMAT:
            self.set_pixels(body[3:])
        elif kind == SET_ENCODINGS:
            self.read(4 * struct.unpack(">xH", body)[0])  # we send raw whatever the client prefers
        elif kind == UPDATE_REQUEST:
            if not body[0]:
                self.shown = None
            self.wanted = True
        elif kind == KEY_EVENT:
            down, keysym = struct.unpack(">BxxI", body)
            guest = self.find_guest()
            if guest:
                guest.key(keysym, bool(down))
        elif kind == CUT_TEXT:
            length = struct.unpack(">3xI", body)[0]
            if length > MAX_CUT_TEXT:
                raise Gone
            self.read(length)

    def set_pixels(self, body: bytes) -> None:
        bits, _, big, true_color, red, green, blue, *shifts = struct.unpack(">BBBBHHHBBB3x", body)
        if not true_color or bits not in (8, 16, 32):
            raise Gone
        self.pixels = PixelFormat(bits // 8, bool(big), (red, green, blue), (shifts[0], shifts[1], shifts[2]))
        self.shown = None

    def send_changes(self, guest: Guest) -> None:
        cells = guest.look()
        found = changes(self.shown, cells)
        if not found:
            return
        parts = [struct.pack(">BxH", 0, len(found))]
        parts += [self.encode(cells, rectangle) for rectangle in found]
        self.connection.sendall(b"".join(parts))
        self.shown = cells
        self.wanted = False

    def encode(self, cells: list[list[Cell]], rectangle: Rectangle) -> bytes:
        x, y = rectangle.column * CELL_WIDTH, rectangle.row * CELL_HEIGHT
        width, height = rectangle.width * CELL_WIDTH, rectangle.height * CELL_HEIGHT
        return struct.pack(">HHHHi", x, y, width, height, RAW) + render(cells, rectangle, self.pixels)
