"""Submissions by a batch, on a database of their own, against the same calls made by hand.

Ganeti's rate is what it takes to answer; what is added to it is ours. Both sides ask whose name it is and have a tag
added, one machine after the other, and take turns; jobs end in between, and nothing of that is timed. The first of the
jobs are at work while the last ones are submitted, on the same processors: where these are few, the ratio tells of
them, too, and what the batch itself costs is the row of its own CPU.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from time import perf_counter, process_time
from typing import NamedTuple

_DATA = tempfile.mkdtemp(prefix="gwm-bench-")
os.environ.update(
    DJANGO_SETTINGS_MODULE="gwm.settings",
    GWM_DATA_DIR=_DATA,
    GWM_SECRET_KEY=secrets.token_hex(32),
    GWM_FIELD_KEYS=secrets.token_hex(32),
    GWM_JOURNAL_KEYS=secrets.token_hex(32),
    GWM_CONSOLE_KEYS=secrets.token_hex(32),
    GWM_BATCH_JOBS="500",
)

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db.models import QuerySet  # noqa: E402
from django.utils import timezone  # noqa: E402

from clusters.models import Cluster, Schedule  # noqa: E402
from gwm.processes.ready import keep_what_is_loaded  # noqa: E402
from objectlog.models import OPEN_OUTCOMES, Entry, Via  # noqa: E402
from operations.contract import Actor  # noqa: E402
from operations.lanes import claim_lanes, work_lane  # noqa: E402
from operations.models import BatchItem, BatchLane, ItemState  # noqa: E402
from operations.planning import begin_batch, plan  # noqa: E402
from operations.table import OPERATIONS  # noqa: E402
from permissions.models import User  # noqa: E402
from tools.bench.rapi import Rapi  # noqa: E402
from tools.bench.rows import Row  # noqa: E402
from tools.bench.section import Order, run_section  # noqa: E402
from updates.cycle import sync_cluster  # noqa: E402
from updates.follower import follow_cluster  # noqa: E402
from virtualmachines.models import VirtualMachine  # noqa: E402

# How many of each turn: enough for what is done once a pass not to count, few enough for a queue that stays short.
EACH = 10
LIMIT = 1.2
_ENDED_WITHIN_S = 300.0

keep_what_is_loaded()  # as the processes of the product do


def measure(order: Order) -> Iterator[Row]:
    """Both rates, and what one is to the other."""
    call_command("migrate", verbosity=0)
    cluster = Cluster.objects.create(
        slug="bench",
        host=order.host,
        port=order.port,
        username=order.username,
        password=order.password,
        tls_fingerprint=order.fingerprint,
    )
    Schedule.objects.filter(pk=cluster.pk).update(operating_systems_at=timezone.now())
    report = sync_cluster(cluster)
    if report.outcome != "updated":
        raise RuntimeError(f"The update {report.outcome}: {report.error}")
    actor = Actor(User.objects.create_superuser("bench"), Via.CLI)
    chosen = cluster.virtual_machines.order_by("name").values("pk")[:EACH]
    machines = VirtualMachine.objects.filter(pk__in=list(chosen.values_list("pk", flat=True)))
    rapi, hands, batches = Rapi(order), list[Taken](), list[Taken]()
    for turn in range(order.runs + 1):
        hand = _timed(lambda turn=turn: _by_hand(rapi, machines, f"hand{turn}"))  # type: ignore[misc]
        _let_end(cluster, rapi)
        batch = plan(OPERATIONS["vm.add-tags"], actor, machines, {})
        begin_batch(batch, {"tags": f"batch{turn}"})
        items = BatchItem.objects.filter(batch=batch)
        mine = _timed(lambda items=items: _work(items))  # type: ignore[misc]
        if items.filter(state=ItemState.RUNNING).count() != EACH:
            raise RuntimeError(f"Not all were begun: {list(items.values_list('state', 'reason'))}")
        _let_end(cluster, rapi)
        if turn:  # the first warms up
            hands.append(hand)
            batches.append(mine)
    by_hand, by_batch = (statistics.median(each.wall_s for each in times) / EACH for times in (hands, batches))
    own, own_by_hand = (statistics.median(each.cpu_s for each in times) / EACH for times in (batches, hands))
    size = order.size
    yield Row("submit.hand", "Submission: by hand, each", size, by_hand)
    yield Row("submit.batch", "Submission: by a batch, each", size, by_batch)
    yield Row("submit.ratio", "Submission: by a batch to by hand", size, by_batch / by_hand, "x", LIMIT)
    yield Row("submit.cpu", "Submission: own CPU beyond that by hand, each", size, (own - own_by_hand) * 1000, "ms")


class Taken(NamedTuple):
    """Times of one turn, in seconds; `cpu_s` is this process's own."""

    wall_s: float
    cpu_s: float


def _timed(action: Callable[[], object]) -> Taken:
    began, cpu = perf_counter(), process_time()
    action()
    return Taken(perf_counter() - began, process_time() - cpu)


def _by_hand(rapi: Rapi, machines: QuerySet[VirtualMachine], tag: str) -> None:
    for name in machines.values_list("name", flat=True):
        rapi.query("instance", ["uuid"], ["=", "name", name])
        rapi.ask("PUT", f"/2/instances/{name}/tags?tag={tag}&reason=bench")


def _work(items: QuerySet[BatchItem]) -> None:
    """What a worker does when it is called, as often as it takes: a pass ends after a while."""
    while items.filter(state=ItemState.WAITING).exists():
        BatchLane.objects.update(queued_at=None, leased_until=None)
        for name in claim_lanes():
            work_lane(name)


def _let_end(cluster: Cluster, rapi: Rapi) -> None:
    """All jobs, and the entries that they belong to."""
    until = time.monotonic() + _ENDED_WITHIN_S
    while time.monotonic() < until:
        follow_cluster(cluster)
        waiting = json.loads(rapi.query("job", ["id"], ["|", *(["=", "status", each] for each in _OPEN)]))["data"]
        if not waiting and not Entry.objects.filter(outcome__in=OPEN_OUTCOMES).exists():
            return
        time.sleep(0.5)
    raise RuntimeError("The jobs did not end.")


_OPEN = ("queued", "waiting", "running", "canceling")

if __name__ == "__main__":
    try:
        run_section(measure)
    finally:
        shutil.rmtree(_DATA)
