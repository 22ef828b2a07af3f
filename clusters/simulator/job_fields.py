"""What /2/query tells of jobs and locks, and the job objects of /2/jobs."""

from collections.abc import Iterable
from typing import Any

from clusters.simulator.cluster import load_data
from clusters.simulator.job import Job
from clusters.simulator.query import NODATA, Field, Getter, Resource

BULK_FIELDS = ["id", "ops", "status", "summary", "opstatus", "received_ts", "start_ts", "end_ts"]
SINGLE_FIELDS = [*BULK_FIELDS, "oplog", "opresult"]


class Unknown:
    """Stands for a job that the queue does not know: its number, and nothing else."""

    archived = False

    def __init__(self, number: int) -> None:
        self.id = number


def of_known(get: Getter) -> Getter:
    return lambda view, job: NODATA if isinstance(job, Unknown) else get(view, job)


GETTERS: dict[str, Getter] = {
    "ops": lambda view, job: job.ops,
    "status": lambda view, job: job.status,
    "summary": lambda view, job: job.summary,
    "opstatus": lambda view, job: job.status_of,
    "opresult": lambda view, job: job.results,
    "oplog": lambda view, job: job.logs,
    "received_ts": lambda view, job: job.received_ts,
    "start_ts": lambda view, job: job.start_ts,
    "end_ts": lambda view, job: job.end_ts,
    "opstart": lambda view, job: job.started,
    "opexec": lambda view, job: job.executed,
    "opend": lambda view, job: job.ended,
    "oppriority": lambda view, job: [op.get("priority") or 0 for op in job.ops],
    "priority": lambda view, job: job.priority,
    "archived": lambda view, job: job.archived,
}


class JobView:
    def __init__(self, cluster: Any) -> None:
        self.queue = cluster.queue


class WithQueue:
    """A cluster together with its job queue: what a query about jobs is asked of."""

    def __init__(self, queue: Any) -> None:
        self.queue = queue


def current_rows(view: JobView) -> list[Job]:
    return [job for job in view.queue.sorted_jobs() if not job.archived]


def wanted_ids(qfilter: Any) -> set[int]:
    """Numbers that the filter names: luxid loads those from the archive, or makes empty rows of them."""
    if qfilter[0] in ("=", "==") and qfilter[1] == "id" and isinstance(qfilter[2], int):
        return {qfilter[2]}
    if qfilter[0] == "|":
        return {number for part in qfilter[1:] for number in wanted_ids(part)}
    return set()


def rows_for(view: JobView, qfilter: Any) -> Iterable[Any]:
    rows: list[Any] = current_rows(view)
    present = {job.id for job in rows}
    for number in wanted_ids(qfilter) - present:
        rows.append(view.queue.jobs.get(number) or Unknown(number))
    return sorted(rows, key=lambda job: job.id)


def build_jobs() -> dict[str, Field]:
    fields = {}
    for name, title, kind in load_data("fields.json")["job"]:
        getter = (lambda view, job: job.id) if name == "id" else of_known(GETTERS[name])
        fields[name] = Field(name, title, kind, getter, f"{title.replace('_', ' ')} of the job")
    return fields


JOBS = Resource("job", build_jobs(), JobView, current_rows, key="id", rows_for=rows_for)

LOCK_GETTERS: dict[str, Getter] = {
    "name": lambda view, lock: lock["name"],
    "mode": lambda view, lock: lock["mode"],
    "owner": lambda view, lock: lock["owner"],
    "pending": lambda view, lock: lock["pending"],
}
LOCKS = Resource(
    "lock",
    {
        name: Field(name, title, kind, LOCK_GETTERS[name], f"{title} of the lock")
        for name, title, kind in load_data("fields.json")["lock"]
    },
    JobView,
    lambda view: view.queue.lock_rows(),
)
