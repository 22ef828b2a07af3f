"""What a real Ganeti does with power: ways of rebooting, force off during a shutdown, machines that are reserved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

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
    SHUTDOWN_MARGIN_S,
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


def settle(cluster: Cluster, entry: Entry, patience_s: float = 90.0) -> float:
    """Follow until the operation has ended; seconds since it was begun."""

    def has_ended() -> bool:
        cluster.refresh_from_db()
        follow_cluster(cluster)
        entry.refresh_from_db()
        return not entry.is_open

    wait_until(has_ended, what="the end of the operation", timeout_s=patience_s)
    assert entry.outcome == Outcome.SUCCEEDED, entry.message
    [job] = Job.objects.filter(entry=entry)
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
    ("kind", "takes_timeout", "takes_settings"), [("soft", False, False), ("hard", True, True), ("full", True, True)]
)
def test_each_way_of_rebooting_a_kvm_guest(
    ganeti: GanetiCluster,
    cluster: Cluster,
    root: Actor,
    deaf: str,
    kind: str,
    takes_timeout: bool,
    takes_settings: bool,
) -> None:
    """What the dialog says of each: soft kills at once and keeps the settings; the others wait, and take new ones."""
    ganeti.modify(deaf, "-B", "vcpus=2")
    entry = run(Reboot(), Ask(root, machine(cluster, deaf), RebootParams(kind, 9)))
    took = settle(cluster, entry)
    assert (took >= 9) is takes_timeout, took
    assert took < 9 + SHUTDOWN_MARGIN_S + 5
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
    began = time.monotonic()
    forced = run(ShutdownNow(), Ask(root, machine(cluster, deaf), NoParams()))
    assert forced.outcome == Outcome.SUBMITTED
    assert machine(cluster, deaf).busy_until == until
    settle(cluster, forced)
    assert time.monotonic() - began < timeout_s + SHUTDOWN_MARGIN_S + 5
    gentle.refresh_from_db()
    assert gentle.outcome == Outcome.SUCCEEDED
    vm = machine(cluster, deaf)
    assert (vm.status, vm.is_busy) == ("ADMIN_down", False)
    assert timezone.now() < until + timedelta(seconds=5)


def test_force_off_takes_a_shutdown_that_waits_out_of_the_queue(
    ganeti: GanetiCluster, cluster: Cluster, root: Actor, deaf: str
) -> None:
    other = run(Reboot(), Ask(root, machine(cluster, deaf), RebootParams("hard", 8)))
    type(machine(cluster, deaf)).objects.update(busy_with="", busy_entry=None)  # as if somebody else had sent it
    gentle = run(Shutdown(), Ask(root, machine(cluster, deaf), ShutdownParams(300)))
    forced = run(ShutdownNow(), Ask(root, machine(cluster, deaf), NoParams()))
    took = time.monotonic()
    settle(cluster, forced)
    assert time.monotonic() - took < 60
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
