"""Jobs, their log lines, their results and errors, and the locks they wait for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clusters.rapi.errors import Garbled, JobLost
from clusters.rapi.shapes.reading import (
    Record,
    as_record,
    listing,
    optional_text,
    require_text,
    text,
    timestamp,
    whole,
)

#: for lists and for the follower; ``archived`` is left out because asking for it reads the archive
JOB_LIST_FIELDS = ("id", "status", "summary", "opstatus", "received_ts", "start_ts", "end_ts", "ops", "priority")
#: the same with log and result
JOB_FIELDS = (*JOB_LIST_FIELDS, "oplog", "opresult")
LOCK_FIELDS = ("name", "mode", "owner", "pending")

PENDING_STATUSES = frozenset({"queued", "waiting", "canceling"})
FINAL_STATUSES = frozenset({"canceled", "success", "error"})

#: parameters of opcodes that are never shown or stored, whatever Ganeti leaves in them
_SECRET_WORDS = ("secret", "private", "password", "passwd", "handshake", "x509_key")
_BORING_KEYS = frozenset({"debug_level", "reason", "depends", "priority", "comment", "OP_ID"})
_TRAIL_JOB = re.compile(r"job=(\d+);", re.ASCII)
_SUMMARY = re.compile(r"^([A-Z0-9_]+)(?:\((.*)\))?$", re.DOTALL)


@dataclass(frozen=True)
class LogLine:
    """One line of a job's log. ``serial`` counts within the job, ``when`` is seconds since 1970."""

    serial: int
    when: float | None
    opcode_index: int
    kind: str
    text: str


@dataclass(frozen=True)
class JobError:
    """Why an opcode failed: Ganeti's own words, its exception and its error code (None if it gave none)."""

    message: str
    exception: str
    code: str | None = None


@dataclass(frozen=True)
class Opcode:
    """One step of a job. ``params`` holds no secrets.

    ``reasons`` are the texts of its reason trail, ours among them; a job that was submitted by another one inherits
    them, and then ``parent_job`` is that one's id.
    """

    name: str
    status: str
    summary: str
    params: dict[str, Any]
    reasons: tuple[str, ...]
    parent_job: int | None
    comment: str | None
    error: JobError | None
    result: Any = field(repr=False)

    @property
    def child_jobs(self) -> tuple[int, ...]:
        """Jobs that this opcode submitted (evacuation, migration of a node, …)."""
        if not isinstance(self.result, Mapping):
            return ()
        pairs = [listing(each) for each in listing(self.result.get("jobs"))]
        return tuple(
            number
            for pair in pairs
            if len(pair) == 2 and pair[0] is True and (number := whole(_digits(pair[1]))) is not None
        )


@dataclass(frozen=True)
class JobInfo:
    """A job. Times are seconds since 1970, None while not reached.

    ``status`` is queued, waiting, canceling, running, canceled, success or error.
    ``log`` and results are only there when they were asked for.
    """

    id: int
    status: str
    opcodes: tuple[Opcode, ...]
    summary: tuple[str, ...]
    received_at: float | None
    started_at: float | None
    ended_at: float | None
    priority: int | None
    log: tuple[LogLine, ...] = ()

    @property
    def is_final(self) -> bool:
        """Whether nothing about it will change any more."""
        return self.status in FINAL_STATUSES

    @property
    def error(self) -> JobError | None:
        """The first opcode's error that says something of its own, or None."""
        errors = [each.error for each in self.opcodes if each.error is not None]
        return next(
            (each for each in errors if each.message != "Preceding opcode failed"), errors[0] if errors else None
        )

    @property
    def child_jobs(self) -> tuple[int, ...]:
        """Jobs that this job submitted; it is done long before they are."""
        return tuple(number for each in self.opcodes for number in each.child_jobs)

    @property
    def parent_job(self) -> int | None:
        """The job that submitted this one, or None if somebody did."""
        return next((each.parent_job for each in self.opcodes if each.parent_job is not None), None)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Every text in the reason trails, without repetition: where our own "gwm:<uuid>" is found again."""
        return tuple(dict.fromkeys(reason for each in self.opcodes for reason in each.reasons))

    @classmethod
    def parse(cls, value: Any) -> JobInfo:
        """From a record of a query, of /2/jobs?bulk=1 or of /2/jobs/ID.

        Raises JobLost for the all-null record that Ganeti gives for a job it doesn't know; Garbled without an id.
        """
        record: Record = as_record(value, "job")
        if record.get("status") is None:
            number = whole(_digits(record.get("id"))) or 0
            raise JobLost("Ganeti does not know this job any more.", job_id=number)
        job_id = whole(_digits(record.get("id")))
        if job_id is None:
            raise Garbled("A job has no id.")
        summary = tuple(text(each) for each in listing(record.get("summary")))
        return cls(
            id=job_id,
            status=require_text(record, "status", "job"),
            opcodes=_read_opcodes(record, summary),
            summary=summary,
            received_at=timestamp(record.get("received_ts")),
            started_at=timestamp(record.get("start_ts")),
            ended_at=timestamp(record.get("end_ts")),
            priority=whole(record.get("priority")),
            log=_read_log(record),
        )


def split_summary(summary: str) -> tuple[str, str]:
    """("INSTANCE_STARTUP", "web1.example.org") from Ganeti's summary of an opcode; the second may be empty."""
    match = _SUMMARY.match(summary)
    return (match.group(1), match.group(2) or "") if match else (summary, "")


