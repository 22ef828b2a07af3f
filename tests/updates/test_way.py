"""The ways of an update, of a pass over jobs, of a console's ticket and of a reboot through the rooms: down, not up.

A call that ends higher than it begins is right only where the lower room says itself what it asks for, and the upper
one has answered by filling it in: a method that a class of the lower room (or below it) declares, such as a hook of
`Operation`, or a function in a row of the table of kinds. Nothing below knows then who answers, and nothing breaks when
that one goes. By name nothing calls upwards; import-linter holds that as well.
"""

import re
from importlib import import_module

import pytest
from django.urls import get_resolver

from clusters.models import Node
from objectlog.models import Entry
from tests.architecture.way import HEIGHT, ROOT, Way, room_of
from tests.factories import make_admin
from tests.updates.following import VM1, follow, machine, operate
from updates.cycle import sync_cluster
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.django_db, pytest.mark.alike]


#: of docs/architecture.md: functions, modules, calls that lead up
DRAWN = {
    name: tuple(map(int, numbers))
    for name, *numbers in re.findall(
        r"^\| ([^|]+) \| (\d+) \| (\d+) \| (\d+) \| 0 \|$",
        (ROOT / "docs" / "architecture.md").read_text(),
        re.MULTILINE,
    )
}


@pytest.fixture(autouse=True)
def loaded() -> None:
    """Modules that the first request of a process would load belong to no way."""
    assert get_resolver().url_patterns


def is_as_drawn(way: Way, name: str) -> bool:
    """Whether the document tells its length about right (what is kept from an earlier one is not called), and how many
    calls lead up exactly."""
    functions, modules, upward = DRAWN[name]
    lengths = ((len(way.functions), functions), (len(way.modules), modules))
    return all(abs(one - told) <= told / 5 for one, told in lengths) and len(way.upward) == upward


def is_answer(call: tuple[str, str]) -> bool:
    """Whether the caller's own room, or one below it, declares what the callee fills in."""
    caller, (module, _colon, name) = call[0], call[1].partition(":")
    if caller.startswith("permissions.kinds:Kind."):
        return True  # it calls what stands in its fields
    of, _dot, method = name.rpartition(".")
    kind = getattr(import_module(module), of, None)
    bases = kind.__mro__[1:] if isinstance(kind, type) else ()
    return any(method in vars(base) and height_of(base.__module__) <= height_of(caller) for base in bases)


def height_of(name: str) -> int:
    """What is not ours lies below all that is."""
    return HEIGHT.get(room_of(name), -1)


@pytest.mark.parametrize(
    ("caller", "callee", "answers"),
    [
        ("operations.pipeline:_send", "virtualmachines.operations.power:Reboot.submit", False),
        ("clusters.operations.ganeti:GanetiOperation.send", "virtualmachines.operations.power:Reboot.submit", True),
        ("operations.offers:find_obstacle", "virtualmachines.operations.power:Reboot.obstacle", True),
        ("operations.offers:find_obstacle", "virtualmachines.operations.power:explain_off_limits", False),
        ("clusters.sync.jobs:apply_jobs", "virtualmachines.sync.refresh:refresh_machines", False),
        ("permissions.kinds:places_of", "clusters.kinds:place_of_mirrored", False),
        ("objectlog.services:begin", "virtualmachines.models.vm:VirtualMachine.__str__", True),
    ],
)
def test_what_is_an_answer(caller, callee, answers):
    assert is_answer((caller, callee)) is answers


def test_an_update_calls_nothing_above_it(simulator, cluster):
    simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name=VM1)
    way = Way()
    with way.followed():
        assert sync_cluster(cluster).outcome == "updated"
    assert {"updates", "virtualmachines", "clusters", "operations"} <= way.rooms
    assert way.upward == set()
    assert is_as_drawn(way, "an update")


def test_a_pass_over_jobs_asks_operations_and_nothing_else_above(simulator, cluster, root):
    operate(root, "shutdown", machine(cluster))
    way = Way()
    with way.followed():
        simulator.run_jobs()
        follow(cluster)
    assert {"updates", "virtualmachines", "clusters"} <= way.rooms
    assert [call for call in way.upward if not is_answer(call)] == []


def test_a_ticket_of_a_console_asks_its_operation_and_nothing_else_above(cluster, client):
    client.force_login(make_admin())
    Node.objects.update(primary_ip="10.11.12.13")
    VirtualMachine.objects.filter(name=VM1).update(network_port=11005)
    way = Way()
    with way.followed():
        answer = client.post(f"/clusters/{cluster.slug}/vms/{VM1}/console/ticket/")
    assert answer.status_code == 200
    assert {"virtualmachines", "clusters", "permissions", "objectlog", "vncproxy"} <= way.rooms
    assert [call for call in way.upward if not is_answer(call)] == []
    assert is_as_drawn(way, "the ticket of a console")


def test_a_reboot_asks_its_operation_its_form_and_its_kind_and_nothing_else_above(simulator, cluster, client):
    """From the button to the end of its entry."""
    client.force_login(make_admin())
    way = Way()
    with way.followed():
        answer = client.post(f"/clusters/{cluster.slug}/vms/{VM1}/do/reboot/", {"type": "hard", "timeout_s": "10"})
        simulator.run_jobs()
        follow(cluster)
    assert answer.status_code == 302 and Entry.objects.get().outcome == "succeeded"
    assert {"operations", "virtualmachines", "clusters", "permissions", "objectlog", "updates"} <= way.rooms
    assert [call for call in way.upward if not is_answer(call)] == []
    assert is_as_drawn(way, "a reboot, from the button to the end of its entry")
