"""What a child does when it is loaded: it keeps that out of its memory's upkeep, and tells its supervisor."""

from __future__ import annotations

import gc
import logging
import os
import socket

READY_FD = "GWM_READY_FD"
# that of systemd, for units of Type=notify, and of engines for containers
NOTIFY_SOCKET = "NOTIFY_SOCKET"
_log = logging.getLogger("gwm.ready")


def tell_ready() -> None:
    """Say so once: by one line on a pipe inherited from a supervisor, else to systemd, if it has asked."""
    keep_what_is_loaded()
    tell_systemd()
    descriptor = os.environ.pop(READY_FD, "")
    if descriptor:
        os.write(int(descriptor), b"ready\n")
        os.close(int(descriptor))


def tell_systemd() -> None:
    """Say so once to whatever has started this, if it has asked; that it does not hear is no reason not to work."""
    address = os.environ.pop(NOTIFY_SOCKET, "")
    if not address:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.sendto(b"READY=1", address.replace("@", "\0", 1) if address.startswith("@") else address)
    except OSError as error:
        _log.warning("Cannot tell %s that it is ready: %s.", address, error.strerror or error)


# A page or an update makes thousands of objects, hardly any of which hold each other.
_MADE_BEFORE_COLLECTING = 10_000


def keep_what_is_loaded() -> None:
    """Collections need not walk what stays for good: a sixth of the processor time of an update of 1,000 machines. Nor
    need there be several for each page: a twentieth of its."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_MADE_BEFORE_COLLECTING)
