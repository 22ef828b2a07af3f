"""The two sides of the contract, spoken to by raw HTTPS: nothing here depends on the product's client."""

from __future__ import annotations

import http.client
import itertools
import ssl
import time
from typing import Any

import requests

from simulator import Simulator
from tests.fixtures.unverified import Unverified
from tests.ganeti.cluster import GanetiCluster
from tools.lab.system import growing_pauses

FINAL = {"success", "error", "canceled"}
JOB_TIMEOUT = 120.0  # seconds
FIRST_PAUSE = 0.01  # between looks at a job: one of the simulator takes as long


class Backend:
    """A RAPI to ask. ``nodes`` are full names, the master first."""

    kind: str
    domain: str

    def __init__(self, side: Simulator | GanetiCluster, nodes: list[str]) -> None:
        self.host, self.port = side.host, side.port
        self.account = (side.username, side.password)
        self.viewer = (side.viewer_username, side.viewer_password)
        self.fingerprint = side.fingerprint
        self.nodes = nodes
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = False  # by the fingerprint instead
        self.session.mount("https://", Unverified(side.fingerprint))
        self._numbers = itertools.count(1)

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}"

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """Send one request; ``body`` goes as JSON, ``data`` and ``headers`` as they are."""
        options.setdefault("auth", self.account)
        if body is not None:
            options["json"] = body
        return self.session.request(method, self.url + path, timeout=60, **options)

    def read(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def query(self, what: str, fields: list[str], qfilter: Any = None) -> list[list[list[Any]]]:
        answer = self.ask("PUT", f"/2/query/{what}", {"fields": fields, "qfilter": qfilter})
        assert answer.status_code == 200, answer.text
        rows: list[list[list[Any]]] = answer.json()["data"]
        return rows

    def submit(self, method: str, path: str, body: Any = None) -> int:
        answer = self.ask(method, path, body)
        assert answer.status_code == 200, answer.text
        number = answer.json()
        assert isinstance(number, int), answer.text
        return number

    def job(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self.read(f"/2/jobs/{number}")
        return found

    def wait(self, number: int) -> dict[str, Any]:
        """Poll until the job has ended."""
        end = time.monotonic() + JOB_TIMEOUT
        pauses = growing_pauses(FIRST_PAUSE)
        while time.monotonic() < end:
            job = self.job(number)
            if job["status"] in FINAL:
                return job
            time.sleep(next(pauses))
        raise TimeoutError(f"job {number} is still {job['status']}")

    def run(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        return self.wait(self.submit(method, path, body))

    def succeed(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        job = self.run(method, path, body)
        assert job["status"] == "success", job["opresult"]
        return job

    def fail(self, method: str, path: str, body: Any = None) -> Any:
        """Run a job that must end in error; what its first failed opcode says."""
        job = self.run(method, path, body)
        assert job["status"] == "error", job
        return next(
            result for status, result in zip(job["opstatus"], job["opresult"], strict=True) if status == "error"
        )

    def raw(self, method: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str]] | None:
        """Send a request that requests would tidy up; None when the connection closes without an answer."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(self.host, self.port, context=context, timeout=120)
        authorization = requests.auth._basic_auth_str(*self.account)
        try:
            connection.request(method, path, headers={"Authorization": authorization, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders())
        except http.client.RemoteDisconnected:
            return None
        finally:
            connection.close()

    def fresh_name(self) -> str:
        return f"contract{next(self._numbers)}.{self.domain}"

    def create(self, name: str | None = None, **options: Any) -> str:
        """Create a machine without disks under the hypervisor fake; its name."""
        name = name or self.fresh_name()
        self.succeed("POST", "/2/instances", self.creation(name, **options))
        return name

    def creation(self, name: str, **options: Any) -> dict[str, Any]:
        body: dict[str, Any] = {
            "__version__": 1, "mode": "create", "name": name, "os": "noop", "disk_template": "diskless", "disks": [],
            "nics": [{}], "hypervisor": "fake", "beparams": {"memory": 32}, "ip_check": False, "name_check": False,
        }  # fmt: skip
        if "pnode" not in options and "iallocator" not in options:
            body["pnode"] = self.nodes[0]
        return body | options

    def instance(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.read(f"/2/instances/{name}")
        return found

    def archive(self, number: int) -> None:
        raise NotImplementedError


class SimulatedBackend(Backend):
    kind = "simulator"
    domain = "example.org"

    def __init__(self, simulator: Simulator) -> None:
        super().__init__(simulator, list(simulator.cluster.nodes))
        self.simulator = simulator

    def archive(self, number: int) -> None:
        self.simulator.outside.archive_job(number)


class RealBackend(Backend):
    kind = "ganeti"

    def __init__(self, cluster: GanetiCluster) -> None:
        nodes = sorted(cluster.nodes, key=lambda name: name != cluster.lab.master)
        super().__init__(cluster, nodes)
        self.cluster = cluster
        self.domain = nodes[0].partition(".")[2]

    def archive(self, number: int) -> None:
        self.cluster.gnt("job", "archive", str(number))
