"""What /2/query tells of jobs and locks, and the job objects of /2/jobs."""

from collections.abc import Iterable
from typing import Any

from simulator.cluster import load_data
from simulator.job import Job
from simulator.query import UNAVAIL, Field, Getter, Resource

BULK_FIELDS = ["id", "ops", "status", "summary", "opstatus", "received_ts", "start_ts", "end_ts"]
SINGLE_FIELDS = [*BULK_FIELDS, "oplog", "opresult"]


class Unknown:
    """Stands for a job that the queue does not know: its number, and nothing else."""

    def __init__(self, number: int) -> None:
        self.id = number


def of_known(get: Getter) -> Getter:
    return lambda view, job: UNAVAIL if isinstance(job, Unknown) else get(view, job)


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
    """The queue, and whether the archive is asked for: it is when the field ``archived`` is."""

    def __init__(self, world: Any) -> None:
        self.queue = world.queue
        self.with_archive = False


def rows(view: JobView) -> list[Job]:
    return [job for job in view.queue.sorted_jobs() if view.with_archive or not job.archived]


def only_ids(qfilter: Any) -> list[int] | None:
    """Numbers, when the filter is nothing but equalities of the id joined by OR: each of them gives a row."""
    if qfilter[0] in ("=", "==") and qfilter[1] == "id" and isinstance(qfilter[2], int):
        return [qfilter[2]]
    if qfilter[0] == "|" and len(qfilter) > 1:
        parts = [only_ids(part) for part in qfilter[1:]]
        if all(parts):
            return [number for part in parts for number in part or []]
    return None


def rows_for(view: JobView, qfilter: Any) -> Iterable[Any]:
    numbers = only_ids(qfilter)
    if numbers is None:
        return rows(view)
    return [view.queue.jobs.get(number) or Unknown(number) for number in numbers]


class JobResource(Resource):
    def query(self, cluster: Any, names: list[str], qfilter: Any) -> dict[str, Any]:
        def view(world: Any) -> JobView:
            seen = JobView(world)
            seen.with_archive = "archived" in names
            return seen

        return self.answer(view(cluster), names, qfilter)


def build_jobs() -> dict[str, Field]:
    fields = {}
    for name, title, kind in load_data("fields.json")["job"]:
        getter = (lambda view, job: job.id) if name == "id" else of_known(GETTERS[name])
        fields[name] = Field(name, title, kind, getter, f"{title.replace('_', ' ')} of the job")
    return fields


JOBS = JobResource("job", build_jobs(), JobView, rows, key="id", rows_for=rows_for)

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
