"""Connections end within the connect time-out, and say what is wrong with the other side's TLS."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rapi import RapiClient, Trust, probe_certificate
from rapi.connecting import open_socket
from rapi.errors import Garbled, TimedOut, Unreachable, Untrusted
from tests.rapi.conftest import INFO
from tests.rapi.edge import Edge, Identity, answer, hang, make_identity, serve

pytestmark = pytest.mark.feature("G046")

Make = Callable[..., RapiClient]
CONNECT_S = 0.6
#: what a busy machine may add; who waited for anything else would wait for ten minutes or without end
BUSY_S = 60.0


@contextlib.contextmanager
def listening(behave: Callable[[socket.socket, threading.Event], None]) -> Iterator[Edge]:
    """A port where each connection is treated like this."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)

        def accept() -> None:
            while not over.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                with connection, contextlib.suppress(OSError):
                    behave(connection, over)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield Edge("127.0.0.1", listener.getsockname()[1], hang)
        finally:
            over.set()
            thread.join()


def drip_handshake(connection: socket.socket, over: threading.Event) -> None:
    """The beginning of an endless TLS record, byte by byte."""
    connection.sendall(b"\x16\x03\x03\x40\x00")
    while not over.wait(0.05):
        connection.sendall(b"\x02")


def endless_alerts(connection: socket.socket, over: threading.Event) -> None:
    """TLS warnings, one after the other."""
    while not over.wait(0.01):
        connection.sendall(b"\x15\x03\x03\x00\x02\x01\x5a")


@pytest.mark.parametrize("behave", [drip_handshake, endless_alerts])
@pytest.mark.parametrize("changes", [False, True])
def test_a_handshake_ends_with_the_connect_time_out(
    make_client: Make, behave: Callable[[socket.socket, threading.Event], None], changes: bool
) -> None:
    with listening(behave) as edge:
        client = make_client(edge, connect_timeout_s=CONNECT_S, read_timeout_s=600)
        started = time.monotonic()
        with pytest.raises((TimedOut, Unreachable)) as caught:
            client.startup_instance("a", reason="gwm:1") if changes else client.get_info()
        # a handshake that failed, rather than took too long, is tried twice by a read
        assert time.monotonic() - started < 2 * CONNECT_S + BUSY_S
        assert not caught.value.may_have_run


def test_looking_at_a_certificate_ends_in_time() -> None:
    with listening(drip_handshake) as edge:
        started = time.monotonic()
        with pytest.raises(TimedOut):
            probe_certificate(edge.host, edge.port, CONNECT_S)
        assert time.monotonic() - started < CONNECT_S + BUSY_S


def test_nothing_is_connected_to_when_the_time_is_over() -> None:
    with pytest.raises(TimeoutError):
        open_socket("localhost", 1, time.monotonic() - 1)


def old_tls(identity: Identity, version: ssl.TLSVersion) -> Callable[[socket.socket, threading.Event], None]:
    """A server that speaks no TLS newer than this."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")

    def behave(connection: socket.socket, over: threading.Event) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            wrapped.recv(1000)

    return behave


@pytest.mark.parametrize(("version", "name"), [(ssl.TLSVersion.TLSv1_1, "TLS 1.1"), (ssl.TLSVersion.TLSv1, "TLS 1.0")])
def test_a_server_whose_tls_is_too_old_is_told_which_it_speaks(
    identity: Identity, make_client: Make, version: ssl.TLSVersion, name: str
) -> None:
    with listening(old_tls(identity, version)) as edge:
        with pytest.raises(Unreachable, match="too old") as caught:
            make_client(edge).startup_instance("a", reason="gwm:1")
        assert f"speaks {name}," in caught.value.message
        assert not caught.value.may_have_run
        with pytest.raises(Garbled, match=f"speaks {name},"):
            probe_certificate(edge.host, edge.port, 2.0)


def test_a_certificate_without_names_is_better_pinned(tmp_path: Path, make_client: Make) -> None:
    nameless = make_identity(tmp_path, name="ganeti.example.com", address=None)
    with serve(nameless, answer(INFO)) as edge, pytest.raises(Untrusted, match="pin its fingerprint") as caught:
        make_client(edge, trust=Trust.authority(nameless.pem)).get_info()
    assert "no subject alternative name" in caught.value.message
    assert nameless.fingerprint in caught.value.message
    other = make_identity(tmp_path, name="elsewhere.example.com", address="192.0.2.1")
    with serve(other, answer(INFO)) as edge, pytest.raises(Untrusted, match="not for this host") as caught:
        make_client(edge, trust=Trust.authority(other.pem)).get_info()
    assert "pin its fingerprint" in caught.value.message
