"""Each fault does what it says, to the requests it names and to no others."""

from __future__ import annotations

import threading
import time

import pytest
import requests

from simulator import Simulator
from tests.simulator.conftest import Ask
from tools.lab.system import wait_until

pytestmark = [pytest.mark.feature("F299"), pytest.mark.filterwarnings("ignore:Unverified HTTPS request")]

STARTUP = "/2/instances/vm1.example.org/startup"


def test_refuse(simulator: Simulator, ask: Ask) -> None:
    simulator.faults.refuse(503, "Job queue is full, needs <archiving>", method="PUT")
    answer = ask("PUT", STARTUP)
    assert answer.status_code == 503
    assert answer.json()["message"] == "Job queue is full, needs &lt;archiving&gt;"
    assert ask("GET", "/2/info").status_code == 200
    assert not simulator.queue.jobs


def test_a_full_queue_refuses_submissions_only(simulator: Simulator, ask: Ask) -> None:
    simulator.faults.queue_full()
    answer = ask("PUT", STARTUP)
    assert (answer.status_code, answer.json()["message"]) == (500, "Queue drained")
    assert ask("PUT", "/2/query/instance", json={"fields": ["name"]}).status_code == 200
    assert ask("GET", "/2/jobs").status_code == 200


@pytest.mark.parametrize(("name", "code"), [("master_down", 504), ("not_master", 502)])
def test_gateway_errors(simulator: Simulator, ask: Ask, name: str, code: int) -> None:
    getattr(simulator.faults, name)(path="/2/.*")
    assert ask("GET", "/2/info").status_code == code
    assert ask("GET", "/version").json() == 2


@pytest.mark.parametrize(("kind", "jobs"), [("drop", 0), ("drop_after", 1)])
def test_drops_before_and_after_carrying_out(simulator: Simulator, ask: Ask, kind: str, jobs: int) -> None:
    simulator.faults.add(kind, method="PUT", times=1)
    with pytest.raises(requests.ConnectionError):
        ask("PUT", STARTUP)
    assert len(simulator.queue.jobs) == jobs
    assert ask("PUT", STARTUP).status_code == 200


@pytest.mark.parametrize(("kind", "jobs"), [("hang", 0), ("hang_after", 1)])
def test_hangs_before_and_after_carrying_out(simulator: Simulator, ask: Ask, kind: str, jobs: int) -> None:
    fault = simulator.faults.add(kind, method="PUT")
    with pytest.raises(requests.ReadTimeout):
        ask("PUT", STARTUP, timeout=0.3)
    wait_until(lambda: fault.hits == 1 and len(simulator.queue.jobs) == jobs, what="it is there", timeout_s=60)


def test_what_hangs_is_let_go_when_faults_are_cleared(simulator: Simulator, ask: Ask) -> None:
    fault = simulator.faults.add("hang")

    def let_go() -> None:
        while not fault.hits:
            time.sleep(0.01)
        simulator.faults.clear()

    thread = threading.Thread(target=let_go)
    thread.start()
    with pytest.raises(requests.ConnectionError):
        ask("GET", "/2/info")
    thread.join()
    assert ask("GET", "/2/info").status_code == 200


def test_garbage(simulator: Simulator, ask: Ask) -> None:
    simulator.faults.add("garbage")
    answer = ask("GET", "/2/info")
    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_truncated(simulator: Simulator, ask: Ask) -> None:
    simulator.faults.add("truncated")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        ask("GET", "/2/info")


def test_slow(simulator: Simulator, ask: Ask) -> None:
    simulator.faults.slow(0.3, path="/2/info")
    begin = time.monotonic()
    assert ask("GET", "/2/info").status_code == 200
    assert time.monotonic() - begin >= 0.3


def test_count_and_skip(simulator: Simulator, ask: Ask) -> None:
    fault = simulator.faults.refuse(500, "no", path="/version", skip=1, times=2)
    codes = [ask("GET", "/version").status_code for _ in range(4)]
    assert codes == [200, 500, 500, 200]
    assert fault.hits == 2
    assert simulator.count("GET", "/version") == 4


def test_a_fault_of_no_kind(simulator: Simulator) -> None:
    with pytest.raises(ValueError, match="no such fault"):
        simulator.faults.add("earthquake")


def test_another_certificate(simulator: Simulator, ask: Ask) -> None:
    before = simulator.fingerprint
    simulator.change_certificate()
    assert simulator.fingerprint != before
    assert ask("GET", "/version").status_code == 200


def test_not_listening(simulator: Simulator, ask: Ask) -> None:
    simulator.stop_listening()
    with pytest.raises(requests.ConnectionError):
        ask("GET", "/version")
    simulator.listen_again()
    assert ask("GET", "/version").json() == 2


def test_not_a_word(simulator: Simulator, ask: Ask) -> None:
    simulator.fall_silent()
    with pytest.raises(requests.Timeout):
        ask("GET", "/version", timeout=0.5)
    simulator.speak_again()
    assert ask("GET", "/version").json() == 2


def test_the_certificate_can_be_verified(simulator: Simulator, rapi: requests.Session, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    path.write_text(simulator.ca_pem)
    assert rapi.get(f"{simulator.url}/version", verify=str(path)).json() == 2


def test_the_old_master_answers_502(simulator: Simulator, rapi: requests.Session) -> None:
    first, second = list(simulator.cluster.nodes)
    old = simulator.add_endpoint(first)
    new = simulator.add_endpoint(second)

    def codes() -> list[int]:
        return [rapi.get(f"https://127.0.0.1:{each.port}/2/info").status_code for each in (old, new)]

    assert codes() == [200, 502]
    simulator.outside.fail_over_master(second)
    assert codes() == [502, 200]
    assert rapi.get(f"https://127.0.0.1:{old.port}/version").json() == 2
    assert rapi.get(f"{simulator.url}/2/info").json()["master"] == second
