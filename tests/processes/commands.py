"""Commands of the product under way, and the settings they run with."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Everything that is waited for ends by itself; this only ends a test of what hangs, however busy the machine is.
PATIENCE_S = 180.0


def wait_for(what: Callable[[], Any], why: str) -> Any:
    """Poll until `what` gives something true."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"in vain: {why}")


def environment_of(folder: Path, url: str = "", **settings: str) -> dict[str, str]:
    """Of a product whose data are in a folder, on this database (empty: SQLite in the folder)."""
    foreign = ("GWM_", "DATABASE", "REDIS")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
        "DATABASE_URL": url,
        "GWM_DATA_DIR": str(folder),
        "GWM_SECRET_KEY": "not-a-secret-in-a-test-of-fifty-characters-or-so-1",
        "GWM_FIELD_KEYS": "field-key-of-a-test",
        "GWM_CONSOLE_KEYS": "console-key-of-a-test",
        "GWM_JOURNAL_KEYS": "journal-key-of-a-test",
        "DJANGO_SETTINGS_MODULE": "gwm.settings",
        "DJANGO_SUPERUSER_PASSWORD": "irrelevant",
        **settings,
    }


class Command:
    """A command under way, with what one asks of a `subprocess.Popen`."""

    def __init__(self, words: tuple[str, ...], said: int, says: int, fate: int) -> None:
        self._words = words
        self.stdin, self.stdout = os.fdopen(said, "w"), os.fdopen(says)
        self._fate = os.fdopen(fate)
        first = self._fate.readline()
        assert first, "the product could not be loaded"
        self.pid = int(first)
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code, if it has ended."""
        if self.returncode is None and select.select([self._fate], [], [], 0)[0]:
            self.returncode = int(self._fate.readline())
            self._fate.close()
        return self.returncode

    def wait(self, timeout_s: float = PATIENCE_S) -> int:
        """Its exit code as soon as it has ended."""
        if self.returncode is None:
            select.select([self._fate], [], [], timeout_s)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired(self._words, timeout_s)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """If it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """At once, if it has not ended."""
        self.send_signal(signal.SIGKILL)
        self.wait()
        self._close()

    def kill_amid(self) -> None:
        """At once, in the middle of what it does; or the test is in vain."""
        assert self.poll() is None, "it should have been in the middle of it"
        self.kill()

    def end(self, code: int | None = 0) -> str:
        """What it said until its end, which must be with this exit code, unless that is None."""
        heard: list[str] = []
        self.stdin.close()
        listening = threading.Thread(target=lambda: heard.append(self.stdout.read()), daemon=True)
        listening.start()
        found = self.wait()
        listening.join(PATIENCE_S)
        self._close()
        said = "".join(heard)
        assert code in (None, found), said
        return said

    def _close(self) -> None:
        self.stdin.close()
        self.stdout.close()


class Commands:
    """Starts commands of one product."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self._ask: socket.socket | None = None

    def start(self, *words: str) -> Command:
        """A command under way."""
        if self._ask is None:
            self._load()
        assert self._ask is not None
        (said, say), (hear, says), (learn, fate) = os.pipe(), os.pipe(), os.pipe()
        socket.send_fds(self._ask, [json.dumps(words).encode()], [said, says, fate])
        for handed in (said, says, fate):
            os.close(handed)
        return Command(words, say, hear, learn)

    def manage(self, *words: str) -> str:
        """A command that must end well; what it said."""
        return self.start(*words).end()

    def prepare(self) -> None:
        """What `manage.py prepare` makes before it loads the product."""
        program = [sys.executable, "manage.py", "prepare"]
        subprocess.run(program, cwd=ROOT, env=self.environment, check=True, timeout=PATIENCE_S)

    def unload(self) -> None:
        """The next command is one of a product that is loaded anew."""
        if self._ask is not None:
            self._unloading()
            self._ask = None

    def _load(self) -> None:
        self._ask, asked = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        program = [sys.executable, "-m", "tests.processes.forking", str(asked.fileno())]
        # Without a terminal: what asks for a password would ask whoever runs the tests.
        process = subprocess.Popen(
            program, cwd=ROOT, env=self.environment, pass_fds=[asked.fileno()], start_new_session=True
        )
        asked.close()
        self._unloading = weakref.finalize(self, _unload, self._ask, process)


def _unload(ask: socket.socket, process: subprocess.Popen[bytes]) -> None:
    ask.close()
    process.wait(PATIENCE_S)
