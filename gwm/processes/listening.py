"""What a start takes for itself: the listening socket and the data directory."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from pathlib import Path
from typing import IO

_BACKLOG = 511


class CannotStart(Exception):
    """Something outside keeps us from starting; the text says what and how to go on."""


def open_listening_socket(address: str, port: int) -> socket.socket:
    """Bind and listen; raise CannotStart with a remedy when that is impossible."""
    try:
        family, kind, protocol, _, target = socket.getaddrinfo(
            address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError):
        raise CannotStart(f"{address} is no address of a network. Choose one with --bind ADDRESS.") from None
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(target)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise CannotStart(_explain(error, address, port)) from None
    return listening


def take_socket(descriptor: int, address: str, port: int) -> int:
    """A listening socket: the one handed over as this descriptor, else one of our own. CannotStart as above."""
    try:
        handed = socket.socket(fileno=descriptor)
    except OSError:  # nothing, or no socket
        return open_listening_socket(address, port).detach()
    try:
        if handed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return descriptor
    finally:
        handed.detach()  # it is not ours to close
    return open_listening_socket(address, port).detach()


def _explain(error: OSError, address: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {address} is in use. Stop what uses it, or choose another with --port N."
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights than this user has. Choose one above 1023 with --port N."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{address} is not an address of this machine. Choose one with --bind ADDRESS."
    return f"Cannot listen on {address} port {port}: {error.strerror}. Choose others with --bind and --port."


def lock_data_dir(directory: Path) -> IO[str]:
    """Take the directory for this process as long as the returned file is open; raise CannotStart when it is taken."""
    lock = (directory / "up.lock").open("a+", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        raise CannotStart(
            f"Another `manage.py up` (process {holder}) uses {directory}. Stop it, or choose another with --data DIR."
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock
