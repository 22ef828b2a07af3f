"""The two ends of a console for tests: a toy VNC server, and a browser without a screen."""

import contextlib
import os
import random
import select
import socket
import ssl
import struct
import threading
import time

from websockify.websocket import WebSocket

from vncproxy.rfb import answer
from vncproxy.tickets import Ticket, seal

KEY = "a console key for tests only"
PASSWORD = "browserp"
SERVER_INIT_NAME = b"<img src=x onerror=alert(1)>"


def listen_as_a_node():
    """A listening socket on one of the ports that Ganeti gives to consoles."""
    for port in random.sample(range(11000, 15000), 50):
        with contextlib.suppress(OSError):
            return socket.create_server(("127.0.0.1", port))
    raise OSError("no port is free")


class ToyVnc:
    """A VNC server on the loopback that logs clients in and then echoes, floods or hangs up.

    ``version``, ``password`` and ``types`` say how it logs in; ``after`` what it does then: "echo", "listen",
    "flood" or "close".
    """

    def __init__(self, *, version=b"RFB 003.008\n", password="", types=None, after="echo"):
        self.version, self.password, self.after = version, password, after
        self.types = types if types is not None else (b"\x02" if password else b"\x01")
        self.connections = 0
        self.sent = 0
        self.received = b""
        self.closed = threading.Event()
        self._listener = listen_as_a_node()
        self.port = self._listener.getsockname()[1]
        self._stop = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self):
        self._stop.set()
        self._listener.close()

    def _listen(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            with connection:
                if self._log_in(connection):
                    self._work(connection)
        except OSError:
            pass
        finally:
            self.closed.set()

    def _log_in(self, connection):
        connection.sendall(self.version)
        minor = int(receive(connection, 12)[8:11])
        if minor < 7:
            connection.sendall(struct.pack(">I", self.types[0]))
            chosen = self.types[0]
        else:
            connection.sendall(bytes([len(self.types)]) + self.types)
            if not self.types:
                connection.sendall(struct.pack(">I", 8) + b"Too busy")
                return False
            chosen = receive(connection, 1)[0]
        if chosen == 2:
            challenge = os.urandom(16)
            connection.sendall(challenge)
            if receive(connection, 16) != answer(challenge, self.password):
                connection.sendall(struct.pack(">II", 1, 4) + b"Nope" if minor >= 8 else struct.pack(">I", 1))
                return False
        if chosen == 2 or minor >= 8:
            connection.sendall(bytes(4))
        self.received += receive(connection, 1)  # ClientInit
        connection.sendall(struct.pack(">HH", 64, 48) + bytes(16) + struct.pack(">I", len(SERVER_INIT_NAME)))
        connection.sendall(SERVER_INIT_NAME)
        return True

    def _work(self, connection):
        if self.after == "flood":
            piece = bytes(65536)
            while not self._stop.is_set():
                self.sent += connection.send(piece)
        while self.after in ("echo", "listen") and (data := connection.recv(65536)):
            self.received += data
            if self.after == "echo":
                connection.sendall(data)


class _Client(WebSocket):
    """websockify's client, with its two faults mended: it forgets the port in Host, and early frames."""

    def __init__(self, port, tls=None):
        super().__init__()
        self._port = port
        connection = socket.create_connection(("127.0.0.1", port))
        self.socket = tls.wrap_socket(connection, server_hostname="127.0.0.1") if tls else connection
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._state = "headers"  # it would make its own socket, and trust the system's authorities only

    def send_header(self, keyword, value):
        super().send_header(keyword, f"{value}:{self._port}" if keyword == "Host" else value)

    def connect(self, *args, **kwargs):
        super().connect(*args, **kwargs)
        while frame := self._decode_hybi(self._recv_buffer):  # it forgets frames that came with the handshake
            self._recv_buffer = self._recv_buffer[frame["length"] :]
            self._recv_queue.append(frame)


class Browser:
    """What noVNC does on the wire, with a blocking socket; every step can be done wrong."""

    opened = []
    """Sockets of all browsers, for a fixture to close."""

    def __init__(self, port, ticket, *, origin="same", protocols=None, timeout_s=120.0, tls=None, path="/console/ws"):
        self.timeout_s = timeout_s
        self._socket = _Client(port, tls)
        Browser.opened.append(self._socket.socket)
        self._buffer = b""
        if origin == "same":
            origin = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        offered = ["binary", f"ticket.{ticket}"] if protocols is None else protocols
        self._socket.connect(f"ws://127.0.0.1:{port}{path}", origin=origin, protocols=offered)
        self._socket.setblocking(False)

    def read(self, count):
        """So many bytes; EOFError with the close code when the broker closed instead."""
        while len(self._buffer) < count:
            self._fill()
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def write(self, data):
        self._socket.setblocking(True)
        self._socket.sendmsg(data)
        self._socket.setblocking(False)

    def log_in(self, password=PASSWORD):
        """All of the login; raises EOFError with the close code where the broker refuses."""
        assert self.read(12) == b"RFB 003.008\n"
        self.write(b"RFB 003.008\n")
        assert self.read(2) == b"\x01\x02"
        self.write(b"\x02")
        self.write(answer(self.read(16), password))
        return self.read(4)

    def start(self):
        """Log in and read the machine's first words."""
        assert self.log_in() == bytes(4)
        self.write(b"\x01")
        width, height = struct.unpack(">HH", self.read(4))
        self.read(16)
        return width, height, self.read(int.from_bytes(self.read(4), "big"))

    def wait_for_close(self):
        """Close code and reason."""
        try:
            while True:
                self._buffer = b""
                self._fill()
        except EOFError:
            return self._socket.close_code, self._socket.close_reason

    def close(self):
        if self._socket.socket is not None:
            self._socket.close()

    def vanish(self):
        """Go away without a word."""
        self._socket.socket.close()

    def _fill(self):
        deadline = time.monotonic() + self.timeout_s
        while True:
            try:
                message = self._socket.recvmsg()
            except ssl.SSLWantReadError:  # WebSocketWantReadError is one
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError("the broker said nothing") from None
                select.select([self._socket], [], [], left)
                continue
            if message is None:
                raise EOFError(self._socket.close_code)
            self._buffer += message
            return


def receive(connection, count):
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise ConnectionError("closed")
        data += piece
    return data


def ticket(port, *, key=KEY, **changes):
    """A sealed ticket for a VNC server on the loopback."""
    values = {
        "host": "127.0.0.1",
        "port": port,
        "browser_password": PASSWORD,
        "user_id": 7,
        "user": "alice",
        "vm": "prod/web1",
        "vm_name": "web1.example.org",
        "session": "mark",
        "expires_at": time.time() + 600,
    }
    return seal([key], Ticket(**{**values, **changes}))
