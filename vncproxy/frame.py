"""One frame of a machine's screen: the RFB client (RFC 6143) that reads it, without any input or output of its own.

The server on the other side is not ours: what it may say is bounded in size, and it gets the choice of two encodings.
"""

import struct
import zlib
from collections.abc import Generator
from dataclasses import dataclass

from vncproxy.troubles import ConsoleError, Trouble

LARGEST_SIDE = 4096
MOST_PIXELS = 2560 * 1600
MOST_RECTANGLES = 4096
_LONGEST_NAME = 4096
_LONGEST_CUT_TEXT = 1 << 16
_RAW, _ZLIB = 0, 6
_PIXEL_BYTES = 4
_SHARED = b"\x01"
# 32 bits, least significant byte first: red, green, blue, nothing.
_SET_PIXEL_FORMAT = b"\0\0\0\0" + struct.pack(">BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 0, 8, 16)
_SET_ENCODINGS = struct.pack(">BxHii", 2, 2, _ZLIB, _RAW)
_UPDATE, _COLOURS, _BELL, _CUT_TEXT = range(4)

Steps = Generator[int, bytes, None]


@dataclass(frozen=True, slots=True)
class Frame:
    """A screen: four bytes for each pixel (red, green, blue, nothing), line by line from the top."""

    width: int
    height: int
    pixels: bytes


class FrameReader:
    """Feed it what the server says after the login, send what it returns, until `frame` is there."""

    def __init__(self) -> None:
        self.frame: Frame | None = None
        self._buffer = bytearray()
        self._out = b""
        self._inflate = zlib.decompressobj()
        self._steps = self._read()
        self._missing = next(self._steps)

    def greeting(self) -> bytes:
        """What a client says first: that others, who are at the screen, may stay."""
        return _SHARED

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the server; what to send back. Raises ConsoleError and is then of no further use."""
        self._buffer += data
        while self.frame is None and len(self._buffer) >= self._missing:
            piece = bytes(self._buffer[: self._missing])
            del self._buffer[: self._missing]
            self._missing = self._steps.send(piece)
        out, self._out = self._out, b""
        return out

    def _read(self) -> Steps:
        """Asks for so many bytes at a time."""
        width, height = struct.unpack(">HH", (yield 4))
        if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE and width * height <= MOST_PIXELS):
            raise _unfit(f"a screen of {width} by {height}")
        yield 16  # its own pixel format; we ask for ours
        yield from self._skip(">I", _LONGEST_NAME, "a long name")
        self._out += _SET_PIXEL_FORMAT + _SET_ENCODINGS + _ask_for(width, height, incremental=False)
        pixels = bytearray(width * height * _PIXEL_BYTES)
        covered = rectangles = 0
        while covered < width * height:
            kind = (yield 1)[0]
            if kind == _UPDATE:
                (count,) = struct.unpack(">xH", (yield 3))
                rectangles += max(count, 1)
                if rectangles > MOST_RECTANGLES:
                    raise _unfit("too many rectangles")
                for _ in range(count):
                    covered += yield from self._read_rectangle(pixels, width, height)
                if covered < width * height:
                    self._out += _ask_for(width, height, incremental=True)
            elif kind == _COLOURS:
                yield 3
                yield 6 * struct.unpack(">H", (yield 2))[0]
            elif kind == _CUT_TEXT:
                yield 3
                yield from self._skip(">I", _LONGEST_CUT_TEXT, "a long clipboard")
            elif kind != _BELL:
                raise _unfit(f"message {kind}")
            rectangles += 1  # other messages count as well, so that it ends
            if rectangles > MOST_RECTANGLES:
                raise _unfit("too many messages")
        self.frame = Frame(width, height, bytes(pixels))
        yield 0

    def _skip(self, form: str, most: int, what: str) -> Steps:
        (length,) = struct.unpack(form, (yield struct.calcsize(form)))
        if length > most:
            raise _unfit(what)
        yield length

    def _read_rectangle(self, pixels: bytearray, width: int, height: int) -> Generator[int, bytes, int]:
        """Put a rectangle into its place; how many pixels it has."""
        x, y, w, h, encoding = struct.unpack(">HHHHi", (yield 12))
        if x + w > width or y + h > height:
            raise _unfit("a rectangle outside the screen")
        size = w * h * _PIXEL_BYTES
        if encoding == _RAW:
            data = yield size
        elif encoding == _ZLIB:
            (length,) = struct.unpack(">I", (yield 4))
            if length > size + (size >> 6) + 1024:  # what is not compressed gets a little longer
                raise _unfit("a compressed rectangle larger than itself")
            data = self._unpack((yield length), size)
        else:
            raise _unfit(f"encoding {encoding}")
        line = w * _PIXEL_BYTES
        for row in range(h):
            start = ((y + row) * width + x) * _PIXEL_BYTES
            pixels[start : start + line] = data[row * line : (row + 1) * line]
        return int(w * h)

    def _unpack(self, packed: bytes, size: int) -> bytes:
        try:
            data = self._inflate.decompress(packed, size + 1)
        except zlib.error as error:
            raise _unfit("a rectangle that can't be unpacked") from error
        if len(data) != size:
            raise _unfit("a rectangle of another size than it says")
        return data


def _ask_for(width: int, height: int, *, incremental: bool) -> bytes:
    return struct.pack(">BBHHHH", 3, incremental, 0, 0, width, height)


def _unfit(what: str) -> ConsoleError:
    return ConsoleError(Trouble.NO_PICTURE, what)
