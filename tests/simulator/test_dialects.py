"""DRBD, LVM, RBD and Xen, of which no real cluster is at hand: what is asked and what is answered is Ganeti's.

Whatever jobs there were, their opcodes and results are judged by Ganeti's own definitions (`ganeti.opcodes`).
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from simulator import Simulator
from simulator.execution.paths import path_of
from tests.fixtures.databases import some_in_fast
from tests.simulator.conftest import Ask

pytestmark = [
    pytest.mark.filterwarnings("ignore:Unverified HTTPS request"),
    pytest.mark.program("gnt-instance", "ganeti"),
    pytest.mark.feature("G031"),
]
TEMPLATES = ("drbd", "plain", "rbd")
HYPERVISORS = ("kvm", "xen-pvm", "xen-hvm")
JUDGE = """
import json, sys
sys.path.insert(0, "/usr/share/ganeti/default")
from ganeti import errors, opcodes
bad = []
for op, result in json.load(sys.stdin):
    known = opcodes.OP_MAPPING[op["OP_ID"]]
    try:
        opcodes.OpCode.LoadOpCode(op).Validate(False)
    except (errors.GenericError, ValueError, TypeError) as error:
        bad.append([op, str(error)])
    if known.OP_RESULT is not None and not known.OP_RESULT(result):
        bad.append([op["OP_ID"], result, str(known.OP_RESULT)])
print(json.dumps(bad))
"""
CHANGES: dict[str, dict[str, Any]] = {
    "kvm": {"kernel_args": "ro quiet", "acpi": False},
    "xen-pvm": {"kernel_args": "ro quiet", "cpu_cap": 50},
    "xen-hvm": {"acpi": False, "boot_order": "dc"},
}


class Cluster:
    """A simulated cluster with what real ones have, and one machine on it."""

    name = "new.example.org"

    def __init__(self, simulator: Simulator, ask: Ask, hypervisor: str, template: str) -> None:
        self.simulator, self._ask = simulator, ask
        simulator.outside.change_defaults(
            enabled_hypervisors=list(HYPERVISORS), enabled_disk_templates=[*TEMPLATES, "diskless"]
        )
        body: dict[str, Any] = {
            "__version__": 1, "mode": "create", "instance_name": self.name, "os_type": "debootstrap+default",
            "disk_template": template, "disks": [{"size": 1024}], "nics": [{}], "hypervisor": hypervisor,
            "ip_check": False, "name_check": False, "pnode": "node1.example.org",
        }  # fmt: skip
        if template == "drbd":
            body["snode"] = "node2.example.org"
        self.job("POST", "/2/instances", body)

    @property
    def machine(self) -> Any:
        """As the cluster has it."""
        return self.simulator.cluster.instances[self.name]

    def job(self, method: str, path: str, body: Any, *, says: str = "") -> Any:
        """A job that is carried out, or (`says`) refused in these words; its result."""
        number = self._ask(method, path, json=body).json()
        self.simulator.run_jobs()
        job = self.simulator.queue.jobs[number]
        assert job.status == ("error" if says else "success"), job.results
        assert says in str(job.results)
        return job.results[0]

    def do(self, method: str, what: str, body: Any = None, *, says: str = "") -> Any:
        """The same, of the machine."""
        return self.job(method, f"/2/instances/{self.name}/{what}", body or {}, says=says)


@pytest.fixture
def make(make_simulator: Callable[..., Simulator], rapi: Any) -> Callable[[str, str], Cluster]:
    def build(hypervisor: str, template: str) -> Cluster:
        simulator = make_simulator(nodes=3)

        def ask(method: str, path: str, **options: Any) -> Any:
            return rapi.request(method, simulator.url + path, timeout=120, **options)

        return Cluster(simulator, ask, hypervisor, template)

    return build


def assert_as_ganeti_defines_them(simulator: Simulator) -> None:
    jobs = simulator.queue.jobs.values()
    said = [
        (op, result) for job in jobs if job.status == "success" for op, result in zip(job.ops, job.results, strict=True)
    ]
    done = subprocess.run(
        ["/usr/bin/python3", "-c", JUDGE], input=json.dumps(said), capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize(
    "hypervisor", [HYPERVISORS[0], *(pytest.param(each, marks=pytest.mark.long) for each in HYPERVISORS[1:])]
)
def test_a_life_as_this_kind_of_machine(make: Callable[[str, str], Cluster], hypervisor: str, template: str) -> None:
    cluster = make(hypervisor, template)
    machine, is_mirrored = cluster.machine, template != "plain"
    no = "" if is_mirrored else "Instance's disk layout 'plain' does not allow"
    where = {} if template == "drbd" else {"target_node": "node3.example.org"}
    to = ("node2" if template == "drbd" else "node3") + ".example.org"
    cluster.do("PUT", "migrate", where, says=no and f"{no} migrations")
    assert machine.primary == (to if is_mirrored else "node1.example.org")
    if is_mirrored:
        back = {} if template == "drbd" else {"target_node": "node1.example.org"}
        cluster.do("PUT", "failover", back)
    else:
        cluster.do("PUT", "failover", where, says=f"{no} failovers")
    assert machine.primary == "node1.example.org" and machine.runs_on == machine.primary
    one = "" if template == "drbd" else "expected one secondary but found 0"
    cluster.do("POST", "replace-disks", {"mode": "replace_on_primary"}, says=one)
    to_third = {"mode": "replace_new_secondary", "remote_node": "node3.example.org"}
    cluster.do("POST", "replace-disks", to_third, says=one)
    assert machine.secondary == ("node3.example.org" if template == "drbd" else None)
    cluster.do("POST", "disk/0/grow", {"amount": 512})
    assert machine.disks[0].size == 1536
    cluster.do("PUT", "modify", {"hvparams": CHANGES[hypervisor]})
    assert machine.hvparams == CHANGES[hypervisor]
    cluster.do("PUT", "modify", {"hvparams": {"no_such_parameter": 1}}, says="no_such_parameter")
    cluster.do("PUT", "shutdown")
    assert cluster.do("PUT", "activate-disks") == [[machine.primary, "disk/0", path_of(machine, 0)]]
    cluster.do("PUT", "deactivate-disks")
    cluster.do("POST", "recreate-disks", {"disks": [[0, {"size": 2048}]]})
    assert machine.disks[0].size == 2048
    nodes = ["node2.example.org", "node1.example.org"][: 2 if template == "drbd" else 1]
    cluster.do("POST", "recreate-disks", {"nodes": nodes})
    assert [machine.primary, machine.secondary][: len(nodes)] == nodes
    assert_as_ganeti_defines_them(cluster.simulator)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("other", some_in_fast(TEMPLATES, 3))
def test_disks_become_others(make: Callable[[str, str], Cluster], template: str, other: str) -> None:
    cluster = make("kvm", template)
    wanted = {"disk_template": other}
    if other == template:
        cluster.do("PUT", "modify", wanted, says=f"Instance already has disk template {other}")
        return
    cluster.do("PUT", "modify", wanted, says="cannot change disk template")
    cluster.do("PUT", "shutdown")
    if other == "drbd":
        same = wanted | {"remote_node": "node1.example.org"}
        cluster.do("PUT", "modify", same, says="same as the primary node of the instance")
        wanted["remote_node"] = "node3.example.org"
    cluster.do("PUT", "modify", wanted)
    assert cluster.machine.disk_template == other
    assert cluster.machine.secondary == ("node3.example.org" if other == "drbd" else None)
    cluster.do("PUT", "startup")
    assert_as_ganeti_defines_them(cluster.simulator)
