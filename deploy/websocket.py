"""As much of WebSocket as it takes to see what the console proxy answers; without any package, for probe.py."""

from __future__ import annotations

import struct
from typing import IO

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
BINARY, CLOSE = 2, 8
_SIXTEEN_BITS, _MORE = 126, 127


class Cut(Exception):
    """The connection ended in the middle of what was said, or was none of ours."""


def read_frame(stream: IO[bytes]) -> tuple[int, bytes]:
    """What kind the next frame is, and what is in it. Raises Cut, and OSError."""
    first, second = _take(stream, 2)
    size = second & 0x7F
    if size == _SIXTEEN_BITS:
        size = struct.unpack("!H", _take(stream, 2))[0]
    elif size == _MORE:
        raise Cut("A frame is longer than any that was asked for")
    return first & 0x0F, _take(stream, size)


def closing_of(content: bytes) -> tuple[int, str]:
    """The code and the words with which a connection was closed."""
    code = struct.unpack("!H", content[:2])[0] if len(content) >= len(b"12") else 0
    return code, content[2:].decode(errors="replace")


def _take(stream: IO[bytes], size: int) -> bytes:
    taken = stream.read(size)
    if len(taken) < size:
        raise Cut(f"It ended after {taken!r}")
    return taken
