"""Real processes that meet on one PostgreSQL: who may, who waits, who writes last, and what stands there in the end.

Where an order matters it is made from outside: by a row that the test locks, by the simulated cluster, which keeps an
answer back, and by stopping a process. Nothing depends on who happens to be quicker.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import sql

from simulator import Simulator
from tests.processes.commands import PATIENCE_S, Command, wait_for
from tests.races.commands import Product, migrated_database

pytestmark = [pytest.mark.standalone, pytest.mark.feature("G004")]

NAMES = [f"vm{number}.example.org" for number in range(1, 13)]
FOLLOW = (
    "from updates.follower import follow_cluster; from clusters.models import Cluster; "
    "print(follow_cluster(Cluster.objects.get()).outcome)"
)


class Meeting(Product):
    """On a PostgreSQL of its own, which is read and locked from outside."""

    def operate(self, verb: str, name: str) -> Command:
        return self.start("operate", verb, f"lab/{name}", "--as", "root")

    def follower(self) -> Command:
        return self.start("shell", "-v0", "-c", FOLLOW)

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(statement, values).fetchall()

    def write(self, statement: str, *values: Any) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement, values)

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """All rows of a table are held by somebody else."""
        with psycopg.connect(self.url) as connection:
            connection.execute(sql.SQL("SELECT 1 FROM {} FOR UPDATE").format(sql.Identifier(table)))
            yield
            connection.rollback()

    def waiting(self) -> int:
        """How many processes wait for a lock."""
        found = self.rows(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(found[0][0])

    def machine(self, name: str) -> tuple[str, bool]:
        """Ganeti's word for the state of a machine, and whether an operation holds it."""
        [found] = self.rows(
            "SELECT status, busy_entry IS NOT NULL FROM virtualmachines_virtualmachine WHERE name = %s", name
        )
        return found[0], found[1]

    def entries(self, name: str) -> list[tuple[str, str, list[int]]]:
        """Verb, outcome and jobs of every journal entry about a machine."""
        return [
            (verb, outcome, jobs)
            for verb, outcome, jobs in self.rows(
                "SELECT verb, outcome, job_ids FROM objectlog_entry WHERE target_name = %s ORDER BY id", name
            )
        ]

    def jobs_about(self, name: str) -> list[int]:
        """The numbers of the simulator's jobs about a machine."""
        return [
            job.id
            for job in self.simulator.queue.jobs.values()
            if any(op.get("instance_name") == name for op in job.ops)
        ]

    def deadlocks(self) -> int:
        """How many PostgreSQL had to break."""
        return int(self.rows("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")[0][0])


@pytest.fixture(autouse=True)
def quiet(product: Meeting) -> Iterator[None]:
    """Each test begins and ends with nothing under way."""
    product.simulator.forget_requests()
    yield
    product.simulator.faults.clear()
    product.simulator.run_jobs()
    product.sync()
    assert product.rows("SELECT 1 FROM objectlog_entry WHERE outcome IN ('submitting', 'submitted', 'unknown')") == []


@pytest.fixture(scope="module")
def product(postgresql_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meeting]:
    with migrated_database(postgresql_url) as url, Simulator(nodes=2, instances=12) as simulator:
        simulator.outside.submit("CLUSTER_REDIST_CONF")
        simulator.run_jobs()
        product = Meeting(tmp_path_factory.mktemp("races"), url, simulator)
        yield product
        assert product.deadlocks() == 0


def test_of_five_operations_on_one_machine_one_is_carried_out(product: Meeting) -> None:
    with product.locked("virtualmachines_virtualmachine"):
        processes = [
            product.operate(verb, NAMES[0]) for verb in ("shutdown", "reboot", "shutdown", "reboot", "shutdown")
        ]
        wait_for(lambda: product.waiting() == 5, "all five wait for the machine's row")
    ended = [(process, process.end(code=None)) for process in processes]
    assert sorted(process.returncode for process, _ in ended) == [0, 1, 1, 1, 1]
    assert sum("under way" in said or "in progress" in said for process, said in ended if process.returncode) == 4
    [(_, outcome, jobs)] = product.entries(NAMES[0])
    assert (outcome, jobs) == ("submitted", product.jobs_about(NAMES[0]))
    assert len(jobs) == 1 and product.machine(NAMES[0]) == ("running", True)


def test_operations_on_different_machines_do_not_wait_for_each_other(product: Meeting) -> None:
    with psycopg.connect(product.url) as other:
        other.execute("SELECT 1 FROM virtualmachines_virtualmachine WHERE name = %s FOR UPDATE", [NAMES[1]])
        waiting = product.operate("shutdown", NAMES[1])
        wait_for(lambda: product.waiting() == 1, "it waits for the row")
        product.operate("shutdown", NAMES[2]).end()
        assert product.entries(NAMES[1]) == [] and len(product.entries(NAMES[2])) == 1
        other.rollback()
    waiting.end()
    assert [len(product.jobs_about(name)) for name in (NAMES[1], NAMES[2], NAMES[3])] == [1, 1, 0]


