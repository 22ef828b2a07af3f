"""What a child does when it is loaded: it keeps that out of its memory's upkeep, and tells its supervisor."""

from __future__ import annotations

import gc
import os

READY_FD = "GWM_READY_FD"


def tell_ready() -> None:
    """Say so by one line on an inherited pipe, once; a process without a supervisor says nothing."""
    keep_what_is_loaded()
    descriptor = os.environ.pop(READY_FD, "")
    if descriptor:
        os.write(int(descriptor), b"ready\n")
        os.close(int(descriptor))


# A page or an update makes thousands of objects, hardly any of which hold each other.
_MADE_BEFORE_COLLECTING = 10_000


def keep_what_is_loaded() -> None:
    """Collections need not walk what stays for good: a sixth of the processor time of an update of 1,000 machines. Nor
    need there be several for each page: a twentieth of its."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_MADE_BEFORE_COLLECTING)
