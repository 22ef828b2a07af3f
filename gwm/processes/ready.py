"""How a child tells its supervisor that it does its work: one line on an inherited pipe."""

from __future__ import annotations

import os

READY_FD = "GWM_READY_FD"


def tell_ready() -> None:
    """Say so, once; a process without a supervisor says nothing."""
    descriptor = os.environ.pop(READY_FD, "")
    if descriptor:
        os.write(int(descriptor), b"ready\n")
        os.close(int(descriptor))
