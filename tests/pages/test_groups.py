"""Orders by what many rows share: pages are found by the groups they are of, and are the same as if all were sorted."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext

from permissions.services import persona_of
from tests.factories import make_cluster, make_node, make_user, make_vm
from tests.fixtures.databases import some_in_fast
from ui.groups import Through, cut_to_groups
from ui.listing import order_rows
from ui.paging import DEEPEST, MANY, Pages
from virtualmachines.columns import VM_TABLE
from virtualmachines.models import VirtualMachine

pytestmark = pytest.mark.django_db

ORDERS = {name: fields[0] for name, fields in VM_TABLE.orders.items() if isinstance(fields[0], Through)}
WAYS = [sign + name for name in ORDERS for sign in ("", "-")]


@pytest.fixture
def machines():
    """Nodes of one name on two clusters, a person and a team of one name, and machines of nobody on no node."""
    clusters = [make_cluster("a"), make_cluster("b")]
    nodes = [make_node(cluster, name) for cluster in clusters for name in ("node1", "node2", "node10")]
    owners = [persona_of(make_user(name)) for name in ("web", "Anna", "zoe")]
    owners.append(persona_of(Group.objects.create(name="web")))
    for index in range(48):
        node = [*nodes, None][index % 7]
        make_vm(
            (node or nodes[0]).cluster,
            name=f"vm{index * 7 % 48}.example.org",
            primary_node=node,
            secondary_node=nodes[index % 2],
            owner=[*owners, None, None][index % 6],
        )
    return VirtualMachine.objects.all()


@pytest.mark.feature("F126")
@pytest.mark.parametrize("sort", some_in_fast(WAYS, 3))
def test_every_stretch_is_the_same_as_if_all_rows_were_sorted(machines, sort):
    through = ORDERS[sort.lstrip("-")]
    for rows in (machines, machines.filter(owner__isnull=True), machines.filter(primary_node__name="node1")):
        ordered = order_rows(rows, VM_TABLE.orders, sort)
        keys = [vm.pk for vm in ordered]
        for first in range(0, len(keys) + 5, 5):
            for size in (1, 5, 20):
                cut = cut_to_groups(ordered, through, first, first + size)
                assert [vm.pk for vm in cut] == keys[first : first + size], (first, size)


@pytest.mark.parametrize("sort", some_in_fast(WAYS, 3))
def test_a_page_of_many_rows_takes_one_query_more_and_sorts_its_groups_alone(machines, sort):
    ordered = order_rows(VM_TABLE.load(machines, VM_TABLE.pick(None)), VM_TABLE.orders, sort)
    through, found = ORDERS[sort.lstrip("-")], {}
    for total in (MANY, DEEPEST + 1):
        with CaptureQueriesContext(connection) as captured:
            pages = Pages(ordered, 10, total, keys_first=True, through=through)
            found[total] = [vm.pk for vm in pages.page(2)]
        assert sum(" OVER " in query["sql"] for query in captured) == len(captured) - 1 == (total > MANY)
    assert found[MANY] == found[DEEPEST + 1] == [vm.pk for vm in ordered[10:20]]
