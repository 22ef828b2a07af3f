"""Processes that die at a step of an operation. This runs inside the product; each death is that of a fork of it."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import F

from clusters.models import Cluster, Job, Schedule
from objectlog.models import Entry, Outcome, Via
from operations.contract import Actor, AnyOperation, Ask, Claims, Submission
from operations.forms import params_from
from operations.lanes import claim_lanes, work_lane
from operations.models import Batch, BatchItem, BatchLane
from operations.pipeline import run
from operations.planning import begin_batch, plan, plan_each, retry_failed
from operations.table import OPERATIONS
from permissions.models import User
from updates.follower import follow_cluster
from virtualmachines.models import VirtualMachine

HOUR_S = 3600
# An operation's key, the machine's name, what is typed, and the hook in which the process dies ("": in none).
Deed = tuple[str, str, dict[str, Any], str]


def dying(operation: AnyOperation, machine: str, dies_in: str) -> AnyOperation:
    """The same operation, which ends its process in that hook when it is done to this machine."""
    known: Any = type(operation)

    def end(at: str, name: str) -> None:
        if (at, name) == (dies_in, machine):
            os.kill(os.getpid(), signal.SIGKILL)

    def name_of(ask: Ask[Any, Any]) -> str:
        return str(ask.params.spec.name if operation.asked_of else ask.target.name)

    class Dying(known):  # type: ignore[misc]
        def claim(self, ask: Ask[Any, Any], entry: UUID) -> Claims:
            claims: Claims = super().claim(ask, entry)
            end("claim", name_of(ask))
            return claims

        def send(self, ask: Ask[Any, Any], entry: Entry, fence: Callable[[], None]) -> Submission:
            end("send", name_of(ask))
            submission: Submission = super().send(ask, entry, fence)
            end("sent", name_of(ask))
            return submission

        def accept(self, ask: Ask[Any, Any], entry: Entry, submission: Submission) -> None:
            super().accept(ask, entry, submission)
            end("accept", name_of(ask))

        def succeeded(self, entry: Entry) -> None:
            super().succeeded(entry)
            end("settle", entry.target_name)

    return Dying()


def say(what: object) -> None:
    """The last line of what this process prints is its answer."""
    sys.stdout.write(f"{json.dumps(what)}\n")


def fork(deed: Callable[[], object]) -> bool:
    """Do it in a process of its own, with a connection of its own; whether that one was killed."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            deed()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def do(deeds: Iterable[Deed]) -> None:
    """Carry them out one by one, each by a process that may die; prints whether it did."""
    actor = Actor(User.objects.get(username="root"), Via.WEB)
    died = []
    for key, machine, typed, dies_in in deeds:
        operation = dying(OPERATIONS[key], machine, dies_in)
        target = target_of(operation, machine)
        params = params_from(operation, actor, target, typed)
        died.append(fork(partial(run, operation, Ask(actor, target, params))))
    say(died)


def target_of(operation: AnyOperation, machine: str) -> Any:
    """The machine, or the cluster on which it is made."""
    return Cluster.objects.get() if operation.asked_of else VirtualMachine.objects.get(name=machine)


def follow(machines: Iterable[tuple[str, str]]) -> None:
    """Passes over the jobs, each of which dies as it settles the operation on one of the machines; whether it did."""
    died = []
    for key, machine in machines:
        Schedule.objects.update(follow_leased_until=None)
        known = OPERATIONS[key]
        OPERATIONS[key] = dying(known, machine, "settle")
        died.append(fork(lambda: follow_cluster(Cluster.objects.get())))
        OPERATIONS[key] = known
    say(died)


def work(deeds: Iterable[Deed]) -> None:
    """A batch for each, and a worker that dies as it carries it out; prints whether it did."""
    died = []
    for key, machine, typed, dies_in in deeds:
        begin(OPERATIONS[key], machine, typed)
        known = OPERATIONS[key]
        OPERATIONS[key] = dying(known, machine, dies_in)
        died.append(fork(carry_on))
        OPERATIONS[key] = known
    say(died)


def begin(operation: AnyOperation, machine: str, typed: dict[str, Any]) -> None:
    """A batch of one machine."""
    actor = Actor(User.objects.get(username="root"), Via.WEB)
    if operation.asked_of:
        batch, data = plan_each(operation, actor, Cluster.objects.get(), [(machine, typed)]), {}
    else:
        batch, data = plan(operation, actor, VirtualMachine.objects.filter(name=machine), typed), typed
    assert begin_batch(batch, data)


def carry_on() -> None:
    """A worker's pass, after the lease of one that died."""
    BatchLane.objects.update(leased_until=None, queued_at=None)
    for lane in claim_lanes():
        work_lane(lane, hung_s=3600)


def retry() -> None:
    """Somebody has what failed done again."""
    for batch in Batch.objects.all():
        retry_failed(batch)


def let_time_pass() -> None:
    """As if what is open, or waits, had been so for an hour, and all leases of the dead had run out."""
    hour = timedelta(seconds=HOUR_S)
    doubtful = Entry.objects.filter(outcome__in=(Outcome.SUBMITTING, Outcome.UNKNOWN))
    doubtful.update(created_at=F("created_at") - hour)
    Job.objects.update(received_at=F("received_at") - hour)
    Schedule.objects.update(leased_until=None, follow_leased_until=None)
    BatchLane.objects.update(leased_until=None, queued_at=None)
    BatchItem.objects.update(try_at=None)


def tell() -> None:
    """Print all entries by the machine they are about, the items of batches, and which machines are busy."""
    found: dict[str, Any] = {"entries": {}, "items": {}}
    for entry in Entry.objects.order_by("pk"):
        found["entries"].setdefault(entry.target_name, []).append(
            {"verb": entry.verb, "outcome": entry.outcome, "jobs": entry.job_ids, "words": entry.message}
        )
    for item in BatchItem.objects.order_by("pk"):
        found["items"].setdefault(item.target_name, []).append(item.state)
    found["busy"] = sorted(VirtualMachine.objects.exclude(busy_entry=None).values_list("name", flat=True))
    found["machines"] = dict(VirtualMachine.objects.values_list("name", "uuid"))
    say(found)
