"""Sockets that end when they must: a deadline for everything, whatever the other side does."""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import threading
import time
from typing import Any

_Address = tuple[Any, ...]
_Found = list[tuple[socket.AddressFamily, _Address]]


class Oversize(OSError):
    """The other side sent more than it may."""


def open_socket(host: str, port: int, ends_at: float) -> socket.socket:
    """A connection to the first address of the host that takes it, its time-out being what is left.

    ``ends_at`` is by time.monotonic(). Raises OSError (TimeoutError, socket.gaierror among them) or UnicodeError.
    """
    found = _resolve(host, port, ends_at)
    failure: OSError = OSError("The host has no address.")
    for number, (family, address) in enumerate(found):
        # an address that is silent leaves the ones after it their share
        share = _left(ends_at) / (len(found) - number)
        connection = None
        try:
            connection = socket.socket(family, socket.SOCK_STREAM)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(share)
            connection.connect(address)
            connection.settimeout(_left(ends_at))
            return connection
        except OSError as error:
            failure = error
            if connection is not None:
                connection.close()
    raise failure


def _left(ends_at: float) -> float:
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError("The time is over.")
    return left


def _look_up(host: str, port: int, flags: int = 0) -> _Found:
    found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, 0, flags)
    return [(family, address) for family, _, _, _, address in found]


def _resolve(host: str, port: int, ends_at: float) -> _Found:
    """Addresses of a host. A look-up can't be interrupted, so it gets a thread that may outlive our patience."""
    with contextlib.suppress(socket.gaierror):
        return _look_up(host, port, socket.AI_NUMERICHOST)
    answers: queue.SimpleQueue[_Found | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(_look_up(host, port))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="rapi-look-up", daemon=True).start()
    try:
        answer = answers.get(timeout=_left(ends_at))
    except queue.Empty:
        raise TimeoutError("The name was not resolved in time.") from None
    if isinstance(answer, list):
        return answer
    raise answer


class BoundedSocket(ssl.SSLSocket):
    """A TLS socket on which each call ends at a common deadline, and that takes no more than so many bytes.

    http.client reads an answer's head line by line and skips any number of "100 Continue"; a time-out that begins
    anew with each read never ends that.
    """

    ends_at: float | None = None
    silence_s: float = 60.0
    may_receive: int = 0

    def bound(self, *, ends_at: float, silence_s: float, may_receive: int) -> None:
        """What holds from now on."""
        self.ends_at, self.silence_s, self.may_receive = ends_at, silence_s, may_receive
        # a connection that is cut without TLS's own farewell is cut, not ended
        self.suppress_ragged_eofs = False

    def _arm(self) -> None:
        if self.ends_at is not None:
            self.settimeout(min(self.silence_s, _left(self.ends_at)))

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        """Read what has come, within the bounds."""
        self._arm()
        size = super().recv_into(buffer, nbytes, flags)
        if self.ends_at is not None:
            self.may_receive -= size
            if self.may_receive < 0:
                raise Oversize("More came than may come.")
        return size

    def send(self, data: Any, flags: int = 0) -> int:
        """Send what can be sent, within the bounds."""
        self._arm()
        return super().send(data, flags)
