"""What a real Ganeti does with power: ways of rebooting, force off during a shutdown, machines that are reserved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from clusters.models import Cluster, Job, JobStatus
from clusters.operations.job import CancelJob
from objectlog.models import Entry, Outcome, Via
from operations.contract import Actor, Ask, NoParams
from operations.pipeline import run
from tests.factories import make_admin
from tests.ganeti.cluster import GanetiCluster
from tests.ganeti.test_sync import machine, track
from tests.updates.conftest import update
from tools.lab.system import run_program, wait_until
from updates.follower import follow_cluster
from virtualmachines.operations.power import (
    Reboot,
    RebootParams,
    Shutdown,
    ShutdownNow,
    ShutdownParams,
    Start,
)

pytestmark = [pytest.mark.ganeti, pytest.mark.django_db]


@pytest.fixture
def cluster(ganeti: GanetiCluster, db: None) -> Cluster:
    return track(ganeti, "real")


@pytest.fixture
def root(db: None) -> Actor:
    return Actor(make_admin(), Via.WEB)


@pytest.fixture
def deaf(ganeti: GanetiCluster, cluster: Cluster) -> Iterator[str]:
    """A running KVM guest with nothing to boot: it does not hear when it is asked to shut down."""
    name = ganeti.fresh_name("deaf")
    hardware = ["-t", "diskless", "-B", "memory=64M,vcpus=1", "-H", "kvm:kernel_path="]
    unchecked = ["--no-install", "--no-name-check", "--no-ip-check"]
    ganeti.gnt("instance", "add", *hardware, "-o", "noop", "-n", ganeti.nodes[0], *unchecked, name)
    ganeti.start(name)
    update(cluster)
    yield name
    ganeti.remove(name)


def settle(cluster: Cluster, entry: Entry, patience_s: float = 240.0) -> Job:
    """Follow until the operation has ended; its job."""

    def has_ended() -> bool:
        cluster.refresh_from_db()
        follow_cluster(cluster)
        entry.refresh_from_db()
        return not entry.is_open

    wait_until(has_ended, what="the end of the operation", timeout_s=patience_s)
    assert entry.outcome == Outcome.SUCCEEDED, entry.message
    [job] = Job.objects.filter(entry=entry)
    return job


def seconds_of(job: Job) -> float:
    """How long Ganeti says that it ran."""
    assert job.ended_at is not None and job.started_at is not None
    return (job.ended_at - job.started_at).total_seconds()


def processors_of(name: str) -> str:
    """With how many processors the guest's process was started."""
    for line in run_program(["ps", "ax", "-o", "args"]).splitlines():
        words = line.split()
        if "-smp" in words and any(name in word for word in words):
            return words[words.index("-smp") + 1].split(",")[0]
    return ""


@pytest.mark.parametrize(
    ("kind", "timeout_s", "takes_timeout", "takes_settings"),
    # One that waited for 300 s would not end while it is watched.
    [("soft", 300, False, False), ("hard", 9, True, True), ("full", 9, True, True)],
)
def test_each_way_of_rebooting_a_kvm_guest(
    ganeti: GanetiCluster,
    cluster: Cluster,
    root: Actor,
    deaf: str,
    kind: str,
    timeout_s: int,
    takes_timeout: bool,
    takes_settings: bool,
) -> None:
    """What the dialog says of each: soft kills at once and keeps the settings; the others wait, and take new ones."""
    ganeti.modify(deaf, "-B", "vcpus=2")
    entry = run(Reboot(), Ask(root, machine(cluster, deaf), RebootParams(kind, timeout_s)))
    job = settle(cluster, entry)
    assert (seconds_of(job) >= timeout_s) is takes_timeout, seconds_of(job)
    assert processors_of(deaf) == ("2" if takes_settings else "1")
    assert machine(cluster, deaf).status == "running"


def test_force_off_during_a_shutdown_that_runs(cluster: Cluster, root: Actor, deaf: str) -> None:
    """Ganeti does not let a running shutdown be cancelled, and the forced one waits for it: off by its timeout."""
    timeout_s = 20
    gentle = run(Shutdown(), Ask(root, machine(cluster, deaf), ShutdownParams(timeout_s)))

    def is_running() -> bool:
        cluster.refresh_from_db()
        follow_cluster(cluster)
        return Job.objects.filter(entry=gentle, status=JobStatus.RUNNING).exists()

    wait_until(is_running, what="the shutdown runs", timeout_s=30.0)
    until: Any = machine(cluster, deaf).busy_until
    assert until is not None
    refused = run(CancelJob(), Ask(root, Job.objects.get(entry=gentle), NoParams()))
    assert (refused.outcome, "can't cancel" in refused.message) == (Outcome.REFUSED, True)
    forced = run(ShutdownNow(), Ask(root, machine(cluster, deaf), NoParams()))
    assert forced.outcome == Outcome.SUBMITTED
    assert machine(cluster, deaf).busy_until == until
    second, first = settle(cluster, forced), settle(cluster, gentle)
    assert seconds_of(first) >= timeout_s
    assert first.ended_at is not None and second.ended_at is not None
    assert second.ended_at >= first.ended_at
    vm = machine(cluster, deaf)
    assert (vm.status, vm.is_busy) == ("ADMIN_down", False)


def test_force_off_takes_a_shutdown_that_waits_out_of_the_queue(
    ganeti: GanetiCluster, cluster: Cluster, root: Actor, deaf: str
) -> None:
    other = run(Reboot(), Ask(root, machine(cluster, deaf), RebootParams("hard", 8)))
    type(machine(cluster, deaf)).objects.update(busy_with="", busy_entry=None)  # as if somebody else had sent it
    gentle = run(Shutdown(), Ask(root, machine(cluster, deaf), ShutdownParams(300)))
    forced = run(ShutdownNow(), Ask(root, machine(cluster, deaf), NoParams()))
    settle(cluster, forced)  # whoever waited for the shutdown would wait for longer than this does
    for entry in (other, gentle):
        entry.refresh_from_db()
    assert gentle.outcome == Outcome.CANCELED
    assert machine(cluster, deaf).status == "ADMIN_down"


def test_a_machine_that_is_only_reserved(ganeti: GanetiCluster, cluster: Cluster, root: Actor) -> None:
    name = ganeti.fresh_name("reserved")
    hardware = ["-t", "diskless", "-B", "memory=16M,vcpus=1", "-H", "fake", "-o", "noop", "-n", ganeti.nodes[0]]
    ganeti.gnt("instance", "add", "--forthcoming", *hardware, "--no-name-check", "--no-ip-check", name)
    try:
        update(cluster)
        vm = machine(cluster, name)
        assert vm.status == "forthcoming"
        assert "only reserved" in str(Start().obstacle(vm))
    finally:
        ganeti.remove(name)
