"""One console: a browser on one side, a machine's VNC port on the other, and the way from a ticket to both.

claim the ticket -> log the browser in -> dial the node -> log in there -> pipe, until a side or the broker ends it.
Nothing is dialled before the browser has shown a ticket and the password that belongs to it.
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import TYPE_CHECKING
from uuid import uuid4

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, ConnectionRefusedError, DNSLookupError
from twisted.internet.error import TimeoutError as ConnectTimeoutError
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime, ITCPTransport, ITransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from vncproxy.framing import Framing
from vncproxy.rfb import BrowserLogin, NodeLogin
from vncproxy.settings import parse_address
from vncproxy.tickets import Ticket
from vncproxy.troubles import ConsoleError, Trouble

if TYPE_CHECKING:
    from vncproxy.broker import Broker

_FAREWELL_S = 3.0  # for the browser to take in the close frame, and its answer
_EARLY_LIMIT = 4096  # bytes that may come before both sides are logged in


class Stage(Enum):
    CLAIMING = auto()
    BROWSER_LOGIN = auto()
    DIALLING = auto()
    NODE_LOGIN = auto()
    OPEN = auto()
    ENDED = auto()


@implementer(IPushProducer)
class Valve:
    """Stands as producer on one transport and holds back the other when the first is full."""

    def __init__(self) -> None:
        self.full = False
        self._source: ITransport | None = None

    def hold(self, source: ITransport | None) -> None:
        """From now on it is this transport that is held back."""
        self._source = source
        if self.full:
            self.pauseProducing()

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        self.full = True
        if self._source is not None:
            IPushProducer(self._source).pauseProducing()

    def resumeProducing(self) -> None:  # noqa: N802
        self.full = False
        if self._source is not None:
            IPushProducer(self._source).resumeProducing()

    def stopProducing(self) -> None:  # noqa: N802
        self._source = None


class BrowserSide(Protocol):
    """The browser's connection after the HTTP request; speaks WebSocket."""

    def __init__(self, console: "Console", headers: Mapping[str, str]) -> None:
        self._console = console
        self._headers = headers
        self.valve = Valve()
        self.unanswered_pings = 0
        self.framing = Framing(
            self._write,
            limit=console.broker.settings.message_limit,
            may_answer=lambda: not self.valve.full,
            on_pong=self._heard,
        )

    def connectionMade(self) -> None:  # noqa: N802
        assert self.transport is not None  # noqa: S101 - Twisted sets it before
        self.transport.registerProducer(self.valve, True)
        self.framing.accept(self._headers)
        self._console.start()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        self._heard()
        try:
            for message in self.framing.feed(data):
                self._console.from_browser(message)
        except ConsoleError as error:
            self._console.end(error.trouble, error.detail)
        if self.framing.peer_closed:
            self._console.end(Trouble.BROWSER_GONE)
            self.hang_up()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        self._console.browser_lost()

    def ping(self) -> None:
        """Ask for a sign of life; end the console when two questions have gone unanswered."""
        if self.unanswered_pings >= 2:
            self._console.end(Trouble.BROWSER_SILENT)
            return
        self.unanswered_pings += 1
        if not self.valve.full:
            self.framing.ping()

    def say_goodbye(self, code: int, reason: str) -> None:
        """Send the close frame and go on reading, so that no reset overtakes it."""
        if self.transport is None:
            return
        self.valve.hold(None)
        IPushProducer(self.transport).resumeProducing()
        self.framing.close(code, reason)

    def hang_up(self) -> None:
        if self.transport is not None:
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abortConnection()

    def _heard(self) -> None:
        self.unanswered_pings = 0

    def _write(self, data: bytes) -> None:
        if self.transport is not None:
            self.transport.write(data)


