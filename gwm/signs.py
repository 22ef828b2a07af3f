"""Signs of life: each process of the product says every few seconds that it is there, and when it last did its work.

A thread of its own writes, four times a minute, one row that is the process's: so a row that grows old is a process
that is gone, and one whose thread goes on while the process does nothing is one that hangs. The row goes when the
process ends in order; what was killed is tidied away by the next one of its kind on its host, or after a day.
"""

from __future__ import annotations

import atexit
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import Error, close_old_connections, connection
from django.utils import timezone

from gwm import VERSION
from operations.clock import is_left_ahead

EVERY_S = 15.0
_END_WITHIN_S = 5.0
GONE_AFTER = timedelta(seconds=60)
HUNG_AFTER = timedelta(minutes=2)
FORGOTTEN_AFTER = timedelta(days=1)
_MOST_SHOWN = 500
WELL, GONE, HUNG, OTHER_VERSION = "well", "gone", "hung", "other version"
STATES = (WELL, GONE, HUNG, OTHER_VERSION)
KINDS = ("web", "worker", "beat")

logger = logging.getLogger("gwm.signs")


def _rows() -> Any:
    """By its name: processes begin to sign before Django knows its tables."""
    return apps.get_model("gwm", "Process")._default_manager


class Signs:
    """Those of this process."""

    def __init__(self, kind: str, queue: str = "") -> None:
        self._who = {"kind": kind, "host": socket.gethostname()[:255], "pid": os.getpid()}
        self._told = {"queue": queue, "version": VERSION, "started_at": timezone.now()}
        self._worked = time.monotonic()
        self._is_known = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="signs", daemon=True)

    def worked(self) -> None:
        """The process does its work now. Costs nothing."""
        self._worked = time.monotonic()

    def start(self) -> None:
        """Sign until the process ends."""
        self._thread.start()
        atexit.register(self.end)

    def write(self) -> None:
        """One sign. Raises what the database raises."""
        now = timezone.now()
        told = {"seen_at": now, "worked_at": now - timedelta(seconds=time.monotonic() - self._worked)}
        if self._is_known and _rows().filter(**self._who).update(**told):
            return
        # The row that is there may be of one that was killed and had this number before, as in a container each has.
        self._tidy()
        _rows().update_or_create(**self._who, defaults={**self._told, **told})
        self._is_known = True

    def take_back(self) -> None:
        """This process is no more expected to be there. Raises what the database raises."""
        _rows().filter(**self._who).delete()

    def end(self) -> None:
        """Have the thread take back what it wrote; a database that hangs does not keep the process from its end."""
        self._ended.set()
        self._thread.join(_END_WITHIN_S)

    def _tidy(self) -> None:
        """Forget those of this kind on this host that are gone for sure."""
        of_host = _rows().filter(kind=self._who["kind"], host=self._who["host"])
        gone = [pid for pid in of_host.values_list("pid", flat=True) if not _is_there(pid)]
        of_host.filter(pid__in=gone).delete()

    def _go_on(self) -> None:
        is_failing = self._fails(self.write, was_failing=False)
        while not self._ended.wait(EVERY_S):
            is_failing = self._fails(self.write, was_failing=is_failing)
        self._fails(self.take_back, was_failing=is_failing)
        connection.close()

    def _fails(self, do: Callable[[], None], *, was_failing: bool) -> bool:
        """Whether it does not work; said once, until it works again."""
        close_old_connections()
        try:
            do()
        except Error as error:
            if not was_failing:
                logger.warning("no sign of life could be written: %s", error)
            return True
        return False


_own: list[Signs] = []


def begin(kind: str, queue: str = "") -> Signs:
    """Sign as a process of this kind from now on."""
    signs = Signs(kind, queue)
    _own[:] = [signs]
    signs.start()
    return signs


def worked() -> None:
    """This process does its work now, whatever it is."""
    for signs in _own:
        signs.worked()


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@dataclass(frozen=True)
class Seen:
    """A process, as its last sign has it."""

    kind: str
    host: str
    pid: int
    queue: str
    version: str
    started_at: datetime
    seen_at: datetime
    worked_at: datetime

    @property
    def key(self) -> tuple[str, str, int]:
        """Which process it is."""
        return (self.kind, self.host, self.pid)

    def state(self, now: datetime, *, is_asked: bool = True) -> str:
        """One of STATES, the worst that holds. `is_asked`: there is work for it."""
        if self.seen_at < now - GONE_AFTER or is_left_ahead(self.seen_at):  # who is there has signed again since
            return GONE
        if is_asked and self.worked_at < now - HUNG_AFTER:
            return HUNG
        return WELL if self.version == VERSION else OTHER_VERSION


def read_signs() -> list[Seen]:
    """Every process that signs, or did within the last day. One query."""
    columns = ("kind", "host", "pid", "queue", "version", "started_at", "seen_at", "worked_at")
    rows = _rows().filter(seen_at__gt=timezone.now() - FORGOTTEN_AFTER).order_by("kind", "host", "pid")
    return [Seen(*row) for row in rows.values_list(*columns)[:_MOST_SHOWN]]


def find_signing() -> tuple[list[Seen], list[Seen]]:
    """Those that run: of this host each that is there, of others each that may be, as it is not known to be gone."""
    host, now = socket.gethostname()[:255], timezone.now()
    signed = read_signs()
    here = [each for each in signed if each.host == host and _is_there(each.pid)]
    return here, [each for each in signed if each.host != host and each.state(now) != GONE]


def judge(seen: Collection[Seen]) -> dict[Seen, str]:
    """The state of each. Workers do what a beat asks for: where none has for long enough, their rest is no fault."""
    now = timezone.now()
    has_beat = any(
        each.kind == "beat"
        and (each.started_at < now - HUNG_AFTER or is_left_ahead(each.started_at))
        and each.state(now) in (WELL, OTHER_VERSION)
        for each in seen
    )
    return {each: each.state(now, is_asked=has_beat or each.kind != "worker") for each in seen}


def count_states(seen: Collection[Seen]) -> dict[tuple[str, str], int]:
    """How many there are of each kind and state."""
    counts = {(kind, state): 0 for kind in KINDS for state in STATES}
    for each, state in judge(seen).items():
        counts[each.kind, state] = counts.get((each.kind, state), 0) + 1
    return counts


def forget_gone() -> None:
    """Delete those that have been gone for a day."""
    _rows().filter(seen_at__lte=timezone.now() - FORGOTTEN_AFTER).delete()
