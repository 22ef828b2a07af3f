"""Real processes that take one machine at the same instant, on both databases: the first has it, the second is told."""

from __future__ import annotations

import pytest

from tests.processes.commands import Commands

pytestmark = [pytest.mark.standalone, pytest.mark.feature("F120")]

SET_UP = """
from clusters.models import Cluster
from permissions.models import User
from permissions.services import persona_of
from virtualmachines.models import VirtualMachine
User.objects.create_superuser("root", "root@example.org", "irrelevant")
for person in (User.objects.get(), User.objects.create_user("alice")):
    persona_of(person)  # else one waits for the other to make it
cluster = Cluster.objects.create(slug="lab", host="127.0.0.1")
VirtualMachine.objects.create(cluster=cluster, name="web1.example.org", uuid="u-1", owner_tag="root")
"""
# Both have the page open that says it belongs to nobody; each waits for the word to go, and between judging and writing
# for the word to go on. Who comes to what another has locked says so at once, and tries again.
TAKE = """
import sys
from django.db import OperationalError, connection
from objectlog.models import Via
from operations.contract import Actor, Ask, Invalid
from operations.pipeline import run
from permissions.models import User
from permissions.services import persona_of
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.owning import OfOwnerParams, OwnerParams, SetOwner, version_of_owner
from virtualmachines.operations.reconciling import Adopt
class Halting{which}({which}):
    then = ()
    def check(self, ask):
        super().check(ask)
        print("judged", flush=True)
        sys.stdin.readline()
root, alice = User.objects.get(username="root"), persona_of(User.objects.get(username="alice"))
params = {{"Adopt": OfOwnerParams(version_of_owner(None)), "SetOwner": OwnerParams(version_of_owner(None), alice)}}
vm = VirtualMachine.objects.get()
with connection.cursor() as cursor:
    cursor.execute("PRAGMA busy_timeout = 50" if connection.vendor == "sqlite" else "SET lock_timeout = 50")
print("ready", flush=True)
sys.stdin.readline()
told = ""
while not told:
    try:
        told = run(Halting{which}(), Ask(Actor(root, Via.CLI), vm, params["{which}"])).outcome
    except Invalid as taken:
        told = str(taken)
    except OperationalError:
        print("held up", flush=True)
print(told, flush=True)
"""
OWNER = "from virtualmachines.models import VirtualMachine; print(VirtualMachine.objects.get().owner)"


@pytest.mark.parametrize("both", [("Adopt", "SetOwner"), ("Adopt", "Adopt"), ("SetOwner", "SetOwner")])
def test_of_two_who_take_a_machine_at_the_same_instant_one_has_it(commands: Commands, both: tuple[str, str]) -> None:
    commands.manage("shell", "-v0", "-c", SET_UP)
    first, second = (commands.start("shell", "-v0", "-c", TAKE.format(which=which)) for which in both)
    for process in (first, second):
        assert process.stdout.readline().strip() == "ready"
    for process, does in ((first, "judged"), (second, "held up")):
        process.stdin.write("go\n")
        process.stdin.flush()
        assert process.stdout.readline().strip() == does
    first.stdin.write("on\n")
    first.stdin.flush()
    assert first.end().strip() == "done"
    owner = {"Adopt": "root", "SetOwner": "alice"}[both[0]]
    assert second.end().strip().splitlines()[-1] == f"It belongs to {owner} by now. Nothing was changed."
    assert commands.manage("shell", "-v0", "-c", OWNER).strip() == owner
