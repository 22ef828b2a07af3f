"""Submissions by a batch, on a database of their own, against the same calls made by hand.

Ganeti's rate is what it takes to answer; what is added to it is ours. Both sides ask whose name it is and have a tag
added, one machine after the other, and take turns at being first; jobs end in between, and nothing of that is timed.
Both are timed twice, and held to the limit both times. With the queue held Ganeti takes jobs, and begins none before
all are submitted. Without that, which is how the product is used, the first jobs are at work while the last ones are
submitted, on the processors that this program has, too: whoever submits a little later meets more of them and waits for
them, so that a few ms of one's own may look like many.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
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

from django.conf import settings  # noqa: E402
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
    rapi, held, at_work = Rapi(order), list[Turn](), list[Turn]()
    for number in range(order.runs + 1):
        for turns, holds, word in ((held, True, "held"), (at_work, False, "")):
            taken: dict[str, Taken] = {}
            for side in ("hand", "batch") if number % 2 else ("batch", "hand"):
                tag = f"{side}{word}{number}"
                taken[side] = _submit(side, tag, rapi, actor, machines, holds=holds)
                _let_end(cluster, rapi)
            if number:  # the first warms up
                turns.append(Turn(**taken))
    size = order.size
    yield Row("submit.hand", "Submission: by hand, each", size, _each(turn.hand.wall_s for turn in held))
    yield Row("submit.batch", "Submission: by a batch, each", size, _each(turn.batch.wall_s for turn in held))
    yield Row("submit.ratio", "Submission: by a batch to by hand", size, _ratio(held), "x", LIMIT)
    own_s = _each(turn.batch.cpu_s for turn in held) - _each(turn.hand.cpu_s for turn in held)
    yield Row("submit.cpu", "Submission: own CPU beyond that by hand, each", size, own_s * 1000, "ms")
    name = "Submission: by hand while the first jobs are at work, each"
    yield Row("submit.hand_at_work", name, size, _each(turn.hand.wall_s for turn in at_work))
    name = "Submission: by a batch to by hand, while the first jobs are at work"
    yield Row("submit.ratio_at_work", name, size, _ratio(at_work), "x", LIMIT)


class Taken(NamedTuple):
    """Times of one side of a turn, in seconds; `cpu_s` is this process's own."""

    wall_s: float
    cpu_s: float


class Turn(NamedTuple):
    """The same submissions, both ways."""

    hand: Taken
    batch: Taken


def _each(times: Iterable[float]) -> float:
    return statistics.median(times) / EACH


def _ratio(turns: Sequence[Turn]) -> float:
    return _each(turn.batch.wall_s for turn in turns) / _each(turn.hand.wall_s for turn in turns)


def _timed(action: Callable[[], object]) -> Taken:
    began, cpu = perf_counter(), process_time()
    action()
    return Taken(perf_counter() - began, process_time() - cpu)


def _submit(side: str, tag: str, rapi: Rapi, actor: Actor, machines: QuerySet[VirtualMachine], *, holds: bool) -> Taken:
    """All of one side of a turn."""
    if side == "hand":
        with _holding(rapi, holds=holds):
            return _timed(lambda: _by_hand(rapi, machines, tag))
    batch = plan(OPERATIONS["vm.add-tags"], actor, machines, {})
    begin_batch(batch, {"tags": tag})
    items = BatchItem.objects.filter(batch=batch)
    with _holding(rapi, holds=holds):
        taken = _timed(lambda: _work(items))
    if items.filter(state=ItemState.RUNNING).count() != EACH:
        raise RuntimeError(f"Not all were begun: {list(items.values_list('state', 'reason'))}")
    return taken


@contextmanager
def _holding(rapi: Rapi, *, holds: bool) -> Iterator[None]:
    """Whether Ganeti begins none of the jobs that it takes meanwhile: by a rule of its queue."""
    if not holds:
        yield
        return
    rule = {"priority": 0, "predicates": [["jobid", [">", "id", 0]]], "action": "PAUSE", "reason": [["bench", "", 0]]}
    uuid = json.loads(rapi.ask("POST", "/2/filters", rule))
    try:
        yield
    finally:
        rapi.ask("DELETE", f"/2/filters/{uuid}")


def _by_hand(rapi: Rapi, machines: QuerySet[VirtualMachine], tag: str) -> None:
    for name in machines.values_list("name", flat=True):
        rapi.query("instance", ["uuid"], ["=", "name", name])
        rapi.ask("PUT", f"/2/instances/{name}/tags?tag={tag}&reason=bench")


def _work(items: QuerySet[BatchItem]) -> None:
    """What a worker does when it is called, as often as it takes: a pass ends after a while."""
    while items.filter(state=ItemState.WAITING).exists():
        BatchLane.objects.update(queued_at=None, leased_until=None)
        for name in claim_lanes():
            work_lane(name, calls=settings.GWM_BATCH_CALLS)


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
