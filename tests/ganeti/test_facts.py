"""What the product relies on and no manual says, seen on a real Ganeti; and that the fixture's hands do what they say.

Where a later release of Ganeti differs, one of these fails first.
"""

from __future__ import annotations

import base64
import json
import socket
import ssl
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.ganeti.cluster import GanetiCluster

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
FINAL = {"success", "error", "canceled"}


class Raw:
    """RAPI by hand: what is proved here must not depend on the client."""

    def __init__(self, cluster: GanetiCluster, session: requests.Session) -> None:
        self.cluster = cluster
        self.session = session

    def __call__(self, method: str, path: str, body: Any = None, timeout_s: float = 60) -> Any:
        answer = self.session.request(method, self.cluster.endpoint + path, json=body, timeout=timeout_s)
        answer.raise_for_status()
        return answer.json()

    def query(self, what: str, *fields: str) -> list[list[Any]]:
        answer = self("PUT", f"/2/query/{what}", {"fields": list(fields)})
        return [[value for _, value in row] for row in answer["data"]]

    def wait(self, job: int, timeout_s: float = 60) -> dict[str, Any]:
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            found: dict[str, Any] = self("GET", f"/2/jobs/{job}")
            if found["status"] in FINAL:
                return found
        raise TimeoutError(f"job {job} is {found['status']}")

    def instance(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self("GET", f"/2/instances/{name}")
        return found


@pytest.fixture(scope="module")
def rapi(ganeti: GanetiCluster) -> Iterator[Raw]:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = False
        session.auth = (ganeti.username, ganeti.password)
        yield Raw(ganeti, session)


@pytest.fixture(scope="module")
def machine(ganeti: GanetiCluster) -> Iterator[str]:
    """A running machine that every test leaves running; on which node does not matter."""
    name = ganeti.add_fake_instance()
    yield name
    ganeti.remove(name)


def test_a_submission_is_found_again_by_its_reason(ganeti: GanetiCluster, rapi: Raw, machine: str) -> None:
    """A submission whose answer was lost: the reason is the only thing both sides know."""
    reason = f"gwm:{uuid.uuid4()}"
    job = rapi("PUT", f"/2/instances/{machine}/shutdown?reason={reason}", {"timeout": 0})
    bulk = {found["id"]: found for found in rapi("GET", "/2/jobs?bulk=1")}
    trail = bulk[int(job)]["ops"][0]["reason"]
    assert [source for source, text, _ in trail if text == reason] == ["gnt:user"]
    assert rapi.wait(int(job))["status"] == "success"
    ganeti.start(machine)
    by_query = [row[0] for row in rapi.query("job", "id", "ops") if reason in str(row[1])]
    assert by_query == [int(job)] == ganeti.jobs_with_reason(reason)


def records_of(ganeti: GanetiCluster, method: str, path: str, body: Any = None) -> list[bytes]:
    """What is answered, record of TLS by record of TLS, without any library that could put it together."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    credentials = base64.b64encode(f"{ganeti.username}:{ganeti.password}".encode()).decode()
    sent = json.dumps(body).encode() if body is not None else b""
    head = [f"{method} {path} HTTP/1.1", f"Host: {ganeti.host}", f"Authorization: Basic {credentials}"]
    if body is not None:
        head += ["Content-Type: application/json", f"Content-Length: {len(sent)}"]
    records = []
    with (
        socket.create_connection((ganeti.host, ganeti.port), 60) as plain,
        context.wrap_socket(plain) as line,
    ):
        line.sendall("\r\n".join([*head, "", ""]).encode() + sent)
        while record := line.recv(1 << 20):
            records.append(record)
    return records


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/2/info", None),
        ("GET", "/2/jobs?bulk=1", None),
        ("GET", "/2/nothing", None),
        ("POST", "/2/info", {}),
        ("PUT", "/2/query/node", {"fields": ["name"]}),
        ("DELETE", "/2/jobs/999999", {}),
        ("PUT", "/2/instances/nobody.lab.test/shutdown", {"timeout": 0}),
        ("PUT", "/2/tags?tag=length", {}),
        ("DELETE", "/2/tags?tag=length", {}),
    ],
)
def test_every_answer_says_its_length_and_a_jobs_number_comes_in_one_record(
    ganeti: GanetiCluster, method: str, path: str, body: Any
) -> None:
    """So an answer that breaks off is noticed, and that to a change needs no time of its own for its body."""
    records = records_of(ganeti, method, path, body)
    head, _, value = b"".join(records).partition(b"\r\n\r\n")
    said = [line.lower() for line in head.decode().split("\r\n")]
    assert f"content-length: {len(value)}" in said
    assert not any(line.startswith(("transfer-encoding", "content-encoding")) for line in said)
    assert b"\r\n\r\n" in records[0]
    if isinstance(json.loads(value), int):
        assert len(records) == 1


def test_an_unknown_job_is_answered_with_nulls(rapi: Raw) -> None:
    unknown = rapi("GET", "/2/jobs/999999")
    assert unknown.pop("id") == 999999
    assert set(unknown.values()) == {None}


def test_a_write_to_a_machine_that_is_not_there_is_accepted_and_fails_as_a_job(rapi: Raw) -> None:
    job = rapi("PUT", "/2/instances/nobody.lab.test/shutdown", {"timeout": 0})
    failed = rapi.wait(int(job))
    assert failed["status"] == "error"
    assert failed["opresult"][0][0] == "OpPrereqError"
    assert failed["opresult"][0][1][1] == "unknown_entity"


def test_migration_moves_a_machine_without_touching_serial_number_or_mtime(
    ganeti: GanetiCluster, rapi: Raw, machine: str
) -> None:
    """So placement must be compared always; neither stamp tells of it."""
    before = rapi.instance(machine)
    ganeti.migrate(machine)
    after = rapi.instance(machine)
    assert after["pnode"] != before["pnode"]
    assert (after["serial_no"], after["mtime"]) == (before["serial_no"], before["mtime"])
    on = {name for node, names in rapi.query("node", "name", "pinst_list") if node == after["pnode"] for name in names}
    assert machine in on


def test_failover_moves_and_bumps(ganeti: GanetiCluster, rapi: Raw, machine: str) -> None:
    before = rapi.instance(machine)
    ganeti.failover(machine)
    after = rapi.instance(machine)
    assert after["pnode"] != before["pnode"]
    assert after["status"] == "running"
    assert after["serial_no"] > before["serial_no"]


def test_rename_keeps_the_uuid(ganeti: GanetiCluster, rapi: Raw) -> None:
    name = ganeti.add_fake_instance(started=False)
    before = rapi.instance(name)
    assert before["status"] == "ADMIN_down"
    renamed = ganeti.rename(name)
    after = rapi.instance(renamed)
    assert after["uuid"] == before["uuid"]
    assert after["serial_no"] > before["serial_no"]
    assert name not in {row[0] for row in rapi.query("instance", "name")}
    ganeti.remove(renamed)
    assert renamed not in {row[0] for row in rapi.query("instance", "name")}


def test_modify_and_tags_bump(ganeti: GanetiCluster, rapi: Raw, machine: str) -> None:
    serials = [rapi.instance(machine)["serial_no"]]
    ganeti.modify(machine, "-B", "vcpus=3")
    serials.append(rapi.instance(machine)["serial_no"])
    ganeti.add_tags(machine, "colour:blue")
    last = rapi.instance(machine)
    serials.append(last["serial_no"])
    assert serials == sorted(set(serials))
    assert last["beparams"]["vcpus"] == 3
    assert last["tags"] == ["colour:blue"]


def test_cluster_defaults_change_machines_without_a_bump(ganeti: GanetiCluster, rapi: Raw, machine: str) -> None:
    """Only the cluster's own mtime tells that what machines inherit has changed."""
    cluster, before = rapi("GET", "/2/info"), rapi.instance(machine)
    assert before["beparams"]["auto_balance"] is True
    with ganeti.cluster_defaults("-B", "auto_balance=False", undo=("-B", "auto_balance=True")):
        after = rapi.instance(machine)
        assert after["beparams"]["auto_balance"] is False
        assert (after["serial_no"], after["mtime"]) == (before["serial_no"], before["mtime"])
        assert rapi("GET", "/2/info")["mtime"] > cluster["mtime"]
    assert rapi.instance(machine)["beparams"]["auto_balance"] is True


def test_live_state_changes_without_a_bump(ganeti: GanetiCluster, rapi: Raw, machine: str) -> None:
    before = rapi.instance(machine)
    ganeti.crash(machine)
    after = rapi.instance(machine)
    ganeti.start(machine)
    assert (before["status"], after["status"]) == ("running", "ERROR_down")
    assert rapi.instance(machine)["status"] == "running"
    assert (after["serial_no"], after["mtime"]) == (before["serial_no"], before["mtime"])


def test_machines_on_an_offline_node_say_so(ganeti: GanetiCluster, rapi: Raw) -> None:
    node = ganeti.nodes[1]
    name = ganeti.add_fake_instance(node=node)
    with ganeti.node_offline(node):
        assert rapi("GET", f"/2/nodes/{node}")["offline"] is True
        found = rapi.instance(name)
        assert (found["status"], found["oper_state"], found["oper_ram"]) == ("ERROR_nodeoffline", None, None)
    assert rapi("GET", f"/2/nodes/{node}")["offline"] is False
    assert rapi.instance(name)["status"] == "running"
    ganeti.remove(name)


def test_a_held_job_makes_others_wait_and_can_be_cancelled(ganeti: GanetiCluster, rapi: Raw, machine: str) -> None:
    with ganeti.held_job() as holder:
        job = int(rapi("PUT", f"/2/instances/{machine}/migrate", {}))
        deadline = time.monotonic() + 20
        while (found := rapi("GET", f"/2/jobs/{job}"))["status"] in {"queued", "running"}:
            assert time.monotonic() < deadline
        assert found["status"] == "waiting"
        locks = dict(rapi.query("lock", "name", "owner"))
        assert any(str(holder) in str(owners) for owners in locks.values())
        rapi("DELETE", f"/2/jobs/{job}")
        assert rapi.wait(job)["status"] == "canceled"
    assert rapi.wait(holder)["status"] in FINAL


def test_a_hanging_rapi_takes_connections_and_says_nothing(ganeti: GanetiCluster, rapi: Raw) -> None:
    with ganeti.hanging(), pytest.raises(requests.exceptions.ReadTimeout):
        rapi("GET", "/2/info", timeout_s=2)
    assert rapi("GET", "/2/info")["name"] == ganeti.name


def test_a_cut_off_cluster_takes_no_connections(ganeti: GanetiCluster, rapi: Raw) -> None:
    with ganeti.cut_off(), pytest.raises(requests.exceptions.ConnectionError):
        rapi("GET", "/2/info", timeout_s=2)
    assert rapi("GET", "/2/info")["name"] == ganeti.name


def test_with_luxid_down_calls_hang(ganeti: GanetiCluster, rapi: Raw) -> None:
    with ganeti.daemon_stopped("luxid"), pytest.raises(requests.exceptions.ReadTimeout):
        rapi("GET", "/2/info", timeout_s=3)
    assert rapi("GET", "/2/info")["name"] == ganeti.name


def test_address_certificate_and_uuid_stay_when_the_master_moves(ganeti: GanetiCluster, rapi: Raw) -> None:
    before = rapi("GET", "/2/info")
    with ganeti.master_on(ganeti.nodes[1]):
        moved = rapi("GET", "/2/info")
        assert (moved["master"], moved["uuid"]) == (ganeti.nodes[1], before["uuid"])
        assert ganeti.lab.describe().fingerprint == ganeti.fingerprint
    assert rapi("GET", "/2/info")["master"] == before["master"]
