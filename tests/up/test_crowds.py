"""A client that opens connections and never finishes what it begins does not keep others away."""

from __future__ import annotations

import re
import resource
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.up.running import Installation, eventually, write_certificate

pytestmark = pytest.mark.standalone
CROWD = 1200
PER_ADDRESS = 256
#: bodies that come byte by byte are given up after half a minute: who is answered sooner did not wait for that
CROWD_STAYS_S = 25
SLOW_BODY = b"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nx"


@pytest.fixture(autouse=True)
def files_for_the_crowd() -> Iterator[None]:
    """The crowd's ends of the connections are files of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def visit(port: int, path: str, context: ssl.SSLContext | None = None) -> str:
    """Ask for a page from another address than the crowd's; returns the first line of the answer."""
    connection = socket.create_connection(("127.0.0.1", port), CROWD_STAYS_S, source_address=("127.0.0.2", 0))
    if context is not None:
        connection = context.wrap_socket(connection, server_hostname="127.0.0.1")
    with connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        return connection.recv(12).decode()


def connections_of(process: int) -> int:
    """The sockets that a process has open."""
    names = []
    for file in Path(f"/proc/{process}/fd").iterdir():
        try:
            names.append(str(file.readlink()))
        except FileNotFoundError:
            continue
    return sum(name.startswith("socket:") for name in names)


@pytest.mark.parametrize("tls", [False, True])
def test_a_crowd_that_never_finishes_leaves_the_site_reachable(tmp_path: Path, tls: bool) -> None:
    certificate, key = write_certificate(tmp_path)
    options = ["--tls-cert", str(certificate), "--tls-key", str(key)] if tls else []
    context = ssl.create_default_context(cafile=str(certificate)) if tls else None
    installation = Installation(tmp_path / "data", "--no-demo", *options).with_tables()
    # As a service without LimitNOFILE has it.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    try:
        installation.start_ready()
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        port = int(installation.address.rpartition(":")[2])
        web = installation.child("gwm.processes.web")
        limits = Path(f"/proc/{web}/limits").read_text()
        assert re.search(rf"Max open files +{hard} +{hard} ", limits)
        before = connections_of(web)
        with ExitStack() as crowd:
            for number in range(CROWD):
                try:
                    connection = crowd.enter_context(closing(socket.create_connection(("127.0.0.1", port), 10)))
                    # Plain: a body byte by byte. TLS: the first bytes of a handshake that never goes on.
                    connection.sendall(b"\x16\x03\x01\x02" if tls else SLOW_BODY)
                except ConnectionError:
                    assert number >= PER_ADDRESS
            began = time.monotonic()
            assert visit(port, "/healthz", context) == "HTTP/1.1 200"
            assert visit(port, "/login/", context) == "HTTP/1.1 200"
            assert time.monotonic() - began < CROWD_STAYS_S
            eventually(lambda: connections_of(web) <= before + PER_ADDRESS, what="a bounded number of connections")
            if tls:  # for bodies see tests/vncproxy/test_limits.py: it takes half a minute
                eventually(lambda: connections_of(web) < before + 10, what="the end of all that is too slow")
        assert installation.child("gwm.processes.web") == web
        assert "Too many open files" not in installation.output
    finally:
        installation.end()
