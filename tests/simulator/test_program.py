"""python -m simulator: the demo cluster, its state between starts, its end."""

from __future__ import annotations

import json
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from simulator import Simulator
from simulator.state import StateError, load, to_json

pytestmark = [
    pytest.mark.standalone,
    pytest.mark.feature("F299"),
    pytest.mark.filterwarnings("ignore:Unverified HTTPS request"),
]

STATES = {
    "running", "ADMIN_down", "ADMIN_offline", "ERROR_down", "ERROR_up", "ERROR_nodeoffline",
}  # fmt: skip


class Program:
    """The simulator in a process of its own."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "simulator", "--port", "0", "--no-consoles", *arguments]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def ready(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        assert select.select([self.process.stdout], [], [], 30)[0]
        facts: dict[str, Any] = json.loads(self.process.stdout.readline())
        return facts

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.communicate(timeout=120)
        return self.process.returncode


@pytest.fixture
def start() -> Iterator[Any]:
    programs = []

    def begin(*arguments: str) -> Program:
        programs.append(Program(*arguments))
        return programs[-1]

    yield begin
    for program in programs:
        if program.process.poll() is None:
            program.process.kill()
        program.process.communicate()


def test_the_demo_goes_on_after_a_restart(start, rapi: requests.Session, tmp_path: Path) -> None:
    arguments = ("--demo", "--quiet", "--state", str(tmp_path / "state.json"), "--certificate-dir", str(tmp_path / "c"))
    program = start(*arguments)
    facts = program.ready()
    url = f"https://127.0.0.1:{facts['port']}"
    rows = rapi.put(f"{url}/2/query/instance", json={"fields": ["name", "status", "uuid", "network_port"]}).json()[
        "data"
    ]
    assert len(rows) >= 30
    assert {row[1][1] for row in rows} == STATES
    nodes = rapi.get(f"{url}/2/nodes?bulk=1").json()
    assert {node["role"] for node in nodes} == {"M", "C", "D", "O"}
    assert {node["pip"] for node in nodes} == {"127.0.0.1"}
    assert len(rapi.get(f"{url}/2/groups").json()) == 2
    assert len(rapi.get(f"{url}/2/networks").json()) == 2
    past = rapi.get(f"{url}/2/jobs?bulk=1").json()
    assert {job["status"] for job in past} == {"success", "error", "canceled"}
    number = rapi.put(f"{url}/2/instances/web3.example.org/tags?tag=seen").json()
    assert number == max(job["id"] for job in past) + 1
    assert program.end() == 0

    program = start(*arguments)
    again = program.ready()
    assert again["fingerprint"] == facts["fingerprint"]
    url = f"https://127.0.0.1:{again['port']}"
    kept = rapi.put(f"{url}/2/query/instance", json={"fields": ["name", "status", "uuid", "network_port"]}).json()[
        "data"
    ]
    assert kept == rows
    assert rapi.get(f"{url}/2/jobs/{number}").json()["status"] is not None
    assert rapi.put(f"{url}/2/instances/web3.example.org/tags?tag=more").json() == number + 1
    assert (tmp_path / "c" / "rapi.pem").stat().st_mode & 0o777 == 0o600
    assert program.end(signal.SIGINT) == 0


def test_it_ends_with_its_parent(start) -> None:
    program = start("--instances", "5", "--with-parent")
    program.ready()
    assert program.process.stdin is not None
    program.process.stdin.close()
    assert program.process.wait(20) == 0
    program.process.stdin = None


def test_the_call_that_its_readme_shows(start, rapi: requests.Session) -> None:
    shown = (Path(__file__).resolve().parents[2] / "simulator" / "README.md").read_text(encoding="utf-8")
    [(name, password, path)] = re.findall(r"curl --insecure --user (\w+):(\w+) https://127\.0\.0\.1:5080(\S+)", shown)
    port = start("--instances", "5").ready()["port"]
    assert len(rapi.get(f"https://127.0.0.1:{port}{path}", auth=(name, password)).json()) == 5


def test_an_account_of_ones_own(start, rapi: requests.Session, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("of all\n")
    program = start("--username", "boss", "--password-file", str(password))
    facts = program.ready()
    url = f"https://127.0.0.1:{facts['port']}/version"
    assert rapi.get(url, auth=("boss", "of all")).json() == 2
    assert rapi.get(url).status_code == 401
    assert program.end() == 0


def test_a_port_in_use_is_said(start, simulator: Simulator) -> None:
    program = start("--port", str(simulator.port))
    _, errors = program.process.communicate(timeout=120)
    assert program.process.returncode == 1
    assert "Address already in use" in errors


def test_a_state_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    for text in ("not json", "{}", '{"version": 99}'):
        path.write_text(text)
        with pytest.raises(StateError, match=r"state\.json"):
            load(path)


def test_a_running_job_ends_in_error_after_a_restart(simulator: Simulator, tmp_path: Path) -> None:
    simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name="vm1.example.org")
    simulator.advance(2)
    simulator.outside.submit("INSTANCE_STARTUP", instance_name="vm1.example.org")
    path = tmp_path / "state.json"
    path.write_text(to_json(simulator.cluster, simulator.queue))
    cluster, jobs, last = load(path)
    assert [job.status for job in jobs.values()] == ["error", "queued"]
    assert last == 2
    assert cluster.instances == simulator.cluster.instances
