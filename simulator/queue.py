"""The job queue: submission, locks, dependencies, progress in steps, cancelling."""

import json
import logging
import threading
import time
from typing import Any

from simulator.cluster import Cluster
from simulator.errors import ExecError, JobError
from simulator.execution import Execution, locks_of, run
from simulator.job import CANCELED, ERROR, FINAL, QUEUED, RUNNING, SUCCESS, WAITING, Job
from simulator.opcodes import summary

logger = logging.getLogger("simulator")

EXCLUSIVE, SHARED = "exclusive", "shared"
# What a mistake in an executor raises: it ends that job alone, not the thread that moves all jobs.
FAULTS_OF_OURS = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
LOCKSETS = ("cluster/[lockset]", "instance/[lockset]")


class Queue:
    """Jobs by number; everything here happens under the cluster's lock."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.jobs: dict[int, Job] = {}
        self.last_id = 0
        self.held = False
        self.drained = False
        self.changed = threading.Condition(cluster.lock)

    # submission and what is known

    def submit(self, ops: list[dict[str, Any]], delay: float = 0.0) -> int:
        """Queue a job of these opcodes and return its number."""
        self.last_id += 1
        nanoseconds = time.time_ns() // 1000 * 1000
        for index, op in enumerate(ops):
            source = f"gnt:opcode:{op['OP_ID'].removeprefix('OP_').lower()}"
            op["reason"] = [*op["reason"], [source, f"job={self.last_id};index={index}", nanoseconds]]
            if op.get("depends"):
                op["depends"] = [
                    [number if number > 0 else self.last_id + number, wanted] for number, wanted in op["depends"]
                ]
        job = Job(self.last_id, ops, [summary(op) for op in ops])
        job.due = time.monotonic() + delay
        self.jobs[job.id] = job
        self.changed.notify_all()
        return job.id

    def sorted_jobs(self) -> list[Job]:
        return [self.jobs[number] for number in sorted(self.jobs)]

    def open_jobs(self) -> list[Job]:
        """Unfinished jobs, the most urgent first."""
        jobs = [job for job in self.jobs.values() if not job.archived and not job.finished]
        return sorted(jobs, key=lambda job: (job.priority, job.id))

    # locks

    def blockers(self, job: Job, name: str, mode: str) -> list[int]:
        """Numbers of the jobs that hold the lock in a mode that does not go with the wanted one."""
        return [
            other.id
            for other in self.jobs.values()
            if other is not job
            and other.holds_locks
            and name in other.locks
            and (mode == EXCLUSIVE or other.locks[name] == EXCLUSIVE)
        ]

    def acquire(self, job: Job, index: int) -> bool:
        job.locks = locks_of(self.cluster, job.ops[index])
        job.holds_locks = not any(self.blockers(job, name, mode) for name, mode in job.locks.items())
        return job.holds_locks

    def lock_rows(self) -> list[dict[str, Any]]:
        rows: dict[str, dict[str, Any]] = {}
        if any(job.locks for job in self.open_jobs()):
            rows = {name: {"name": name, "mode": None, "owner": [], "pending": []} for name in LOCKSETS}
        for job in self.open_jobs():
            for name, mode in job.locks.items():
                row = rows.setdefault(name, {"name": name, "mode": None, "owner": [], "pending": []})
                if job.holds_locks or (mode == SHARED and not self.blockers(job, name, mode)):
                    row["mode"] = mode
                    row["owner"].append(json.dumps(job.id))
                else:
                    row["pending"].append([mode, [json.dumps(job.id)]])
        return [rows[name] for name in sorted(rows)]

    # progress

    def advance(self, job: Job, speed: float = 1.0) -> None:
        """Take the job one step further: queued, waiting, running, each line of its log, the end."""
        if job.finished:
            return
        index = job.current
        status = job.status_of[index]
        try:
            if status == QUEUED:
                if self.ruled_by(job, "REJECT"):
                    job.cancel(None)
                elif self.allowed_to_start(job) and not self.dependencies_open(job, index):
                    job.begin(index)
                    job.due = time.monotonic() + 0.2 / speed
            elif status == WAITING:
                self.try_to_run(job, index, speed)
            elif job.steps is not None:
                job.due = time.monotonic() + next(job.steps) / speed
        except StopIteration as stop:
            job.end(index, SUCCESS, stop.value)
        except JobError as error:
            job.end(index, ERROR, error.encoded)
        except FAULTS_OF_OURS as fault:
            logger.exception("An opcode of job %d ended in an error of the simulator", job.id)
            job.end(index, ERROR, ExecError(f"The simulator failed: {fault!r}").encoded)
        if job.status_of[index] in FINAL:
            job.holds_locks = False
            job.locks = {}
        self.changed.notify_all()

    def allowed_to_start(self, job: Job) -> bool:
        running = sum(other.status in (WAITING, RUNNING) for other in self.jobs.values() if not other.finished)
        return bool(running < self.cluster.settings["max_running_jobs"]) and not self.ruled_by(job, "PAUSE")

    def ruled_by(self, job: Job, action: str) -> bool:
        """Tell whether a filter rule of this action is about the job: all those newer than the rule."""
        return any(rule.action == action and job.id > rule.watermark for rule in self.cluster.filters.values())

    def try_to_run(self, job: Job, index: int, speed: float) -> None:
        if self.acquire(job, index):
            job.execute(index)
            job.steps = run(Execution(self.cluster, self, job), job.ops[index])
            job.due = time.monotonic() + next(job.steps) / speed
        else:
            job.due = time.monotonic() + 0.1 / speed

    def dependencies_open(self, job: Job, index: int) -> bool:
        """Tell whether a job it depends on is unfinished; one that ended otherwise than wanted is an error."""
        for number, wanted in job.ops[index].get("depends") or []:
            other = self.jobs.get(number)
            if other is None:
                raise JobError(f"Dependency error: Job {number} not found")
            if not other.finished:
                return True
            if wanted and other.status not in wanted:
                statuses = ", ".join(wanted)
                text = f"Dependency error: Job {number} finished with status {other.status}, not one of {statuses}"
                raise JobError(text) if other.status != CANCELED else JobError(f"Job dependency {number} was cancelled")
        return False

    def tick(self, speed: float) -> None:
        """Advance every job whose next step is due."""
        if self.held:
            return
        moment = time.monotonic()
        for job in self.open_jobs():
            if job.due <= moment:
                self.advance(job, speed)

    def next_due(self) -> float:
        """Seconds until a job has something to do; a second when there is none."""
        jobs = [] if self.held else self.open_jobs()
        return max(0.0, min((job.due for job in jobs), default=time.monotonic() + 1) - time.monotonic())

    # ending early

    def cancel(self, number: int) -> tuple[bool, str]:
        job = self.jobs.get(number)
        if job is None or job.archived:
            return False, f"Job {number} not found in queue"
        status = job.status
        if status in (QUEUED, WAITING):
            job.cancel(None if status == QUEUED else "Job canceled by request")
            job.holds_locks, job.locks = False, {}
            self.changed.notify_all()
            return True, f"Dequeued job {number}" if status == QUEUED else "Job successfully cancelled"
        if job.finished:
            return False, f"Job {number} not found in queue"
        job.cancel_asked = True
        return False, "Job no longer waiting, can't cancel (informed it anyway)"
