"""The pages of reconciliation, and what is done from there: nothing by one click, nothing by whoever wrote a tag."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clusters.models import Node
from objectlog.models import Event, Via
from operations.contract import Actor, Ask, Invalid
from operations.lanes import work_lane
from operations.models import Batch
from operations.pipeline import run
from operations.planning import begin_batch
from operations.table import OPERATIONS
from permissions.models import User
from permissions.services import grant, make_team, persona_of
from quotas.models import Quota
from tests.factories import make_cluster, make_node, make_user, make_vm
from tests.pages.conftest import Site, sign_in, site
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.owning import OfOwnerParams
from virtualmachines.views.reconciling import MOST_NODES

__all__ = ["sign_in", "site"]
pytestmark = [pytest.mark.django_db, pytest.mark.feature("G019")]
SignIn = Callable[[User], Client]
PAGE = "/reconciliation/"


@pytest.fixture
def keeper(site: Site) -> User:
    """Administers the cluster prod."""
    person = make_user("keeper")
    grant(["admin"], person, site.prod)
    return person


def names_on(client: Client, part: str, page: str = PAGE) -> list[str]:
    """The machines of a part, as the page lists them."""
    return [f"{vm.cluster.slug}/{vm.name}" for vm in client.get(page, {"reconcile": part}).context["page"].object_list]


def plan_of(client: Client, verb: str, *vms: VirtualMachine) -> Batch:
    chosen = {"vm": [vm.pk for vm in vms], "verb": verb}
    assert client.post(reverse("reconciliation-batch"), chosen).status_code == 302
    return Batch.objects.latest("pk")


def carry_out(batch: Batch, **params: Any) -> None:
    """It is confirmed, and a worker comes."""
    assert begin_batch(batch, params)
    while work_lane(""):
        pass


@pytest.mark.feature("F084", "F088", "F034")
def test_each_part_has_its_machines_and_no_others(site: Site, sign_in: SignIn, keeper: User) -> None:
    make_vm(site.prod, "gone.example.org", missing_since=timezone.now())
    make_vm(site.prod, "never.example.org", uuid="", missing_since=timezone.now())
    make_vm(site.prod, "reserved.example.org", uuid="")
    make_vm(site.prod, "moved.example.org", owner=site.web.owner, **drifted(primary_node="node7"))
    client = sign_in(keeper)
    for page in (PAGE, "/clusters/prod/reconciliation/"):
        assert names_on(client, "unowned", page) == ["prod/db1.example.org"]
        assert names_on(client, "missing", page) == ["prod/gone.example.org"]
        assert names_on(client, "changed", page) == ["prod/moved.example.org"] == names_on(client, "moved", page)
        assert names_on(client, "resized", page) == names_on(client, "renamed", page) == []
    assert names_on(sign_in(site.admin), "unowned") == ["prod/db1.example.org", "edge/web1.example.org"]
    assert sign_in(site.alice).get(PAGE).status_code == 403
    numbers = re.findall(r'class="count">(\d+)<', client.get(PAGE).content.decode())
    assert numbers == ["1", "1", "1", "0"]


def drifted(**before: Any) -> dict[str, Any]:
    return {"drift": before, "drift_since": timezone.now()}


@pytest.mark.feature("F085", "F084")
def test_owners_are_assigned_in_bulk_after_a_plan(site: Site, sign_in: SignIn, keeper: User) -> None:
    others = [make_vm(site.prod) for _ in range(3)]
    batch = plan_of(sign_in(keeper), "set-owner", site.db, *others, site.other)
    assert batch.items.count() == 4, "of clusters that one does not administer nothing is planned"
    assert not VirtualMachine.objects.filter(owner=persona_of(keeper)).exists()
    VirtualMachine.objects.filter(owner=None).update(owner_tag="keeper")
    plans = [plan_of(sign_in(site.admin), verb, site.db, *others) for verb in ("set-owner", "adopt")]
    opened = sign_in(site.admin).get(reverse("batch", args=[plans[0].uuid])).context["form"]["opened"].initial
    carry_out(batch, owner="alice")
    for late, given in zip(plans, ({"owner": "keeper"}, {}), strict=True):
        carry_out(late, opened=opened, **given)
        assert {item.state for item in late.items.all()} == {"failed"}
        assert all("belongs to alice by now" in item.reason for item in late.items.all())
    assert set(VirtualMachine.objects.filter(owner=site.web.owner)) == {site.web, site.db, *others}


@pytest.mark.feature("F091")
def test_a_tag_is_a_suggestion_until_an_administrator_takes_it(site: Site, sign_in: SignIn, keeper: User) -> None:
    team = make_team("web team")
    tagged = make_vm(site.prod, owner_tag="alice")
    of_team = make_vm(site.prod, owner_tag="@web team")
    of_nobody = make_vm(site.prod, owner_tag="root; --")
    assert "alice" in sign_in(keeper).get(PAGE).content.decode()
    batch = plan_of(sign_in(keeper), "adopt", tagged, of_team, of_nobody, site.db)
    assert dict(batch.items.values_list("target_name", "verdict"))[site.db.name] == "skipped"
    carry_out(batch)
    owners = {vm.pk: vm.owner for vm in VirtualMachine.objects.select_related("owner")}
    assert owners[tagged.pk] == site.web.owner and owners[of_team.pk].name == team.name
    assert owners[of_nobody.pk] is None and owners[site.db.pk] is None
    assert "there is nobody called so here" in batch.items.get(target_pk=of_nobody.pk).reason
    assert not sign_in(site.alice).get("/vms/").context["page"].object_list.filter(pk=tagged.pk).exists()


@pytest.mark.feature("F091", "F090")
def test_of_two_owners_each_can_win(site: Site, sign_in: SignIn, keeper: User) -> None:
    team = persona_of(make_team("web team"))
    alike = {"alice": site.web.owner, "@web team": team, "": site.web.owner}
    for tag, owner in alike.items():
        make_vm(site.prod, owner=owner, owner_tag=tag)
    other = make_vm(site.prod, "other.example.org", owner=team, owner_tag="alice")
    client = sign_in(keeper)
    for page in (PAGE, "/clusters/prod/reconciliation/"):
        assert names_on(client, "owner-tag", page) == ["prod/other.example.org"]
    assert re.findall(r'class="count">(\d+)<', client.get(PAGE).content.decode()) == ["1", "0", "0", "1"]
    assert "Other owner by its tag 1<" in client.get("/").content.decode()
    offered = re.findall(r'name="verb" value="([\w-]+)"', client.get(PAGE, {"reconcile": "owner-tag"}).content.decode())
    assert set(offered) == {"write-owner-tag", "adopt", "set-owner"}
    ours, theirs = (plan_of(client, verb, other) for verb in ("write-owner-tag", "adopt"))
    assert [item.verdict for item in ours.items.all()] == ["will"]
    carry_out(theirs)
    other.refresh_from_db()
    assert other.owner == site.web.owner and names_on(client, "owner-tag") == []
    assert "Other owner by its tag" not in client.get("/").content.decode()


@pytest.mark.feature("F091", "F090")
def test_tags_that_contradict_each_other_name_nobody(site: Site, sign_in: SignIn, keeper: User) -> None:
    owned = make_vm(site.prod, "owned.example.org", owner=site.web.owner, owner_tag="alice\nkeeper")
    unowned = make_vm(site.prod, "unowned.example.org", owner_tag="alice\nkeeper")
    client = sign_in(keeper)
    assert names_on(client, "owner-tag") == ["prod/owned.example.org"]
    assert ">alice, keeper<" in client.get(PAGE, {"reconcile": "owner-tag"}).content.decode()
    assert '"alice, keeper"' in client.get(PAGE, {"reconcile": "owner-tag", "format": "csv"}).getvalue().decode()
    theirs = plan_of(client, "adopt", owned, unowned)
    assert {item.verdict for item in theirs.items.all()} == {"skipped"}
    assert all("name several owners: alice, keeper" in item.reason for item in theirs.items.all())
    [ours] = plan_of(client, "write-owner-tag", owned).items.all()
    assert ours.verdict == "will"


@pytest.mark.feature("F090")
def test_a_tag_that_was_taken_away_can_be_written_again(site: Site, sign_in: SignIn, keeper: User) -> None:
    vm = make_vm(site.prod, "untagged.example.org", owner=site.web.owner, **drifted(owner_tag="alice"))
    client = sign_in(keeper)
    page = client.get(PAGE, {"reconcile": "changed"}).content.decode()
    assert set(re.findall(r'name="verb" value="([\w-]+)"', page)) == {"accept", "write-owner-tag"}
    [item] = plan_of(client, "write-owner-tag", vm).items.all()
    assert item.verdict == "will"


@pytest.mark.feature("F120")
def test_a_tag_passes_no_quota(site: Site, keeper: User) -> None:
    tagged = make_vm(site.prod, owner_tag="alice")
    Quota.objects.create(cluster=site.prod, persona=site.web.owner, machines=1)
    with pytest.raises(Invalid, match="machines"):
        run(OPERATIONS["vm.adopt"], Ask(Actor(keeper, Via.WEB), tagged, OfOwnerParams()))


@pytest.mark.feature("G018", "G053")
def test_what_was_changed_is_accepted_with_before_and_after_in_the_journal(
    site: Site, sign_in: SignIn, keeper: User
) -> None:
    vm = make_vm(site.prod, memory_mib=2048, owner=site.web.owner, **drifted(memory_mib=1024, name="old.example.org"))
    page = sign_in(keeper).get(PAGE, {"reconcile": "changed"}).content.decode()
    assert re.search(r"memory: <del>1.0\s*GiB</del> <ins>2.0\s*GiB</ins>", page) and "old.example.org" in page
    batch = plan_of(sign_in(keeper), "accept", vm, site.db)
    carry_out(batch)
    vm.refresh_from_db()
    assert vm.drift == {} and vm.drift_since is None and vm.memory_mib == 2048
    text = Event.objects.get(verb="vm.accept", outcome="done").text
    assert "old.example.org" in text and "1.0" in text and "2.0" in text


@pytest.mark.feature("F086", "F087")
def test_what_is_missing_is_forgotten_only_when_its_number_was_typed(site: Site, sign_in: SignIn, keeper: User) -> None:
    gone = make_vm(site.prod, "gone.example.org", missing_since=timezone.now(), owner=site.web.owner, notes="dear")
    client = sign_in(keeper)
    assert client.get(PAGE).status_code == client.get("/clusters/prod/reconciliation/").status_code == 200
    batch = plan_of(client, "forget", gone, site.db)
    answer = client.post(reverse("batch-do", args=[batch.uuid, "begin"]))
    assert answer.status_code == 422 and VirtualMachine.objects.filter(pk=gone.pk).exists()
    client.post(reverse("batch-do", args=[batch.uuid, "begin"]), {"typed_count": "1"})
    while work_lane(""):
        pass
    assert not VirtualMachine.objects.filter(pk=gone.pk).exists()
    assert VirtualMachine.objects.filter(pk=site.db.pk).exists(), "it is there"


@pytest.mark.feature("F087")
def test_an_unreachable_cluster_offers_nothing_to_remove(site: Site, sign_in: SignIn) -> None:
    away = make_cluster("away", unreachable_since=timezone.now())
    gone = make_vm(away, "gone.example.org", missing_since=timezone.now())
    node = make_node(away, "node9.example.org", missing_since=timezone.now())
    client = sign_in(site.admin)
    batch = plan_of(client, "forget", gone)
    [item] = batch.items.all()
    assert item.verdict == "skipped" and "does not answer" in item.reason
    assert f'href="/clusters/away/nodes/{node.uuid}/do/forget/' not in client.get(PAGE).content.decode()
    for where in (f"/clusters/away/vms/{gone.uuid}/do/forget/", f"/clusters/away/nodes/{node.uuid}/do/forget/"):
        assert client.post(where).status_code == 409
    assert VirtualMachine.objects.filter(pk=gone.pk).exists() and Node.objects.filter(pk=node.pk).exists()


@pytest.mark.feature("F087")
def test_nodes_stand_there_with_what_can_be_done(site: Site, sign_in: SignIn, keeper: User) -> None:
    gone = make_node(site.prod, "node8.example.org", missing_since=timezone.now())
    moved = make_node(site.prod, "node9.example.org", **drifted(primary_ip="192.0.2.99"))
    make_node(site.edge, "node10.example.org", missing_since=timezone.now())
    client = sign_in(keeper)
    page = client.get(PAGE)
    assert [each["node"] for each in page.context["nodes"]] == [gone, moved]
    assert "<del>192.0.2.99</del> <ins>192.0.2.1</ins>" in page.content.decode()
    overview = client.get("/").content.decode()
    assert 'href="/reconciliation/#nodes"\n    >Nodes 2</a>' in overview and 'data-go="r"' in overview
    assert 'data-go="r"' not in sign_in(site.alice).get("/").content.decode(), "for who may settle it"
    assert client.post(f"/clusters/prod/nodes/{moved.name}/do/accept/").status_code == 302
    assert client.post(f"/clusters/prod/nodes/{gone.uuid}/do/forget/", {"typed_name": gone.name}).status_code == 302
    assert client.get(PAGE).context["nodes"] == []


def test_where_there_are_more_nodes_than_stand_there_it_is_said(site: Site, sign_in: SignIn, keeper: User) -> None:
    def make(number: int) -> None:
        make_node(site.prod, f"gone{number}.example.org", missing_since=timezone.now())

    for number in range(MOST_NODES):
        make(number)
    client = sign_in(keeper)
    page = client.get(PAGE)
    assert len(page.context["nodes"]) == MOST_NODES and "These are the first" not in page.content.decode()
    make(MOST_NODES)
    page = client.get(PAGE)
    assert len(page.context["nodes"]) == MOST_NODES and "These are the first 50;" in page.content.decode()


@pytest.mark.feature("F126")
def test_the_page_asks_no_more_of_many_machines(site: Site, sign_in: SignIn, keeper: User) -> None:
    client = sign_in(keeper)
    numbers = []
    for _ in range(2):
        for index in range(10):
            make_vm(site.prod, owner_tag="alice", primary_node=site.web.primary_node, **drifted(vcpus=index + 5))
            make_node(site.prod, **drifted(primary_ip="192.0.2.99"))
        for part in ("unowned", "changed"):
            client.get(PAGE, {"reconcile": part})
            with CaptureQueriesContext(connection) as asked:
                client.get(PAGE, {"reconcile": part})
            numbers.append(len(asked))
    assert numbers[:2] == numbers[2:] and max(numbers) <= 13, numbers
