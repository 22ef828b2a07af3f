"""The control socket: a Unix socket on which the web application lists and closes consoles.

One JSON object per line, one answer per line::

    {"do": "list"}                                      -> {"consoles": [{"id": …, "user": …, "vm": …, …}]}
    {"do": "close", "id"|"user_id"|"vm": …, "reason": …} -> {"closed": 2}
    {"do": "picture", "ticket": …}                      -> {"picture": base64 of a PNG} or {"trouble": …, "said": …}
    anything else                                       -> {"error": "…"}
"""

import base64
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IListeningPort, IReactorTime, IReactorUNIX
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.protocols.basic import LineReceiver
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure

from vncproxy.troubles import ConsoleError, Trouble

_log = Logger(namespace="vncproxy.control")
_LONGEST_LINE = 65536
_IDLE_S = 30.0
_CHOICES = {"id": str, "user_id": int, "vm": str}


class TakesPictures(Protocol):
    """What takes pictures."""

    def take(self, text: str) -> Deferred[bytes]: ...


class Consoles(Protocol):
    """What the control socket asks of a broker."""

    def list(self) -> list[dict[str, object]]: ...

    def close(
        self, *, console_id: str | None = None, user_id: int | None = None, vm: str | None = None, reason: str = ""
    ) -> int: ...

    @property
    def pictures(self) -> TakesPictures: ...


class Conversation(LineReceiver, TimeoutMixin):
    """One connection to the control socket."""

    delimiter = b"\n"
    MAX_LENGTH = _LONGEST_LINE

    def __init__(self, consoles: Consoles, clock: IReactorTime) -> None:
        self._consoles = consoles
        self.callLater: Callable[..., IDelayedCall] = clock.callLater

    def connectionMade(self) -> None:
        self.setTimeout(_IDLE_S)

    def lineReceived(self, line: bytes) -> None:
        self.resetTimeout()
        try:
            request = json.loads(line)
            if isinstance(request, dict) and request.get("do") == "picture":
                self._take_picture(str(request.get("ticket")))
                return
            reply = self._answer(request)
        except ValueError as error:
            reply = {"error": str(error)}
        self._send(reply)

    def _take_picture(self, ticket: str) -> None:
        taking = self._consoles.pictures.take(ticket)
        taking.addCallbacks(_encode, _explain).addCallback(self._send)

    def _send(self, reply: dict[str, object]) -> None:
        if self.connected:
            self.sendLine(json.dumps(reply).encode())

    def connectionLost(self, reason: object = None) -> None:
        self.setTimeout(None)

    def _answer(self, request: object) -> dict[str, object]:
        verb = request.get("do") if isinstance(request, dict) else None
        if isinstance(request, dict) and verb == "list":
            return {"consoles": self._consoles.list()}
        if isinstance(request, dict) and verb == "close":
            return {"closed": self._close(request)}
        raise ValueError("say {'do': 'list'} or {'do': 'close', …}")

    def _close(self, request: dict[str, Any]) -> int:
        chosen = {name: request[name] for name in _CHOICES if request.get(name) is not None}
        if not chosen:
            raise ValueError("close what? Give id, user_id or vm")
        for name, value in chosen.items():
            if not isinstance(value, _CHOICES[name]):
                raise ValueError(f"{name} has the wrong type")
        return self._consoles.close(
            console_id=chosen.get("id"),
            user_id=chosen.get("user_id"),
            vm=chosen.get("vm"),
            reason=str(request.get("reason") or ""),
        )


def _encode(png: bytes) -> dict[str, object]:
    return {"picture": base64.b64encode(png).decode()}


def _explain(failure: Failure) -> dict[str, object]:
    if isinstance(failure.value, ConsoleError):
        return {"trouble": failure.value.trouble.name, "said": str(failure.value)}
    _log.failure("a picture failed", failure)
    return {"error": Trouble.INTERNAL.reason()}


class ControlPort(Service):
    """Listens on the control socket while it runs; only its own user may connect."""

    def __init__(self, path: str, consoles: Consoles, reactor: Any) -> None:
        self._path = Path(path)
        self._consoles = consoles
        self._reactor = reactor
        self._port: IListeningPort | None = None

    def startService(self) -> None:
        super().startService()
        remove_stale_socket(self._path)
        factory: Factory[Any] = Factory.forProtocol(lambda: Conversation(self._consoles, self._reactor))
        mask = os.umask(0o177)
        try:
            self._port = IReactorUNIX(self._reactor).listenUNIX(str(self._path), factory, mode=0o600)
        finally:
            os.umask(mask)

    def stopService(self) -> Deferred[None] | None:
        super().stopService()
        port, self._port = self._port, None
        return port.stopListening() if port is not None else None


def remove_stale_socket(path: Path) -> None:
    """Remove a socket that nobody listens on any more; one that is in use stays, and listening will fail on it."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        except OSError:
            return
