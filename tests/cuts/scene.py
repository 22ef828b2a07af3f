"""A product with a simulated cluster that has a machine for each case, in the state that its operation needs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from simulator import Simulator
from simulator.model import Disk
from tests.cuts.deaths import HOUR_S
from tests.cuts.points import Case
from tests.operations.conftest import MOVES
from tests.operations.test_checks import GIVEN, STOPPED
from tests.races.commands import Product

# What makes, changes, moves and destroys.
FOUR = ("vm.create", "vm.grow-disk", "vm.migrate", "vm.delete")
_CD = "/srv/debian.iso"
# The cluster lists a CD, and root owns all machines, of which Ganeti is not told.
_PREPARE = f"""
from clusters.models import Cluster
from permissions.models import User
from permissions.services import persona_of
from virtualmachines.models import VirtualMachine
Cluster.objects.update(cd_images=[{{"name": "Debian", "path": "{_CD}"}}])
VirtualMachine.objects.update(owner=persona_of(User.objects.get()))
"""


class Scene(Product):
    """It dies on the way, is started again, and says what became of everything."""

    def __init__(self, folder: Path, url: str, simulator: Simulator, cases: Sequence[Case]) -> None:
        for case in cases:
            _place(simulator, case)
        simulator.outside.submit("CLUSTER_REDIST_CONF")  # a cluster has had jobs before
        simulator.run_jobs()
        # As many jobs of batches as there are cases: none waits for the end of another.
        super().__init__(folder, url, simulator, GWM_BATCH_JOBS="500")
        for case in cases:
            if case.key != "vm.create":
                simulator.outside.modify(case.machine, hvparams={"cdrom_image_path": _CD})
        self.shell(_PREPARE)
        self.sync()

    def inside(self, call: str, *given: Any) -> Any:
        """A function of `deaths`, called inside the product; what it printed."""
        said = self.shell(
            f"import json; from tests.cuts import deaths; deaths.{call}(*json.loads({json.dumps(given)!r}))"
        )
        return json.loads(said.splitlines()[-1]) if said else None

    def break_lines(self, cases: Iterable[Case]) -> None:
        """The calls of these cases are cut off, or refused."""
        for point in {case.point for case in cases if case.point.fault}:
            options = {"code": 400, "message": "Parameter missing"} if point.fault == "refuse" else {}
            ending = f"-{point.name}.example.org"
            for method in ("PUT", "POST", "DELETE"):
                path = rf"/2/instances/[^/]+{ending.replace('.', '[.]')}(/.*)?"
                self.simulator.faults.add(point.fault, method=method, path=path, **options)
            self.simulator.faults.add(
                point.fault, method="POST", path="/2/instances", mentions=f"vm-create{ending}", **options
            )

    def find_out(self) -> None:
        """What worker, follower and updates do in the next hour."""
        self.simulator.faults.clear()
        for _pass in range(2):
            self.inside("let_time_pass")
            self._age_jobs()
            self.inside("carry_on")
            self.sync()
            self.simulator.run_jobs()
            self.sync()
        self.sync()

    def _age_jobs(self) -> None:
        for job in self.simulator.queue.jobs.values():
            job.received_ts = [job.received_ts[0] - HOUR_S, job.received_ts[1]]

    def jobs_about(self, name: str) -> list[int]:
        """Those of Ganeti that are about a machine."""
        return [
            job.id
            for job in self.simulator.queue.jobs.values()
            if any(name in (op.get("instance_name"), op.get("name")) for op in job.ops)
        ]


def typed(case: Case) -> dict[str, Any]:
    """What is typed into the form."""
    if case.key == "vm.create":
        return {"spec": {"name": case.machine, "os": "debootstrap+default", "disks": [{"size_mib": 1024}]}}
    if case.key == "vm.rename":
        return {"new_name": f"new-{case.machine}"}
    if case.key == "vm.attach-disk":
        return {"uuid": _loose_disk(case)}
    return GIVEN.get(case.key, {})


def _loose_disk(case: Case) -> str:
    return str(uuid5(NAMESPACE_DNS, case.machine))


def _place(simulator: Simulator, case: Case) -> None:
    if case.key == "vm.create":
        return
    options: dict[str, Any] = {"tags": ["old"], "disks": [Disk(1024), Disk(1024)]}
    if case.key in (*STOPPED, "vm.deactivate-disks"):
        options["admin_state"] = "down"
    if case.key == "vm.set-online":
        options["admin_state"] = "offline"
    if case.key in MOVES:
        options |= {"disk_template": "drbd", "secondary": "node2.example.org"}
    if case.key == "vm.attach-disk":
        disk = Disk(1024, uuid=_loose_disk(case))
        simulator.cluster.detached[disk.uuid] = disk
    simulator.outside.add(case.machine, "node1.example.org", **options)
