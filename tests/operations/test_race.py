"""Two operations at the same moment, on threads with connections of their own; and what is refused inside of others."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from clusters.models import Cluster, Job
from clusters.operations.cluster import add_cluster
from clusters.operations.wanted import ClusterSettings
from objectlog.models import Entry, Via
from operations.contract import Ask, Refusal
from operations.pipeline import run
from tests.factories import make_admin, make_cluster
from tests.operations.conftest import Actor, Scene
from virtualmachines.operations.power import Reboot, RebootParams, Shutdown, ShutdownParams

PATIENCE_S = 20.0


class Starter(threading.Thread):
    """One operation; `began` is set with its first statement inside of a transaction, `ended` says what came of it."""

    def __init__(self, operate: Callable[[], Entry]) -> None:
        super().__init__()
        self._operate = operate
        self.began = threading.Event()
        self.ended = "an error"

    def run(self) -> None:
        """Do it, and close the connection."""
        try:
            with connection.execute_wrapper(self._note):
                self.ended = str(self._operate().outcome)
        except Refusal:
            self.ended = "refused"
        finally:
            connection.close()

    def _note(self, execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("BEGIN") or connection.in_atomic_block:
            self.began.set()
        return execute(sql, *rest)


@contextmanager
def journal_held() -> Iterator[None]:
    """Nobody can write into the journal: who is about to has looked at the machine already."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE objectlog_entry IN SHARE MODE")
        yield


def count_held_up() -> int:
    """How many connections wait for a lock of PostgreSQL."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


def wait_for(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(int(PATIENCE_S / 0.02)):
        if condition():
            return
        pause.wait(0.02)
    raise AssertionError("it did not come about")


@pytest.mark.django_db(transaction=True)
@pytest.mark.feature("F145", "G004")
def test_of_two_at_the_same_moment_one_is_sent(scene: Scene) -> None:
    scene.simulator.hold_jobs()
    starters = [
        Starter(lambda: run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams()))),
        Starter(lambda: run(Reboot(), Ask(scene.alice, scene.vm, RebootParams()))),
    ]
    with journal_held():
        for starter in starters:
            starter.start()
        assert all(starter.began.wait(PATIENCE_S) for starter in starters)
        if connection.vendor == "postgresql":
            wait_for(lambda: count_held_up() == 2)
    for starter in starters:
        starter.join(PATIENCE_S)
    assert sorted(starter.ended for starter in starters) == ["refused", "submitted"]
    assert (scene.submissions(), Entry.objects.count(), Job.objects.count()) == (1, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_who_reads_and_then_writes_is_not_told_that_the_database_is_locked() -> None:
    """SQLite without IMMEDIATE refuses the write at once when somebody else has written since the reading."""
    cluster = make_cluster()
    has_written = threading.Event()

    def write() -> None:
        try:
            Cluster.objects.filter(pk=cluster.pk).update(description="by another")
            has_written.set()
        finally:
            connection.close()

    other = threading.Thread(target=write)
    with transaction.atomic():
        own = Cluster.objects.get(pk=cluster.pk)
        other.start()
        has_written.wait(1.0)
        own.name = "ours"
        own.save(update_fields=["name"])
    other.join(PATIENCE_S)
    cluster.refresh_from_db()
    assert (cluster.name, cluster.description) == ("ours", "by another")


@pytest.mark.django_db
@pytest.mark.feature("G004")
def test_nothing_is_sent_before_it_is_surely_written_down(scene: Scene) -> None:
    """Inside of somebody else's transaction the entry could be undone while Ganeti has the job."""
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams()))
    assert scene.simulator.requests == [] and not Entry.objects.exists()


@pytest.mark.django_db
def test_no_cluster_is_added_in_what_may_be_undone() -> None:
    wanted = ClusterSettings(slug="lab", host="ganeti.example.org")
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        add_cluster(Actor(make_admin(), Via.WEB), wanted)
    assert not Cluster.objects.exists()