def test_an_update_that_read_before_a_job_ended_does_not_win_against_the_follower(product: Meeting) -> None:
    product.operate("shutdown", NAMES[4]).end()
    product.simulator.forget_requests()
    kept_back = product.simulator.faults.add("slow", seconds=PATIENCE_S, path="/2/query/network", times=1)
    product.simulator.outside.modify(NAMES[5], tags=["new"])
    update = product.start("sync_clusters")
    wait_for(lambda: kept_back.hits, "the update waits for the networks")
    wait_for(lambda: product.simulator.count(path="/2/query/instance") >= 2, "it has asked for the machines")
    wait_for(lambda: product.simulator.count(path="/2/query/job") >= 1, "and for the jobs")
    product.simulator.run_jobs()
    assert "updated" in product.follower().end()
    assert product.machine(NAMES[4]) == ("ADMIN_down", False)
    assert [outcome for _, outcome, _ in product.entries(NAMES[4])] == ["succeeded"]
    product.simulator.faults.remove(kept_back)
    update.end()
    assert product.machine(NAMES[4]) == ("ADMIN_down", False)


def test_a_stalled_updater_writes_nothing_once_another_has_taken_over(product: Meeting) -> None:
    """It has read a crash that is over: its successor finds nothing to write, so that no row says who read last."""
    assert product.machine(NAMES[6])[0] == "running"
    product.simulator.outside.crash(NAMES[6])
    kept_back = product.simulator.faults.add("slow", seconds=PATIENCE_S, path="/2/query/network", times=1)
    stalled = product.start("sync_clusters")
    wait_for(lambda: kept_back.hits, "it reads")
    wait_for(lambda: product.simulator.count(path="/2/query/job") >= 1, "it has asked for everything else")
    wait_for(lambda: product.simulator.count(path="/2/query/instance") >= 2, "the machines among it")
    stalled.send_signal(signal.SIGSTOP)
    product.simulator.outside.start_stray(NAMES[6])
    product.write("UPDATE clusters_schedule SET leased_until = now() - interval '1 second'")
    product.sync()
    before = product.rows("SELECT name, status, changed_at, read_at FROM virtualmachines_virtualmachine ORDER BY id")
    stalled.send_signal(signal.SIGCONT)
    product.simulator.faults.remove(kept_back)
    assert "Another updater took over" in stalled.end(code=None)
    after = product.rows("SELECT name, status, changed_at, read_at FROM virtualmachines_virtualmachine ORDER BY id")
    assert after == before and product.machine(NAMES[6])[0] == "running"


def test_of_two_workers_on_one_cluster_one_leaves_it(product: Meeting) -> None:
    product.simulator.outside.add("new.example.org")
    product.simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name=NAMES[7])
    product.simulator.forget_requests()
    kept_back = product.simulator.faults.add("slow", seconds=PATIENCE_S, path="/2/query/network", times=1)
    first = product.start("sync_clusters", "--json")
    wait_for(lambda: kept_back.hits, "the first reads")
    second = product.start("sync_clusters", "--json").end()
    product.simulator.faults.remove(kept_back)
    assert '"outcome": "skipped"' in second
    assert '"outcome": "updated"' in first.end()
    assert (
        product.rows("SELECT name, count(*) FROM virtualmachines_virtualmachine GROUP BY name HAVING count(*) > 1")
        == []
    )
    assert product.machine("new.example.org") == ("running", False)
    [(jobs, numbers)] = product.rows("SELECT count(*), count(DISTINCT ganeti_id) FROM clusters_job")
    assert jobs == numbers


def test_two_followers_settle_an_entry_once(product: Meeting) -> None:
    product.operate("shutdown", NAMES[8]).end()
    product.simulator.run_jobs()
    with product.locked("clusters_schedule"):
        followers = [product.follower() for _ in range(3)]
        wait_for(lambda: product.waiting() == 3, "all three want the lease")
    said = sorted(follower.end().strip().splitlines()[-1] for follower in followers)
    assert said == ["skipped", "skipped", "updated"]
    [(verb, outcome, jobs)] = product.entries(NAMES[8])
    assert (verb, outcome, jobs) == ("vm.shutdown", "succeeded", product.jobs_about(NAMES[8]))
    assert product.machine(NAMES[8]) == ("ADMIN_down", False)


def test_all_at_once_for_a_while_and_every_row_is_right(product: Meeting) -> None:
    """Operations, updates and followers side by side: no circle of locks, and nothing lost or doubled."""
    names = NAMES[9:]
    operations = [product.operate("shutdown", name) for name in names]
    others = [product.start("sync_clusters"), product.follower()]
    for operation in operations:
        operation.end()
    product.simulator.run_jobs()
    others += [product.follower(), product.start("sync_clusters")]
    for process in others:
        process.end(code=None)
    product.sync()
    for name in names:
        assert product.entries(name) == [("vm.shutdown", "succeeded", product.jobs_about(name))]
        assert len(product.jobs_about(name)) == 1 and product.machine(name) == ("ADMIN_down", False)