def without_secrets(value: Any) -> Any:
    """A copy without the values of keys that sound secret, at any depth."""
    if isinstance(value, Mapping):
        return {
            str(key): without_secrets(each)
            for key, each in value.items()
            if not any(word in str(key).lower() for word in _SECRET_WORDS)
        }
    if isinstance(value, list | tuple):
        return [without_secrets(each) for each in value]
    return value


def read_job_error(result: Any) -> JobError | None:
    """The error in an opcode's result: ["OpPrereqError", ["text", "code"]] and its relatives. None if it is none."""
    if isinstance(result, str) and result:
        return JobError(result.strip(), "")
    parts = listing(result)
    if len(parts) != 2 or not isinstance(parts[0], str):
        return None
    exception = parts[0]
    arguments = listing(parts[1]) if not isinstance(parts[1], str) else [parts[1]]
    words = [each.strip() for each in arguments if isinstance(each, str) and each.strip()]
    if not words:
        return JobError(exception, exception)
    code = words[1] if exception == "OpPrereqError" and len(words) == 2 else None
    return JobError(words[0] if code else " ".join(words), exception, code)


def _digits(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


def _read_opcodes(record: Record, summary: tuple[str, ...]) -> tuple[Opcode, ...]:
    ops = listing(record.get("ops"))
    statuses = listing(record.get("opstatus"))
    results = listing(record.get("opresult"))
    opcodes = []
    for index in range(max(len(ops), len(summary), len(statuses))):
        op = ops[index] if index < len(ops) and isinstance(ops[index], Mapping) else {}
        status = text(statuses[index]) if index < len(statuses) else ""
        result = results[index] if index < len(results) else None
        said = summary[index] if index < len(summary) else ""
        name = text(op.get("OP_ID")).removeprefix("OP_") or split_summary(said)[0]
        failed = status in ("error", "canceled")
        error = read_job_error(result) if failed else None
        reasons, parent_job = _read_trail(op.get("reason"))
        if error is None and status == "error" and results:
            error = JobError("Ganeti gives no reason.", "")
        opcodes.append(
            Opcode(
                name=name,
                status=status,
                summary=said,
                params=without_secrets({key: each for key, each in op.items() if key not in _BORING_KEYS}),
                reasons=reasons,
                parent_job=parent_job,
                comment=optional_text(op.get("comment")),
                error=error,
                result=None if failed else without_secrets(result),
            )
        )
    return tuple(opcodes)


def _read_trail(trail: Any) -> tuple[tuple[str, ...], int | None]:
    """Texts that somebody gave, and the job before the last in the trail: each job adds "job=17;index=0"."""
    reasons: list[str] = []
    jobs: list[int] = []
    for entry in listing(trail):
        parts = [text(each) for each in listing(entry)[:2]]
        if len(parts) < 2 or not parts[1]:
            continue
        if not parts[0].startswith("gnt:opcode:"):
            reasons.append(parts[1])
        elif match := _TRAIL_JOB.match(parts[1]):
            jobs.append(int(match.group(1)))
    return tuple(reasons), jobs[-2] if len(jobs) > 1 else None


def _read_log(record: Record) -> tuple[LogLine, ...]:
    lines = []
    for index, entries in enumerate(listing(record.get("oplog"))):
        for entry in listing(entries):
            parts = listing(entry)
            serial = whole(parts[0]) if parts else None
            if len(parts) < 4 or serial is None:
                continue
            kind = text(parts[2])
            # other kinds (remote-import) carry addresses and keys of a transfer: named, not shown
            said = text(parts[3]) if kind == "message" else f"({kind})"
            lines.append(LogLine(serial, timestamp(parts[1]), index, kind, said))
    return tuple(sorted(lines, key=lambda line: line.serial))


@dataclass(frozen=True)
class PendingLock:
    """Jobs that wait for a lock, in one mode."""

    mode: str
    job_ids: tuple[int, ...]


@dataclass(frozen=True)
class LockInfo:
    """A lock ("instance/web1", "node/<uuid>", "cluster/BGL", …): who holds it, who waits.

    ``mode`` is "exclusive", "shared" or None when nobody holds it.
    """

    name: str
    mode: str | None
    owner_job_ids: tuple[int, ...]
    pending: tuple[PendingLock, ...]

    @classmethod
    def parse(cls, value: Any) -> LockInfo:
        """From a record of /2/query/lock. Needs the name, else Garbled."""
        record: Record = as_record(value, "lock")
        pending = []
        for each in listing(record.get("pending")):
            parts = listing(each)
            if len(parts) == 2:
                pending.append(PendingLock(text(parts[0]), _read_owners(parts[1])))
        return cls(
            name=require_text(record, "name", "lock"),
            mode=optional_text(record.get("mode")),
            owner_job_ids=_read_owners(record.get("owner")),
            pending=tuple(pending),
        )


def _read_owners(value: Any) -> tuple[int, ...]:
    """Job ids from a list whose members are numbers, digits, or JSON texts of either with more around them."""
    found: list[int] = []
    for each in listing(value):
        number = whole(_digits(each))
        if number is None and isinstance(each, str):
            try:
                decoded = json.loads(each)
            except (ValueError, RecursionError):
                decoded = None
            if isinstance(decoded, list) and decoded:
                decoded = decoded[0]
            if isinstance(decoded, Mapping):
                decoded = decoded.get("clientId", decoded.get("job"))
            number = whole(_digits(decoded))
            if number is None and (match := re.search(r"\d+", each)):
                number = int(match.group())
        if number is not None:
            found.append(number)
    return tuple(dict.fromkeys(found))