class NodeSide(Protocol):
    """The connection to the machine's VNC port."""

    def __init__(self, console: "Console") -> None:
        self._console = console
        self._abort: IDelayedCall | None = None
        self.valve = Valve()

    def connectionMade(self) -> None:  # noqa: N802
        assert self.transport is not None  # noqa: S101 - Twisted sets it before
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
            self.transport.setTcpKeepAlive(True)
        self.transport.registerProducer(self.valve, True)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        self._console.from_node(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        if self._abort is not None and self._abort.active():
            self._abort.cancel()
        self._console.node_lost()

    def hang_up(self, clock: IReactorTime) -> None:
        """Send what is still to be sent (the last keystrokes), but don't wait long for it."""
        if self.transport is not None and self._abort is None and self.connected:
            self.transport.unregisterProducer()
            self._abort = clock.callLater(_FAREWELL_S, self.transport.abortConnection)
            self.transport.loseConnection()


class Console:
    """One console from its ticket to its end."""

    log = Logger(namespace="vncproxy.console")

    def __init__(self, broker: "Broker", ticket: Ticket, client: str) -> None:
        self.broker = broker
        self.ticket = ticket
        self.client = client
        self.id = uuid4().hex[:12]
        self.since = broker.clock.seconds()
        self.bytes_to_browser = 0
        self.bytes_to_node = 0
        self.stage = Stage.CLAIMING
        self.browser: BrowserSide
        self._node: NodeSide | None = None
        self._dialling: Deferred[None] | None = None
        self._browser_login = BrowserLogin(ticket.browser_password)
        self._node_login = NodeLogin(ticket.password)
        self._early = b""
        self._deadline: IDelayedCall | None = None

    # ---- from ticket to pipe

    def start(self) -> None:
        """The WebSocket stands: see whether the ticket is still good."""
        self._expect_within(self.broker.settings.handshake_timeout_s, Trouble.BROWSER_SLOW)
        claim = self.broker.used.claim(self.ticket.id, self.ticket.expires_at)
        claim.addCallback(self._claimed)
        claim.addErrback(self._failed)

    def _claimed(self, first: bool) -> None:
        if self.stage is not Stage.CLAIMING:
            return
        if not first:
            self.end(Trouble.USED)
            return
        self.stage = Stage.BROWSER_LOGIN
        self.browser.framing.send(self._browser_login.greeting())
        early, self._early = self._early, b""
        if early:
            self.from_browser(early)

    def _dial(self) -> None:
        self.stage = Stage.DIALLING
        seconds = self.ticket.connect_timeout_s or self.broker.settings.connect_timeout_s
        self._expect_within(seconds, Trouble.TIMED_OUT)
        factory = Factory.forProtocol(lambda: NodeSide(self))
        factory.noisy = False
        self._dialling = self.broker.dial(self.ticket, seconds, factory)
        self._dialling.addCallback(self._dialled)
        self._dialling.addErrback(self._failed)

    def _dialled(self, node: NodeSide) -> None:
        self._dialling = None
        assert node.transport is not None  # noqa: S101 - it is connected
        if self.stage is not Stage.DIALLING:
            node.transport.abortConnection()
            return
        self._node = node
        self.stage = Stage.NODE_LOGIN
        self._check_peer(getattr(node.transport.getPeer(), "host", ""))
        node.valve.hold(self.browser.transport)
        self.browser.valve.hold(node.transport)

    def _check_peer(self, address: str) -> None:
        parsed = parse_address(address)
        settings = self.broker.settings
        if not settings.admits_node(address):
            raise ConsoleError(Trouble.NODE_NETWORK, address)
        if parsed is not None and parsed.is_loopback and not settings.node_networks:
            raise ConsoleError(Trouble.LOOPBACK)

    def _open(self) -> None:
        self.stage = Stage.OPEN
        self._expect_nothing()
        self.log.info(
            "console {id} opened: user={user!r} vm={vm!r} node={host}:{port} client={client}", **self._log_fields()
        )
        self._to_browser(self._browser_login.accept() + self._node_login.take_rest())
        early, self._early = self._browser_login.take_rest() + self._early, b""
        if early:
            self._to_node(early)

    # ---- bytes

    def from_browser(self, data: bytes) -> None:
        """A message from the browser."""
        if self.stage is Stage.OPEN:
            self._to_node(data)
        elif self.stage is Stage.BROWSER_LOGIN:
            reply = self._browser_login.feed(data)
            if reply:
                self.browser.framing.send(reply)
            if self._browser_login.done:
                self._dial()
        elif self.stage is not Stage.ENDED:
            self._early += data
            if len(self._early) > _EARLY_LIMIT:
                raise ConsoleError(Trouble.BROWSER_PROTOCOL, "too much before the login was over")

    def from_node(self, data: bytes) -> None:
        """Bytes from the machine."""
        if self.stage is Stage.OPEN:
            self._to_browser(data)
        elif self.stage is Stage.NODE_LOGIN:
            try:
                reply = self._node_login.feed(data)
            except ConsoleError as error:
                self.end(error.trouble, error.detail)
                return
            if reply:
                self._write_to_node(reply)
            if self._node_login.done:
                self._open()

    def _to_browser(self, data: bytes) -> None:
        self.bytes_to_browser += len(data)
        self.browser.framing.send(data)

    def _to_node(self, data: bytes) -> None:
        self.bytes_to_node += len(data)
        self._write_to_node(data)

    def _write_to_node(self, data: bytes) -> None:
        if self._node is not None and self._node.transport is not None:
            self._node.transport.write(data)

    # ---- the end

    def browser_lost(self) -> None:
        self.end(Trouble.BROWSER_GONE)
        self._expect_nothing()
        self.broker.forget(self)

    def node_lost(self) -> None:
        self.end(self._node_login.lost_trouble if self.stage is Stage.NODE_LOGIN else Trouble.NODE_CLOSED)

    def end(self, trouble: Trouble, detail: str = "") -> None:
        """End both sides and tell the browser why. Does nothing when the end has come already."""
        if self.stage is Stage.ENDED:
            return
        stage, self.stage = self.stage, Stage.ENDED
        self._expect_nothing()
        self.log.info(
            "console {id} closed: {reason} user={user!r} vm={vm!r} node={host}:{port} client={client}"
            " to_browser={to_browser} to_node={to_node} seconds={seconds:.1f}",
            reason=trouble.reason(detail),
            to_browser=self.bytes_to_browser,
            to_node=self.bytes_to_node,
            seconds=self.broker.clock.seconds() - self.since,
            **self._log_fields(),
        )
        if self._dialling is not None:
            self._dialling.cancel()
        if self._node is not None:
            self._node.hang_up(self.broker.clock)
        if trouble is Trouble.BROWSER_GONE:
            return
        reason = trouble.reason(detail)
        if stage is not Stage.OPEN:
            refusal = self._browser_login.refuse(reason)
            if refusal:
                self.browser.framing.send(refusal)
        self._deadline = self.broker.clock.callLater(_FAREWELL_S, self.browser.abort)
        self.browser.say_goodbye(trouble.code, reason)

    def _failed(self, failure: Failure) -> None:
        trouble, detail = trouble_of(failure)
        if trouble is Trouble.INTERNAL and self.stage is not Stage.ENDED:
            self.log.failure("console {id}: unexpected", failure, id=self.id)
        self.end(trouble, detail)

    def _expect_within(self, seconds: float, trouble: Trouble) -> None:
        self._expect_nothing()
        self._deadline = self.broker.clock.callLater(seconds, self.end, trouble)

    def _expect_nothing(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None

    def _log_fields(self) -> dict[str, object]:
        return {
            "id": self.id,
            "user": self.ticket.user,
            "vm": self.ticket.vm_name,
            "host": self.ticket.host,
            "port": self.ticket.port,
            "client": self.client,
        }


def trouble_of(failure: Failure) -> tuple[Trouble, str]:
    """Why a connection attempt failed, in our words."""
    error = failure.value
    if isinstance(error, ConsoleError):
        return error.trouble, error.detail
    if isinstance(error, ConnectionRefusedError):
        return Trouble.REFUSED, ""
    if isinstance(error, ConnectTimeoutError | CancelledError):
        return Trouble.TIMED_OUT, ""
    if isinstance(error, DNSLookupError):
        return Trouble.NO_NAME, ""
    if isinstance(error, ConnectError):
        return Trouble.UNREACHABLE, ""
    return Trouble.INTERNAL, ""
