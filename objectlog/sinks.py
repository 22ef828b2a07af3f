"""Where sealed events go: lines of a file, or messages of syslog (RFC 5424) by UDP, TCP, TLS or a local socket.

Knows nothing of Django: settings are checked by it.
"""

import json
import os
import re
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

# Security and audit, RFC 5424 6.2.1; what went wrong is a warning, everything else a notice.
_FACILITY, _NOTICE, _WARNING = 13, 5, 4
# Words of objectlog.models.Outcome, which is not there yet when settings are read.
BAD = frozenset({"failed", "refused", "lost", "not_submitted", "denied", "turned_away"})
# No number of a company is ours: this one is for examples (RFC 5612).
_SD_ID = "gwm@32473"
_BOM = b"\xef\xbb\xbf"
# What every receiver of datagrams should take (RFC 5426), and what one of streams does.
_LONGEST_DATAGRAM, _LONGEST = 2048, 8192
_TIMEOUT_S = 10.0
_PORTS = {"syslog+udp": 514, "syslog+tcp": 601, "syslog+tls": 6514}
_PRINTABLE = re.compile(r"[^\x21-\x7e]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Sealed:
    """A sealed event: its place in the chain, the seal before, its own, its canonical text and its sentence."""

    number: int
    previous: str
    seal: str
    text: str
    said: str

    @property
    def data(self) -> Mapping[str, Any]:
        """What its text says."""
        found = json.loads(self.text)
        return found if isinstance(found, dict) else {}


class BadAddress(ValueError):
    """Nothing can be sent there; the text says what is wrong."""


class Sink(Protocol):
    """Takes events, all or none as far as it knows. OSError."""

    def send(self, events: Sequence[Sealed]) -> None: ...


def make_sink(address: str) -> Sink:
    """By its URL: file:///path, syslog:///dev/log, syslog+udp://, syslog+tcp:// or syslog+tls://host:port. BadAddress.

    `?ca=/path` names the certificates by which a TLS receiver is known, if not the system's.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadAddress(f"“{address}” is no URL: {error}.") from error
    if parts.scheme == "file" and parts.path.startswith("/") and not host:
        return FileSink(Path(parts.path))
    if parts.scheme == "syslog" and parts.path.startswith("/") and not host:
        return LocalSink(parts.path)
    if parts.scheme not in _PORTS or not host:
        raise BadAddress(
            f"“{address}” is neither file:///path, syslog:///dev/log nor syslog+udp://, +tcp:// or +tls:// with a host."
        )
    place = (host, port or _PORTS[parts.scheme])
    if parts.scheme == "syslog+udp":
        return DatagramSink(place)
    ca = parse_qs(parts.query).get("ca", [""])[-1]
    return StreamSink(place, is_tls=parts.scheme == "syslog+tls", ca=ca)


@dataclass(frozen=True)
class FileSink:
    """A line of JSON for each. The file is opened each time, so that it may be rotated."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def send(self, events: Sequence[Sealed]) -> None:
        """One write, so that lines of two processes do not mix, and on the disk before it counts as sent."""
        lines = "".join(f"{as_line(event)}\n" for event in events).encode()
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            while lines:
                lines = lines[os.write(handle, lines) :]
            os.fsync(handle)
        finally:
            os.close(handle)


@dataclass(frozen=True)
class LocalSink:
    """The syslog of this machine."""

    path: str

    def __str__(self) -> str:
        return self.path

    def send(self, events: Sequence[Sealed]) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
            link.settimeout(_TIMEOUT_S)
            link.connect(self.path)
            for event in events:
                link.send(as_message(event, _LONGEST_DATAGRAM))


@dataclass(frozen=True)
class DatagramSink:
    """One datagram for each (RFC 5426): nobody knows whether it arrives."""

    place: tuple[str, int]

    def __str__(self) -> str:
        return f"{self.place[0]} port {self.place[1]} (UDP)"

    def send(self, events: Sequence[Sealed]) -> None:
        family, kind, _protocol, _name, address = socket.getaddrinfo(*self.place, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as link:
            link.settimeout(_TIMEOUT_S)
            link.connect(address)
            for event in events:
                link.send(as_message(event, _LONGEST_DATAGRAM))


@dataclass(frozen=True)
class StreamSink:
    """A connection for some, each with its length before it (RFC 6587, RFC 5425)."""

    place: tuple[str, int]
    is_tls: bool
    ca: str = ""
    wait_s: float = _TIMEOUT_S

    def __str__(self) -> str:
        return f"{self.place[0]} port {self.place[1]}"

    def send(self, events: Sequence[Sealed]) -> None:
        messages = (as_message(event, _LONGEST) for event in events)
        with self._connect() as link:
            link.sendall(b"".join(b"%d %s" % (len(message), message) for message in messages))
            link.shutdown(socket.SHUT_WR)
            self._wait_for_its_end(link)

    def _wait_for_its_end(self, link: socket.socket) -> None:
        """Until the receiver has read all and closes, too: nothing else says that it has it."""
        try:
            while link.recv(4096):
                pass
        except TimeoutError as error:
            raise TimeoutError(f"it did not close the connection within {self.wait_s:g} s of the last event") from error

    @contextmanager
    def _connect(self) -> Iterator[socket.socket]:
        with socket.create_connection(self.place, timeout=self.wait_s) as link:
            if not self.is_tls:
                yield link
                return
            context = ssl.create_default_context(cafile=self.ca or None)
            with context.wrap_socket(link, server_hostname=self.place[0]) as sealed:
                yield sealed


def as_line(event: Sealed) -> str:
    """As a file has it: what is sealed is the canonical form of `event`."""
    chain = {"number": event.number, "previous": event.previous, "seal": event.seal}
    return json.dumps({**chain, "event": event.data}, separators=(",", ":"), ensure_ascii=False)


def as_message(event: Sealed, longest: int) -> bytes:
    """RFC 5424. Its sentence is cut where it would be too long, what it is about is not."""
    data = event.data
    severity = _WARNING if data.get("outcome") in BAD else _NOTICE
    head = f"<{_FACILITY * 8 + severity}>1 {_time(str(data.get('at', '')))} {_name(socket.gethostname(), 255)} gwm - "
    about = {
        **{"number": event.number, "seal": event.seal},
        **{name: data.get(name) for name in ("actor_name", "persona_name", "via", "from", "outcome")},
        **{name: data.get(name) for name in ("target_kind", "target_name", "cluster_name", "entry_uuid")},
    }
    told = "".join(f' {name}="{_value(str(value))}"' for name, value in about.items() if value not in (None, ""))
    message = f"{head}{_name(str(data.get('verb', '')), 32)} [{_SD_ID}{told}] ".encode()
    words = _CONTROL.sub(" ", event.said).encode()
    room = max(0, longest - len(message) - len(_BOM))
    return message + _BOM + words[:room].decode(errors="ignore").encode()


def _time(moment: str) -> str:
    """The text's own time is one of RFC 3339, in UTC."""
    return moment.replace("+00:00", "Z") or "-"


def _name(text: str, longest: int) -> str:
    return _PRINTABLE.sub("_", text)[:longest] or "-"


def _value(text: str) -> str:
    return re.sub(r'(["\\\]])', r"\\\1", _CONTROL.sub(" ", text))[:512]
