"""The way to a directory's server: TCP and TLS are ours, so that they end in time; LDAP's library speaks through it.

The library itself waits without end for a server that takes a connection and says nothing in the handshake of TLS, and
takes in whatever a server sends.
"""

import select
import socket
import ssl
import threading
import time
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from people.directory.described import Directory

PORTS = {"ldap": 389, "ldaps": 636}
# The request for StartTLS (RFC 4511, 4.14.1): message 1, an extended request of this name.
_NAME = b"1.3.6.1.4.1.1466.20037"
_START_TLS = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + _NAME
_LONGEST_ANSWER = 4096
#: what a connection brings, at most
MOST_BYTES = 16 * 2**20
_PIECE = 2**16


class Unreachable(Exception):
    """Nobody is there, or not who ought to be."""


def open_wire(directory: Directory, url: str, lasts_s: int) -> int:
    """A descriptor over which the server is spoken to in plain LDAP for so long; who reads closes it. Unreachable."""
    try:
        far = _dial(directory, url)
    except ssl.SSLError as error:
        raise Unreachable(getattr(error, "verify_message", "") or error.reason or str(error)) from error
    except (OSError, ValueError) as error:
        raise Unreachable(str(error) or type(error).__name__) from error
    ours, theirs = socket.socketpair()
    carried = (theirs, far, directory.answer_s, lasts_s)
    threading.Thread(target=_carry, args=carried, name="directory", daemon=True).start()
    return ours.detach()


def _dial(directory: Directory, url: str) -> socket.socket:
    parts = urlsplit(url)
    if parts.scheme == "ldapi":
        local = socket.socket(socket.AF_UNIX)
        local.settimeout(directory.connect_s)
        local.connect(unquote(parts.netloc) or "/run/slapd/ldapi")
        return local
    host = parts.hostname or ""
    link = socket.create_connection((host, parts.port or PORTS[parts.scheme]), timeout=directory.connect_s)
    try:
        if parts.scheme == "ldap" and not directory.start_tls:
            return link
        if parts.scheme == "ldap":
            _ask_for_tls(link, directory.connect_s)
        return _trust(directory).wrap_socket(link, server_hostname=host)
    except BaseException:
        link.close()
        raise


def _trust(directory: Directory) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=directory.ca_file or None)
    if not directory.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _ask_for_tls(link: socket.socket, within_s: float) -> None:
    """Begin TLS where the server agrees: an answer to message 1 with the result 0, and nothing after it."""
    link.sendall(_START_TLS)
    ends, answer = time.monotonic() + within_s, b""
    while len(answer) < 2 or len(answer) < _length_of(answer):
        left = ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        link.settimeout(left)
        piece = link.recv(_LONGEST_ANSWER)
        if not piece:
            raise OSError("it ended the connection when asked for TLS")
        answer += piece
        if len(answer) > _LONGEST_ANSWER:
            raise OSError("it answers too much when asked for TLS")
    body = answer[_header_of(answer) :]
    # What came along unsealed could be anybody's.
    agrees = body.startswith(b"\x02\x01\x01\x78") and b"\x0a\x01\x00" in body[:12]
    if len(answer) != _length_of(answer) or not agrees:
        raise OSError("it refuses StartTLS")
    link.settimeout(within_s)


def _header_of(answer: bytes) -> int:
    """How long tag and length of a message are."""
    return 2 + (answer[1] & 0x7F if answer[1] & 0x80 else 0)


def _length_of(answer: bytes) -> int:
    """How long a message is, header included; one more than there is while that is not known."""
    header = _header_of(answer)
    if answer[0] != 0x30 or header > 6:
        raise OSError("it does not speak LDAP")
    if len(answer) < header:
        return len(answer) + 1
    return header + (int.from_bytes(answer[2:header], "big") if header > 2 else answer[1])


def _carry(near: socket.socket, far: socket.socket, patience_s: float, lasts_s: float) -> None:
    """Carry what both say, until one ends it, a limit is reached or one does not take what is sent."""
    ends, brought = time.monotonic() + lasts_s, 0
    with near, far, suppress(OSError):
        near.settimeout(patience_s)
        far.settimeout(patience_s)
        while (left := ends - time.monotonic()) > 0 and brought <= MOST_BYTES:
            waits = isinstance(far, ssl.SSLSocket) and far.pending() > 0
            ready = [far] if waits else select.select([near, far], [], [], left)[0]
            for source, to in ((near, far), (far, near)):
                if source not in ready:
                    continue
                piece = source.recv(_PIECE)
                if not piece:
                    return
                brought += len(piece) if source is far else 0
                to.sendall(piece)
