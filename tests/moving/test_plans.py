"""Many machines that are moved at once: where each will be, and whether there is room for all of them together."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clusters.models import Cluster, Node
from objectlog.models import Via
from operations.contract import Actor, Foreseen
from operations.models import Batch
from operations.planning import begin_batch, plan
from operations.table import OPERATIONS
from permissions.models import User
from tests.factories import make_admin, make_cluster, make_node, make_vm
from tests.fixtures.databases import some_in_fast
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F200", "F204", "G050")]
GIB = 1024
INFO = {"enabled_disk_templates": ["drbd", "rbd"], "default_iallocator": "hail"}


@pytest.fixture
def cluster(db: None) -> Cluster:
    """Two nodes; machines take 4 GiB each."""
    cluster = make_cluster("lab", info=INFO)
    make_node(cluster, "one", memory_free_mib=6 * GIB)
    make_node(cluster, "two", memory_free_mib=10 * GIB)
    return cluster


def make_some(cluster: Cluster, number: int, template: str = "drbd", **fields: Any) -> list[VirtualMachine]:
    """On node one, mirrored to node two if at all."""
    one, two = Node.objects.order_by("name")
    second = two if template == "drbd" else None
    values = {"primary_node": one, "secondary_node": second, "disk_template": template, **fields}
    return [make_vm(cluster, **values) for _number in range(number)]


def foreseen(verb: str = "migrate", **params: Any) -> tuple[list[Foreseen], list[str]]:
    """Of each machine in order, and of all together; warnings with a mark."""
    operation = OPERATIONS[f"vm.{verb}"]
    found = operation.foresee(operation.rows().order_by("pk"), params)
    each = [found.of_each[pk] for pk in sorted(found.of_each)]
    return each, [("! " if one.is_warning else "") + said(one) for one in found.together]


def said(what: Foreseen) -> str:
    return what.words.replace("\N{NO-BREAK SPACE}", " ")


def test_each_has_room_alone_and_all_together_have_not(cluster: Cluster) -> None:
    make_some(cluster, 3)
    each, together = foreseen()
    assert [one.is_warning for one in each] == [False, False, True]
    assert said(each[0]) == "It will be on two (6.0 GiB of memory and 512 GiB of disk stay free)."
    assert said(each[2]) == "It would be on two: 2.0 GiB of memory too little."
    assert together == ["! 3 machines come to two: 2.0 GiB of memory too little."]


def test_what_does_not_run_takes_no_memory_there(cluster: Cluster) -> None:
    make_some(cluster, 3, status="ADMIN_down", admin_state="down")
    assert foreseen("failover")[1] == ["3 machines come to two: 10.0 GiB of memory stay free."]


def test_of_shared_storage_the_allocator_chooses_and_what_is_mirrored_counts_before(cluster: Cluster) -> None:
    make_some(cluster, 1, "rbd")
    make_some(cluster, 1)
    each, together = foreseen()
    assert [said(one) for one in each] == [
        "The cluster's allocator chooses its node; there is room on two, for instance.",
        "It will be on two (6.0 GiB of memory and 512 GiB of disk stay free).",
    ]
    make_some(cluster, 2, "rbd")
    each, together = foreseen()
    assert [one.is_warning for one in each] == [False, False, True, True]
    assert "none has room for it beside the others" in each[3].words
    assert together == [
        "1 machine comes to two: 6.0 GiB of memory stay free.",
        "! 3 machines go where the allocator of their cluster says; there is room for 1.",
    ]


def test_the_node_that_is_named_is_the_one_that_is_judged(cluster: Cluster) -> None:
    make_some(cluster, 2, "rbd")
    assert foreseen(target_node="two")[1] == ["2 machines come to two: 2.0 GiB of memory stay free."]
    assert "it is there now" in foreseen(target_node="one")[0][0].words
    assert foreseen(target_node="nowhere") == ([], []), "that is for the check to say"


def test_without_an_allocator_it_says_to_choose(cluster: Cluster) -> None:
    Cluster.objects.update(info={})
    make_some(cluster, 1, "rbd")
    [one] = foreseen()[0]
    assert one.is_warning and "Choose a node" in one.words


def planned(client: Client, verb: str = "migrate") -> tuple[Batch, str]:
    root = make_admin(f"root{User.objects.count()}")
    client.force_login(root)
    batch = plan(OPERATIONS[f"vm.{verb}"], Actor(root, Via.WEB), VirtualMachine.objects.all(), {})
    return batch, page_of(client, batch)


def page_of(client: Client, batch: Batch, **data: str) -> str:
    answer = (
        client.post(reverse("batch-do", args=[batch.uuid, "begin"]), data)
        if data
        else client.get(reverse("batch", args=[batch.uuid]))
    )
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def test_the_plan_counts_machines_that_are_on_its_other_pages(cluster: Cluster, client: Client) -> None:
    make_some(cluster, 60)
    Node.objects.filter(name="two").update(memory_free_mib=59 * 4 * GIB)
    batch, page = planned(client)
    assert "59 machines come to two" in page and page.count("It will be on two") < 59, "the others are on another page"
    assert verdicts(batch) == ["will"] * 59 + ["refused"]


def test_what_has_no_room_after_those_before_it_would_be_refused(cluster: Cluster, client: Client) -> None:
    make_some(cluster, 3)
    for verb in ("migrate", "failover"):
        batch, page = planned(client, verb)
        assert verdicts(batch) == ["will", "will", "refused"]
        assert "It can&#x27;t go to two: 2.0 GiB of memory too little." in page
        assert client.post(reverse("batch-do", args=[batch.uuid, "begin"]), {"timeout_s": "9"}).status_code == 302
    Node.objects.filter(name="two").update(memory_free_mib=12 * GIB)
    assert verdicts(planned(client)[0]) == ["will"] * 3


def test_those_before_it_have_left_their_node(cluster: Cluster, client: Client) -> None:
    one, two = Node.objects.order_by("name")
    make_some(cluster, 1, primary_node=two, secondary_node=one, name="a")
    make_some(cluster, 3)
    assert verdicts(planned(client)[0]) == ["will"] * 4
    VirtualMachine.objects.filter(name="a").update(name="z")
    assert verdicts(planned(client)[0]) == ["will", "will", "refused", "will"]
    VirtualMachine.objects.update(status="ADMIN_down", admin_state="down")
    assert verdicts(planned(client, "failover")[0]) == ["will"] * 4, "what does not run needs no memory"


def verdicts(batch: Batch) -> list[str]:
    return list(batch.items.order_by("position").values_list("verdict", flat=True))


@pytest.mark.parametrize("template", some_in_fast(["drbd", "rbd"], 2))
def test_the_plan_of_many_costs_few_queries(cluster: Cluster, client: Client, template: str) -> None:
    Node.objects.update(memory_free_mib=400 * GIB)  # what is refused is written once more, with its reason
    counts = []
    for number in (1, 39):
        make_some(cluster, number, template)
        batch, _page = planned(client)
        for data in ({}, {"preview": "1", "mode": "live"}):
            page_of(client, batch, **data)
            with CaptureQueriesContext(connection) as seen:
                page_of(client, batch, **data)
            counts.append(len(seen))
    assert counts[:2] == counts[2:]
    assert max(counts) <= 28, "with those of who asks, and of the frame of the page"


def test_one_node_for_all_can_be_chosen_where_all_may_go_anywhere(cluster: Cluster, client: Client) -> None:
    make_some(cluster, 3, "rbd")
    batch, page = planned(client)
    assert "Automatic: the cluster" in page and '<option value="two">' in page
    page = page_of(client, batch, preview="1", target_node="two")
    assert "2 machines come to two: 2.0 GiB of memory stay free." in page
    assert "It can&#x27;t go to two: 2.0 GiB of memory too little." in page
    Cluster.objects.update(info={**INFO, "default_iallocator": ""})
    page = planned(client)[1]
    assert "2 machines come to two" in page and "Automatic" not in page, "as the form is filled in"
    make_some(cluster, 1)
    assert '<select name="target_node"' not in planned(client)[1], "what is mirrored could not go there"


def test_the_node_that_was_chosen_for_all_is_that_of_each(cluster: Cluster, client: Client) -> None:
    make_some(cluster, 2, "rbd")
    batch, _page = planned(client)
    answer = client.post(reverse("batch-do", args=[batch.uuid, "begin"]), {"target_node": "two", "mode": "live"})
    assert answer.status_code == 302
    data = [item.data for item in batch.items.select_related("batch")]
    assert [(each["target_node"], each["mode"], each["opened"]) for each in data] == [("two", "live", "one")] * 2


def test_nodes_are_not_offered_where_some_machines_are_on_another_cluster(cluster: Cluster, client: Client) -> None:
    """Or have disks that tie them to where they are."""
    asked = '<select name="target_node"'
    make_some(cluster, 1, "rbd")
    assert asked in planned(client)[1]
    other = make_cluster("other", info=INFO)
    make_vm(other, primary_node=make_node(other, "three"), disk_template="rbd")
    page = planned(client)[1]
    assert asked not in page and "where the allocator of their cluster says" in page
    other.delete()
    make_some(cluster, 1, "plain")
    assert asked in planned(client)[1], "that one is left out"


def test_what_is_planned_goes_where_it_was_planned_to_go(cluster: Cluster) -> None:
    [machine] = make_some(cluster, 1)
    actor = Actor(make_admin(), Via.WEB)
    batch = plan(OPERATIONS["vm.migrate"], actor, VirtualMachine.objects.all(), {})
    begin_batch(batch, {"mode": "live", "opened": "", "target_node": "", "allow_failover": False})
    item = batch.items.select_related("batch").get()
    assert item.data == {"mode": "live", "opened": "one two", "target_node": "", "allow_failover": False}
    assert machine.name == item.target_name
