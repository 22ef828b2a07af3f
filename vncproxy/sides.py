"""The two connections of a console, each holding back the other when it is full."""

from collections.abc import Mapping
from typing import Any, Protocol, cast

from twisted.internet import protocol
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from vncproxy.framing import Framing
from vncproxy.troubles import ConsoleError, Trouble

FAREWELL_S = 3.0
"""For a peer to take in the last bytes before the connection is cut."""
_STEP_BYTES = 1 << 19  # read and buffered at a time: screens in half the CPU time that Twisted's 64 KiB take


class Wire(Protocol):
    """What is needed of a Twisted transport; TCP and TLS both have it, ITransport names only half of it."""

    bufferSize: int

    def write(self, data: bytes) -> None: ...
    def registerProducer(self, producer: object, streaming: bool) -> None: ...
    def unregisterProducer(self) -> None: ...
    def pauseProducing(self) -> None: ...
    def resumeProducing(self) -> None: ...
    def loseConnection(self) -> None: ...
    def abortConnection(self) -> None: ...
    def getPeer(self) -> Any: ...


class Ends(Protocol):
    """What the sides tell of: a console."""

    def start(self) -> None: ...
    def from_browser(self, data: bytes) -> None: ...
    def from_node(self, data: bytes) -> None: ...
    def browser_lost(self) -> None: ...
    def node_lost(self) -> None: ...
    def end(self, trouble: Trouble, detail: str = "") -> None: ...


def wire_of(side: protocol.Protocol) -> Wire:
    """The transport of a connected protocol."""
    if side.transport is None:
        raise RuntimeError("not connected")
    return cast(Wire, side.transport)


@implementer(IPushProducer)
class Valve:
    """Stands as producer on one transport and holds back the other when the first is full."""

    def __init__(self) -> None:
        self.full = False
        self._source: Wire | None = None

    def hold(self, source: Wire | None) -> None:
        """From now on it is this transport that is held back; the one before runs free."""
        if self._source is not None and self.full:
            self._source.resumeProducing()
        self._source = source
        if source is not None and self.full:
            source.pauseProducing()

    def pauseProducing(self) -> None:
        self.full = True
        if self._source is not None:
            self._source.pauseProducing()

    def resumeProducing(self) -> None:
        self.full = False
        if self._source is not None:
            self._source.resumeProducing()

    def stopProducing(self) -> None:
        self._source = None


def start_flow(wire: Wire, valve: Valve) -> None:
    """Have the wire tell the valve when it is full; move bytes in large steps."""
    wire.bufferSize = _STEP_BYTES
    wire.registerProducer(valve, True)


class BrowserSide(protocol.Protocol):
    """The browser's connection after the HTTP request; speaks WebSocket."""

    def __init__(self, console: Ends, headers: Mapping[str, str], *, message_limit: int) -> None:
        self._console = console
        self._headers = headers
        self._unanswered_pings = 0
        self.valve = Valve()
        self.framing = Framing(
            self._write, limit=message_limit, may_answer=lambda: not self.valve.full, on_pong=self._heard
        )

    def connectionMade(self) -> None:
        start_flow(wire_of(self), self.valve)
        self.framing.accept(self._headers)
        self._console.start()

    def dataReceived(self, data: bytes) -> None:
        self._heard()
        try:
            for message in self.framing.feed(data):
                self._console.from_browser(message)
        except ConsoleError as error:
            self._console.end(error.trouble, error.detail)
        if self.framing.peer_closed:
            self._console.end(Trouble.BROWSER_GONE)
            self._hang_up()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._console.browser_lost()

    def ping(self) -> None:
        """Ask for a sign of life; end the console when two questions have gone unanswered."""
        if self._unanswered_pings >= 2:
            self._console.end(Trouble.BROWSER_SILENT)
            return
        self._unanswered_pings += 1
        if not self.valve.full:
            self.framing.ping()

    def say_goodbye(self, code: int, reason: str, clock: IReactorTime) -> IDelayedCall:
        """Send the close frame and read on, so that no reset overtakes it; returns the call that cuts the wire."""
        wire = wire_of(self)
        self.valve.hold(None)
        wire.resumeProducing()
        self.framing.close(code, reason)
        return clock.callLater(FAREWELL_S, wire.abortConnection)

    def _hang_up(self) -> None:
        wire = wire_of(self)
        wire.unregisterProducer()
        wire.loseConnection()

    def _heard(self) -> None:
        self._unanswered_pings = 0

    def _write(self, data: bytes) -> None:
        wire_of(self).write(data)


class NodeSide(protocol.Protocol):
    """The connection to the machine's VNC port."""

    def __init__(self, console: Ends) -> None:
        self._console = console
        self._abort: IDelayedCall | None = None
        self.valve = Valve()

    def connectionMade(self) -> None:
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
            self.transport.setTcpKeepAlive(True)
        start_flow(wire_of(self), self.valve)

    def dataReceived(self, data: bytes) -> None:
        self._console.from_node(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._abort is not None and self._abort.active():
            self._abort.cancel()
        self._console.node_lost()

    def write(self, data: bytes) -> None:
        wire_of(self).write(data)

    def hang_up(self, clock: IReactorTime) -> None:
        """Send what is still to be sent (the last keystrokes), but don't wait long for it."""
        if self.connected and self._abort is None:
            wire = wire_of(self)
            self.valve.hold(None)
            wire.unregisterProducer()
            self._abort = clock.callLater(FAREWELL_S, wire.abortConnection)
            wire.loseConnection()
