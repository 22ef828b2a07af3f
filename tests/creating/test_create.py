"""From a wish to a machine: its row is there from the first moment on, and is the machine's ever after."""

import pytest
from django.test import Client
from django.urls import reverse

from clusters.models import Job
from objectlog.models import Entry, Outcome, Via
from operations.contract import Actor, Ask, Forbidden, Invalid, NoParams, Refusal
from operations.forms import params_from
from operations.pipeline import run
from permissions.policy import verbs_on
from permissions.services import make_team, persona_of, revoke
from quotas.amounts import Limits
from quotas.services import set_quota
from tests.creating.conftest import NEW, SPEC, Maker
from tests.factories import make_admin, make_user, make_vm
from virtualmachines.forms.specs import data_of_entry
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.creating import Create, CreateParams
from virtualmachines.operations.forget import Discard

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.feature("F183")]


def the_row() -> VirtualMachine:
    return VirtualMachine.objects.get(name=NEW)


@pytest.mark.feature("F139")
def test_one_row_from_the_wish_to_the_machine(maker: Maker) -> None:
    entry = maker.create(notes="ordered")
    row = the_row()
    assert (entry.verb, entry.outcome, entry.target_pk) == ("vm.create", Outcome.SUBMITTED, row.pk)
    assert (row.uuid, row.busy_with, row.notes) == ("", "vm.create", "ordered")
    assert (row.owner, row.disk_mib) == (persona_of(maker.alice.user), 10240)
    assert "admin" in verbs_on(maker.alice.user, row)
    maker.update()
    assert [each.pk for each in maker.rows()] == [row.pk], "an update before the job has begun misses nothing"
    maker.finish()
    entry.refresh_from_db()
    made = the_row()
    assert entry.outcome == Outcome.SUCCEEDED
    assert (made.pk, made.uuid) == (row.pk, maker.simulator.cluster.instances[NEW].uuid)
    assert (made.status, made.busy_with, made.notes, made.owner) == ("running", "", "ordered", row.owner)
    assert "admin" in verbs_on(maker.alice.user, made)
    maker.update()
    assert [each.pk for each in maker.rows()] == [row.pk]
    assert Job.objects.get(entry=entry).targets.get().target_pk == row.pk


def test_the_machine_is_filled_in_while_its_job_still_works_on_it(maker: Maker) -> None:
    maker.create()
    while NEW not in maker.simulator.cluster.instances:
        maker.simulator.advance()
    maker.look()
    row = the_row()
    assert (row.uuid, row.busy_with) == (maker.simulator.cluster.instances[NEW].uuid, "vm.create")
    maker.update()
    assert len(maker.rows()) == 1


@pytest.mark.feature("F180")
def test_what_ganeti_refuses_leaves_nothing_but_its_words(maker: Maker) -> None:
    maker.simulator.faults.refuse(400, "No guest OS specified", method="POST", path="/2/instances")
    entry = maker.create()
    assert (entry.outcome, entry.message) == (Outcome.REFUSED, "No guest OS specified")
    assert maker.rows() == []


@pytest.mark.feature("F181")
def test_a_creation_that_failed_says_so_and_is_tried_again_under_its_name(maker: Maker) -> None:
    del maker.simulator.cluster.operating_systems[:]
    entry = maker.create()
    maker.finish()
    entry.refresh_from_db()
    row = the_row()
    assert entry.outcome == Outcome.FAILED and "not found in search path" in entry.message
    assert row.is_missing and row.uuid == "" and not row.is_busy
    maker.update()
    assert the_row().pk == row.pk
    maker.simulator.cluster.operating_systems.append("debootstrap+default")
    again = maker.create()
    maker.finish()
    assert [each.pk for each in maker.rows()] == [again.target_pk] != [row.pk]
    assert not the_row().is_missing


def test_a_machine_of_somebody_else_that_comes_in_between_is_not_given_to_us(maker: Maker) -> None:
    """Our job waits; at the cluster's own command line a machine of that name is made. It is not Alice's."""
    maker.create()
    foreign = maker.simulator.outside.add(NEW)
    maker.update()
    assert [(row.uuid, row.is_busy) for row in maker.rows()] == [("", True)]
    maker.finish()
    maker.update()
    owned, other = sorted(maker.rows(), key=lambda row: row.uuid)
    assert owned.is_missing and owned.uuid == ""
    assert (other.uuid, other.owner) == (foreign.uuid, None)
    assert verbs_on(maker.alice.user, other) == frozenset()


