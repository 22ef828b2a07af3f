"""An open page without a browser: signs in, takes a page's note, and listens for what changed."""

from __future__ import annotations

import base64
import os
import re
import socket
import struct
from http.client import HTTPConnection
from typing import ClassVar
from urllib.parse import urlencode, urlsplit


class Visitor:
    """A session with a product at an address."""

    def __init__(self, address: str, name: str, password: str) -> None:
        self.host = urlsplit(address).netloc
        self.cookies: dict[str, str] = {}
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get("/login/"))
        assert token is not None
        form = {"csrfmiddlewaretoken": token[1], "username": name, "login": name, "password": password}
        self._ask("POST", "/login/", urlencode(form))
        assert "gwm_session" in self.cookies

    def get(self, path: str) -> str:
        """A page."""
        return self._ask("GET", path)[1]

    def note(self, path: str) -> str:
        """The note of a page."""
        found = re.search(r'name="live-note" content="([^"]+)"', self.get(path))
        assert found is not None, path
        return found[1]

    def sign_out(self) -> None:
        """End the session."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get("/about/"))
        assert token is not None
        self._ask("POST", "/logout/", urlencode({"csrfmiddlewaretoken": token[1]}))

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        connection = HTTPConnection(self.host, timeout=120)
        headers = {"Cookie": self.cookie, "Origin": f"http://{self.host}"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def listen(self, note: str = "", *, origin: str = "", cookie: str | None = None) -> Signal:
        """The signal of an open page."""
        return Signal(self.host, self.cookie if cookie is None else cookie, note, origin or f"http://{self.host}")


class Signal:
    """A WebSocket of our own making: sends a note, takes what is told."""

    opened: ClassVar[list[Signal]] = []

    def __init__(self, host: str, cookie: str, note: str, origin: str, line: socket.socket | None = None) -> None:
        self.opened.append(self)
        name, _, port = host.rpartition(":")
        self.socket = line or socket.create_connection((name, int(port)), timeout=120)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            "GET /live/ws HTTP/1.1",
            f"Host: {host}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: binary",
            f"Sec-WebSocket-Key: {key}",
            f"Origin: {origin}",
            f"Cookie: {cookie}",
        ]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = self.socket.recv(1)
            if not byte:
                break
            head += byte
        self.status = int(head.split()[1])
        if note:
            self.send(note.encode())

    def send(self, data: bytes) -> None:
        """One masked binary frame; the mask is nought."""
        length = struct.pack(">B", 0x80 | len(data)) if len(data) < 126 else struct.pack(">BH", 0xFE, len(data))
        self.socket.sendall(b"\x82" + length + bytes(4) + data)

    def hear(self) -> str | int:
        """The next thing told: names of parts, or the code with which it was closed."""
        while True:
            first, second = self._take(2)
            length = second & 0x7F
            if length == 126:
                length = struct.unpack(">H", self._take(2))[0]
            data = self._take(length)
            if first & 0x0F == 0x2:
                return data.decode()
            if first & 0x0F == 0x8:
                return int(struct.unpack(">H", data[:2])[0])

    def _take(self, number: int) -> bytes:
        data = b""
        while len(data) < number:
            piece = self.socket.recv(number - len(data))
            if not piece:
                raise ConnectionError("closed without a word")
            data += piece
        return data

    def close(self) -> None:
        """Go."""
        self.socket.close()
