"""The broker: all consoles of a process, and what is asked of them together."""

import socket
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, cast

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults, inlineCallbacks
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.error import CannotListenError, ConnectError
from twisted.internet.interfaces import IDelayedCall, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from vncproxy.addresses import is_of_this_host, judge, resolve
from vncproxy.console import Console, Stage
from vncproxy.control import ControlPort
from vncproxy.frame import Frame
from vncproxy.pictures import Draw, Pictures, draw_here
from vncproxy.png import as_png
from vncproxy.settings import Address, Settings, parse_address
from vncproxy.sides import BrowserSide, NodeSide
from vncproxy.tickets import ExpiredTicketError, InvalidTicketError, Ticket, open_ticket
from vncproxy.troubles import ConsoleError, Trouble
from vncproxy.used import FolderMemory, LocalMemory, RedisMemory, UsedTickets

Endpoint = Callable[[Address, int, float], IStreamClientEndpoint]
"""Makes an endpoint for address, port and time-out in seconds."""
Resolve = Callable[[str], Deferred[list[Address]]]
"""Finds the addresses of a host; fails with OSError."""


class Broker(Service):
    """Opens consoles for tickets, pings their browsers, lists and closes them."""

    log = Logger(namespace="vncproxy.broker")

    def __init__(
        self,
        settings: Settings,
        *,
        clock: IReactorTime,
        used: UsedTickets,
        resolve: Resolve,
        endpoint: Endpoint,
        draw: Draw = draw_here,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.used = used
        self._resolve = resolve
        self._endpoint = endpoint
        self._consoles: dict[str, Console] = {}
        self._next_ping: IDelayedCall | None = None
        self._stopped: Deferred[None] | None = None
        self.pictures = Pictures(settings.keys, settings.pictures, clock, self.dial, draw)
        self.control: ControlPort | None = None
        """Started and stopped with the broker, where there is one."""

    # ---- life

    def startService(self) -> None:
        super().startService()
        if self.control is not None:
            self.control.startService()
        self._ping_later()

    def stopService(self) -> Deferred[None] | None:
        """Close every console; fires when all have said goodbye (within seconds) and the control socket is gone."""
        super().stopService()
        endings: list[Deferred[None]] = []
        if self.control is not None and (control_gone := self.control.stopService()) is not None:
            endings.append(control_gone)
        if self._next_ping is not None and self._next_ping.active():
            self._next_ping.cancel()
        self.close(trouble=Trouble.SHUTTING_DOWN)
        if self._consoles:
            self._stopped = Deferred()
            endings.append(self._stopped)
        return gatherResults(endings).addCallback(lambda _: None)

    # ---- consoles

    def admit(self, text: str, client: str) -> Ticket:
        """The ticket, when it is good and this client may use it; raises ConsoleError."""
        try:
            ticket = open_ticket(self.settings.keys, text, self.clock.seconds())
        except ExpiredTicketError as error:
            raise ConsoleError(Trouble.EXPIRED) from error
        except InvalidTicketError as error:
            raise ConsoleError(Trouble.BAD_TICKET) from error
        if ticket.kind != "vnc":
            raise ConsoleError(Trouble.BAD_TICKET)
        if not self.settings.admits_client(client):
            raise ConsoleError(Trouble.ADDRESS, client)
        if len(self._consoles) >= self.settings.limit:
            raise ConsoleError(Trouble.FULL)
        return ticket

    def open(self, ticket: Ticket, client: str, headers: Mapping[str, str]) -> BrowserSide:
        """A console for an admitted ticket; its browser side wants a transport."""
        console = Console(self, ticket, client, headers)
        self._consoles[console.id] = console
        return console.browser

    @inlineCallbacks
    def dial(self, ticket: Ticket, seconds: float, factory: Factory[Any]) -> Generator[Deferred[Any], Any, NodeSide]:
        """Connect to the machine's VNC port, at an address that was judged: a name is not asked for twice.

        Fails with ForbiddenAddress, OSError or twisted's ConnectError.
        """
        literal = parse_address(ticket.host)
        addresses = [literal] if literal else (yield self._resolve(ticket.host))
        for address in addresses:  # all of them: a name that also leads where it must not is not to be trusted
            judge(address, self.settings.node_networks, is_demo=ticket.is_demo, is_own=is_of_this_host)
        refusal: ConnectError | None = None
        for address in addresses:
            endpoint = self._endpoint(address, ticket.port, seconds / len(addresses))
            try:
                return cast(NodeSide, (yield endpoint.connect(factory)))
            except ConnectError as error:
                refusal = error
        raise refusal or socket.gaierror(f"no address of {ticket.host!r} is known")

    def forget(self, console: Console) -> None:
        self._consoles.pop(console.id, None)
        if self._stopped is not None and not self._consoles:
            stopped, self._stopped = self._stopped, None
            stopped.callback(None)

    def list(self) -> list[dict[str, object]]:
        """The consoles that are open or being opened, oldest first."""
        return [
            {
                "id": console.id,
                "user_id": console.ticket.user_id,
                "user": console.ticket.user,
                "vm": console.ticket.vm,
                "vm_name": console.ticket.vm_name,
                "session": console.ticket.session,
                "kind": console.ticket.kind,
                "client": console.client,
                "since": console.since,
                "open": console.stage is Stage.OPEN,
                "bytes_to_browser": console.bytes_to_browser,
                "bytes_to_node": console.bytes_to_node,
            }
            for console in self._consoles.values()
            if console.stage is not Stage.ENDED
        ]

    def close(
        self,
        *,
        console_id: str | None = None,
        user_id: int | None = None,
        vm: str | None = None,
        trouble: Trouble = Trouble.CLOSED_BY_STAFF,
        reason: str = "",
    ) -> int:
        """Close the consoles that fit all that is given (all, when nothing is); how many there were."""
        chosen = [
            console
            for console in self._consoles.values()
            if console.stage is not Stage.ENDED
            and console_id in (None, console.id)
            and user_id in (None, console.ticket.user_id)
            and vm in (None, console.ticket.vm)
        ]
        for console in chosen:
            console.end(trouble, reason)
        return len(chosen)

    # ---- signs of life

    def _ping_later(self) -> None:
        self._next_ping = self.clock.callLater(self.settings.ping_interval_s, self._ping)

    def _ping(self) -> None:
        self._ping_later()
        silent_since = self.clock.seconds() - self.settings.idle_s if self.settings.idle_s else float("-inf")
        for console in [console for console in self._consoles.values() if console.stage is Stage.OPEN]:
            if console.last_bytes_at < silent_since:
                console.end(Trouble.IDLE)
            else:
                console.browser.ping()


def make_broker(settings: Settings, reactor: Any, *, used_in: Path | None = None) -> Broker:
    """A broker on a real reactor; dials by TCP, remembers used tickets in Redis where one is set, else in the directory
    that those of this host share, else by itself."""
    used: UsedTickets = LocalMemory(reactor)
    if used_in is not None:
        used = FolderMemory(used_in, reactor)
    if settings.redis_url:
        used = RedisMemory(settings.redis_url, reactor, reactor, reactor.getThreadPool())

    def look_up(host: str) -> Deferred[list[Address]]:
        return deferToThreadPool(reactor, reactor.getThreadPool(), resolve, host)

    def endpoint(address: Address, port: int, seconds: float) -> IStreamClientEndpoint:
        kind = TCP6ClientEndpoint if address.version == 6 else TCP4ClientEndpoint
        return kind(reactor, str(address), port, timeout=seconds)

    def draw(frame: Frame) -> Deferred[bytes]:
        return deferToThreadPool(reactor, reactor.getThreadPool(), as_png, frame)

    broker = Broker(settings, clock=reactor, used=used, resolve=look_up, endpoint=endpoint, draw=draw)
    if settings.control:
        broker.control = ControlPort(settings.control, broker, reactor)
    return broker


def run_with_broker(reactor: Any, broker: Broker, begun: Callable[[], None]) -> None:
    """Run the reactor until SIGTERM, and the broker with it; `begun` is called when both run.

    The control socket is a file, and so is opened no earlier than SIGTERM is caught: who is ended before that leaves
    none behind. Raises CannotListenError and OSError when it can't be opened.
    """
    failed: list[CannotListenError | OSError] = []

    def begin() -> None:
        try:
            broker.startService()
        except (CannotListenError, OSError) as error:
            failed.append(error)
            reactor.stop()
        else:
            begun()

    reactor.addSystemEventTrigger("before", "shutdown", broker.stopService)
    reactor.callWhenRunning(begin)
    reactor.run()
    if failed:
        raise failed[0]
