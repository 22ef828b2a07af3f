"""The simulator answers, counts, refuses and runs jobs."""

import pytest
import requests

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")


def test_reads_of_a_small_cluster(simulator, rapi):
    assert rapi.get(f"{simulator.url}/version").json() == 2
    assert rapi.get(f"{simulator.url}/2/info").json()["master"] == "node1.example.org"
    bulk = rapi.get(f"{simulator.url}/2/instances?bulk=1").json()
    assert [(each["name"], each["status"]) for each in bulk] == [(f"vm{n}.example.org", "running") for n in (1, 2, 3)]
    assert simulator.count("GET", "/2/instances") == 1


def test_a_job_goes_forward_by_hand(simulator, rapi):
    url = f"{simulator.url}/2/instances/vm1.example.org"
    number = rapi.put(f"{url}/shutdown?reason=gwm:abc", json={}).json()
    states = []
    while not states or states[-1] != "success":
        states.append(rapi.get(f"{simulator.url}/2/jobs/{number}").json()["status"])
        simulator.advance()
        assert len(states) < 20
    assert list(dict.fromkeys(states)) == ["queued", "waiting", "running", "success"]
    assert rapi.get(url).json()["status"] == "ADMIN_down"
    assert rapi.get(f"{simulator.url}/2/jobs/{number}").json()["ops"][0]["reason"][0][:2] == ["gnt:user", "gwm:abc"]


def test_a_clock_runs_jobs(make_simulator, rapi):
    simulator = make_simulator(instances=1, speed=100)
    number = rapi.put(f"{simulator.url}/2/instances/vm1.example.org/shutdown", json={}).json()
    with simulator.cluster.lock:
        assert simulator.queue.changed.wait_for(lambda: simulator.queue.jobs[number].finished, timeout=120)
    assert simulator.queue.jobs[number].status == "success"


def test_a_fault_hits_what_it_names_and_no_more(simulator, rapi):
    fault = simulator.faults.add("drop_after", method="PUT", path=r"/2/instances/.*", times=1)
    with pytest.raises(requests.ConnectionError):
        rapi.put(f"{simulator.url}/2/instances/vm1.example.org/startup")
    assert fault.hits == 1
    assert list(simulator.queue.jobs) == [1]
    assert rapi.put(f"{simulator.url}/2/instances/vm1.example.org/startup").json() == 2
