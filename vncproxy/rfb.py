"""The logins of the RFB protocol (RFC 6143), both sides, without any input or output of their own.

Feed them what arrived, send what they return. Towards the browser we are the server and offer exactly one security
type, VNC authentication: a client that picks *None*, picks nothing, or skips ahead gets no further (CVE-2022-36436).
"""

import hmac
import re
import secrets
from enum import Enum, auto

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from vncproxy.troubles import ConsoleError, Trouble

NONE, VNC = 1, 2
CHALLENGE_BYTES = 16
_VERSION_BYTES = 12
_VERSION = re.compile(rb"RFB (\d{3})\.(\d{3})\n")
_LONGEST_REASON = 4096
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def answer(challenge: bytes, password: str) -> bytes:
    """The response to a VNC authentication challenge: DES with the password's mirrored bytes as key."""
    key = password.encode("latin-1", "replace")[:8].ljust(8, b"\0").translate(_MIRRORED)
    # One DES is triple DES with three times the same key.
    encryptor = Cipher(TripleDES(key * 3), modes.ECB()).encryptor()  # noqa: S305 - what the protocol prescribes
    return encryptor.update(challenge) + encryptor.finalize()


class _Step(Enum):
    VERSION = auto()
    TYPES = auto()
    TYPE = auto()
    CHALLENGE = auto()
    RESPONSE = auto()
    RESULT = auto()
    REASON = auto()
    DONE = auto()


