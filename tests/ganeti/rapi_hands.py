"""A client for a real cluster, and waiting for what it started."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from rapi import RapiClient, Trust
from rapi.shapes import (
    GROUP_FIELDS,
    INSTANCE_CONFIG_FIELDS,
    NETWORK_FIELDS,
    NODE_CONFIG_FIELDS,
    NOWHERE,
    GroupInfo,
    InstanceInfo,
    JobInfo,
    NetworkInfo,
    NodeInfo,
    Placement,
)
from simulator import Simulator
from tests.ganeti.cluster import GanetiCluster
from tools.lab.system import growing_pauses

REASON = "gwm:test"


def connect(ganeti: GanetiCluster | Simulator, *endpoints: tuple[str, int], **changes: Any) -> RapiClient:
    """A client of the cluster, real or simulated, or of the given endpoints, with other settings than usual."""
    settings: dict[str, Any] = {
        "username": ganeti.username,
        "password": ganeti.password,
        "trust": Trust.pinned(ganeti.fingerprint),
    }
    return RapiClient(endpoints or [(ganeti.host, ganeti.port)], **{**settings, **changes})


def ended(rapi: RapiClient, job_id: int, timeout_s: float = 60) -> JobInfo:
    """The job, once it has ended."""
    give_up_at = time.monotonic() + timeout_s
    pauses = growing_pauses(first_s=0.01)  # jobs of a simulator take as long
    while time.monotonic() < give_up_at:
        job = rapi.get_job(job_id)
        if job.is_final:
            return job
        time.sleep(next(pauses))
    raise AssertionError(f"job {job_id} is {job.status}")


def done(rapi: RapiClient, job_id: int) -> JobInfo:
    """The job, once it has ended well, and so have the jobs it submitted."""
    job = ended(rapi, job_id)
    assert job.status == "success", job.error
    for child in job.child_jobs:
        done(rapi, child)
    return job


def failed(rapi: RapiClient, job_id: int, code: str | None = None) -> str:
    """Why the job failed, in Ganeti's words."""
    job = ended(rapi, job_id)
    assert job.status == "error"
    assert job.error is not None
    if code is not None:
        assert job.error.code == code
    return job.error.message


def poll(condition: Callable[[], bool], timeout_s: float = 20) -> None:
    """Wait until the condition, which itself takes a moment, holds."""
    give_up_at = time.monotonic() + timeout_s
    pauses = growing_pauses(first_s=0.01)
    while not condition():
        assert time.monotonic() < give_up_at, "it has not come about in time"
        time.sleep(next(pauses))


def read_nodes(rapi: RapiClient) -> list[NodeInfo]:
    return [NodeInfo.parse(each) for each in rapi.query("node", NODE_CONFIG_FIELDS).records()]


def read_groups(rapi: RapiClient) -> list[GroupInfo]:
    return [GroupInfo.parse(each) for each in rapi.query("group", GROUP_FIELDS).records()]


def read_networks(rapi: RapiClient) -> list[NetworkInfo]:
    return [NetworkInfo.parse(each) for each in rapi.query("network", NETWORK_FIELDS).records()]


def read_instances(
    rapi: RapiClient, placement: Mapping[str, Placement], qfilter: list[Any] | None = None
) -> list[InstanceInfo]:
    """Configuration of all machines, or of those that match, each with its place."""
    result = rapi.query("instance", INSTANCE_CONFIG_FIELDS, qfilter)
    return [InstanceInfo.parse(each, placement.get(each["name"], NOWHERE)) for each in result.records()]
