"""What the console broker adds: delay, throughput, memory of consoles that nobody uses.

The broker runs as a process of its own between a VNC server that echoes or sends for ever and a client that speaks just
enough WebSocket; both are in this process and do the same without the broker in between.
"""

from __future__ import annotations

import base64
import os
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tools.bench.rows import Row
from tools.bench.section import Order, run_section
from vncproxy.rfb import answer
from vncproxy.tickets import Ticket, seal

KEY = "a key for measurements only"
PASSWORD = "measured"  # noqa: S105
ROUND_TRIPS = 3000
BYTES = 600_000_000
CONSOLES = 200
CONNECT_TIMEOUT_S = 2.0  # after which the broker says that a machine was not reached
_LOGIN = b"RFB 003.008\n"


class Machine:
    """A VNC server without a password that echoes, or sends zeroes for ever, after its login."""

    def __init__(self, *, floods: bool) -> None:
        self._floods = floods
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=CONSOLES)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *reason: Any) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for one
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.sendall(_LOGIN)
            read(connection, 12)
            connection.sendall(b"\x01\x01")
            read(connection, 1)
            connection.sendall(bytes(4))
            piece = bytes(1 << 18)
            try:
                while self._floods:
                    connection.sendall(piece)
                while data := connection.recv(65536):
                    connection.sendall(data)
            except OSError:
                return


