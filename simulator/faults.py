"""Faults on demand: which requests they hit, how often, and what happens to them."""

import re
import threading
from dataclasses import dataclass, field
from typing import Any

from simulator.errors import HttpError


@dataclass(slots=True)
class Fault:
    """One kind of trouble for the requests that match.

    ``kind`` is one of:
      refuse           answer ``code`` and ``message`` after ``seconds``, the request is not carried out
      hang             never answer (until the fault is cleared or the server stops), not carried out
      hang_after       carry the request out, then never answer
      drop             read the request and close the connection, not carried out
      drop_after       carry the request out, then close the connection without an answer
      garbage          carry it out, then answer 200 with something that is not JSON
      truncated        carry it out, then send half of the answer
      slow             wait ``seconds``, then carry on as usual
      raw              carry it out, then send the bytes of ``raw`` in place of the whole answer
      dribble          carry it out, then send ``raw`` byte by byte, one every ``seconds``, again and again
    """

    kind: str
    method: str | None = None
    path: str | None = None  # a regular expression that must match the whole path, without the query
    mentions: str | None = None  # a text that must occur in the query or in the body, such as a field's name
    times: int | None = None  # how many requests it hits, None for all until it is cleared
    skip: int = 0  # let so many matching requests pass first
    code: int = 500
    message: str = ""
    seconds: float = 0.0
    raw: bytes = b""
    hits: int = 0
    released: threading.Event = field(default_factory=threading.Event)

    def matches(self, method: str, path: str, content: str = "") -> bool:
        if self.method is not None and method != self.method:
            return False
        if self.mentions is not None and self.mentions not in content:
            return False
        return self.path is None or re.fullmatch(self.path, path) is not None

    @property
    def spent(self) -> bool:
        return self.times is not None and self.hits >= self.times

    @property
    def error(self) -> HttpError:
        return HttpError(self.code, self.message)


KINDS = frozenset(
    {"refuse", "hang", "hang_after", "drop", "drop_after", "garbage", "truncated", "slow", "raw", "dribble"}
)


class Faults:
    """The faults in force; the first that matches a request takes it."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    @property
    def any(self) -> bool:
        """Whether there are any, hits or no hits."""
        return bool(self._faults)

    def add(self, kind: str, **options: Any) -> Fault:
        if kind not in KINDS:
            raise ValueError(f"no such fault: {kind}")
        fault = Fault(kind, **options)
        with self._lock:
            self._faults.append(fault)
        return fault

    def refuse(self, code: int, message: str, **options: Any) -> Fault:
        return self.add("refuse", code=code, message=message, **options)

    def queue_full(self, **options: Any) -> Fault:
        """What a drained queue answers to every submission."""
        options.setdefault("path", r"/2/(?!query/|jobs|filters).*")
        return self.refuse(500, "Queue drained", **options)

    def master_down(self, **options: Any) -> Fault:
        """What RAPI answers when luxid does not."""
        return self.refuse(504, "Gateway Timeout", **options)

    def not_master(self, **options: Any) -> Fault:
        return self.refuse(502, "Can't connect to master daemon: Not the master node", **options)

    def slow(self, seconds: float, **options: Any) -> Fault:
        return self.add("slow", seconds=seconds, **options)

    def take(self, method: str, path: str, content: str = "") -> Fault | None:
        """Return the fault that hits this request, and count it."""
        with self._lock:
            for fault in self._faults:
                if fault.spent or not fault.matches(method, path, content):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.hits += 1
                return fault
        return None

    def clear(self) -> None:
        """End all faults; requests that hang are let go (their connections close)."""
        with self._lock:
            faults, self._faults = self._faults, []
        for fault in faults:
            fault.released.set()

    def remove(self, fault: Fault) -> None:
        with self._lock:
            if fault in self._faults:
                self._faults.remove(fault)
        fault.released.set()
