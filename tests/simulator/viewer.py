"""A VNC client for tests: enough of RFB 3.8 to look and to type."""

from __future__ import annotations

import socket
import struct
from typing import BinaryIO

from simulator.rfb.security import response_to

RETURN = 0xFF0D


class Refused(Exception):
    """The server did not accept the password."""


class Viewer:
    def __init__(self, port: int, password: str = "") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self.stream: BinaryIO = self.socket.makefile("rb")
        try:
            self.shake_hands(password)
        except BaseException:
            self.close()
            raise
        self.pixels = bytearray(self.width * self.height * 4)

    def shake_hands(self, password: str) -> None:
        if self.stream.read(12) != b"RFB 003.008\n":
            raise ConnectionError("no greeting")
        self.socket.sendall(b"RFB 003.008\n")
        self.security = list(self.stream.read(self.stream.read(1)[0]))
        self.socket.sendall(bytes(self.security[:1]))
        if self.security == [2]:
            self.socket.sendall(response_to(self.stream.read(16), password))
        if struct.unpack(">I", self.stream.read(4))[0]:
            raise Refused
        self.socket.sendall(b"\1")
        self.width, self.height = struct.unpack(">HH", self.stream.read(4))
        self.stream.read(16)
        self.name = self.stream.read(struct.unpack(">I", self.stream.read(4))[0]).decode()

    def update(self, incremental: bool = True) -> list[tuple[int, int, int, int]]:
        """Ask for what changed and wait for it; the rectangles that came."""
        self.socket.sendall(struct.pack(">BBHHHH", 3, incremental, 0, 0, self.width, self.height))
        kind, count = struct.unpack(">BxH", self.stream.read(4))
        assert kind == 0
        rectangles = []
        for _ in range(count):
            x, y, width, height, encoding = struct.unpack(">HHHHi", self.stream.read(12))
            assert encoding == 0
            data = self.stream.read(width * height * 4)
            for line in range(height):
                begin = ((y + line) * self.width + x) * 4
                self.pixels[begin : begin + width * 4] = data[line * width * 4 : (line + 1) * width * 4]
            rectangles.append((x, y, width, height))
        return rectangles

    def type(self, text: str) -> None:
        for character in text:
            keysym = RETURN if character == "\n" else ord(character)
            for down in (1, 0):
                self.socket.sendall(struct.pack(">BBxxI", 4, down, keysym))

    def close(self) -> None:
        self.stream.close()
        self.socket.close()
