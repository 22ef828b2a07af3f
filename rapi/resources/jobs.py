"""/2/jobs, and jobs and locks through /2/query."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rapi.errors import Garbled, JobLost, NotAllowed, Refused
from rapi.paths import check_job_id, job_number
from rapi.refusals import MAX_MESSAGE
from rapi.resources.query import QueryCalls
from rapi.shapes.job import JOB_FIELDS, JOB_LIST_FIELDS, LOCK_FIELDS, JobInfo, LockInfo
from rapi.shapes.reading import read_records
from rapi.text import clean_text
from rapi.words import words as _

#: a wait holds one of RAPI's twenty slots for up to ten seconds
_WAIT_TIMEOUT_S = 30.0


class Cancellation(NamedTuple):
    """What Ganeti says to a cancel. Not accepted may still mean cancelled a moment later: look at the status."""

    accepted: bool
    message: str


@dataclass(frozen=True)
class JobChange:
    """The answer of a wait: values of the asked fields, and new log entries as Ganeti gives them."""

    values: tuple[Any, ...]
    log_entries: tuple[Any, ...]


def which_jobs(ids: Collection[int], newer_than: int | None) -> list[Any] | None:
    """The filter for these jobs and those with a greater id; None for all, if neither is given."""
    conditions: list[Any] = [["=", "id", check_job_id(each)] for each in sorted(set(ids))]
    if newer_than is not None:
        conditions.append([">", "id", newer_than])
    return ["|", *conditions] if conditions else None


class JobCalls(QueryCalls):
    """Jobs and locks."""

    def list_job_ids(self) -> list[int]:
        """The ids of all jobs that are not archived, ascending (GET /2/jobs); what can't be one is left out."""
        found = []
        for each in self._list_of(self._get("/2/jobs"), "jobs"):
            number = job_number(each.get("id"))
            if number is not None:
                found.append(number)
        return sorted(found)

    def list_jobs_bulk(self) -> list[JobInfo]:
        """All jobs that are not archived, with opcodes, without logs and results (GET /2/jobs?bulk=1).

        Reads every job file: prefer `query_jobs` with ``newer_than`` or ``ids``.
        """
        found = self._list_of(self._get("/2/jobs", [("bulk", "1")]), "jobs")
        return list(read_records("job", JobInfo.parse, found).good.values())

    def get_job(self, job_id: int) -> JobInfo:
        """One job with log and results, also when it is archived. Raises JobLost if Ganeti doesn't know it."""
        value = self._get(f"/2/jobs/{check_job_id(job_id)}")
        try:
            job = JobInfo.parse(value)
        except JobLost:
            raise JobLost(
                _("Ganeti does not know job %(number)s any more.", number=job_id),
                where=str(self.endpoint),
                job_id=job_id,
            ) from None
        if job.id != job_id:
            raise Garbled(
                _("The answer is about another job than %(number)s.", number=job_id), where=str(self.endpoint)
            )
        return job

    def query_jobs(
        self,
        *,
        ids: Collection[int] = (),
        newer_than: int | None = None,
        with_log: bool = False,
        fields: Sequence[str] | None = None,
    ) -> list[JobInfo]:
        """These jobs and/or those with a greater id; all that are not archived if neither is given.

        The cheap way to follow jobs: Ganeti sorts out ids before it opens any job file. Jobs it doesn't know are
        simply not in the list; archived ones are in it only when asked for by ``ids`` alone, so ask `get_job` for
        one that is missing. ``with_log`` adds log lines and results.
        """
        wanted = fields or (JOB_FIELDS if with_log else JOB_LIST_FIELDS)
        result = self.query("job", wanted, which_jobs(ids, newer_than))
        known = (each for each in result.records() if each["status"] is not None)
        return list(read_records("job", JobInfo.parse, known).good.values())

    def find_jobs_by_reason(self, reason: str, *, newer_than: int | None = None) -> list[JobInfo]:
        """Jobs submitted with this reason: how a submission whose answer was lost is found again.

        ``newer_than``: the greatest job id known before the submission, so that few job files are read. Jobs that
        Ganeti itself submitted for such a job carry the reason too, but are left out.
        """
        found = self.query_jobs(newer_than=newer_than)
        return [job for job in found if reason in job.reasons and job.parent_job is None]

    def cancel_job(self, job_id: int, *, reason: str) -> Cancellation:
        """Ask Ganeti to cancel a job (DELETE /2/jobs/ID): surely while it waits, perhaps while it runs.

        Ganeti keeps no reason for this; it is demanded for the caller's own journal.
        """
        value = self._change("DELETE", f"/2/jobs/{check_job_id(job_id)}", reason=reason)
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], bool):
            return Cancellation(value[0], clean_text(value[1], MAX_MESSAGE) if isinstance(value[1], str) else "")
        raise Garbled(_("The answer to a cancel is malformed."), where=str(self.endpoint), may_have_run=True)

    def wait_for_job_change(
        self,
        job_id: int,
        fields: Sequence[str] = ("status",),
        *,
        previous_values: Sequence[Any] | None = None,
        previous_log_serial: int | None = None,
        expects_refusal: bool = False,
    ) -> JobChange:
        """Block up to 10 s until a field or the log changes (GET /2/jobs/ID/wait; needs ``write``).

        Holds one of RAPI's twenty slots meanwhile: nothing that runs often should use it. NotFound/Refused for an
        unknown job.
        """
        body = {
            "fields": list(fields),
            "previous_job_info": None if previous_values is None else list(previous_values),
            "previous_log_serial": previous_log_serial,
        }
        path = f"/2/jobs/{check_job_id(job_id)}/wait"
        value = self._ask("GET", path, body, read_timeout_s=_WAIT_TIMEOUT_S, expects_refusal=expects_refusal)
        if not isinstance(value, dict) or not isinstance(value.get("job_info"), list):
            raise Garbled(_("The answer to a wait is malformed."), where=str(self.endpoint))
        return JobChange(tuple(value["job_info"]), tuple(self._list_of_any(value.get("log_entries") or [])))

    def may_write(self) -> bool:
        """Whether the RAPI user may change things, found out without changing any.

        Waits for a job that can't exist: Ganeti asks for ``write`` first. Raises BadCredentials and the like.
        """
        try:
            self.wait_for_job_change(0, expects_refusal=True)
        except NotAllowed:
            return False
        except Refused:
            return True
        return True

    def query_locks(self) -> list[LockInfo]:
        """All locks that are held or wanted. Refused when Ganeti's wconfd is down."""
        found = self.query("lock", LOCK_FIELDS).records()
        return list(read_records("lock", LockInfo.parse, found).good.values())
