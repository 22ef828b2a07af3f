"""Several machines at once: names from a pattern, a plan, and each made once."""

import re
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clusters.models import Cluster, Node
from objectlog.models import Entry
from operations.batches import settle
from operations.contract import Invalid
from operations.lanes import work_lane
from operations.models import Batch, BatchItem
from operations.planning import begin_batch
from permissions.services import persona_of
from quotas.amounts import Limits
from quotas.services import set_quota
from tests.creating.conftest import SPEC, Maker
from tests.factories import make_vm
from tests.fixtures.databases import some_in_fast
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.creating import Create, CreateParams
from virtualmachines.operations.several import plan_creations
from virtualmachines.rules.patterns import BadPattern, expand
from virtualmachines.spec import DiskSpec, NicSpec

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.feature("G009")]
FIVE = replace(SPEC, name="web{1..5}.example.org")


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("web1", ["web1"]),
        ("web{1..3}", ["web1", "web2", "web3"]),
        ("web{08..11}.x", ["web08.x", "web09.x", "web10.x", "web11.x"]),
        ("{blue,green}{1..2}", ["blue1", "blue2", "green1", "green2"]),
        ("a{7..7}", ["a7"]),
    ],
)
def test_names_of_a_pattern(pattern: str, names: list[str]) -> None:
    assert expand(pattern) == names


@pytest.mark.alike
@pytest.mark.parametrize(
    "pattern", ["a{", "a}", "a{}", "a{1..}", "a{3..1}", "a{1..501}", "a{1..9}{1..99}", "a{b,b}", "a{b}"]
)
def test_what_makes_no_names(pattern: str) -> None:
    with pytest.raises(BadPattern):
        expand(pattern)


def plan_of(maker: Maker, spec: Any = FIVE, **params: Any) -> Batch:
    maker.cluster.refresh_from_db()
    return plan_creations(Create(), maker.alice, maker.cluster, CreateParams(spec, **params))


def test_each_is_made_once_and_is_its_owners(maker: Maker, client: Client) -> None:
    client.force_login(maker.alice.user)
    batch = plan_of(maker, notes="a farm")
    page = reverse("batch", args=[batch.uuid])
    text = client.get(page).content.decode()
    assert "web3" in text and "GiB" in text
    assert not VirtualMachine.objects.filter(notes="a farm").exists(), "a plan makes nothing"
    assert client.post(reverse("batch-do", args=[batch.uuid, "begin"])).status_code == 302
    lane = f"cluster {maker.cluster.pk}"
    for _again in range(3):
        work_lane(lane)
        maker.finish()
        settle(lane)
    work_lane(lane)
    made = VirtualMachine.objects.filter(notes="a farm").order_by("name")
    assert [row.name for row in made] == [f"web{number}.example.org" for number in range(1, 6)]
    assert all(row.uuid == maker.simulator.cluster.instances[row.name].uuid for row in made)
    assert {row.owner for row in made} == {persona_of(maker.alice.user)}
    assert Entry.objects.filter(verb="vm.create", outcome="succeeded").count() == 5
    assert maker.simulator.count("POST", "/2/instances") == 5
    batch.refresh_from_db()
    assert batch.state == "done"
    assert reverse("vm", args=["lab", "web3.example.org"]) in client.get(page).content.decode()


