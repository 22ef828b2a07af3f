"""A job: a list of opcodes, how far each has come, and what is asked about it."""

import time
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

Timestamp = list[int]  # seconds, microseconds
Steps = Generator[float, None, Any]  # yields seconds until its next step, returns the opcode's result

QUEUED, WAITING, CANCELING, RUNNING = "queued", "waiting", "canceling", "running"
CANCELED, SUCCESS, ERROR = "canceled", "success", "error"
FINAL = frozenset({CANCELED, SUCCESS, ERROR})


def now() -> Timestamp:
    microseconds = time.time_ns() // 1000
    return [microseconds // 1_000_000, microseconds % 1_000_000]


@dataclass(slots=True)
class Job:
    id: int
    ops: list[dict[str, Any]]
    summary: list[str]
    status_of: list[str] = field(default_factory=list)
    results: list[Any] = field(default_factory=list)
    logs: list[list[list[Any]]] = field(default_factory=list)
    started: list[Timestamp | None] = field(default_factory=list)
    executed: list[Timestamp | None] = field(default_factory=list)
    ended: list[Timestamp | None] = field(default_factory=list)
    received_ts: Timestamp = field(default_factory=now)
    start_ts: Timestamp | None = None
    end_ts: Timestamp | None = None
    archived: bool = False
    log_serial: int = 0
    # only while it is open, never kept in the state file
    steps: Steps | None = None
    due: float = 0.0
    cancel_asked: bool = False
    locks: dict[str, str] = field(default_factory=dict)  # wanted or held: name -> mode
    holds_locks: bool = False

    def __post_init__(self) -> None:
        count = len(self.ops)
        self.status_of = self.status_of or [QUEUED] * count
        self.results = self.results or [None] * count
        self.logs = self.logs or [[] for _ in range(count)]
        self.started = self.started or [None] * count
        self.executed = self.executed or [None] * count
        self.ended = self.ended or [None] * count

    @property
    def status(self) -> str:
        """The status of the whole, from that of its opcodes as Ganeti computes it."""
        status = QUEUED
        for each in self.status_of:
            if each in (ERROR, CANCELING, CANCELED):
                return each
            if each in (RUNNING, WAITING):
                status = each
        return SUCCESS if all(each == SUCCESS for each in self.status_of) else status

    @property
    def priority(self) -> int:
        priority: int = self.ops[0].get("priority") or 0
        return priority

    @property
    def finished(self) -> bool:
        return self.status in FINAL

    @property
    def current(self) -> int:
        """Index of the first opcode that is not finished."""
        return next((i for i, each in enumerate(self.status_of) if each not in FINAL), len(self.ops) - 1)

    def log(self, text: str) -> None:
        self.log_serial += 1
        self.logs[self.current].append([self.log_serial, now(), "message", text])

    def begin(self, index: int) -> None:
        self.status_of[index] = WAITING
        self.started[index] = now()
        self.start_ts = self.start_ts or self.started[index]

    def execute(self, index: int) -> None:
        self.status_of[index] = RUNNING
        self.executed[index] = now()

    def end(self, index: int, status: str, result: Any) -> None:
        self.status_of[index] = status
        self.results[index] = result
        self.ended[index] = now()
        self.steps = None
        if status == ERROR:
            for later in range(index + 1, len(self.ops)):
                self.status_of[later] = ERROR
                self.results[later] = ["OpExecError", ["Preceding opcode failed"]]
                self.ended[later] = now()
        if self.finished:
            self.end_ts = now()

    def cancel(self, result: str | None) -> None:
        for index, status in enumerate(self.status_of):
            if status not in FINAL:
                self.status_of[index] = CANCELED
                self.results[index] = result
                self.ended[index] = now()
        self.steps = None
        self.end_ts = now()