def test_names_are_one_of_a_cluster(maker: Maker) -> None:
    make_vm(maker.cluster, NEW, missing_since="2026-01-01T00:00:00Z")
    maker.create()
    with pytest.raises(Invalid) as taken:
        maker.create()
    assert set(taken.value.errors) == {"name"}
    assert Entry.objects.count() == 1 and maker.simulator.count("POST", "/2/instances") == 1


@pytest.mark.feature("G010", "G053")
def test_a_check_names_the_nodes_and_leaves_nothing(maker: Maker) -> None:
    entry = maker.create(dry_run=True)
    assert (entry.verb, entry.target_kind, maker.rows()) == ("vm.create.check", "cluster", [])
    maker.finish()
    entry.refresh_from_db()
    assert entry.outcome == Outcome.SUCCEEDED
    assert f"Selected nodes for instance {NEW} via iallocator hail: node" in entry.message
    assert NEW not in maker.simulator.cluster.instances and maker.rows() == []


def test_the_owner_pays_and_gets_the_machine(maker: Maker) -> None:
    team, bob = make_team("web", [maker.alice.user]), make_user("bob")
    set_quota(persona_of(team), maker.cluster, Limits(disk_mib=20480, machines=2))
    with pytest.raises(Invalid) as refused:
        maker.create(owner=persona_of(bob))
    assert set(refused.value.errors) == {"owner"}
    maker.create(owner=persona_of(team))
    row = the_row()
    assert row.owner == persona_of(team) and "admin" in verbs_on(maker.alice.user, row)
    maker.create(maker.with_(name="new2.example.org"), owner=persona_of(team))
    with pytest.raises(Invalid, match="exceeds the quota of web"):
        maker.create(maker.with_(name="new3.example.org"), owner=persona_of(team))
    assert VirtualMachine.objects.filter(owner=persona_of(team)).count() == 2


def test_a_failure_gives_the_quota_back(maker: Maker) -> None:
    set_quota(persona_of(maker.alice.user), maker.cluster, Limits(machines=1))
    kept = list(maker.simulator.cluster.operating_systems)
    del maker.simulator.cluster.operating_systems[:]
    maker.create()
    maker.finish()
    maker.simulator.cluster.operating_systems.extend(kept)
    maker.create(maker.with_(name="new2.example.org"))
    with pytest.raises(Invalid, match="machines by 1"):
        maker.create(maker.with_(name="new3.example.org"))


def test_without_the_right_or_a_cluster_that_can_be_asked(maker: Maker) -> None:
    maker.cluster.read_only = True
    maker.cluster.save()
    with pytest.raises(Refusal, match="read-only"):
        maker.create()
    revoke(["create_vm"], maker.alice.user, maker.cluster)
    with pytest.raises(Forbidden, match="needs create_vm"):
        maker.create()
    assert maker.simulator.count("POST") == 0 and maker.rows() == []


@pytest.mark.feature("F181")
def test_the_page_of_a_creation_says_how_it_is(maker: Maker, client: Client) -> None:
    client.force_login(maker.alice.user)
    page = reverse("vm", args=["lab", NEW])
    entry = maker.create(notes="ordered", is_protected=True)
    text = client.get(page).content.decode()
    assert the_row().is_protected and "creating" in text and "diskless" not in text  # which Ganeti tells later
    del maker.simulator.cluster.operating_systems[:]
    maker.finish()
    text = client.get(page).content.decode()
    assert "It was not created." in text and "not found in search path" in text and "not created" in text
    assert "Remove the attempt" in text and "Reboot" not in text
    entry.refresh_from_db()
    again = params_from(Create(), maker.alice, maker.cluster, data_of_entry(entry))
    assert again == CreateParams(SPEC, None, "ordered", is_protected=True)
    assert client.post(reverse("vm-do", args=["lab", NEW, "discard"])).status_code == 302
    assert maker.rows() == []
    assert client.get(page).status_code == 404


def test_what_is_there_is_not_an_attempt(maker: Maker) -> None:
    vm = make_vm(maker.cluster, NEW, missing_since="2026-01-01T00:00:00Z")
    with pytest.raises(Refusal, match="whose creation failed"):
        run(Discard(), Ask(Actor(make_admin(), Via.WEB), vm, NoParams()))
