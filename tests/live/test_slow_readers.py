"""Who takes a long file slowly, or not at all, costs the web process no memory and holds up no thread."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.up.running import eventually

pytestmark = pytest.mark.standalone

PIECE, PIECES = 100_000, 600
SERVER = f"""
import sys
from pathlib import Path
from twisted.internet import reactor
from twisted.python.threadpool import ThreadPool
from twisted.web.server import Site
from twisted.web.wsgi import WSGIResource
from gwm.processes.web import BoundedRequest

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/csv")])
    try:
        for number in range({PIECES}):
            yield (b"%06d" % number) * ({PIECE} // 6)
    finally:  # all of it is made, or who asked was cut off before
        Path(sys.argv[1]).write_text("made")

BoundedRequest.patience_s = float(sys.argv[2])
threads = ThreadPool(1, 1)
site = Site(WSGIResource(reactor, threads, application))
site.requestFactory = BoundedRequest
port = reactor.listenTCP(0, site, interface="127.0.0.1")
reactor.callWhenRunning(threads.start)
reactor.addSystemEventTrigger("after", "shutdown", threads.stop)
print(port.getHost().port, flush=True)
reactor.run()
"""


@dataclass
class Server:
    """A web process that serves one long file, on one thread."""

    pid: int
    port: int
    made: Path

    def memory(self) -> int:
        """Bytes it has in memory."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * 4096

    def files(self) -> int:
        """Temporary files that it has open."""
        names: list[str] = []
        for each in Path(f"/proc/{self.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # it was closed meanwhile
                names.append(str(each.readlink()))
        return sum(name.endswith("(deleted)") for name in names)

    def ask(self) -> socket.socket:
        """Ask for the file with little room for it, and read nothing."""
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.settimeout(120)
        reader.connect(("127.0.0.1", self.port))
        reader.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
        return reader


@contextmanager
def serving(made: Path, patience_s: float = 60) -> Iterator[Server]:
    command = [sys.executable, "-c", SERVER, str(made), str(patience_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield Server(process.pid, int(process.stdout.readline()), made)
        finally:
            process.terminate()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "tests.settings")


def test_a_slow_reader_costs_no_memory_and_no_thread(tmp_path: Path, environment: None) -> None:
    with serving(tmp_path / "made") as server:
        before = server.memory()
        with server.ask() as reader:
            eventually(server.made.exists)  # the only thread is free again, though nothing was read
            assert server.memory() - before < PIECE * PIECES // 6
            received, digest = b"", hashlib.sha256()
            while piece := reader.recv(1 << 20):
                if received is not None:
                    received += piece
                    _head, found, piece = received.partition(b"\r\n\r\n")
                    if not found:
                        continue
                    received = None
                digest.update(piece)
        whole = hashlib.sha256(b"".join((b"%06d" % number) * (PIECE // 6) for number in range(PIECES)))
        assert digest.digest() == whole.digest()
        eventually(lambda: server.files() == 0)


def test_who_takes_nothing_is_cut_off_and_leaves_no_file(tmp_path: Path, environment: None) -> None:
    with serving(tmp_path / "made", patience_s=3) as server, server.ask():
        eventually(server.made.exists)
        eventually(lambda: server.files() == 0)


def test_who_goes_away_leaves_no_file(tmp_path: Path, environment: None) -> None:
    with serving(tmp_path / "made") as server:
        server.ask().close()
        eventually(lambda: server.files() == 0)
