"""Real processes that claim from one quota at the same instant, on both databases: never more than it allows."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator import Simulator
from tests.processes.commands import Commands
from tests.races.commands import Product

pytestmark = [pytest.mark.standalone, pytest.mark.feature("F119")]
PROCESSES, EACH, LIMIT = 3, 3, 4

# Each waits for the word to go, then claims one machine after the other.
CLAIM = f"""
import sys, time
from uuid import uuid4
from django.db import transaction
from clusters.models import Cluster
from permissions.models import Persona
from quotas.amounts import Amounts
from quotas.models import Claim
from quotas.services import Exceeded, claim
persona, cluster = Persona.objects.get(), Cluster.objects.get()
def count_slowly():  # between reading the claims and writing one there is time for all others
    time.sleep(0.2)
    return Amounts()
print("ready", flush=True)
sys.stdin.readline()
made = 0
for _ in range({EACH}):
    try:
        with transaction.atomic():
            claim(persona, cluster, Amounts(machines=1), uuid4(), count_slowly)
        made += 1
    except Exceeded:
        pass
print(made, flush=True)
"""
SET_UP = f"""
from clusters.models import Cluster
from permissions.models import User
from permissions.services import persona_of
from quotas.amounts import Limits
from quotas.services import set_quota
cluster = Cluster.objects.create(slug="lab", host="127.0.0.1")
set_quota(persona_of(User.objects.create_user("alice")), cluster, Limits(machines={LIMIT}))
"""
COUNT = "from quotas.models import Claim; print(Claim.objects.count())"


def test_claims_at_the_same_instant_never_exceed_the_quota(commands: Commands) -> None:
    commands.manage("shell", "-v0", "-c", SET_UP)
    processes = [commands.start("shell", "-v0", "-c", CLAIM) for _ in range(PROCESSES)]
    for process in processes:
        assert process.stdout.readline().strip() == "ready"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert (
        sum(int(process.end()) for process in processes) == LIMIT == int(commands.manage("shell", "-v0", "-c", COUNT))
    )


# Each has a machine of its own, of one owner, who may run one.
START = """
import sys
from objectlog.models import Via
from operations.contract import Actor, Ask, NoParams, OverQuota
from operations.pipeline import run
from permissions.models import User
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.power import Start
root, vm = User.objects.get(username="root"), VirtualMachine.objects.order_by("name")[{number}]
print("ready", flush=True)
sys.stdin.readline()
try:
    print(run(Start(), Ask(Actor(root, Via.CLI), vm, NoParams())).outcome, flush=True)
except OverQuota:
    print("over quota", flush=True)
"""
ONE_MAY_RUN = """
from permissions.models import User
from permissions.services import persona_of
from quotas.amounts import Limits
from quotas.services import set_quota
from virtualmachines.models import VirtualMachine
alice, vm = persona_of(User.objects.create_user("alice")), VirtualMachine.objects.first()
VirtualMachine.objects.update(owner=alice)
assert all(each.status == "ADMIN_down" for each in VirtualMachine.objects.all())
set_quota(alice, vm.cluster, Limits(memory_mib=vm.memory_mib))
"""


@pytest.mark.feature("F117")
def test_machines_that_are_started_at_the_same_instant_never_exceed_it(url_of_its_own: str, tmp_path: Path) -> None:
    with Simulator(nodes=1, instances=PROCESSES) as simulator:
        product = Product(tmp_path, url_of_its_own, simulator)
        for name in list(simulator.cluster.instances):
            simulator.outside.stop(name)
        product.sync()
        product.shell(ONE_MAY_RUN)
        processes = [product.start("shell", "-v0", "-c", START.format(number=number)) for number in range(PROCESSES)]
        for process in processes:
            assert process.stdout.readline().strip() == "ready"
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        assert sorted(process.end().strip() for process in processes) == ["over quota", "over quota", "submitted"]
        assert int(product.shell(COUNT)) == 1
