"""The WebSocket endpoint as a part of a twisted.web site.

For a process that serves Django as well::

    broker = make_broker(settings_from(os.environ), reactor)
    site = console_site(broker, WSGIResource(reactor, threads, application), reactor=reactor)
    endpoint.listen(site)       # or reactor.adoptStreamPort(fd, AF_INET, site); for TLS, wrap as for any site
    run_with_broker(reactor, broker, tell_ready)  # all consoles are closed, and say goodbye, before it returns

``/console/ws`` is the console's, everything else goes to the resource. The site gives a client ten seconds
(``handshake_timeout_s``) to send the head of a request and takes 16 KiB of it at most, and thirty seconds to send the
body, for Django's pages too.
"""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from vncproxy.broker import Broker
from vncproxy.connections import Connections
from vncproxy.forwarded import real_client
from vncproxy.framing import SUBPROTOCOL, Framing
from vncproxy.residents import Residents
from vncproxy.settings import Settings
from vncproxy.sides import FAREWELL_S, wire_of
from vncproxy.troubles import ConsoleError

Path = tuple[bytes, ...]
PATH: Path = (b"console", b"ws")
TICKET_PREFIX = "ticket."
_DEFAULT_PORTS = {"http": 80, "https": 443}


class HandshakeError(Exception):
    """The request can't become a console: HTTP status and sentence."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class ConsoleChannel(HTTPChannel):
    """An HTTP/1.1 connection with a deadline for each request's head and another for its body, however the bytes
    trickle; it can be handed over to another protocol."""

    head_timeout_s = 10.0
    body_timeout_s = 30.0
    connections: Connections | None = None
    residents: Residents | None = None
    _source: str | None = None
    _deadline: IDelayedCall | None = None
    _awaits_head = True
    _was_asked = False
    _taken_by: Protocol | None = None

    def connectionMade(self) -> None:
        super().connectionMade()
        if self.connections is not None:
            self._source = self.connections.take(str(getattr(self.getPeer(), "host", "")))
            if self._source is None:
                wire_of(self).abortConnection()
                return
        if self.residents is not None:
            self.residents.come(self)
        self._start_deadline(self.head_timeout_s)

    def dataReceived(self, data: bytes) -> None:
        if self._taken_by is not None:
            self._taken_by.dataReceived(data)
            return
        if self._awaits_head and self._deadline is None:
            self._start_deadline(self.head_timeout_s)
        super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        if line[:1] in (b" ", b"\t"):  # a header that goes on in a second line, which proxies read differently
            self._respondToBadRequestAndDisconnect()
            return
        super().lineReceived(line)

    def rawDataReceived(self, data: bytes) -> None:
        if self._taken_by is not None:  # what came in one piece with the request's head
            self._taken_by.dataReceived(data)
            return
        super().rawDataReceived(data)

    def allHeadersReceived(self) -> None:
        self._awaits_head, self._was_asked = False, True
        self._stop_deadline()
        self._start_deadline(self.body_timeout_s)
        super().allHeadersReceived()

    def allContentReceived(self) -> None:
        self._stop_deadline()
        super().allContentReceived()

    def requestDone(self, request: Request) -> None:
        self._awaits_head = True
        super().requestDone(request)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._stop_deadline()
        if self.connections is not None and self._source is not None:
            self.connections.give_back(self._source)
            self._source = None
        if self.residents is not None:
            self.residents.go(self)
        super().connectionLost(reason)
        if self._taken_by is not None:
            self._taken_by.connectionLost(reason)

    def checkPersistence(self, request: Any, version: bytes) -> bool:
        """Whether another request may follow: none once the process is to end, and the answer says so."""
        if self.residents is not None and self.residents.is_leaving:
            request.responseHeaders.setRawHeaders(b"connection", [b"close"])
            return False
        return bool(super().checkPersistence(request, version))

    def leave(self) -> None:
        """End after the answer. Whoever has only just come may still ask: what was sent to us nobody else answers."""
        if self.requests:
            self.persistent = False
        elif self._was_asked and self._awaits_head and self._deadline is None:
            wire_of(self).loseConnection()

    def put_out(self) -> None:
        """End now."""
        wire_of(self).abortConnection()

    def hand_over(self, protocol: Protocol) -> None:
        """End HTTP on this connection: from now on it is the protocol's."""
        if self.residents is not None:
            self.residents.go(self)
        self.setTimeout(None)
        self.requests.clear()
        wire_of(self).unregisterProducer()
        self._taken_by = protocol
        protocol.makeConnection(self.transport)

    def _start_deadline(self, seconds: float) -> None:
        self._deadline = self.callLater(seconds, self._too_slow)

    def _stop_deadline(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        wire_of(self).abortConnection()


class AnonymousRequest(Request):
    """A request whose answer does not say which program in which version gave it."""

    def setHeader(self, name: Any, value: Any) -> None:
        """Set a header, unless it is the one with the program's name."""
        if name.lower() != b"server":
            super().setHeader(name, value)


class ConsoleSite(Site):
    """A site whose connections can become consoles; HTTP/1.1 only, which is what WebSocket needs."""

    protocol = ConsoleChannel  # type: ignore[assignment]  # typed as the wrapper that can also be HTTP/2
    noisy = False

    head_timeout_s = 10.0
    body_timeout_s = 30.0
    connections: Connections | None = None
    residents: Residents | None = None

    def buildProtocol(self, addr: IAddress | None) -> Any:
        channel = super().buildProtocol(addr)
        channel.head_timeout_s = self.head_timeout_s
        channel.body_timeout_s = self.body_timeout_s
        channel.connections = self.connections
        channel.residents = self.residents
        return channel

    def log(self, request: Any) -> None:
        """No access log: what matters of a console is logged by the console."""

    def acceptableProtocols(self) -> list[bytes]:
        return [b"http/1.1"]


class ConsoleResource(Resource):
    """Turns a WebSocket request with a ticket into a console."""

    isLeaf = True
    log = Logger(namespace="vncproxy.web")

    def __init__(self, broker: Broker) -> None:
        super().__init__()
        self._broker = broker

    def render(self, request: Request) -> bytes | int:
        if request.method == b"HEAD":  # whether the proxy is there: asked often, so the log has nothing of it
            request.setResponseCode(204)
            request.setHeader(b"cache-control", b"no-store")
            return b""
        settings = self._broker.settings
        client = client_address(request, settings)
        try:
            headers = check_handshake(request, settings)
            text = ticket_in(request)
        except HandshakeError as error:
            self.log.info("console refused: {why} client={client}", why=error.text, client=client)
            return refuse_handshake(request, error)
        channel = request.channel
        if not isinstance(channel, ConsoleChannel):
            raise TypeError("the console needs the site that console_site() makes")
        try:
            ticket = self._broker.admit(text, client)
        except ConsoleError as error:
            self.log.info("console refused: {why} client={client}", why=str(error), client=client)
            channel.hand_over(TurnedAway(self._broker.clock, headers, error))
        else:
            channel.hand_over(self._broker.open(ticket, client, headers))
        return NOT_DONE_YET


class TurnedAway(Protocol):
    """Completes the WebSocket handshake to be able to say why there is no console: a page can't see an HTTP status."""

    def __init__(self, clock: IReactorTime, headers: Mapping[str, str], error: ConsoleError) -> None:
        self._clock = clock
        self._headers = headers
        self._error = error
        self._deadline: IDelayedCall | None = None
        self._framing = Framing(self._write, limit=1024, may_answer=lambda: False, on_pong=lambda: None)

    def connectionMade(self) -> None:
        self._deadline = self._clock.callLater(FAREWELL_S, wire_of(self).abortConnection)
        self._framing.accept(self._headers)
        self._framing.close(self._error.trouble.code, str(self._error))

    def dataReceived(self, data: bytes) -> None:
        wire = wire_of(self)
        try:
            for _ in self._framing.feed(data):
                pass
        except ConsoleError:
            wire.abortConnection()
        if self._framing.peer_closed:
            wire.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()

    def _write(self, data: bytes) -> None:
        wire_of(self).write(data)


class _Root(Resource):
    """Each path that the reactor answers to its resource, every other to the rest of the site.

    Below a path of the host it is the same; what is not below it goes to `outside`. The own paths are answered in both
    places: proxies may take the path off, and who asks this machine itself need not know it.
    """

    def __init__(self, own: Mapping[Path, IResource], rest: IResource, below: Path, outside: IResource) -> None:
        super().__init__()
        self._own = {**own, **{(*below, *path): resource for path, resource in own.items()}}
        self._rest = rest
        self._below = below
        self._outside = outside

    def getChild(self, path: bytes, request: Request) -> IResource:
        before, after = request.prepath or [], request.postpath or []
        own = self._own.get((path, *after))
        if own is not None:
            request.prepath, request.postpath = [*before, *after], []
            return own
        # Put back what was taken off, so that the rest sees the request as if it were the root itself.
        depth, whole = len(self._below), [path, *after]
        if tuple(whole[:depth]) == self._below and len(whole) > depth:
            request.prepath, request.postpath = [*before[:-1], *self._below], whole[depth:]
            return self._rest
        request.prepath, request.postpath = before[:-1], whole
        return self._outside


def console_site(
    broker: Broker,
    rest: IResource,
    *,
    reactor: IReactorTime,
    idle_s: float = 60.0,
    own: Mapping[Path, IResource] | None = None,
    outside: IResource | None = None,
    connections: Connections | None = None,
) -> ConsoleSite:
    """A site that serves consoles at /console/ws, ``own`` at its paths and ``rest`` (a leaf, like WSGIResource)
    everywhere else; below the path of the settings, if they name one, with ``outside`` for what is not.

    ``idle_s`` is how long a connection may rest between requests; consoles may rest for ever.
    """
    resources = {PATH: ConsoleResource(broker), **(own or {})}
    root = _Root(resources, rest, broker.settings.below, outside or rest)
    site = ConsoleSite(root, timeout=idle_s, reactor=reactor, parsePOSTFormSubmission=False)
    site.requestFactory = AnonymousRequest
    site.head_timeout_s = broker.settings.handshake_timeout_s
    site.connections = connections
    site.residents = Residents(reactor)
    return site


def check_handshake(request: Request, settings: Settings) -> dict[str, str]:
    """The headers that the WebSocket answer is made of; raises HandshakeError."""
    if request.method != b"GET":
        raise HandshakeError(405, "This address speaks WebSocket only.")
    origins = request.requestHeaders.getRawHeaders("origin") or []
    if len(origins) != 1 or not origin_allowed(origins[0], _header(request, "host"), settings.origins):
        raise HandshakeError(403, "This page may not connect here (foreign or missing Origin).")
    upgrade = _header(request, "upgrade").lower()
    connection = [token.strip() for token in _header(request, "connection").lower().split(",")]
    if upgrade != "websocket" or "upgrade" not in connection or request.clientproto != b"HTTP/1.1":
        raise HandshakeError(426, "This address speaks WebSocket only.")
    if _header(request, "sec-websocket-version") != "13":
        raise HandshakeError(426, "This address speaks WebSocket version 13 only.")
    key = _header(request, "sec-websocket-key")
    try:
        if len(base64.b64decode(key, validate=True)) != 16:
            raise HandshakeError(400, "Bad WebSocket key.")
    except ValueError as error:
        raise HandshakeError(400, "Bad WebSocket key.") from error
    return {
        "upgrade": upgrade,
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Protocol": SUBPROTOCOL,
    }


def ticket_in(request: Request) -> str:
    """The ticket among the subprotocols that the browser offers; raises HandshakeError."""
    offered = [name.strip() for name in _header(request, "sec-websocket-protocol").split(",")]
    tickets = [name.removeprefix(TICKET_PREFIX) for name in offered if name.startswith(TICKET_PREFIX)]
    if len(tickets) != 1 or not tickets[0] or SUBPROTOCOL not in offered:
        raise HandshakeError(403, "A console needs a ticket.")
    return tickets[0]


def origin_allowed(origin: str, host: str, allowed: frozenset[str]) -> bool:
    """Whether a page of this origin may connect: it is the broker's own host, or listed.

    The scheme is not compared, as TLS may end at a proxy before us; host and port are.
    """
    origin = origin.strip().lower()
    if origin in allowed:
        return True
    try:
        parts = urlsplit(origin)
        own = urlsplit(f"{parts.scheme}://{host.strip().lower()}")
        default = _DEFAULT_PORTS[parts.scheme]
        same = parts.hostname == own.hostname and (parts.port or default) == (own.port or default)
    except (ValueError, KeyError):
        return False
    plain = not (parts.path or parts.query or parts.fragment or parts.username or own.path or own.username)
    return bool(parts.hostname) and plain and same


def client_address(request: Request, settings: Settings) -> str:
    """Where the browser is: the peer, or what trusted proxies in front of us say it is."""
    peer = str(getattr(request.getClientAddress(), "host", ""))
    return real_client(peer, _header(request, "x-forwarded-for"), settings.trusted_proxies)


def _header(request: Request, name: str) -> str:
    return ", ".join(request.requestHeaders.getRawHeaders(name) or [])


def refuse_handshake(request: Request, error: HandshakeError) -> bytes:
    """Answer a request that can't become a WebSocket; the body."""
    request.setResponseCode(error.status, b"Upgrade Required" if error.status == 426 else None)
    request.setHeader("content-type", "text/plain; charset=utf-8")
    request.setHeader("cache-control", "no-store")
    if error.status == 426:
        request.setHeader("upgrade", "websocket")
        request.setHeader("sec-websocket-version", "13")
    return error.text.encode() + b"\n"