class BrowserLogin:
    """The broker as VNC server: greets, challenges, and says whether the browser knows the one-time password."""

    def __init__(self, password: str, challenge: bytes | None = None) -> None:
        if not password:
            raise ValueError("a console without a password is not offered")
        self._challenge = challenge or secrets.token_bytes(CHALLENGE_BYTES)
        self._expected = answer(self._challenge, password)
        self._step = _Step.VERSION
        self._minor = 8
        self._buffer = b""

    @property
    def done(self) -> bool:
        """The browser has proved that it knows the password."""
        return self._step is _Step.DONE

    def greeting(self) -> bytes:
        return b"RFB 003.008\n"

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the browser; what to send back. Raises ConsoleError and is then of no further use."""
        self._buffer += data
        out = b""
        while self._buffer and not self.done:
            before = self._step, len(self._buffer)
            out += self._advance()
            if before == (self._step, len(self._buffer)):
                break
        return out

    def take_rest(self) -> bytes:
        """What the browser sent after its login; it belongs to the machine."""
        rest, self._buffer = self._buffer, b""
        return rest

    def accept(self) -> bytes:
        """Tell the browser that it is in."""
        if not self.done:
            raise ConsoleError(Trouble.BROWSER_LOGIN)
        return b"\0\0\0\0"

    def _advance(self) -> bytes:
        if self._step is _Step.VERSION:
            return self._read_version()
        if self._step is _Step.TYPE:
            chosen, self._buffer = self._buffer[0], self._buffer[1:]
            if chosen != VNC:
                raise ConsoleError(Trouble.BROWSER_PROTOCOL, f"security type {chosen} was not offered")
            self._step = _Step.RESPONSE
            return self._challenge
        if len(self._buffer) < CHALLENGE_BYTES:
            return b""
        given, self._buffer = self._buffer[:CHALLENGE_BYTES], self._buffer[CHALLENGE_BYTES:]
        if not hmac.compare_digest(given, self._expected):
            raise ConsoleError(Trouble.BROWSER_LOGIN)
        self._step = _Step.DONE
        return b""

    def _read_version(self) -> bytes:
        if len(self._buffer) < _VERSION_BYTES:
            return b""
        line, self._buffer = self._buffer[:_VERSION_BYTES], self._buffer[_VERSION_BYTES:]
        found = _VERSION.fullmatch(line)
        minor = int(found[2]) if found and int(found[1]) == 3 else -1
        if minor not in (3, 5, 7, 8):
            raise ConsoleError(Trouble.BROWSER_PROTOCOL, "unknown RFB version")
        self._minor = minor
        if minor < 7:  # in 3.3 the server decides, and the challenge follows at once
            self._step = _Step.RESPONSE
            return VNC.to_bytes(4, "big") + self._challenge
        self._step = _Step.TYPE
        return bytes([1, VNC])


class NodeLogin:
    """The broker as VNC client of the machine: RFB 3.3, 3.7 and 3.8, no authentication or VNC authentication."""

    def __init__(self, password: str) -> None:
        self._password = password
        self._step = _Step.VERSION
        self._minor = 8
        self._buffer = b""
        self._failure = Trouble.NODE_SAID_NO

    @property
    def done(self) -> bool:
        return self._step is _Step.DONE

    @property
    def has_spoken_vnc(self) -> bool:
        """Whether it is a VNC server that answers; until then it may be anything."""
        return self._step is not _Step.VERSION

    @property
    def lost_trouble(self) -> Trouble:
        """What it means when the node hangs up now."""
        if self._step in (_Step.RESULT, _Step.REASON):
            return self._failure
        return Trouble.NODE_CLOSED

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the node; what to send back. Raises ConsoleError and is then of no further use."""
        self._buffer += data
        out = b""
        while self._buffer and not self.done:
            before = self._step, len(self._buffer)
            out += self._advance()
            if before == (self._step, len(self._buffer)):
                break
        return out

    def take_rest(self) -> bytes:
        """What the node sent after the login; it belongs to the browser."""
        rest, self._buffer = self._buffer, b""
        return rest

    def _take(self, count: int) -> bytes:
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _advance(self) -> bytes:
        if self._step is _Step.VERSION:
            return self._read_version()
        if self._step is _Step.TYPES:
            return self._read_decision() if self._minor < 7 else self._read_types()
        if self._step is _Step.CHALLENGE and len(self._buffer) >= CHALLENGE_BYTES:
            self._step = _Step.RESULT
            return answer(self._take(CHALLENGE_BYTES), self._password)
        if self._step is _Step.RESULT:
            self._read_result()
        elif self._step is _Step.REASON:
            self._read_reason()
        return b""

    def _read_version(self) -> bytes:
        if not b"RFB "[: len(self._buffer)] == self._buffer[:4]:
            raise ConsoleError(Trouble.UNREACHABLE, "it does not speak VNC")
        if len(self._buffer) < _VERSION_BYTES:
            return b""
        found = _VERSION.fullmatch(self._take(_VERSION_BYTES))
        if not found:
            raise ConsoleError(Trouble.UNREACHABLE, "it does not speak VNC")
        version = int(found[1]), int(found[2])
        self._minor = 8 if version >= (3, 8) else 7 if version == (3, 7) else 3
        self._step = _Step.TYPES
        return b"RFB 003.%03d\n" % self._minor

    def _read_types(self) -> bytes:
        count = self._buffer[0]
        if count == 0:
            self._take(1)
            self._step = _Step.REASON
            return b""
        if len(self._buffer) < 1 + count:
            return b""
        chosen = self._choose(self._take(1 + count)[1:])
        return bytes([chosen])

    def _read_decision(self) -> bytes:
        if len(self._buffer) < 4:
            return b""
        decided = int.from_bytes(self._take(4), "big")
        if decided == 0:
            self._step = _Step.REASON
        else:
            self._choose(bytes([min(decided, 255)]))
        return b""

    def _choose(self, offered: bytes) -> int:
        if VNC in offered and (self._password or NONE not in offered):
            if not self._password:
                raise ConsoleError(Trouble.PASSWORD_MISSING)
            self._step = _Step.CHALLENGE
            self._failure = Trouble.PASSWORD_WRONG
            return VNC
        if NONE not in offered:
            raise ConsoleError(Trouble.NO_METHOD)
        self._step = _Step.RESULT if self._minor >= 8 else _Step.DONE  # older ones send no result for *None*
        return NONE

    def _read_result(self) -> None:
        if len(self._buffer) < 4:
            return
        if int.from_bytes(self._take(4), "big") == 0:
            self._step = _Step.DONE
            return
        if self._minor < 8:
            raise ConsoleError(self._failure)
        self._step = _Step.REASON

    def _read_reason(self) -> None:
        if len(self._buffer) < 4:
            return
        length = int.from_bytes(self._buffer[:4], "big")
        if length > _LONGEST_REASON:
            raise ConsoleError(self._failure)
        if len(self._buffer) < 4 + length:
            return
        raise ConsoleError(self._failure, self._take(4 + length)[4:].decode("utf-8", "replace"))