@pytest.mark.alike
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "web{1..5"}, "name"),
        ({"name": "-web{1..5}"}, "name"),
        ({"nics": (NicSpec("aa:00:00:12:34:56"),)}, "nics.0.mac"),
        ({"nics": (NicSpec(ip="192.0.2.1"),)}, "nics.0.ip"),
        ({"disks": (DiskSpec(1024, adopt="old"),)}, "disks.0.adopt"),
        ({"osparams_secret": {"password": "x"}}, "osparams_secret"),
        ({"os": "nothing"}, "os"),
    ],
)
def test_what_several_cannot_have_is_said_before_there_is_a_plan(
    maker: Maker, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        plan_of(maker, replace(FIVE, **changes))
    assert set(refused.value.errors) == {field}
    assert not Batch.objects.exists()


def test_names_that_are_taken_and_a_quota_that_is_too_small(maker: Maker) -> None:
    make_vm(maker.cluster, "web2.example.org")
    with pytest.raises(Invalid, match=r"called web2\.example\.org"):
        plan_of(maker)
    set_quota(persona_of(maker.alice.user), maker.cluster, Limits(machines=4))
    with pytest.raises(Invalid, match="machines by 1"):
        plan_of(maker, replace(FIVE, name="new{1..5}"))


def test_a_plan_of_five_hundred_takes_as_many_queries_as_one_of_five(maker: Maker) -> None:
    persona_of(maker.alice.user)  # made at first use
    numbers = []
    for most in (5, 500):
        with CaptureQueriesContext(
            connection,
        ) as caught:
            plan_of(maker, replace(FIVE, name=f"web{{1..{most}}}"))
        numbers.append(len([each for each in caught.captured_queries if "INSERT" not in each["sql"]]))
    assert numbers[0] == numbers[1]


def test_one_that_fails_can_be_tried_again(maker: Maker) -> None:
    maker.simulator.faults.refuse(400, "No guest OS specified", method="POST", path="/2/instances", times=1)
    batch = plan_of(maker, replace(FIVE, name="web{1..1}"))
    assert begin_batch(batch, {})
    work_lane(f"cluster {maker.cluster.pk}")
    item = batch.items.get()
    assert (item.state, item.reason) == ("failed", "No guest OS specified")
    assert maker.rows("web1") == []


TYPED = {
    "cluster": "lab",
    "name": "Web{1..5}.example.org",
    "os": "debootstrap+default",
    "disks.0.size_mib": "1 GiB",
    "nics.0.mac": "auto",
}


def test_the_page_leads_to_a_plan_of_all(maker: Maker, client: Client) -> None:
    client.force_login(maker.alice.user)
    answer = client.post("/vms/create/", TYPED)
    batch = Batch.objects.get()
    assert answer.status_code == 302 and answer.headers["Location"] == reverse("batch", args=[batch.uuid])
    assert [item.target_name for item in batch.items.order_by("position")][-1] == "web5.example.org"
    assert maker.simulator.count("POST", "/2/instances") == 0
    answer = client.post("/vms/create/", {**TYPED, "name": "web{1..5"})
    assert answer.status_code == 422 and 'data-field="name"' in answer.content.decode()
    assert Batch.objects.count() == 1
    Cluster.objects.update(read_only=True)
    answer = client.post("/vms/create/", TYPED)
    assert answer.status_code == 409 and Batch.objects.count() == 1


@pytest.mark.alike
def test_while_one_types_names_quota_and_room_of_all_are_told(maker: Maker, client: Client) -> None:
    client.force_login(maker.alice.user)
    set_quota(persona_of(maker.alice.user), maker.cluster, Limits(machines=4))

    def live(name: str, **typed: str) -> str:
        return client.post("/vms/create/live/", {**TYPED, "name": name, **typed}).content.decode()

    page = live("web{1..5}.example.org")
    assert "5 machines" in page and "<li>web3.example.org</li>" in page
    assert re.search(r'is-over"><th scope="row">machines</th>\s*<td>0</td><td>5</td><td>4</td>', page)
    assert "data-fault" not in page and "There is room for" not in page
    page = live("web{1..500}")
    assert page.count("<li>web") == 9 and "<li>web500</li>" in page
    room = live("web{1..500}", **{"options.start": "on", "beparams.maxmem": "2 GiB"})
    fitting = re.search(r"There is room for (\d+) of 500 now", room)
    free = Node.objects.filter(cluster=maker.cluster, offline=False, drained=False, vm_capable=True)
    assert fitting and int(fitting[1]) == sum((node.memory_free_mib or 0) // 2048 for node in free)
    make_vm(maker.cluster, "web2.example.org")
    for name in ("web{1..5}.example.org", "web{", "web{5..1}"):
        assert 'data-fault="id_name"' in live(name)
    assert " machines</h2>" not in live("web9.example.org")


@pytest.mark.alike
@pytest.mark.feature("G010", "G031")
def test_check_and_command_are_about_the_first_and_the_pattern_stays(maker: Maker, client: Client) -> None:
    client.force_login(maker.alice.user)
    shown = client.post("/vms/create/", {**TYPED, "show": "1"}).content.decode()
    assert "gnt-instance add" in shown and "web1.example.org" in shown
    answer = client.post("/vms/create/", {**TYPED, "check": "1"}, follow=True)
    page = answer.content.decode()
    assert 'id="check"' in page and 'value="web{1..5}.example.org"' in page
    assert not Batch.objects.exists() and maker.rows("web1.example.org") == []


def test_the_plan_of_five_hundred_is_made_with_few_queries(maker: Maker) -> None:
    persona_of(maker.alice.user)  # made at first use
    maker.cluster.refresh_from_db()
    with CaptureQueriesContext(connection) as caught:
        plan_creations(Create(), maker.alice, maker.cluster, CreateParams(replace(FIVE, name="web{1..500}")))
    assert len(caught) <= 11, "\n".join(each["sql"][:200] for each in caught)


@pytest.mark.parametrize("limits", some_in_fast([Limits(machines=900), None], 2))
def test_the_page_plans_five_hundred_with_fifteen_queries(maker: Maker, client: Client, limits: Limits | None) -> None:
    """Whoever asks is found, and the plan written, with all of them in one statement on each database."""
    client.force_login(maker.alice.user)
    owner = persona_of(maker.alice.user)
    if limits is not None:
        set_quota(owner, maker.cluster, limits)
    typed = {**TYPED, "name": "web{1..500}.example.org"}
    client.post("/vms/create/", typed)  # what is asked once in the life of a process
    with CaptureQueriesContext(connection) as caught:
        answer = client.post("/vms/create/", typed)
    assert answer.status_code == 302 and BatchItem.objects.filter(batch__state="planned").count() == 1000
    assert len(caught) <= 15, "\n".join(each["sql"][:200] for each in caught)