class Broker:
    """``python -m vncproxy``."""

    def __init__(self) -> None:
        # Its own settings alone; the machines are on the loopback, which consoles reach only where it is listed.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GWM_")}
        environment |= {"GWM_CONSOLE_KEYS": KEY, "GWM_CONSOLE_NODE_NETWORKS": "127.0.0.0/8", "REDIS_URL": ""}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "vncproxy", "--port", "0"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        self.port = int(line.rsplit(":", 1)[1].split("/")[0])

    def __enter__(self) -> Broker:
        return self

    def __exit__(self, *reason: Any) -> None:
        self._process.terminate()
        self._process.wait(20)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def memory_b(self) -> int:
        """Resident memory in bytes."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def open(self, machine: Machine) -> socket.socket:
        """A console that is open; ConnectionError with the broker's reason when it closes it instead."""
        ticket = Ticket(
            host="127.0.0.1",
            port=machine.port,
            browser_password=PASSWORD,
            user_id=1,
            user="bench",
            vm="1/bench",
            vm_name="bench",
            session="bench",
            expires_at=time.time() + 30,
            connect_timeout_s=CONNECT_TIMEOUT_S,
        )
        origin = f"127.0.0.1:{self.port}"
        head = {
            "Host": origin,
            "Origin": f"http://{origin}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Protocol": f"binary, ticket.{seal([KEY], ticket)}",
        }
        lines = ["GET /console/ws HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        with ExitStack() as until_open:
            connection = until_open.enter_context(connect(self.port))
            connection.sendall("\r\n".join(lines).encode())
            log_in(connection)
            until_open.pop_all()
        return connection


def log_in(connection: socket.socket) -> None:
    """What a browser says from its handshake on until the console is open; ConnectionError when it does not open."""
    answered = read_head(connection)
    if b" 101 " not in answered:
        raise ConnectionError(f"no console: {answered!r}")
    expect(connection, _LOGIN)
    connection.sendall(frame(_LOGIN))
    expect(connection, b"\x01\x02")
    connection.sendall(frame(b"\x02"))
    connection.sendall(frame(answer(receive(connection), PASSWORD)))
    expect(connection, bytes(4))


def connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def open_directly(machine: Machine) -> socket.socket:
    """The same login without a broker."""
    connection = connect(machine.port)
    connection.sendall(_LOGIN + b"\x01")
    read(connection, 12 + 2 + 4)
    return connection


def read(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise ConnectionError("closed")
        data += piece
    return data


def read_head(connection: socket.socket) -> bytes:
    """The head of the answer to the handshake, and nothing of what follows."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += read(connection, 1)
    return head


def receive(connection: socket.socket) -> bytes:
    """The next message; ConnectionError with the reason when the broker closes the console instead."""
    first, length = read(connection, 2)
    if length > 125:  # longer ones say so in two bytes or eight
        length = int.from_bytes(read(connection, 2 if length == 126 else 8), "big")
    payload = read(connection, length)
    if first != 0x82:
        raise ConnectionError(f"no console: {payload[2:].decode(errors='replace')}")
    return payload


def expect(connection: socket.socket, message: bytes) -> None:
    """Take the next message, which must begin like this: a machine that sends at once sends more with it."""
    received = receive(connection)
    if not received.startswith(message):
        raise ConnectionError(f"no console: {received[:200]!r} instead of {message!r}")


def frame(payload: bytes) -> bytes:
    """A short message as a browser sends it; the mask is of zeroes, which costs the broker the same."""
    return struct.pack(">BB4x", 0x82, 0x80 | len(payload)) + payload


def measure_round_trips(connection: socket.socket, wrap: Callable[[bytes], bytes], extra: int) -> float:
    """Median in seconds of eight bytes there and back."""
    took = []
    for _ in range(ROUND_TRIPS):
        began = time.perf_counter()
        connection.sendall(wrap(b"keypress"))
        read(connection, 8 + extra)
        took.append(time.perf_counter() - began)
    return statistics.median(took[100:])


def measure_throughput(connection: socket.socket) -> float:
    """Bytes per second that arrive."""
    room = memoryview(bytearray(1 << 20))
    left = BYTES
    began = time.perf_counter()
    while left > 0:
        received = connection.recv_into(room)
        if not received:
            raise ConnectionError("closed")
        left -= received
    return BYTES / (time.perf_counter() - began)


def measure(order: Order) -> Iterator[Row]:
    """Direct and through the broker, in turns."""
    with Machine(floods=False) as echoing, Machine(floods=True) as flooding:
        yield from measure_delay_and_speed(order, echoing, flooding)
        yield from measure_idle(echoing)


def measure_delay_and_speed(order: Order, echoing: Machine, flooding: Machine) -> Iterator[Row]:
    """Of one console, against a direct connection."""
    with Broker() as broker:
        trips: dict[str, list[float]] = {"direct": [], "broker": []}
        speeds: dict[str, list[float]] = {"direct": [], "broker": []}
        for _ in range(max(order.runs, 1)):
            with open_directly(echoing) as connection:
                trips["direct"].append(measure_round_trips(connection, bytes, 0))
            with broker.open(echoing) as connection:
                trips["broker"].append(measure_round_trips(connection, frame, 2))
            with open_directly(flooding) as connection:
                speeds["direct"].append(measure_throughput(connection))
            with broker.open(flooding) as connection:
                speeds["broker"].append(measure_throughput(connection))
        direct_s, broker_s = (statistics.median(trips[way]) for way in ("direct", "broker"))
        direct, through = (statistics.median(speeds[way]) for way in ("direct", "broker"))
    yield Row("console.rtt_direct", "Console: round trip without the broker", 0, direct_s * 1e3, "ms")
    yield Row(
        "console.rtt_added", "Console: round trip that the broker adds", 0, (broker_s - direct_s) * 1e3, "ms", 1.0
    )
    yield Row("console.speed_direct", "Console: throughput without the broker", 0, direct / 1e6, "MB/s")
    needed = min(200e6, direct / 2)
    yield Row("console.speed", "Console: throughput", 0, through / 1e6, "MB/s", needed / 1e6, at_least=True)


def measure_idle(echoing: Machine) -> Iterator[Row]:
    """Of many consoles that nobody uses."""
    with Broker() as broker:
        broker.open(echoing).close()  # what the first one loads does not count
        before = broker.memory_b()
        idle = [broker.open(echoing) for _ in range(CONSOLES)]
        each = (broker.memory_b() - before) / CONSOLES
        answered = sum(still_answers(connection) for connection in idle)
        for connection in idle:
            connection.close()
    yield Row("console.idle", "Console: consoles open in one process", 0, answered, "", CONSOLES, at_least=True)
    yield Row("console.idle_memory", "Console: memory of each", 0, each / 1e6, "MB", 0.5)


def still_answers(connection: socket.socket) -> bool:
    """Whether an idle console still answers."""
    connection.sendall(frame(b"keypress"))
    return read(connection, 10)[2:] == b"keypress"


if __name__ == "__main__":
    run_section(measure)
