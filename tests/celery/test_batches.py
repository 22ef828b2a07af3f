"""Batches on several clusters that hang, and on one that does not: a real worker with few threads, and beat."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from simulator import Simulator
from tests.celery.test_path import Background
from tests.processes.commands import wait_for

pytestmark = [pytest.mark.standalone, pytest.mark.feature("G050")]

PLAN = """
from objectlog.models import Via
from operations.contract import Actor
from operations.planning import begin_batch, plan
from permissions.models import User
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.power import Shutdown
user = User.objects.get(username="root")
batch = plan(Shutdown(), Actor(user, Via.WEB), VirtualMachine.objects.filter(status="running"), {})
assert begin_batch(batch, {"timeout_s": 30})
"""
SYNCED = (
    "SELECT s.synced_at FROM clusters_schedule s JOIN clusters_cluster c ON c.id = s.cluster_id WHERE c.slug = 'lab'"
)
HANGING = 6


def test_clusters_that_hang_hold_up_nobody(tmp_path: Path) -> None:
    """More of them than the worker has threads; the items and the updates of the other cluster go on meanwhile."""
    with ExitStack() as stack:
        clusters = [stack.enter_context(Simulator(nodes=1, instances=3, speed=1.0)) for _ in range(HANGING)]
        healthy = stack.enter_context(Simulator(nodes=1, instances=3, speed=1.0))
        background = Background(tmp_path, healthy, "")
        product = background.installation
        for number, simulator in enumerate(clusters):
            password = tmp_path / f"password{number}"
            password.write_text(simulator.password)
            where = [f"--host={simulator.host}", f"--port={simulator.port}", f"--fingerprint={simulator.fingerprint}"]
            user = [f"--user={simulator.username}", f"--password-file={password}"]
            product.manage("add_cluster", f"other{number}", *where, *user)
            simulator.faults.add("hang", method="PUT", path="/2/instances/.*")
            stack.callback(simulator.faults.clear)
        product.sync()
        product.manage("shell", "-v0", "-c", PLAN)
        with background.worker(), background.beat():
            wait_for(lambda: all(map(asked, clusters)), "all of them hang")
            wait_for(lambda: states(background, "lab") == {"done"}, "the items of the healthy one are done")
            assert all(states(background, f"other{number}") >= {"waiting"} for number in range(HANGING))
            [(before,)] = product.rows(SYNCED)
            wait_for(lambda: product.rows(SYNCED) > [(before,)], "it is updated as well")
            for simulator in clusters:
                simulator.faults.clear()


def asked(simulator: Simulator) -> bool:
    return any(method == "PUT" and path.startswith("/2/instances/") for method, path in simulator.requests)


def states(background: Background, slug: str) -> set[str]:
    """How far the items on a cluster are."""
    return {
        state
        for (state,) in background.installation.rows(
            "SELECT i.state FROM operations_batchitem i JOIN clusters_cluster c ON i.lane = 'cluster ' || c.id"
            " WHERE c.slug = ? AND i.verdict = 'will'",
            slug,
        )
    }
