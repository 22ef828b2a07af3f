"""A real `manage.py up` in a directory of its own, on a free port."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Self, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.processes.migrated import copy_migrated

ROOT = Path(__file__).resolve().parent.parent.parent
#: only ends a test of what hangs, however busy the machine is
START_TIMEOUT_S = 300.0
T = TypeVar("T")


def eventually(condition: Callable[[], T], timeout_s: float = 120.0, what: str = "condition") -> T:
    """Return the condition's value as soon as it is true."""
    end = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"{what} not within {timeout_s} s")
        time.sleep(0.05)
    return value


def clean_environment(**added: str) -> dict[str, str]:
    """Return an environment without any setting of ours, as a newcomer's."""
    foreign = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}
    kept = {key: value for key, value in os.environ.items() if key not in foreign and not key.startswith("GWM_")}
    return {**kept, **added}


class Installation:
    """One `up` at a time on one data directory."""

    def __init__(self, data: Path, *options: str, **environment: str) -> None:
        self.data = data
        self.options = options
        self.environment = clean_environment(**environment)
        self.lines: list[str] = []
        self.process: subprocess.Popen[str] | None = None
        self.told: socket.socket | None = None  # where it says to systemd that it is ready

    def with_tables(self) -> Self:
        """Begin with the database as the migrations leave it: they are half of the work of a first start."""
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        copy_migrated(self.data / "gwm.sqlite3")
        return self

    def start(self) -> Installation:
        """Start, without waiting for anything."""
        self.lines = []
        command = [sys.executable, str(ROOT / "manage.py"), "up", "--data", str(self.data), "--port", "0"]
        self.process = subprocess.Popen(
            [*command, *self.options],
            cwd="/",
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self._reader.start()
        return self

    def start_ready(self) -> Installation:
        """Start and wait until it says that it is ready."""
        self.start()
        try:
            eventually(lambda: self.address or self.code is not None, START_TIMEOUT_S, "Ready")
            assert self.address, self.output
        except BaseException:
            self.end()  # a fixture that fails here ends nothing
            raise
        return self

    def wait_for_refusal(self) -> int:
        """Wait for an end by itself; return the exit code."""
        assert self.process is not None
        code = self.process.wait(START_TIMEOUT_S)
        self._reader.join()
        return code

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(120)

    def end(self) -> None:
        """End it in any case."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(120)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join()

    @property
    def code(self) -> int | None:
        assert self.process is not None
        return self.process.poll()

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    @property
    def address(self) -> str:
        """The address of the Ready line, or the empty text."""
        ready = [line for line in self.lines if line.startswith("Ready: http")]
        return ready[0].removeprefix("Ready: ").rstrip("/") if ready else ""

    @property
    def password(self) -> str:
        """The password that was printed."""
        found = re.search(r"First account: admin, password: (\S+)", self.output)
        assert found, self.output
        return found[1]

    def children(self) -> dict[int, str]:
        """Return process ids and command lines of the supervisor's children."""
        assert self.process is not None
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return {int(pid): command for pid in listed if (command := command_of(int(pid)))}

    def child(self, word: str) -> int:
        """Return the process id of the child with a word in its command line, 0 if there is none."""
        return next((pid for pid, command in self.children().items() if word in command), 0)

    def await_child(self, word: str) -> int:
        """The same, as soon as there is one."""
        return eventually(lambda: self.child(word), what=f"a child with {word!r}")

    def get(self, path: str) -> tuple[int, str]:
        """Return status and body of a GET; status 0 when nobody answers."""
        try:
            with urllib.request.urlopen(self.address + path, timeout=120) as answer:  # noqa: S310
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self.lines.append(line.rstrip("\n"))


def command_of(pid: int) -> str:
    """Return a living process's command line; the empty text for one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def processes_mentioning(word: str) -> list[str]:
    """Return the processes whose command line or environment mentions a word, such as a data directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if word.encode() in text:
                found.append(f"{entry.name} {command_of(int(entry.name))}")
    return found


def write_certificate(directory: Path) -> tuple[Path, Path]:
    """Write a certificate for 127.0.0.1, signed by itself, and its key; return both paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = directory / "certificate.pem", directory / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths
