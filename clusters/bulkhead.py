"""How many requests may wait for clusters at the same time, so that a cluster that hangs holds few threads of a page.

The web process sets bounds when it starts; worker and command line have none, because nobody's page waits for them.
Known in the memory of the process alone, and given back however the call ends.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from objectlog.words import ngettext


class Full(Exception):
    """All places are taken; the text is for the person who asked. Nothing was sent."""


class Bulkhead:
    """Places for calls to clusters: so many for each cluster, so many in all. None: as many as come."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: Counter[str] = Counter()
        self._each: int | None = None
        self._in_all: int | None = None

    def limit(self, *, each: int | None, in_all: int | None) -> None:
        """Set the bounds; calls under way stay."""
        with self._lock:
            self._each, self._in_all = each, in_all

    @contextmanager
    def place(self, host: str, port: int) -> Iterator[None]:
        """Hold a place for the cluster at this address. Raises Full at once where there is none."""
        where = f"{host.lower()}:{port}"
        with self._lock:
            here, everywhere = self._waiting[where], self._waiting.total()
            if self._each is not None and here >= self._each:
                raise Full(_say_slow(here))
            if self._in_all is not None and everywhere >= self._in_all:
                raise Full(_say_all_slow(everywhere))
            self._waiting[where] += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting[where] -= 1
                if not self._waiting[where]:
                    del self._waiting[where]


def _say_slow(waiting: int) -> str:
    return ngettext(
        "The cluster is slow to answer; %(count)d request waits for it. Nothing was sent. Try again in a minute.",
        "The cluster is slow to answer; %(count)d requests wait for it. Nothing was sent. Try again in a minute.",
        waiting,
    ) % {"count": waiting}


def _say_all_slow(waiting: int) -> str:
    return ngettext(
        "Clusters are slow to answer; %(count)d request waits for them. Nothing was sent. Try again in a minute.",
        "Clusters are slow to answer; %(count)d requests wait for them. Nothing was sent. Try again in a minute.",
        waiting,
    ) % {"count": waiting}


CALLS = Bulkhead()
"""The places of this process."""

EACH_ON_WEB = 2


def limit_web_process(threads: int) -> None:
    """The bounds of a web process: two calls a cluster, and half of its threads in all."""
    CALLS.limit(each=EACH_ON_WEB, in_all=max(1, threads // 2))
