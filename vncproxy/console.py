"""One console: a browser on one side, a machine's VNC port on the other, and the way from a ticket to both.

claim the ticket -> log the browser in -> dial the node -> log in there -> pipe, until a side or the broker ends it.
Nothing is dialled before the browser has shown a ticket and the password that belongs to it.
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, Protocol
from uuid import uuid4

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure

from vncproxy.addresses import ForbiddenAddress
from vncproxy.rfb import BrowserLogin, NodeLogin
from vncproxy.settings import Settings
from vncproxy.sides import BrowserSide, NodeSide, wire_of
from vncproxy.tickets import Ticket
from vncproxy.troubles import ConsoleError, Trouble, printable
from vncproxy.used import UsedTickets

_EARLY_LIMIT = 4096  # bytes that may come before both sides are logged in
_DIAL_AGAIN_S = 0.5  # a machine that restarts opens its port again within seconds


class Stage(Enum):
    CLAIMING = auto()
    BROWSER_LOGIN = auto()
    DIALLING = auto()
    NODE_LOGIN = auto()
    UNREACHED = auto()
    OPEN = auto()
    ENDED = auto()


class Surroundings(Protocol):
    """What a console needs of its broker."""

    settings: Settings
    clock: IReactorTime
    used: UsedTickets

    def dial(self, ticket: Ticket, seconds: float, factory: Factory[Any]) -> Deferred[NodeSide]: ...
    def forget(self, console: "Console") -> None: ...


class Console:
    """One console from its ticket to its end."""

    log = Logger(namespace="vncproxy.console")

    def __init__(self, broker: Surroundings, ticket: Ticket, client: str, headers: Mapping[str, str]) -> None:
        self._broker = broker
        self.ticket = ticket
        self.client = client
        self.id = uuid4().hex[:12]
        self.since = self.last_bytes_at = broker.clock.seconds()
        self.bytes_to_browser = 0
        self.bytes_to_node = 0
        self.stage = Stage.CLAIMING
        self.browser = BrowserSide(self, headers, message_limit=broker.settings.message_limit)
        self._node: NodeSide | None = None
        self._dialling: Deferred[NodeSide] | None = None
        self._dial_again: IDelayedCall | None = None
        self._browser_login = BrowserLogin(ticket.browser_password)
        self._node_login = NodeLogin(ticket.password)
        self._early = b""
        self._deadline: IDelayedCall | None = None

    # ---- from ticket to pipe

    def start(self) -> None:
        """The WebSocket stands: see whether the ticket is still good."""
        self._expect_within(self._broker.settings.handshake_timeout_s, Trouble.BROWSER_SLOW)
        claim = self._broker.used.claim(self.ticket.id, self.ticket.expires_at)
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
        seconds = self.ticket.connect_timeout_s or self._broker.settings.connect_timeout_s
        self._expect_within(seconds, Trouble.UNREACHABLE)
        self._try_to_reach(seconds)

    def _try_to_reach(self, seconds: float) -> None:
        factory: Factory[Any] = Factory.forProtocol(lambda: NodeSide(self))
        factory.noisy = False
        self._dialling = dialling = self._broker.dial(self.ticket, seconds, factory)
        dialling.addCallbacks(self._dialled, self._not_reached, errbackArgs=(seconds,)).addErrback(self._failed)

    def _dialled(self, node: NodeSide) -> None:
        self._dialling = None
        wire = wire_of(node)
        if self.stage is not Stage.DIALLING:
            wire.abortConnection()
            return
        self._node = node
        self.stage = Stage.NODE_LOGIN
        node.valve.hold(wire_of(self.browser))
        self.browser.valve.hold(wire)

    def _not_reached(self, failure: Failure, seconds: float) -> None:
        self._dialling = None
        if self.stage is not Stage.DIALLING:
            return
        if failure.check(ConnectError):
            self._dial_again = self._broker.clock.callLater(_DIAL_AGAIN_S, self._try_to_reach, seconds)
        elif failure.check(ForbiddenAddress, OSError):
            self._wait_in_vain(failure.getErrorMessage())
        else:
            failure.raiseException()

    def _wait_in_vain(self, why: str) -> None:
        """Say nothing until the time is over: when and how it ends must not tell what is at an address or port."""
        self.stage = Stage.UNREACHED
        self.log.warn("console {id} not reached: {why} {host}:{port}", why=printable(why), **self._log_fields())
        if self._node is not None:
            self._node.hang_up(self._broker.clock)

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
                if error.trouble is Trouble.UNREACHABLE:
                    self._wait_in_vain(error.detail)
                else:
                    self.end(error.trouble, error.detail)
                return
            if reply and self._node is not None:
                self._node.write(reply)
            if self._node_login.done:
                self._open()

    def _to_browser(self, data: bytes) -> None:
        self.bytes_to_browser += len(data)
        self.last_bytes_at = self._broker.clock.seconds()
        self.browser.framing.send(data)

    def _to_node(self, data: bytes) -> None:
        self.bytes_to_node += len(data)
        self.last_bytes_at = self._broker.clock.seconds()
        if self._node is not None:
            self._node.write(data)

    # ---- the end

    def browser_lost(self) -> None:
        self.end(Trouble.BROWSER_GONE)
        self._expect_nothing()
        self._broker.forget(self)

    def node_lost(self) -> None:
        if self.stage is Stage.NODE_LOGIN and not self._node_login.has_spoken_vnc:
            self._wait_in_vain("it hung up")
        elif self.stage is not Stage.UNREACHED:
            self.end(self._node_login.lost_trouble if self.stage is Stage.NODE_LOGIN else Trouble.NODE_CLOSED)

    def end(self, trouble: Trouble, detail: str = "") -> None:
        """End both sides and tell the browser why. Does nothing when the end has come already."""
        if self.stage is Stage.ENDED:
            return
        self.stage = Stage.ENDED
        self._expect_nothing()
        self.log.info(
            "console {id} closed: {reason} user={user!r} vm={vm!r} node={host}:{port} client={client}"
            " to_browser={to_browser} to_node={to_node} seconds={seconds:.1f}",
            reason=trouble.reason(detail),
            to_browser=self.bytes_to_browser,
            to_node=self.bytes_to_node,
            seconds=self._broker.clock.seconds() - self.since,
            **self._log_fields(),
        )
        if self._dial_again is not None and self._dial_again.active():
            self._dial_again.cancel()
        if self._dialling is not None:
            self._dialling.cancel()
        if self._node is not None:
            self.browser.valve.hold(None)
            self._node.hang_up(self._broker.clock)
        if trouble is Trouble.BROWSER_GONE:
            return
        # Only by the close frame: told in RFB's words, noVNC would close by itself, and the code would get lost.
        self._deadline = self.browser.say_goodbye(trouble.code, trouble.reason(detail), self._broker.clock)

    def _failed(self, failure: Failure) -> None:
        trouble, detail = trouble_of(failure)
        if trouble is Trouble.INTERNAL and self.stage is not Stage.ENDED:
            self.log.failure("console {id}: unexpected", failure, id=self.id)
        self.end(trouble, detail)

    def _expect_within(self, seconds: float, trouble: Trouble) -> None:
        self._expect_nothing()
        self._deadline = self._broker.clock.callLater(seconds, self.end, trouble)

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
    """Why a console failed, in our words."""
    error = failure.value
    if isinstance(error, ConsoleError):
        return error.trouble, error.detail
    return Trouble.INTERNAL, ""
