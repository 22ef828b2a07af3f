"""What replaces everything, or the keys, is done by one at a time, and while nothing of the product runs."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import DatabaseError

from gwm.backups.file import BackupError
from gwm.config import Config
from gwm.signs import EVERY_S, find_signing

LOCK = "keys.lock"
# Of a process elsewhere it is known only by its next sign whether it is there; somewhat more than the time to that.
_WAIT_S = EVERY_S + 5


@contextmanager
def alone(say: Callable[[str], object]) -> Iterator[None]:
    """Raises BackupError where another is at it, or the product runs."""
    path = Config(os.environ).data_dir / LOCK
    with _locked(path):
        refuse_running(say)
        yield


@contextmanager
def keys_stay() -> Iterator[None]:
    """Neither the keys nor all rows are replaced meanwhile: waits for whoever does. Where nobody may write, nobody
    can."""
    try:
        descriptor = os.open(Config(os.environ).data_dir / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        yield
        return
    with os.fdopen(descriptor, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise BackupError(f"{path} can't be written: {error.strerror}.") from error
    with os.fdopen(descriptor, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            words = "A backup, a restore or a change of keys is running here. Wait until it has ended."
            raise BackupError(words) from None
        yield


def refuse_running(say: Callable[[str], object]) -> None:
    """What runs goes on with the keys and the database that it knows: it would seal with keys that are gone, and write
    where nobody looks any more. Raises BackupError."""
    try:
        here, elsewhere = find_signing()
        if elsewhere and not here:
            say("Waiting whether the product still runs on another host …")
            until = time.monotonic() + _WAIT_S
            before = {each.key: each.seen_at for each in elsewhere}
            while not here and time.monotonic() < until:
                time.sleep(1)
                here = [each for each in find_signing()[1] if before.get(each.key) != each.seen_at]
    except DatabaseError:
        return  # there are no such tables yet; what is done next says what is wrong with the database
    if here:
        named = ", ".join(f"{each.kind} on {each.host} ({each.pid})" for each in here[:5])
        raise BackupError(f"The product runs: {named}. Stop it first.")
