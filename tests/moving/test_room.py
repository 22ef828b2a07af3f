"""Where a machine can run: which node is best, which is out, and what is said of it."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clusters.models import Cluster, NodeGroup
from tests.factories import make_cluster, make_node, make_vm
from virtualmachines.room import Need, find_breach, place_on, places_for, rank_nodes

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F200")]
GIB = 1024
POLICY = {
    "disk-templates": ["drbd", "plain"],
    "vcpu-ratio": 2.0,
    "minmax": [
        {"min": {"memory-size": 128, "cpu-count": 1, "disk-size": 1024, "disk-count": 1},
         "max": {"memory-size": 4 * GIB, "cpu-count": 4, "disk-size": 100 * GIB, "disk-count": 4}},
        {"min": {"memory-size": 8 * GIB}, "max": {"memory-size": 16 * GIB}},
    ],
}  # fmt: skip


@pytest.fixture
def cluster(db: None) -> Cluster:
    return make_cluster("lab", info={"enabled_disk_templates": ["drbd", "plain"], "default_iallocator": "hail"})


def test_the_node_where_most_stays_free_comes_first_and_what_cannot_be_last(cluster: Cluster) -> None:
    make_node(cluster, "a", memory_free_mib=8 * GIB)
    make_node(cluster, "b", memory_free_mib=60 * GIB, disk_free_mib=1000 * GIB)
    make_node(cluster, "c", memory_free_mib=60 * GIB, offline=True)
    places = rank_nodes(cluster, Need(4 * GIB, 2, (10 * GIB, 10 * GIB), "drbd"))
    assert [place.node.name for place in places] == ["b", "a", "c"]
    assert (places[0].memory_after_mib, places[0].disk_after_mib) == (56 * GIB, 980 * GIB - 256)
    assert places[0].words == "56.0\u00a0GiB of memory and 980\u00a0GiB of disk stay free"


@pytest.mark.parametrize(
    ("node", "need", "words"),
    [
        ({"offline": True}, Need(), "set offline"),
        ({"drained": True}, Need(), "drained"),
        ({"vm_capable": False}, Need(), "does not run machines"),
        ({"answers": False}, Need(), "does not respond"),
        ({"memory_free_mib": 1 * GIB}, Need(2 * GIB), "1.0\u00a0GiB of memory too little"),
        ({"disk_free_mib": 1 * GIB}, Need(0, 1, (2 * GIB,), "plain"), "1.0\u00a0GiB of disk too little"),
        ({}, Need(20 * GIB), "memory up to 4.0\u00a0GiB"),
        ({}, Need(6 * GIB, 2, (GIB,)), "memory up to 4.0\u00a0GiB"),
        ({}, Need(1 * GIB, 8), "vCPUs up to 4"),
        ({}, Need(1 * GIB, 2, (GIB,) * 5), "number of disks up to 4"),
        ({}, Need(1 * GIB, 2, (10,), "drbd"), "disk size from 1.0\u00a0GiB"),
        ({}, Need(1 * GIB, 2, (), "rbd"), "does not allow rbd disks"),
    ],
)
def test_why_a_node_cannot_be(cluster: Cluster, node: dict[str, Any], need: Need, words: str) -> None:
    group = NodeGroup.objects.create(cluster=cluster, name="default", raw={"ipolicy": POLICY})
    make_node(cluster, group=group, **node)
    [place] = rank_nodes(cluster, need)
    assert words in place.reason and place.words == place.reason and not place.is_usable


def test_a_group_and_nodes_that_are_out(cluster: Cluster) -> None:
    here, there = (NodeGroup.objects.create(cluster=cluster, name=name) for name in ("here", "there"))
    first, second, third = make_node(cluster, group=here), make_node(cluster, group=there), make_node(cluster)
    found = {place.node.pk: place.reason for place in rank_nodes(cluster, Need(), group="here")}
    assert found == {first.pk: "", second.pk: "not in group here", third.pk: "not in group here"}
    assert rank_nodes(cluster, Need(), barred={first.pk: "taken"})[-1].reason == "taken"


@pytest.mark.parametrize(
    "policy", [{}, {"minmax": "nonsense"}, {"minmax": [{"min": 3, "max": [1]}]}, {"vcpu-ratio": "x"}]
)
def test_a_policy_that_cannot_be_read_forbids_nothing(policy: dict[str, Any]) -> None:
    assert find_breach(policy, Need(10**9, 10**6, (10**9,), "drbd")) == ""


def test_vcpus_above_the_ratio_are_a_caution(cluster: Cluster) -> None:
    group = NodeGroup.objects.create(cluster=cluster, name="default", raw={"ipolicy": {"vcpu-ratio": 1.0}})
    node = make_node(cluster, group=group, cpu_total=4)
    make_vm(cluster, primary_node=node, vcpus=3)
    make_vm(cluster, primary_node=node, vcpus=8, status="ADMIN_down", admin_state="down")
    [place] = rank_nodes(cluster, Need(1 * GIB, 2))
    assert place.is_usable and place.vcpus_after == 5 and "5 vCPUs on 4 CPUs, above the policy" in place.words


def test_free_space_counts_where_it_is_known_only(cluster: Cluster) -> None:
    """Ganeti tells that of the first enabled template; disks of another lie elsewhere."""
    make_node(cluster, disk_free_mib=0)
    for template in ("rbd", "diskless", "file", "sharedfile"):
        [place] = rank_nodes(cluster, Need(1 * GIB, 1, (GIB,), template))
        assert place.is_usable and place.disk_after_mib is None and "disk" not in place.words


def test_a_machine_is_moved_to_any_node_but_its_own(cluster: Cluster) -> None:
    own, other = make_node(cluster, "own"), make_node(cluster, "other", memory_free_mib=5 * GIB)
    vm = make_vm(cluster, primary_node=own, disk_template="rbd")
    assert [(place.node.name, place.reason) for place in places_for(vm)] == [("other", ""), ("own", "it is there now")]
    assert place_on(vm, other).memory_after_mib == 1 * GIB
    assert place_on(vm, other, runs=False).memory_after_mib == 5 * GIB


def test_as_many_queries_for_many_nodes(cluster: Cluster) -> None:
    for _each in range(3):
        make_node(cluster)
    counts = []
    for _round in range(2):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            rank_nodes(cluster, Need(1 * GIB, 1, (GIB,), "drbd"))
        counts.append(len(seen))
        for _each in range(20):
            make_node(cluster)
    assert counts == [2, 2]


def test_what_runs_on_nodes_is_found_by_its_nodes(cluster: Cluster) -> None:
    """Hardly a machine is missing: by the index of when they were, SQLite would read all that there are."""
    node = make_node(cluster, "a")
    make_vm(cluster, "web1", primary_node=node, vcpus=3, admin_state="up")
    with CaptureQueriesContext(connection) as captured:
        assert rank_nodes(cluster, Need())[0].vcpus_after == 3
    if connection.vendor == "sqlite":
        [asked] = [query["sql"] for query in captured if "SUM(" in query["sql"]]
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {asked}")
            plan = " ".join(str(row) for row in cursor.fetchall())
        assert "primary_node_id=?" in plan
