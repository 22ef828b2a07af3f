"""The life of a job: submission, reason, waiting, cancelling, archive."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.backends import Backend

pytestmark = pytest.mark.feature("F299")

PAUSE = {"priority": 0, "predicates": [["jobid", [">", "id", "watermark"]]], "action": "PAUSE", "reason": []}


@pytest.fixture
def paused(backend: Backend) -> Iterator[None]:
    """A queue that starts no new job."""
    uuid = backend.ask("POST", "/2/filters", PAUSE).json()
    yield
    assert backend.ask("DELETE", f"/2/filters/{uuid}").status_code == 200


def set_tag(backend: Backend, name: str, body: Any = None) -> int:
    return backend.submit("PUT", f"/2/instances/{name}/tags?tag=contract", body)


def test_life_of_a_job(backend: Backend, machine: str) -> None:
    before = int(time.time()) - 5
    job = backend.succeed("PUT", f"/2/instances/{machine}/tags?tag=life&reason=gwm:1234")
    (op,) = job["ops"]
    assert job["summary"] == ["TAGS_SET"]
    assert (job["opstatus"], job["opresult"], job["oplog"]) == (["success"], [None], [[]])
    assert before <= job["received_ts"][0] <= job["start_ts"][0] <= job["end_ts"][0]
    assert all(0 <= job[name][1] < 1_000_000 for name in ("received_ts", "start_ts", "end_ts"))
    assert (op["OP_ID"], op["kind"], op["name"], op["tags"]) == ("OP_TAGS_SET", "instance", machine, ["life"])
    assert (op["dry_run"], op["priority"], op["depends"], op["comment"]) == (False, 0, None, None)


def test_reason_trail(backend: Backend, machine: str) -> None:
    number = backend.submit("PUT", f"/2/instances/{machine}/startup?reason=gwm:abc%20d")
    trail = backend.wait(number)["ops"][0]["reason"]
    assert [entry[:2] for entry in trail] == [
        ["gnt:user", "gwm:abc d"],
        ["gnt:library:rlib2:instances_name_startup", ""],
        ["gnt:opcode:instance_startup", f"job={number};index=0"],
    ]
    assert all(abs(entry[2] / 1e9 - time.time()) < 600 for entry in trail)


def test_without_a_reason_the_trail_is_shorter(backend: Backend, machine: str) -> None:
    trail = backend.succeed("PUT", f"/2/instances/{machine}/startup")["ops"][0]["reason"]
    assert [entry[0] for entry in trail] == ["gnt:library:rlib2:instances_name_startup", "gnt:opcode:instance_startup"]


def test_numbers_grow(backend: Backend, machine: str) -> None:
    first = set_tag(backend, machine)
    second = set_tag(backend, machine)
    assert second > first
    backend.wait(second)


def test_comment_and_priority_are_kept(backend: Backend) -> None:
    job = backend.run("PUT", "/2/instances/nope/shutdown", {"comment": "hello", "priority": 10})
    assert (job["ops"][0]["comment"], job["ops"][0]["priority"]) == ("hello", 10)


def test_a_job_about_nothing_ends_in_error(backend: Backend) -> None:
    job = backend.run("PUT", "/2/instances/nope/startup")
    assert (job["status"], job["opstatus"]) == ("error", ["error"])
    assert job["opresult"] == [["OpPrereqError", ["Instance 'nope' not known", "unknown_entity"]]]


def test_queued_jobs_can_be_dequeued(backend: Backend, machine: str, paused: None) -> None:
    number = set_tag(backend, machine)
    job = backend.job(number)
    assert (job["status"], job["opstatus"], job["start_ts"], job["end_ts"]) == ("queued", ["queued"], None, None)
    assert job["opresult"] == [None]
    assert backend.ask("DELETE", f"/2/jobs/{number}").json() == [True, f"Dequeued job {number}"]
    job = backend.job(number)
    assert (job["status"], job["opstatus"], job["start_ts"]) == ("canceled", ["canceled"], None)
    assert job["end_ts"] is not None
    assert backend.ask("DELETE", f"/2/jobs/{number}").json() == [False, f"Job {number} not found in queue"]


def test_finished_and_unknown_jobs_cannot_be_cancelled(backend: Backend, machine: str) -> None:
    number = set_tag(backend, machine)
    backend.wait(number)
    for each in (number, 999999):
        answer = backend.ask("DELETE", f"/2/jobs/{each}")
        assert (answer.status_code, answer.json()) == (200, [False, f"Job {each} not found in queue"])


def test_dependencies(backend: Backend, machine: str) -> None:
    first = backend.submit("PUT", "/2/instances/nope/startup")
    body = {"depends": [[first, ["success"]]]}
    second = backend.submit("PUT", f"/2/instances/{machine}/shutdown", body)
    job = backend.wait(second)
    assert job["ops"][0]["depends"] == [[first, ["success"]]]
    assert job["status"] == "error"
    assert backend.instance(machine)["status"] == "running"
    (kind, (text, *_)) = backend.fail("PUT", "/2/instances/nope/shutdown", {"depends": [[999999, ["success"]]]})
    assert (kind, text) == ("OpExecError", "Dependency error: Job 999999 not found")


def test_a_job_that_depends_on_an_open_one_stays_queued(backend: Backend, machine: str, paused: None) -> None:
    first = set_tag(backend, machine)
    second = set_tag(backend, machine, {"depends": [[first, []]]})
    assert backend.job(second)["status"] == "queued"
    for number in (second, first):
        backend.ask("DELETE", f"/2/jobs/{number}")


def test_wait_answers_at_once_for_a_finished_job(backend: Backend, machine: str) -> None:
    number = set_tag(backend, machine)
    backend.wait(number)
    for known in (None, ["success"]):
        body = {"fields": ["status"], "previous_job_info": known, "previous_log_serial": None}
        answer = backend.ask("GET", f"/2/jobs/{number}/wait", body)
        assert answer.json() == {"job_info": ["success"], "log_entries": []}
    assert backend.ask("GET", f"/2/jobs/{number}/wait").status_code == 500
    missing = backend.ask("GET", "/2/jobs/999999/wait", {"fields": ["status"]})
    assert (missing.status_code, missing.json()["message"]) == (500, "Can&#x27;t load job file")


def test_queries_by_number(backend: Backend, machine: str) -> None:
    number = set_tag(backend, machine)
    backend.wait(number)
    assert backend.query("job", ["id", "status"], ["=", "id", number]) == [[[0, number], [0, "success"]]]
    pair = ["|", ["=", "id", 999999], ["=", "id", number]]
    unknown, known = backend.query("job", ["id", "status", "ops"], pair)
    assert unknown == [[0, 999999], [3, None], [3, None]]
    assert known[:2] == [[0, number], [0, "success"]]
    assert backend.query("job", ["id"], ["|", [">", "id", 999000], ["=", "id", 999999]]) == []
    newest = backend.query("job", ["id"], [">=", "id", number])
    assert newest[0] == [[0, number]]
    answer = backend.ask("PUT", "/2/query/job", {"fields": ["id"], "qfilter": ["=", "id", str(number)]})
    assert answer.status_code == 500


def test_queries_by_content(backend: Backend, machine: str) -> None:
    number = backend.submit("PUT", f"/2/instances/{machine}/startup")
    job = backend.wait(number)
    by_summary = ["=[]", "summary", f"INSTANCE_STARTUP({machine})"]
    assert [[0, number]] in backend.query("job", ["id"], by_summary)
    assert [[0, number]] in backend.query("job", ["id"], [">=", "end_ts", job["end_ts"][0]])
    fields = ["priority", "archived", "opstart", "opexec", "opend", "oppriority"]
    ((priority, archived, *times, priorities),) = backend.query("job", fields, ["=", "id", number])
    assert (priority, archived, priorities) == ([0, 0], [0, False], [0, [0]])
    assert all(cell[0] == 0 and len(cell[1][0]) == 2 for cell in times)


def test_archived_jobs(backend: Backend, machine: str) -> None:
    number = set_tag(backend, machine)
    backend.wait(number)
    backend.archive(number)
    assert number not in [job["id"] for job in backend.read("/2/jobs")]
    assert backend.job(number)["status"] == "success"
    assert backend.query("job", ["id"], ["&", [">=", "id", number], ["<=", "id", number]]) == []
    assert backend.query("job", ["id", "status"], ["=", "id", number]) == [[[0, number], [0, "success"]]]
    between = ["&", [">=", "id", number], ["<=", "id", number]]
    assert backend.query("job", ["id", "archived"], between) == [[[0, number], [0, True]]]


def test_no_job_no_locks(backend: Backend) -> None:
    assert backend.query("lock", ["name", "mode", "owner", "pending"]) == []


def test_filter_rules(backend: Backend) -> None:
    answer = backend.ask("POST", "/2/filters", PAUSE | {"action": "CONTINUE"})
    uuid = answer.json()
    rule = backend.read(f"/2/filters/{uuid}")
    assert set(rule) == {"uuid", "watermark", "priority", "predicates", "action", "reason_trail"}
    assert (rule["uuid"], rule["action"], rule["priority"]) == (uuid, "CONTINUE", 0)
    assert backend.read("/2/filters") == [{"uuid": uuid, "uri": f"/2/filters/{uuid}"}]
    assert backend.ask("PUT", f"/2/filters/{uuid}", PAUSE | {"action": "CONTINUE", "priority": 3}).json() == uuid
    assert backend.read("/2/filters?bulk=1")[0]["priority"] == 3
    assert backend.ask("DELETE", f"/2/filters/{uuid}").json() is None
    gone = backend.ask("DELETE", f"/2/filters/{uuid}")
    assert (gone.status_code, gone.json()["message"]) == (500, f"Filter rule with UUID {uuid} does not exist")
    assert backend.ask("POST", "/2/filters", {"bogus": 1}).status_code == 400


def test_dry_run_has_two_spellings(backend: Backend, stopped: str) -> None:
    job = backend.succeed("PUT", f"/2/instances/{stopped}/startup?dry-run=1")
    assert job["ops"][0]["dry_run"] is True
    assert "dry-run mode requested" in job["oplog"][0][-1][3]
    job = backend.succeed("PUT", f"/2/instances/{stopped}/modify", {"dry_run": True, "beparams": {"vcpus": 2}})
    assert job["opresult"] == [None]
    found = backend.instance(stopped)
    assert (found["status"], found["beparams"]["vcpus"]) == ("ADMIN_down", 1)
