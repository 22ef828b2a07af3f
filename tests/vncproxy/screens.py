"""A machine whose keys are written down: the simulator's guest behind a VNC server of its own."""

from __future__ import annotations

import socket
import threading

from simulator.rfb.guest import Guest
from simulator.rfb.session import Session

FACTS = {"host": "web1.example.org", "memory": "1024", "vcpus": "2", "disk": "20480", "mac": "aa:00:00:11:22:33"}
CONTROL, ALT, DELETE = 0xFFE3, 0xFFE9, 0xFFFF


class Machine:
    """One running machine; `guest.keys` are the keys as they came."""

    def __init__(self) -> None:
        self.guest = Guest(FACTS)
        self.connections: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            session = Session(connection, FACTS["host"], None, lambda: self.guest)
            threading.Thread(target=session.run, daemon=True).start()

    def hang_up(self) -> None:
        """Break every connection."""
        while self.connections:
            self.connections.pop().shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End it."""
        self._listener.close()

    def typed(self) -> list[int]:
        """The keysyms that went down, in their order."""
        return [keysym for keysym, down in list(self.guest.keys) if down]

    def chords(self) -> list[frozenset[int]]:
        """What was held together, after each key that went down."""
        held: set[int] = set()
        found = []
        for keysym, down in list(self.guest.keys):
            if down:
                held.add(keysym)
                found.append(frozenset(held))
            else:
                held.discard(keysym)
        return found
