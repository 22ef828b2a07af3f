"""Jobs of the past days, so that the demo's job list has something to tell."""

from typing import Any

from simulator.cluster import Cluster
from simulator.job import CANCELED, ERROR, SUCCESS, Job
from simulator.opcodes import checked, summary

FIRST_JOB = 4711


def write_history(cluster: Cluster, plan: list[dict[str, Any]], moment: float) -> dict[int, Job]:
    """Make finished jobs of the plan's lines: minutes ago, opcode, parameters, log, seconds taken, and how it ended."""
    jobs = {}
    for index, line in enumerate(plan):
        number = FIRST_JOB + 3 * index
        jobs[number] = past_job(number, line, moment - 60 * line["minutes_ago"])
    return jobs


def past_job(number: int, line: dict[str, Any], begin: float) -> Job:
    op = checked(line["opcode"], line["params"])
    name = line["opcode"].lower()
    nanoseconds = int(begin * 1e9)
    client = line.get("client", "gnt-instance")
    op["reason"] = [
        [f"gnt:client:{client}", name.rpartition("_")[2], nanoseconds],
        [f"gnt:opcode:{name}", f"job={number};index=0", nanoseconds],
    ]
    seconds = line.get("seconds", 2.0)
    logs = line.get("log", [])
    job = Job(number, [op], [summary(op)], received_ts=stamp(begin))
    job.start_ts = stamp(begin + 0.3)
    job.started, job.executed = [job.start_ts], [stamp(begin + 0.5)]
    job.end_ts = stamp(begin + 0.5 + seconds)
    job.ended = [job.end_ts]
    job.log_serial = len(logs)
    step = seconds / (len(logs) + 1)
    job.logs = [[[i + 1, stamp(begin + 0.5 + step * i), "message", text] for i, text in enumerate(logs)]]
    status = {"success": SUCCESS, "error": ERROR, "canceled": CANCELED}[line.get("status", "success")]
    job.status_of, job.results = [status], [line.get("result")]
    return job


def stamp(seconds: float) -> list[int]:
    return [int(seconds), int(seconds % 1 * 1_000_000)]
