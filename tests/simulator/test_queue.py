"""Jobs in steps: by hand, held, many at once, cancelled, with a log that grows."""

from __future__ import annotations

import pytest

from simulator import Simulator
from tests.simulator.conftest import Ask

pytestmark = [pytest.mark.feature("F299"), pytest.mark.filterwarnings("ignore:Unverified HTTPS request")]


def test_a_log_grows_line_by_line(simulator: Simulator, ask: Ask) -> None:
    body = {
        "__version__": 1, "mode": "create", "name": "new.example.org", "os": "noop", "disk_template": "file",
        "disks": [{"size": 1024}], "nics": [{}], "ip_check": False, "name_check": False, "pnode": "node1.example.org",
    }  # fmt: skip
    number = ask("POST", "/2/instances", json=body).json()
    lengths = []
    for _ in range(20):
        job = ask("GET", f"/2/jobs/{number}").json()
        lengths.append(len(job["oplog"][0]))
        simulator.advance()
    assert job["status"] == "success"
    assert lengths == sorted(lengths)
    assert len(set(lengths)) > 3
    serials = [entry[0] for entry in job["oplog"][0]]
    assert serials == list(range(1, len(serials) + 1))


def test_no_more_jobs_run_than_the_cluster_allows(simulator: Simulator, ask: Ask) -> None:
    simulator.outside.change_defaults(max_running_jobs=2)
    for _ in range(4):
        ask("PUT", "/2/redistribute-config")
    simulator.advance()
    statuses = [job.status for job in simulator.queue.sorted_jobs()]
    assert statuses == ["waiting", "waiting", "queued", "queued"]
    simulator.run_jobs()
    assert {job.status for job in simulator.queue.sorted_jobs()} == {"success"}


def test_held_jobs_stay_where_they_are(make_simulator, ask: Ask) -> None:
    simulator = make_simulator(instances=1, speed=1000)
    simulator.hold_jobs()
    job = simulator.outside.submit("CLUSTER_REDIST_CONF")
    simulator.advance()
    assert job.status == "waiting"
    simulator.release_jobs()
    with simulator.cluster.lock:
        assert simulator.queue.changed.wait_for(lambda: job.finished, timeout=120)


def test_a_drained_queue(simulator: Simulator, ask: Ask) -> None:
    simulator.queue.drained = True
    assert ask("PUT", "/2/redistribute-config").json()["message"] == "Queue drained"


def test_an_urgent_job_goes_first(simulator: Simulator, ask: Ask) -> None:
    path = "/2/instances/vm1.example.org/shutdown"
    low = ask("PUT", path, json={"priority": 10}).json()
    high = ask("PUT", path, json={"priority": -10}).json()
    simulator.advance(2)
    assert simulator.queue.jobs[high].status == "running"
    assert simulator.queue.jobs[low].status == "waiting"


@pytest.mark.parametrize(("action", "status"), [("PAUSE", "queued"), ("REJECT", "canceled")])
def test_filter_rules_are_about_newer_jobs(simulator: Simulator, ask: Ask, action: str, status: str) -> None:
    older = ask("PUT", "/2/redistribute-config").json()
    rule = {"predicates": [["jobid", [">", "id", "watermark"]]], "action": action}
    uuid = ask("POST", "/2/filters", json=rule).json()
    newer = ask("PUT", "/2/redistribute-config").json()
    simulator.run_jobs()
    assert simulator.queue.jobs[older].status == "success"
    assert simulator.queue.jobs[newer].status == status
    ask("DELETE", f"/2/filters/{uuid}")
    simulator.run_jobs()
    assert simulator.queue.jobs[newer].finished
