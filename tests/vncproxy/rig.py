"""A broker without a network: its clock, its browsers and its nodes are in the test's hands."""

import base64
import struct

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.resource import Resource

from tests.vncproxy.ends import KEY, PASSWORD
from tests.vncproxy.test_framing import frame
from vncproxy.broker import Broker
from vncproxy.rfb import answer
from vncproxy.settings import Settings, parse_address
from vncproxy.tickets import Ticket, seal
from vncproxy.used import LocalMemory
from vncproxy.web import console_site

HOST = "gwm.example.org"
SEC_KEY = base64.b64encode(bytes(16)).decode()


class Rest(Resource):
    """The rest of the site."""

    isLeaf = True

    def render_GET(self, request):
        return b"the rest"

    render_POST = render_GET


class Wire(StringTransport):
    """A transport that knows whether it was cut, and tells its protocol."""

    def __init__(self, peer):
        super().__init__(peerAddress=peer)
        self.protocol = None
        self.aborted = False

    def abortConnection(self):
        self.aborted = True
        self.end()

    def loseConnection(self):
        super().loseConnection()
        self.end()

    def end(self):
        protocol, self.protocol = self.protocol, None
        if protocol is not None:
            self.connected = False
            protocol.connectionLost(Failure(ConnectionDone()))

    def take(self):
        value = self.value()
        self.clear()
        return value

    @property
    def paused(self):
        return self.producerState == "paused"


class Endpoint:
    """Remembers that it was asked; the test says how it goes."""

    def __init__(self, address, port, seconds):
        self.host, self.port, self.seconds = str(address), port, seconds
        self.cancelled = False

    def connect(self, factory):
        self.factory = factory
        self.waiting = Deferred(lambda _: setattr(self, "cancelled", True))
        return self.waiting

    def succeed(self, address="192.0.2.1"):
        wire = Wire(IPv4Address("TCP", address, self.port))
        wire.protocol = protocol = self.factory.buildProtocol(None)
        protocol.makeConnection(wire)
        self.waiting.callback(protocol)
        return wire


class Rig:
    def __init__(self, *, names=None, **settings):
        self.names = names or {}
        """What each name leads to: the addresses of the first question, those of the second and so on."""
        self.clock = Clock()
        self.clock.advance(1_800_000_000)
        self.endpoints = []
        self.settings = Settings(keys=(KEY,), **settings)
        self.used = LocalMemory(self.clock)
        self.broker = Broker(
            self.settings, clock=self.clock, used=self.used, resolve=self._resolve, endpoint=self._endpoint
        )
        self.broker.startService()
        self.site = console_site(self.broker, Rest(), reactor=self.clock)

    def _resolve(self, host):
        if host not in self.names:
            return fail(OSError("no such name"))
        return succeed([parse_address(text) for text in self.names[host].pop(0)])

    def _endpoint(self, host, port, seconds):
        self.endpoints.append(Endpoint(host, port, seconds))
        return self.endpoints[-1]

    def ticket(self, **changes):
        values = {
            "host": "192.0.2.1",
            "port": 11000,
            "browser_password": PASSWORD,
            "user_id": 7,
            "user": "alice",
            "vm": "1/abc",
            "vm_name": "web1.example.org",
            "session": "mark",
            "expires_at": self.clock.seconds() + 30,
        }
        return seal([KEY], Ticket(**(values | changes)))

    def connect(self, address="198.51.100.7"):
        wire = Wire(IPv4Address("TCP", address, 50000))
        wire.protocol = self.site.buildProtocol(None)
        wire.protocol.makeConnection(wire)
        return wire

    def request(self, ticket, *, address="198.51.100.7", **headers):
        """The upgrade; headers of None are left out. Returns the wire with the answer still in it."""
        wire = self.connect(address)
        wire.protocol.dataReceived(head(ticket, **headers))
        return wire

    def browser(self, **changes):
        """A browser whose upgrade was answered."""
        wire = self.request(self.ticket(**changes))
        answered, _, rest = wire.take().partition(b"\r\n\r\n")
        assert answered.startswith(b"HTTP/1.1 101 "), answered
        return BrowserEnd(wire, rest)

    def open(self, **changes):
        """An open console: its browser and its node's wire."""
        browser = self.browser(**changes)
        browser.log_in()
        node = self.endpoints[-1].succeed()
        node.protocol.dataReceived(b"RFB 003.008\n\x01\x01\0\0\0\0")
        assert node.take() == b"RFB 003.008\n\x01"
        assert browser.messages() == [bytes(4)]
        return browser, node


class BrowserEnd:
    def __init__(self, wire, rest=b""):
        self.wire = wire
        self._rest = rest
        self.closed_with = None

    def send(self, data, **kind):
        self.wire.protocol.dataReceived(frame(data, **kind))

    def messages(self):
        """Messages since the last look; notes a close frame in ``closed_with``."""
        data, self._rest = self._rest + self.wire.take(), b""
        messages = []
        while data:
            size, start = data[1], 2
            if size == 126:
                size, start = struct.unpack(">H", data[2:4])[0], 4
            elif size == 127:
                size, start = struct.unpack(">Q", data[2:10])[0], 10
            payload, kind = data[start : start + size], data[0] & 0x0F
            data = data[start + size :]
            if kind == 8:
                self.closed_with = (struct.unpack(">H", payload[:2])[0], payload[2:].decode())
            elif kind == 2:
                messages.append(payload)
        return messages

    def log_in(self, password=PASSWORD):
        assert self.messages() == [b"RFB 003.008\n"]
        self.send(b"RFB 003.008\n")
        assert self.messages() == [b"\x01\x02"]
        self.send(b"\x02")
        (challenge,) = self.messages()
        self.send(answer(challenge, password))

    def close_code(self):
        self.messages()
        return self.closed_with and self.closed_with[0]


def head(ticket, **headers):
    """The head of an upgrade request."""
    values = {
        "Host": HOST,
        "Upgrade": "websocket",
        "Connection": "keep-alive, Upgrade",
        "Origin": f"https://{HOST}",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": SEC_KEY,
        "Sec-WebSocket-Protocol": f"binary, ticket.{ticket}",
    } | {name.replace("_", "-"): value for name, value in headers.items() if name not in ("path", "method", "version")}
    lines = [
        f"{headers.get('method', 'GET')} {headers.get('path', '/console/ws')} {headers.get('version', 'HTTP/1.1')}"
    ]
    lines += [f"{name}: {value}" for name, value in values.items() if value is not None]
    return "\r\n".join([*lines, "", ""]).encode()
