"""HTTPS as Ganeti's own server speaks it: one request per connection, small limits, no keep-alive."""

import itertools
import socket
import ssl
import tempfile
import threading
import time
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Protocol

from simulator.certificate import Certificate
from simulator.faults import Fault
from simulator.rapi import Answer
from simulator.request import Request

MAX_START_LINE = 8192
MAX_HEADERS = 4096
READ_TIMEOUT = 10.0
SERVER_NAME = "Ganeti 3.0.2"
BACKLOG = 1024
SILENCE_POLL = 0.05  # seconds


#: the servers of this process, by where they listen
LISTENING: dict[tuple[str, int], "Server"] = {}


class Service(Protocol):
    """What a server needs behind it."""

    def note(self, request: Request) -> None: ...

    def fault_for(self, request: Request) -> Fault | None: ...

    def respond(self, request: Request, endpoint: "Server") -> Answer: ...

    def refuse(self, fault: Fault) -> Answer: ...


class BadRequest(Exception):
    """Something that is not HTTP, or larger than Ganeti reads: the connection closes without an answer."""


@lru_cache(maxsize=16)
def tls_context(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as directory:
        context.load_cert_chain(certificate.store(Path(directory)))
    return context


class Server:
    """Listens on one address; each connection has a thread of its own."""

    def __init__(self, service: Service, certificate: Certificate, host: str = "127.0.0.1", port: int = 0) -> None:
        self.service = service
        self.context = tls_context(certificate)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
        self.host = host
        self.port: int = self.listener.getsockname()[1]
        self.node: str | None = None  # the node this endpoint stands for, None for whoever is master
        self.stopping = threading.Event()
        self.silent = threading.Event()
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._thread = threading.Thread(target=self._accept, name=f"rapi-{self.port}", daemon=True)

    def start(self) -> None:
        self._thread.start()
        LISTENING[self.host, self.port] = self

    def stop(self) -> None:
        """Close the listener and every connection."""
        self.stopping.set()
        if LISTENING.get((self.host, self.port)) is self:
            del LISTENING[self.host, self.port]
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            self.stopping.set()  # not connected: closing is enough
        self.listener.close()
        with self._guard:
            connections = list(self._open)
        for connection in connections:
            close(connection)
        if self._thread.is_alive():
            self._thread.join(5)

    def present(self, certificate: Certificate) -> None:
        """Answer from now on with another certificate."""
        self.context = tls_context(certificate)

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        plain.settimeout(READ_TIMEOUT)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while self.silent.is_set() and not self.stopping.wait(SILENCE_POLL):
            continue
        try:
            connection = self.context.wrap_socket(plain, server_side=True)
        except (OSError, ValueError):
            close(plain)
            return
        with self._guard:
            self._open.add(connection)
        try:
            self._converse(connection)
        except (OSError, BadRequest, ValueError):
            return  # the other side went away, or never spoke HTTP
        finally:
            with self._guard:
                self._open.discard(connection)
            close(connection)

    def _converse(self, connection: ssl.SSLSocket) -> None:
        request = read_request(connection)
        self.service.note(request)
        fault = self.service.fault_for(request)
        if fault and not self._before(fault):
            return
        answer = self.service.refuse(fault) if fault and fault.kind == "refuse" else self.service.respond(request, self)
        if fault and not self._after(fault, answer, connection):
            return
        connection.sendall(format_answer(answer, request.method))

    def _before(self, fault: Fault) -> bool:
        """Let a fault act before the request is carried out; tell whether to go on."""
        if fault.kind == "hang":
            self._hang(fault)
            return False
        if fault.kind in ("slow", "refuse"):
            fault.released.wait(fault.seconds)
        return fault.kind != "drop"

    def _after(self, fault: Fault, answer: Answer, connection: ssl.SSLSocket) -> bool:
        if fault.kind == "hang_after":
            self._hang(fault)
        elif fault.kind == "garbage":
            connection.sendall(format_answer(Answer(200, b"<html><body>It works!</body></html>"), "GET"))
        elif fault.kind == "truncated":
            whole = format_answer(answer, "GET")
            connection.sendall(whole[: len(whole) - len(answer.body) // 2 - 1])
        elif fault.kind == "raw":
            connection.sendall(fault.raw)
        elif fault.kind == "dribble":
            self._dribble(fault, connection)
        return fault.kind in ("refuse", "slow")

    def _dribble(self, fault: Fault, connection: ssl.SSLSocket) -> None:
        for number in itertools.cycle(range(len(fault.raw))):
            if self.stopping.is_set() or fault.released.wait(fault.seconds):
                return
            connection.sendall(fault.raw[number : number + 1])

    def _hang(self, fault: Fault) -> None:
        while not (fault.released.is_set() or self.stopping.is_set()):
            fault.released.wait(0.05)


def read_request(connection: ssl.SSLSocket) -> Request:
    head, _, rest = read_head(connection)
    lines = head.decode("latin-1").split("\r\n")
    if len(lines[0]) > MAX_START_LINE or sum(len(line) + 2 for line in lines[1:]) > MAX_HEADERS:
        raise BadRequest("request head too large")
    method, target, protocol = lines[0].split(" ")
    if not protocol.startswith("HTTP/1."):
        raise BadRequest(protocol)
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    length = int(headers.get("content-length", "0"))
    body = bytearray(rest)
    while len(body) < length:
        chunk = connection.recv(65536)
        if not chunk:
            raise BadRequest("body ends early")
        body += chunk
    return Request(method.upper(), target, headers, bytes(body[:length]))


def read_head(connection: ssl.SSLSocket) -> tuple[bytes, bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk or len(data) > MAX_START_LINE + MAX_HEADERS:
            raise BadRequest("no request head")
        data += chunk
    return data.partition(b"\r\n\r\n")


def format_answer(answer: Answer, method: str) -> bytes:
    headers = {"Content-Type": "application/json", **answer.headers, "Connection": "close"}
    headers |= {"Date": formatdate(time.time(), usegmt=True), "Server": SERVER_NAME}
    headers["Content-Length"] = str(len(answer.body))
    lines = [f"HTTP/1.1 {answer.code} {HTTPStatus(answer.code).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    return head if method == "HEAD" else head + answer.body


def close(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        connection.close()  # already gone
    connection.close()
