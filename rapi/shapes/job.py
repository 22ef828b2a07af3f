"""Jobs, their log lines, their results and errors, and the locks they wait for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from rapi.errors import JobLost
from rapi.paths import job_number
from rapi.shapes.fields import (
    NAME_LENGTH,
    WORD_LENGTH,
    Count,
    JobNumber,
    Kind,
    Level,
    Moment,
    OneOf,
    OptionalText,
    Text,
    Word,
    listing,
    read_fields,
)
from rapi.shapes.json import clean_json, clean_table
from rapi.text import clean_text
from rapi.words import words as _

#: for lists and for the follower; ``archived`` is left out because asking for it reads the archive
JOB_LIST_FIELDS = ("id", "status", "summary", "opstatus", "received_ts", "start_ts", "end_ts", "ops", "priority")
#: the same with log and result
JOB_FIELDS = (*JOB_LIST_FIELDS, "oplog", "opresult")
LOCK_FIELDS = ("name", "mode", "owner", "pending")

PENDING_STATUSES = frozenset({"queued", "waiting", "canceling"})
FINAL_STATUSES = frozenset({"canceled", "success", "error"})
STATUSES = PENDING_STATUSES | FINAL_STATUSES | {"running"}

_LONGEST_LINE = 10_000
_LONGEST_ERROR = 20_000
# of one opcode, and of all of a job together
_LONGEST_RESULT = 20_000
_LONGEST_RESULTS = 100_000
_MOST_OPCODES = 200
_MOST_LINES = 20_000

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
    #: jobs that this opcode submitted (evacuation, migration of a node, …)
    child_jobs: tuple[int, ...]
    #: what it gave, clean and without secrets; of one too long to be kept, the beginning of its JSON text
    result: Any = field(repr=False)


@dataclass(frozen=True)
class _Summary(Kind):
    """A text for each opcode; what is none keeps its place."""

    def read(self, value: Any) -> tuple[str, ...]:
        """At most as many as opcodes are read."""
        return tuple(Text(limit=1000).read(each) for each in listing(value)[:_MOST_OPCODES])


@dataclass(frozen=True)
class JobInfo:
    """A job. Times are seconds since 1970, None while not reached.

    ``status`` is queued, waiting, canceling, running, canceled, success or error.
    ``log`` and results are only there when they were asked for.
    """

    id: Annotated[int, JobNumber()]
    status: Annotated[str, OneOf(words=STATUSES)]
    opcodes: tuple[Opcode, ...]
    summary: Annotated[tuple[str, ...], _Summary()]
    received_at: Annotated[float | None, Moment("received_ts")]
    started_at: Annotated[float | None, Moment("start_ts")]
    ended_at: Annotated[float | None, Moment("end_ts")]
    priority: Annotated[int | None, Level()]
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
    def parse(cls, record: Any) -> JobInfo:
        """From a record of a query, of /2/jobs?bulk=1 or of /2/jobs/ID.

        Raises JobLost for the all-null record that Ganeti gives for a job it doesn't know; BadRecord without a number
        and a status that is known.
        """
        if isinstance(record, Mapping) and record.get("status") is None:
            raise JobLost(_("Ganeti does not know this job any more."), job_id=job_number(record.get("id")) or 0)
        values = read_fields(cls, record, "job")
        return cls(**values, opcodes=_read_opcodes(record, values["summary"]), log=_read_log(record))


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
        return JobError(_error_text(result), "")
    parts = listing(result)
    if len(parts) != 2 or not isinstance(parts[0], str):
        return None
    exception = clean_text(parts[0], 100)
    arguments = listing(parts[1])[:50] if not isinstance(parts[1], str) else [parts[1]]
    words = [_error_text(each) for each in arguments if isinstance(each, str) and each.strip()]
    if not words:
        return JobError(exception, exception)
    code = words[1] if exception == "OpPrereqError" and len(words) == 2 else None
    return JobError(clean_text(words[0] if code else " ".join(words), _LONGEST_ERROR, keep_lines=True), exception, code)


def _error_text(said: str) -> str:
    return clean_text(said.strip(), _LONGEST_ERROR, keep_lines=True)


def _read_opcodes(record: Mapping[str, Any], summary: tuple[str, ...]) -> tuple[Opcode, ...]:
    ops, statuses, results = (listing(record.get(key))[:_MOST_OPCODES] for key in ("ops", "opstatus", "opresult"))
    opcodes = []
    count = max(len(ops), len(summary), len(statuses))
    longest = min(_LONGEST_RESULT, _LONGEST_RESULTS // max(1, count))
    for index in range(count):
        op = clean_table(ops[index]) if index < len(ops) else {}
        status = Text(limit=20).read(statuses[index]) if index < len(statuses) else ""
        result = results[index] if index < len(results) else None
        said = summary[index] if index < len(summary) else ""
        name = Text(limit=100).read(op.get("OP_ID")).removeprefix("OP_") or split_summary(said)[0]
        failed = status in ("error", "canceled")
        error = read_job_error(result) if failed else None
        reasons, parent_job = _read_trail(op.get("reason"))
        if error is None and status == "error" and results:
            error = JobError(_("Ganeti gives no reason."), "")
        opcodes.append(
            Opcode(
                name=name,
                status=status,
                summary=said,
                params=without_secrets({key: each for key, each in op.items() if key not in _BORING_KEYS}),
                reasons=reasons,
                parent_job=parent_job,
                comment=OptionalText(limit=1000).read(op.get("comment")),
                error=error,
                child_jobs=() if failed else _read_children(result),
                result=None if failed else _read_result(result, longest),
            )
        )
    return tuple(opcodes)


def _read_children(result: Any) -> tuple[int, ...]:
    """The jobs in a result: {"jobs": [[true, 17], [false, "why not"]]}."""
    if not isinstance(result, Mapping):
        return ()
    pairs = [listing(each) for each in listing(result.get("jobs"))]
    return tuple(
        number for pair in pairs if len(pair) == 2 and pair[0] is True and (number := job_number(pair[1])) is not None
    )


def _read_result(result: Any, longest: int) -> Any:
    """As it can be kept and shown."""
    clean = without_secrets(clean_json(result))
    text = json.dumps(clean, ensure_ascii=False) if isinstance(clean, dict | list | str) else ""
    return clean if len(text) <= longest else clean_text(text, longest, keep_lines=True)


def _read_trail(trail: Any) -> tuple[tuple[str, ...], int | None]:
    """Texts that somebody gave, and the job before the last in the trail: each job adds "job=17;index=0"."""
    reasons: list[str] = []
    jobs: list[int] = []
    for entry in listing(trail):
        parts = [Text(limit=1000).read(each) for each in listing(entry)[:2]]
        if len(parts) < 2 or not parts[1]:
            continue
        if not parts[0].startswith("gnt:opcode:"):
            reasons.append(parts[1])
        elif match := _TRAIL_JOB.match(parts[1]):
            jobs += [number for number in [job_number(match.group(1))] if number is not None]
    return tuple(reasons), jobs[-2] if len(jobs) > 1 else None


def _read_log(record: Mapping[str, Any]) -> tuple[LogLine, ...]:
    lines = []
    for index, entries in enumerate(listing(record.get("oplog"))[:_MOST_OPCODES]):
        for entry in listing(entries)[-_MOST_LINES:]:
            parts = listing(entry)
            serial = Count().read(parts[0]) if parts else None
            if len(parts) < 4 or serial is None:
                continue
            kind = Text(limit=100).read(parts[2])
            said = clean_text(parts[3], _LONGEST_LINE, keep_lines=True) if isinstance(parts[3], str) else ""
            # other kinds (remote-import) carry addresses and keys of a transfer: named, not shown
            lines.append(
                LogLine(serial, Moment().read(parts[1]), index, kind, said if kind == "message" else f"({kind})")
            )
    return tuple(sorted(lines, key=lambda line: line.serial))


@dataclass(frozen=True)
class PendingLock:
    """Jobs that wait for a lock, in one mode."""

    mode: str
    job_ids: tuple[int, ...]


@dataclass(frozen=True)
class _Owners(Kind):
    """The jobs that hold a lock."""

    def read(self, value: Any) -> tuple[int, ...]:
        """Those that can be told."""
        return _read_owners(value)


@dataclass(frozen=True)
class _Pending(Kind):
    """Who waits for a lock: pairs of a mode and jobs."""

    def read(self, value: Any) -> tuple[PendingLock, ...]:
        """Those that are pairs."""
        pairs = [listing(each) for each in listing(value)[:1000]]
        return tuple(
            PendingLock(Text(limit=WORD_LENGTH).read(each[0]), _read_owners(each[1]))
            for each in pairs
            if len(each) == 2
        )


@dataclass(frozen=True)
class LockInfo:
    """A lock ("instance/web1", "node/<uuid>", "cluster/BGL", …): who holds it, who waits.

    ``mode`` is "exclusive", "shared" or None when nobody holds it.
    """

    name: Annotated[str, Word(limit=NAME_LENGTH)]
    mode: Annotated[str | None, OptionalText(limit=WORD_LENGTH)]
    owner_job_ids: Annotated[tuple[int, ...], _Owners("owner")]
    pending: Annotated[tuple[PendingLock, ...], _Pending()]

    @classmethod
    def parse(cls, record: Any) -> LockInfo:
        """From a record of /2/query/lock. BadRecord without a name."""
        return cls(**read_fields(cls, record, "lock"))


def _read_owners(value: Any) -> tuple[int, ...]:
    """Job ids from a list whose members are numbers, digits, or JSON texts of either with more around them."""
    found: list[int] = []
    for each in listing(value)[:1000]:
        number = job_number(each)
        if number is None and isinstance(each, str) and len(each) <= 1000:
            try:
                decoded = json.loads(each)
            except (ValueError, RecursionError):
                decoded = None
            if isinstance(decoded, list) and decoded:
                decoded = decoded[0]
            if isinstance(decoded, Mapping):
                decoded = decoded.get("clientId", decoded.get("job"))
            number = job_number(decoded)
            if number is None and (match := re.search(r"\d+", each, re.ASCII)):
                number = job_number(match.group())
        if number is not None:
            found.append(number)
    return tuple(dict.fromkeys(found))
