"""A small RFB 3.8 client: enough to see a guest's screen and to type. Raw encoding, 32 bits a pixel."""

from __future__ import annotations

import select
import socket
import struct
import time
from types import TracebackType

RETURN = 0xFF0D
CONTROL, ALT, DELETE = 0xFFE3, 0xFFE9, 0xFFFF
RAW, DESKTOP_SIZE = 0, -223
BYTES_PER_PIXEL = 4
PATIENCE_S = 60.0  # only a screen that hangs takes so long, however busy the machine is


class RfbClient:
    """One connection to a VNC server without authentication.

    ``pixels`` is the screen as last seen: ``width * height`` pixels of 4 bytes (blue, green, red, nothing).
    """

    def __init__(self, host: str, port: int, timeout_s: float = PATIENCE_S) -> None:
        self._socket = socket.create_connection((host, port), timeout=timeout_s)
        self.width = self.height = 0
        self.pixels = bytearray()
        try:
            self._shake_hands()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> RfbClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def _read(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            part = self._socket.recv(count - len(parts))
            if not part:
                raise ConnectionError("the VNC server closed the connection")
            parts += part
        return bytes(parts)

    def _shake_hands(self) -> None:
        banner = self._read(12)
        if not banner.startswith(b"RFB 003."):
            raise ConnectionError(f"not a VNC server: {banner!r}")
        self._socket.sendall(b"RFB 003.008\n")
        offered = self._read(self._read(1)[0])
        if 1 not in offered:
            raise ConnectionError(f"the VNC server wants authentication: {list(offered)}")
        self._socket.sendall(b"\x01")
        (failed,) = struct.unpack(">I", self._read(4))
        if failed:
            raise ConnectionError("the VNC server refused")
        self._socket.sendall(b"\x01")  # shared: others keep their view
        self._resize(*struct.unpack(">HH", self._read(20)[:4]))
        self._read(struct.unpack(">I", self._read(4))[0])
        pixel_format = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
        self._socket.sendall(b"\x00\x00\x00\x00" + pixel_format)
        self._socket.sendall(struct.pack(">BxHii", 2, 2, RAW, DESKTOP_SIZE))

    def _resize(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.pixels = bytearray(width * height * BYTES_PER_PIXEL)

    def _request(self, *, incremental: bool) -> None:
        self._socket.sendall(struct.pack(">BBHHHH", 3, incremental, 0, 0, self.width, self.height))

    def _take_rectangle(self) -> None:
        x, y, width, height, encoding = struct.unpack(">HHHHi", self._read(12))
        if encoding == DESKTOP_SIZE:
            self._resize(width, height)
            return
        if encoding != RAW:
            raise ConnectionError(f"the VNC server used an encoding that was not offered: {encoding}")
        data = self._read(width * height * BYTES_PER_PIXEL)
        row = width * BYTES_PER_PIXEL
        for line in range(height):
            start = ((y + line) * self.width + x) * BYTES_PER_PIXEL
            self.pixels[start : start + row] = data[line * row : (line + 1) * row]

    def _take_message(self) -> None:
        kind = self._read(1)[0]
        if kind == 0:
            (count,) = struct.unpack(">xH", self._read(3))
            for _ in range(count):
                self._take_rectangle()
        elif kind == 1:
            _, count = struct.unpack(">xHH", self._read(5))
            self._read(6 * count)
        elif kind == 3:
            (length,) = struct.unpack(">xxxI", self._read(7))
            self._read(length)
        elif kind != 2:
            raise ConnectionError(f"unknown message {kind} from the VNC server")

    def look(self) -> bytes:
        """The whole screen now."""
        size = None
        while size != (self.width, self.height):  # a change of resolution makes the answer to the old request useless
            size = (self.width, self.height)
            self._request(incremental=False)
            self._take_message()
            self.take_pending()
        return bytes(self.pixels)

    def take_pending(self, patience_s: float = 0.1) -> None:
        """Take in what the server has to say, until it is silent for ``patience_s``."""
        while select.select([self._socket], [], [], patience_s)[0]:
            self._take_message()

    def look_again(self, patience_s: float) -> bytes:
        """The screen as soon as the server says that something of it is new, or when patience ends."""
        self._request(incremental=True)
        if select.select([self._socket], [], [], max(0.0, patience_s))[0]:
            self._take_message()
            self.take_pending()
        return bytes(self.pixels)

    def wait_for_change(self, before: bytes, timeout_s: float = PATIENCE_S) -> bytes:
        """The screen as soon as it differs from ``before``; TimeoutError when it does not."""
        end = time.monotonic() + timeout_s
        now = self.look()
        while now == before:
            if time.monotonic() >= end:
                raise TimeoutError(f"the screen did not change within {timeout_s:.0f} s")
            now = self.look_again(end - time.monotonic())
        return now

    def wait_until_still(self, quiet_s: float = 0.5, timeout_s: float = PATIENCE_S) -> bytes:
        """The screen once it has not changed for ``quiet_s``."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            before = self.look()
            try:
                self.wait_for_change(before, quiet_s)
            except TimeoutError:
                return before
        raise TimeoutError(f"the screen was never still within {timeout_s:.0f} s")

    def wait_for_color(self, color: tuple[int, int, int], timeout_s: float = PATIENCE_S) -> bytes:
        """The screen once its lower right pixel has this colour (red, green, blue)."""
        wanted = bytes(reversed(color))
        end = time.monotonic() + timeout_s
        now = self.look()
        while now[-BYTES_PER_PIXEL:-1] != wanted and time.monotonic() < end:
            now = self.look_again(end - time.monotonic())
        if now[-BYTES_PER_PIXEL:-1] == wanted:
            return now
        raise TimeoutError(f"the lower right pixel is {now[-BYTES_PER_PIXEL:-1][::-1].hex()}, not {bytes(color).hex()}")

    def press(self, *keys: int) -> None:
        """Press keys (X keysyms) one after the other and let them go in the opposite order."""
        for down, key in [(1, key) for key in keys] + [(0, key) for key in reversed(keys)]:
            self._socket.sendall(struct.pack(">BBxxI", 4, down, key))

    def type(self, text: str) -> None:
        """Type printable ASCII."""
        for character in text:
            self.press(ord(character))
