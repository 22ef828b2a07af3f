"""A batch's worker killed at any point, and another that goes on: nothing is sent twice, nothing forgotten.

Real processes, killed with SIGKILL; the points are held open from outside, as in test_exactly_once.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator import Simulator
from tests.operations.installation import Installation
from tests.processes.commands import PATIENCE_S, Command, wait_for

pytestmark = [pytest.mark.feature("G050"), pytest.mark.standalone]

PLAN = """
from objectlog.models import Via
from operations.contract import Actor
from operations.planning import begin_batch, plan
from permissions.models import User
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.power import Shutdown
batch = plan(Shutdown(), Actor(User.objects.get(), Via.WEB), VirtualMachine.objects.filter(name__in={names}), {{}})
assert begin_batch(batch, {{"timeout_s": 30}})
"""
# a call that is slow because the machine is busy ends no pass here
WORK = """
from operations.lanes import claim_lanes, work_lane
print([work_lane(name, hung_s=60) for name in claim_lanes()])
"""


def changes(simulator: Simulator) -> list[str]:
    """Addresses of instances that were to be changed; what is read by `PUT /2/query` changes nothing."""
    return [path for method, path in simulator.requests if method == "PUT" and path.startswith("/2/instances/")]


def working(work: str = WORK) -> list[str]:
    return ["shell", "-v0", "-c", work]


class Batches:
    """A product of its own, with batches of two machines and workers that can be killed."""

    def __init__(self, product: Installation) -> None:
        self.product, self.simulator = product, product.simulator

    def plan(self, *numbers: int) -> list[str]:
        names = [f"vm{number}.example.org" for number in numbers]
        self.product.manage("shell", "-v0", "-c", PLAN.format(names=names))
        return names

    def worker(self, work: str = WORK) -> Command:
        return self.product.start(*working(work))

    def go_on(self) -> None:
        """What worker, follower and updates do in the next minutes, after the lease of who was killed."""
        self.simulator.faults.clear()
        self.product.write(
            "UPDATE operations_batchlane SET leased_until = datetime('now', '-1 second'), queued_at = NULL"
        )
        self.product.let_time_pass()
        for _pass in range(2):
            self.product.manage(*working())
            self.product.sync()
            self.simulator.run_jobs()
            self.product.sync()
        self.product.manage(*working())

    def items(self, *names: str) -> list[tuple[str, str]]:
        """State of each item, and the outcome of its entry."""
        found = [
            self.product.rows(
                "SELECT i.state, coalesce(e.outcome, '') FROM operations_batchitem i"
                " LEFT JOIN objectlog_entry e ON e.id = i.entry_id WHERE i.target_name = ?",
                name,
            )
            for name in names
        ]
        return [(state, outcome) for [(state, outcome)] in found]

    def sent(self, name: str) -> int:
        return sum(f"/{name}/" in path for path in changes(self.simulator))

    def assert_done_once(self, *names: str) -> None:
        assert self.items(*names) == [("done", "succeeded")] * len(names)
        assert [len(self.product.jobs_about(name)) for name in names] == [1] * len(names)
        assert [self.entries(name) for name in names] == [1] * len(names)
        assert not any(self.product.is_busy(name) for name in names)
        assert {state for (state,) in self.product.rows("SELECT state FROM operations_batch")} == {"done"}

    def entries(self, name: str) -> int:
        return len(self.product.rows("SELECT 1 FROM objectlog_entry WHERE target_name = ?", name))


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Simulator(nodes=2, instances=16) as simulator:
        folder: Path = tmp_path_factory.mktemp("product")
        yield Installation(folder, simulator)


@pytest.fixture
def batches(product: Installation) -> Iterator[Batches]:
    product.simulator.forget_requests()
    yield Batches(product)
    product.simulator.faults.clear()


def test_killed_before_it_wrote_anything(batches: Batches) -> None:
    names = batches.plan(1, 2)
    batches.product.kill_before_it_writes(*working())
    assert batches.items(*names) == [("waiting", "")] * 2
    batches.go_on()
    batches.assert_done_once(*names)


def test_killed_after_the_entry_before_sending(batches: Batches) -> None:
    """Nothing tells this from a request that is on its way: it is not sent again by itself, and a person may."""
    names = batches.plan(3, 4)
    batches.product.kill_before_it_sends(*working())
    assert batches.items(*names) == [("running", "submitting"), ("waiting", "")]
    batches.go_on()
    assert batches.items(*names) == [("failed", "not_submitted"), ("done", "succeeded")]
    assert batches.product.jobs_about(names[0]) == []
    batches.product.manage(
        "shell",
        "-v0",
        "-c",
        "from operations.models import Batch; from operations.planning import retry_failed;"
        "assert retry_failed(Batch.objects.first()) == 1",
    )
    batches.go_on()
    assert batches.items(*names) == [("done", "succeeded")] * 2
    assert [len(batches.product.jobs_about(name)) for name in names] == [1, 1]


def test_killed_while_the_cluster_hangs_before_it_took_the_job(batches: Batches) -> None:
    names = batches.plan(5, 6)
    batches.simulator.faults.add("hang", method="PUT", path=f"/2/instances/{names[0]}/.*")
    batches.product.kill_while_it_waits(*working(), until=lambda: batches.sent(names[0]))
    batches.go_on()
    assert batches.items(*names) == [("failed", "not_submitted"), ("done", "succeeded")]
    assert batches.sent(names[0]) == 1 and batches.product.jobs_about(names[0]) == []


def test_killed_before_the_answer(batches: Batches) -> None:
    names = batches.plan(7, 8)
    batches.simulator.faults.add("hang_after", method="PUT", path=f"/2/instances/{names[0]}/.*")
    batches.product.kill_while_it_waits(*working(), until=lambda: batches.product.jobs_about(names[0]))
    assert batches.items(*names) == [("running", "submitting"), ("waiting", "")]
    batches.go_on()
    batches.assert_done_once(*names)


def test_killed_after_the_answer_before_it_was_written_down(batches: Batches) -> None:
    names = batches.plan(9, 10)
    batches.product.kill_before_it_writes_the_answer_down(
        *working(),
        path=f"/2/instances/{names[0]}/shutdown",
        is_taken=lambda: batches.product.jobs_about(names[0]),
    )
    batches.go_on()
    batches.assert_done_once(*names)


def test_killed_between_two_items(batches: Batches) -> None:
    names = batches.plan(11, 12)
    batches.simulator.faults.add("hang", method="PUT", path=f"/2/instances/{names[1]}/.*")
    batches.product.kill_while_it_waits(*working(), until=lambda: batches.sent(names[1]))
    assert batches.items(*names) == [("running", "submitted"), ("running", "submitting")]
    batches.go_on()
    assert batches.items(*names) == [("done", "succeeded"), ("failed", "not_submitted")]


def test_killed_amid_two_calls(batches: Batches) -> None:
    """One has not reached the cluster; of the other it has a job, and the answer never comes."""
    names = batches.plan(15, 16)
    batches.simulator.faults.add("hang", method="PUT", path=f"/2/instances/{names[0]}/.*")
    batches.simulator.faults.add("hang_after", method="PUT", path=f"/2/instances/{names[1]}/.*")
    batches.product.kill_while_it_waits(
        *working(WORK.replace("hung_s=60", "hung_s=60, calls=2")),
        until=lambda: batches.sent(names[0]) and batches.product.jobs_about(names[1]),
    )
    assert batches.items(*names) == [("running", "submitting")] * 2
    batches.go_on()
    assert batches.items(*names) == [("failed", "not_submitted"), ("done", "succeeded")]
    assert [batches.sent(name) for name in names] == [1, 1]
    assert [batches.sent(name) for name in names] == [1, 1]


def test_two_workers_at_once_send_each_item_once(batches: Batches) -> None:
    """Even where the lease does not hold them apart: the second finds the item begun."""
    names = batches.plan(13, 14)
    held = batches.simulator.faults.slow(PATIENCE_S, method="PUT", path=f"/2/instances/{names[0]}/.*")
    first = batches.worker()
    wait_for(lambda: batches.sent(names[0]), "the first sends")
    batches.product.write("UPDATE operations_batchlane SET leased_until = NULL, queued_at = NULL")
    batches.worker().end()
    batches.simulator.faults.remove(held)
    first.end()
    assert [batches.sent(name) for name in names] == [1, 1]
    batches.go_on()
    assert batches.items(*names) == [("done", "succeeded")] * 2


def test_a_cluster_that_hangs_holds_up_nobody_elses_items(batches: Batches) -> None:
    """One worker hangs with the one cluster; meanwhile another carries out everything on the other."""
    product = batches.product
    with Simulator(nodes=1, instances=3) as other:
        password = product.database.parent / "other"
        password.write_text(other.password)
        where = [f"--host={other.host}", f"--port={other.port}", f"--fingerprint={other.fingerprint}"]
        product.manage("add_cluster", "other", *where, f"--user={other.username}", f"--password-file={password}")
        product.sync()
        product.write("UPDATE virtualmachines_virtualmachine SET status = 'running', admin_state = 'up'")
        theirs = product.rows(
            "SELECT v.name FROM virtualmachines_virtualmachine v JOIN clusters_cluster c ON c.id = v.cluster_id"
            " WHERE c.slug = 'other'"
        )
        batches.simulator.faults.add("hang", method="PUT", path="/2/instances/.*")
        batches.plan(1, 2, 3)
        [(lane,)] = product.rows("SELECT 'cluster ' || id FROM clusters_cluster WHERE slug = 'lab'")
        hanging = batches.worker(f"from operations.lanes import work_lane; work_lane('{lane}')")
        wait_for(lambda: batches.sent("vm1.example.org"), "a worker waits for the cluster that hangs")
        second = batches.worker()
        wait_for(lambda: len(changes(other)) == len(theirs) == 3, "the other's are sent")
        assert second.end().strip() == "[3]"
        hanging.kill_amid()
        other.run_jobs()
        product.sync()
