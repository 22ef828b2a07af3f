"""Keeping a lease while its holder waits for an answer: a thread that renews it for as long as the process lives."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection

from operations.lease import Lease

logger = logging.getLogger("gwm.batches")


@contextmanager
def kept_alive(lease: Lease, *, every_s: float) -> Iterator[None]:
    """Renew `lease` until the body ends. So it can be short: who is killed, or stopped, loses it soon, and a call that
    hangs does not cost it. Whether it was lost is for the holder to find out, by `Lease.renew`."""
    is_over = threading.Event()
    beats = threading.Thread(target=_beat, args=(lease, every_s, is_over), name="heartbeat", daemon=True)
    beats.start()
    try:
        yield
    finally:
        is_over.set()
        beats.join()


def _beat(lease: Lease, every_s: float, is_over: threading.Event) -> None:
    try:
        while not is_over.wait(every_s):
            try:
                lease.beat()
            except DatabaseError as error:  # the next beat may come through; else another takes over
                logger.warning("a lease could not be renewed: %s", error)
    finally:
        connection.close()
