"""A small HTTPS server that does what it is told, for what no Ganeti does on demand."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rapi.trust import fingerprint_of


@dataclass(frozen=True)
class Identity:
    """A certificate with its key in one file, and what clients may want to know of it."""

    path: Path
    pem: str
    fingerprint: str


def make_identity(folder: Path, *, name: str = "localhost", address: str | None = "127.0.0.1") -> Identity:
    """A self-signed certificate for a name, and for an address unless that is None."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    if address is not None:
        names = [x509.DNSName(name), x509.IPAddress(ip_address(address))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    path = folder / f"{name}-{certificate.serial_number}.pem"
    path.write_text(private + pem)
    return Identity(path, pem, fingerprint_of(certificate.public_bytes(serialization.Encoding.DER)))


@dataclass(frozen=True)
class Request:
    """What arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def credentials(self) -> str:
        """ "user:password", or nothing."""
        given = self.headers.get("authorization", "")
        return base64.b64decode(given.removeprefix("Basic ")).decode() if given else ""


Behaviour = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Reads the request completely, then does what comes next."""

    protocol_version = "HTTP/1.1"
    server: Any

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        headers = {key.lower(): value for key, value in self.headers.items()}
        edge: Edge = self.server.edge
        edge.requests.append(Request(self.command, self.path, headers, self.rfile.read(length)))
        behaviour = edge.script.pop(0) if edge.script else edge.usual
        self.close_connection = not edge.keeps_connections
        with contextlib.suppress(OSError):
            behaviour(self)

    do_GET = do_PUT = do_POST = do_DELETE = _handle  # noqa: N815 - named by http.server

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@dataclass
class Edge:
    """The server: `script` is what it does to the next requests, `usual` afterwards."""

    host: str
    port: int
    usual: Behaviour
    script: list[Behaviour] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    keeps_connections: bool = False
    connections: int = 0


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    edge: Edge

    def __init__(self, family: socket.AddressFamily, address: str, context: ssl.SSLContext) -> None:
        self.address_family = family
        self._context = context
        super().__init__((address, 0), Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands in the request's own thread, so that one bad client delays nobody."""
        self.edge.connections += 1
        try:
            wrapped = self._context.wrap_socket(request, server_side=True)
        except (OSError, ssl.SSLError):
            return
        with contextlib.closing(wrapped):
            super().finish_request(wrapped, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error."""


@contextlib.contextmanager
def serve(identity: Identity, usual: Behaviour, address: str = "127.0.0.1") -> Iterator[Edge]:
    """Serve until the end of the block."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.path)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = _Server(family, address, context)
    server.edge = Edge(address, server.server_address[1], usual)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.edge
    finally:
        server.edge.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


# --- what it can do --------------------------------------------------------------------------------------------------


def answer(value: Any, status: int = 200, **headers: str) -> Behaviour:
    """A JSON answer."""
    return raw(json.dumps(value).encode(), status, **{"Content-Type": "application/json", **headers})


def refusal(status: int, message: str) -> Behaviour:
    """An error as Ganeti words it."""
    return answer({"code": status, "message": message, "explain": "What HTTP says about it"}, status)


def raw(body: bytes, status: int = 200, **headers: str) -> Behaviour:
    """Any body."""

    def behave(handler: Handler) -> None:
        handler.send_response(status)
        for key, value in headers.items():
            handler.send_header(key.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def drop(handler: Handler) -> None:
    """Take the request and hang up."""
    handler.close_connection = True


def cut_short(handler: Handler) -> None:
    """Promise more than is sent."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"half": ')


def hang(handler: Handler) -> None:
    """Say nothing until the server ends."""
    handler.server.edge.released.wait(30)


def drip(handler: Handler) -> None:
    """Send the answer one byte at a time, each within the read time-out, without end."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while not handler.server.edge.released.wait(0.05):
        handler.wfile.write(b" ")
        handler.wfile.flush()
