"""WebSocket framing for a Twisted transport, by websockify's WebSocket class.

websockify expects a socket; it gets an in-memory one. It knows no limit of size, so a meter reads the frame headers
before it does. Nothing outside this module knows how frames are made.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from errno import EWOULDBLOCK

from websockify.websocket import WebSocket, WebSocketWantReadError

from vncproxy.troubles import ConsoleError, Trouble

SUBPROTOCOL = "binary"
_PIECE = 4096
_CONTINUATION, _BINARY, _CLOSE, _PING, _PONG = 0x0, 0x2, 0x8, 0x9, 0xA


class FrameMeter:
    """Reads frame headers as bytes pass by; raises ConsoleError on what we would not want to hold in memory."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._head = b""
        self._skip = 0
        self._message = 0
        self._within_message = False

    def feed(self, data: bytes) -> None:
        position = 0
        while position < len(data):
            if self._skip:
                step = min(self._skip, len(data) - position)
                self._skip -= step
                position += step
                continue
            self._head += data[position : position + 1]
            position += 1
            if len(self._head) >= 2 and len(self._head) == self._head_length():
                self._measure()
                self._head = b""

    def _head_length(self) -> int:
        announced = self._head[1] & 0x7F
        return 6 + {126: 2, 127: 8}.get(announced, 0)

    def _measure(self) -> None:
        first, second = self._head[0], self._head[1]
        opcode, final, length = first & 0x0F, bool(first & 0x80), second & 0x7F
        if length >= 126:
            length = int.from_bytes(self._head[2:-4], "big")
        if first & 0x70 or not second & 0x80:
            raise ConsoleError(Trouble.BROWSER_PROTOCOL, "bad WebSocket frame")
        if opcode in (_CLOSE, _PING, _PONG):
            if length > 125 or not final:
                raise ConsoleError(Trouble.BROWSER_PROTOCOL, "bad WebSocket control frame")
        elif opcode not in (_CONTINUATION, _BINARY) or self._within_message != (opcode == _CONTINUATION):
            raise ConsoleError(Trouble.BROWSER_PROTOCOL, "only binary WebSocket messages are spoken here")
        else:
            self._message += length
            if self._message > self._limit:
                raise ConsoleError(Trouble.TOO_BIG)
            self._within_message = not final
            if final:
                self._message = 0
        self._skip = length


class _MemorySocket:
    """The little of a socket that websockify uses."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._waiting = b""
        self.closed = False

    @property
    def empty(self) -> bool:
        return not self._waiting

    def put(self, data: bytes) -> None:
        self._waiting += data

    def recv(self, size: int) -> bytes:
        if not self._waiting:
            raise WebSocketWantReadError(EWOULDBLOCK, "nothing there yet")
        piece, self._waiting = self._waiting[:size], self._waiting[size:]
        return piece

    def send(self, data: bytes) -> int:
        self._write(data)
        return len(data)

    def close(self) -> None:
        self.closed = True


class _Framer(WebSocket):  # type: ignore[misc]  # websockify carries no types
    """websockify's class with our subprotocol, telling of pings and pongs."""

    def __init__(self, on_ping: Callable[[bytes], None], on_pong: Callable[[], None]) -> None:
        super().__init__()
        self._on_ping = on_ping
        self._on_pong = on_pong

    def select_subprotocol(self, protocols: Sequence[str]) -> str:
        return SUBPROTOCOL if SUBPROTOCOL in protocols else ""

    def handle_ping(self, data: bytes) -> None:
        self._on_ping(data)

    def handle_pong(self, data: bytes) -> None:
        self._on_pong()


class Framing:
    """One WebSocket connection, server side: binary messages in and out, no input or output of its own."""

    def __init__(
        self, write: Callable[[bytes], None], *, limit: int, may_answer: Callable[[], bool], on_pong: Callable[[], None]
    ) -> None:
        self._socket = _MemorySocket(write)
        self._framer = _Framer(self._answer_ping, on_pong)
        self._meter = FrameMeter(limit)
        self._may_answer = may_answer
        self.closing = False
        """We sent a close frame; nothing is sent after it."""

    def accept(self, headers: Mapping[str, str]) -> None:
        """Send the answer to the handshake; the headers have been checked before."""
        self._framer.accept(self._socket, headers)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that became complete. Ends early when the peer closed; then ``peer_closed`` is true."""
        self._meter.feed(data)
        for start in range(0, len(data), _PIECE):
            self._socket.put(data[start : start + _PIECE])
            yield from self._messages()

    @property
    def peer_closed(self) -> bool:
        return self._socket.closed

    def send(self, data: bytes) -> None:
        if not self.closing and not self.peer_closed:
            self._framer.sendmsg(data)

    def ping(self) -> None:
        if not self.closing and not self.peer_closed:
            self._framer.ping()

    def close(self, code: int, reason: str) -> None:
        """Send a close frame with code and reason, once."""
        if not self.closing and not self.peer_closed:
            self.closing = True
            self._framer.shutdown(None, code, reason)

    def _messages(self) -> Iterator[bytes]:
        while not self.peer_closed:
            try:
                message = self._framer.recvmsg()
            except WebSocketWantReadError:
                if self._socket.empty:  # it says so after every part it reads, also when there is more
                    return
                continue
            if message:
                yield message

    def _answer_ping(self, data: bytes) -> None:
        # A peer that sends pings and reads no answers must not fill our memory with them.
        if not self.closing and not self.peer_closed and self._may_answer():
            self._framer.pong(data)
