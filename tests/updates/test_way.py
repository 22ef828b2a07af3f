"""The way of an update, of a pass over jobs and of a console's ticket through the rooms: down, and nowhere up again.

What an operation answers when the pipeline asks it stands above the pipeline; that is the contract, and the only
way up.
"""

import pytest

from clusters.models import Node
from tests.architecture.way import Way
from tests.factories import make_admin
from tests.updates.test_following import VM1, follow, machine, operate, root  # noqa: F401
from updates.cycle import sync_cluster
from virtualmachines.models import VirtualMachine

pytestmark = pytest.mark.django_db


def asks_an_operation(call: tuple[str, str]) -> bool:
    """Whether the pipeline asks an operation, or an object for its name."""
    return ".operations." in call[1].partition(":")[0] or call[1].endswith("__str__")


def test_an_update_calls_nothing_above_it(simulator, cluster):
    simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name=VM1)
    way = Way()
    with way.followed():
        assert sync_cluster(cluster).outcome == "updated"
    assert {"updates", "virtualmachines", "clusters", "operations"} <= way.rooms
    assert way.upward == set()


def test_a_pass_over_jobs_asks_operations_and_nothing_else_above(simulator, cluster, root):  # noqa: F811
    operate(root, "shutdown", machine(cluster))
    way = Way()
    with way.followed():
        simulator.run_jobs()
        follow(cluster)
    assert {"updates", "virtualmachines", "clusters"} <= way.rooms
    assert [call for call in way.upward if not asks_an_operation(call)] == []


def test_a_ticket_of_a_console_asks_its_operation_and_nothing_else_above(cluster, client):
    client.force_login(make_admin())
    Node.objects.update(primary_ip="10.11.12.13")
    VirtualMachine.objects.filter(name=VM1).update(network_port=11005)
    way = Way()
    with way.followed():
        answer = client.post(f"/clusters/{cluster.slug}/vms/{VM1}/console/ticket/")
    assert answer.status_code == 200
    assert {"virtualmachines", "clusters", "permissions", "objectlog", "vncproxy"} <= way.rooms
    assert [call for call in way.upward if not asks_an_operation(call)] == []
