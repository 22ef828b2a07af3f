"""Real processes in which two admins decide the same request at the same instant, on both databases: one is decided."""

from __future__ import annotations

import pytest

from tests.processes.commands import Commands

pytestmark = [pytest.mark.standalone, pytest.mark.feature("G034")]

SET_UP = """
from clusters.models import Cluster
from permissions.models import User
from permissions.services import persona_of
from quotas.models import Request
for name in ("one", "two"):
    User.objects.create_superuser(name, f"{name}@example.org", "irrelevant")
cluster = Cluster.objects.create(slug="lab", host="127.0.0.1")
alice = User.objects.create_user("alice")
Request.objects.create(kind="quota", persona=persona_of(alice), asked_by=alice, cluster=cluster, vcpus=8, reason="more")
"""
# Both have read it while it was open; each waits for the word to go, and between judging and writing for the word to go
# on. Who comes to what another has locked says so at once, and tries again.
DECIDE = """
import sys
from django.db import OperationalError, connection
from objectlog.models import Via
from operations.contract import Actor, Ask, Refusal
from operations.pipeline import run
from people.operations.requests import Approve, ApproveParams, Decline, DeclineParams
from permissions.models import User
from quotas.models import Request
class Halting{which}({which}):
    then = ()
    def check(self, ask):
        super().check(ask)
        print("judged", flush=True)
        sys.stdin.readline()
who, asked = User.objects.get(username="{who}"), Request.objects.get()
params = {{"Approve": ApproveParams(vcpus=8, answer="yes"), "Decline": DeclineParams("no")}}["{which}"]
with connection.cursor() as cursor:
    cursor.execute("PRAGMA busy_timeout = 50" if connection.vendor == "sqlite" else "SET lock_timeout = 50")
print("ready", flush=True)
sys.stdin.readline()
told = ""
while not told:
    try:
        told = run(Halting{which}(), Ask(Actor(who, Via.CLI), asked, params)).outcome
    except Refusal as decided:
        told = str(decided)
    except OperationalError:
        print("held up", flush=True)
print(told, flush=True)
"""
STATE = """
from objectlog.models import Event
from people.models import Letter
from quotas.models import Quota, Request
asked = Request.objects.get()
done = sorted(Event.objects.filter(outcome="done", verb__startswith="request.").values_list("verb", flat=True))
print(asked.state, asked.decided_by, [quota.vcpus for quota in Quota.objects.all()], done, Letter.objects.count())
"""


def test_of_two_who_decide_a_request_at_the_same_instant_one_does(commands: Commands) -> None:
    commands.manage("shell", "-v0", "-c", SET_UP)
    first, second = (
        commands.start("shell", "-v0", "-c", DECIDE.format(which=which, who=who))
        for which, who in (("Approve", "one"), ("Decline", "two"))
    )
    for process in (first, second):
        assert process.stdout.readline().strip() == "ready"
    for process, does in ((first, "judged"), (second, "held up")):
        process.stdin.write("go\n")
        process.stdin.flush()
        assert process.stdout.readline().strip() == does
    first.stdin.write("on\n")
    first.stdin.flush()
    assert first.end().strip() == "done"
    assert second.end().strip().splitlines()[-1] == "It is decided already."
    assert commands.manage("shell", "-v0", "-c", STATE).strip() == "approved one [8] ['request.approve'] 0"
