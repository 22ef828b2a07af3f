"""Real processes that take one machine at the same instant, on both databases: the first has it, the second is told."""

from __future__ import annotations

import pytest

from tests.processes.commands import Commands

pytestmark = [pytest.mark.standalone, pytest.mark.feature("F120")]

SET_UP = """
from clusters.models import Cluster
from permissions.models import User
from virtualmachines.models import VirtualMachine
User.objects.create_superuser("root", "root@example.org", "irrelevant")
User.objects.create_user("alice")
cluster = Cluster.objects.create(slug="lab", host="127.0.0.1")
VirtualMachine.objects.create(cluster=cluster, name="web1.example.org", uuid="u-1", owner_tag="root")
"""
# Both have the page open that says it belongs to nobody; each waits for the word to go.
TAKE = """
import sys, time
from objectlog.models import Via
from operations.contract import Actor, Ask, Invalid
from operations.pipeline import run
from permissions.models import User
from permissions.services import persona_of
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.owning import OfOwnerParams, OwnerParams, SetOwner, version_of_owner
from virtualmachines.operations.reconciling import Adopt
class Slowly{which}({which}):  # between judging and writing there is time for the other
    then = ()
    def check(self, ask):
        super().check(ask)
        time.sleep(0.3)
root, alice = User.objects.get(username="root"), persona_of(User.objects.get(username="alice"))
params = {{"Adopt": OfOwnerParams(version_of_owner(None)), "SetOwner": OwnerParams(version_of_owner(None), alice)}}
vm = VirtualMachine.objects.get()
print("ready", flush=True)
sys.stdin.readline()
try:
    print(run(Slowly{which}(), Ask(Actor(root, Via.CLI), vm, params["{which}"])).outcome, flush=True)
except Invalid as taken:
    print(taken, flush=True)
"""
OWNER = "from virtualmachines.models import VirtualMachine; print(VirtualMachine.objects.get().owner)"


@pytest.mark.parametrize("both", [("Adopt", "SetOwner"), ("Adopt", "Adopt"), ("SetOwner", "SetOwner")])
def test_of_two_who_take_a_machine_at_the_same_instant_one_has_it(commands: Commands, both: tuple[str, str]) -> None:
    commands.manage("shell", "-v0", "-c", SET_UP)
    processes = [commands.start("shell", "-v0", "-c", TAKE.format(which=which)) for which in both]
    for process in processes:
        assert process.stdout.readline().strip() == "ready"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = sorted(process.end().strip() for process in processes)
    owner = commands.manage("shell", "-v0", "-c", OWNER).strip()
    assert owner in ("root", "alice")
    assert said == [f"It belongs to {owner} by now. Nothing was changed.", "done"]
