"""A reboot of many machines of a real Ganeti, while its worker is killed twice; and shut down, rename, start."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from clusters.models import Cluster
from objectlog.models import Entry, Outcome, Via
from operations.contract import Actor
from operations.detours import begin_detour
from operations.lanes import work_lane
from operations.models import BatchItem
from tests.factories import make_admin
from tests.ganeti.cluster import GanetiCluster
from tests.ganeti.test_sync import machine, track
from tests.processes.commands import ROOT
from tests.races.test_batches import RETRY, Batches
from tools.lab.cluster import FILE_DIR
from tools.lab.system import wait_until
from updates.follower import follow_cluster
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.rename import Rename

pytestmark = [pytest.mark.ganeti, pytest.mark.feature("G050")]

logger = logging.getLogger(__name__)

# By hand with 200: see docs/batches.md.
MACHINES = int(os.environ.get("GWM_TEST_BATCH_MACHINES", "8"))
CALLS = 2
# What was written and not sent at a death is given up after a minute, when every time-out has passed.
PATIENCE_S = 240.0 + 6.0 * MACHINES
PLAN = """
from objectlog.models import Via
from operations.contract import Actor
from operations.planning import begin_batch, plan
from permissions.models import User
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.power import Reboot
vms = VirtualMachine.objects.filter(name__startswith="load")
batch = plan(Reboot(), Actor(User.objects.get(username="root"), Via.WEB), vms, {})
assert begin_batch(batch, {"type": "hard", "timeout_s": 0})
"""


@pytest.fixture
def grown(ganeti: GanetiCluster) -> Iterator[list[str]]:
    """Names of many cheap machines that run, and whose disks are there: without them they would not start again."""
    names = ganeti.grow(MACHINES)
    make = (
        f"for name in {' '.join(names)}; do mkdir -p {FILE_DIR}/$name; truncate -s 1024M {FILE_DIR}/$name/disk0; done"
    )
    for node in ganeti.nodes:
        ganeti.run(node, "sh", "-c", make)
    yield names
    ganeti.grow(0)
    for node in ganeti.nodes:
        ganeti.run(node, "sh", "-c", f"rm -rf {FILE_DIR}/load*")


@contextmanager
def celery(product: Batches, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """One of Celery's programs, as `manage.py up` starts it."""
    command = [sys.executable, "-m", "celery", "-A", "gwm.celery", "-q", *words, "-l", "WARNING"]
    with (product.folder / "celery.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=product.environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(60)


def worker(product: Batches) -> Any:
    return celery(product, "worker", "-P", "threads", "-c", "4", "--without-gossip", "--without-mingle")


def test_a_reboot_of_many_machines_whose_worker_is_killed_twice(
    ganeti: GanetiCluster, grown: list[str], tmp_path: Path
) -> None:
    product = Batches(
        tmp_path, "", ganeti, GWM_SYNC_INTERVAL_S="60", GWM_RAPI_READ_TIMEOUT_S="10", GWM_BATCH_CALLS=str(CALLS)
    )
    product.prepare()
    before = set(reboots(ganeti))
    product.shell(PLAN)
    assert len(product.items()) == MACHINES
    began_at = time.monotonic()
    cut_off: set[str] = set()
    with celery(product, "beat", "--pidfile="):
        for part in (MACHINES // 4, MACHINES // 2):
            with worker(product) as process:
                soon(lambda part=part: sent(product) >= part, f"{part} are sent")
                process.kill()
                process.wait(60)
                left = written(product) - cut_off
                assert len(left) <= CALLS, "each call is written before it is made, and none before its turn"
                cut_off |= left
        with worker(product):
            soon(lambda: has_ended(product), "all have come to their end")
            failed = Counter(product.items())["failed"]
            assert never_sent(product) <= cut_off, "written and not sent at one of the deaths, and nothing else"
            if failed:
                assert f"again: {failed}" in product.shell(RETRY)
                soon(lambda: has_ended(product), "what was not sent is done as well")
    assert product.items() == ["done"] * MACHINES
    done = Counter({name: number for name, number in Counter(rebooted(ganeti, before)).items() if name in grown})
    assert done == Counter(grown), "each once, by Ganeti's own list of jobs"
    entries = product.ask("SELECT target_name, outcome FROM objectlog_entry WHERE verb = 'vm.reboot'")
    assert Counter(name for name, outcome in entries if outcome == "succeeded") == Counter(grown)
    assert Counter(outcome for _name, outcome in entries if outcome != "succeeded") == (
        Counter(not_submitted=failed) if failed else Counter()
    )
    took = time.monotonic() - began_at
    logger.info("%d machines in %.0f s, %d tried again; cut off: %s", MACHINES, took, failed, sorted(cut_off))


def soon(condition: Callable[[], bool], what: str) -> None:
    wait_until(condition, what=what, timeout_s=PATIENCE_S)


def sent(product: Batches) -> int:
    return sum(state != "waiting" for state in product.items())


def written(product: Batches) -> set[str]:
    """The machines whose call is written in the journal, and of whose job nothing is known yet."""
    rows = product.ask("SELECT target_name FROM objectlog_entry WHERE outcome IN ('submitting', 'unknown')")
    return {name for (name,) in rows}


def never_sent(product: Batches) -> set[str]:
    return {name for (name,) in product.ask("SELECT target_name FROM objectlog_entry WHERE outcome = 'not_submitted'")}


def has_ended(product: Batches) -> bool:
    return product.ask("SELECT state FROM operations_batch") == [("done",)]


def reboots(ganeti: GanetiCluster) -> dict[str, str]:
    """Number and summary of every job of Ganeti that reboots a machine."""
    lines = ganeti.gnt("job", "list", "--no-headers", "--separator=|", "-o", "id,summary").splitlines()
    return {number: words for number, _, words in (line.partition("|") for line in lines) if "INSTANCE_REBOOT" in words}


def rebooted(ganeti: GanetiCluster, before: set[str]) -> list[str]:
    """The machine of each reboot since then."""
    return [words.partition("(")[2].rstrip(")") for number, words in reboots(ganeti).items() if number not in before]


@pytest.mark.django_db
@pytest.mark.feature("F196")
def test_a_machine_that_runs_is_shut_down_renamed_and_started(ganeti: GanetiCluster) -> None:
    name, new = ganeti.add_fake_instance(), ganeti.fresh_name("restarted")
    cluster = track(ganeti, "real")
    vm = machine(cluster, name)
    begin_detour(Rename(), Actor(make_admin(), Via.WEB), vm, {"new_name": new, "timeout_s": 5})

    def has_ended() -> bool:
        work_lane(f"cluster {cluster.pk}")
        follow_cluster(Cluster.objects.get(pk=cluster.pk))
        return not BatchItem.objects.filter(state__in=["waiting", "running", "in_doubt"]).exists()

    wait_until(has_ended, what="the three steps", timeout_s=90.0)
    assert [(item.state, item.reason) for item in BatchItem.objects.order_by("position")] == [("done", "")] * 3
    assert list(Entry.objects.order_by("pk").values_list("verb", "target_name", "outcome")) == [
        ("vm.shutdown", name, Outcome.SUCCEEDED),
        ("vm.rename", name, Outcome.SUCCEEDED),
        ("vm.start", new, Outcome.SUCCEEDED),
    ]
    found = VirtualMachine.objects.get(pk=vm.pk)
    assert (found.name, found.status, found.uuid) == (new, "running", vm.uuid)
    assert ganeti.instance(new, "uuid", "status") == [vm.uuid, "running"]
    ganeti.remove(new)
