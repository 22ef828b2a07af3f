"""The smallest answers that once broke pages or updates for good, each by itself and in words that can be read."""

import pytest
from django.urls import reverse

from clusters.models import Job, Node, Schedule
from objectlog.models import Entry, Outcome
from tests.factories import make_admin
from tests.fixtures.databases import few_on_both, some_in_fast
from tests.updates.conftest import track, update
from virtualmachines.models import VirtualMachine

__all__ = ["track"]
pytestmark = pytest.mark.feature("G046")
VM1, VM2 = "vm1.example.org", "vm2.example.org"
HUGE = 9_200_000_000_000_000_000


@pytest.fixture
def cluster(simulator, track):
    row = track(simulator, "alpha")
    assert update(row).outcome == "updated"
    return row


@pytest.fixture
def look(client, cluster):
    """Every list and the page of the cluster answer; gives what the latter says."""
    client.force_login(make_admin())

    def visit():
        for name in ("overview", "clusters", "vms", "nodes", "jobs"):
            assert client.get(reverse(name)).status_code == 200
        return client.get(reverse("cluster", args=["alpha"])).content.decode()

    return visit


def read_all(cluster):
    Schedule.objects.filter(pk=cluster.pk).update(configs_read_at=None)
    return update(cluster)


@pytest.mark.parametrize("number", some_in_fast(few_on_both([-1, 2**63, True, 0, "x", 1.5], 2**63), 2))
def test_a_job_with_a_number_that_is_none(simulator, cluster, look, number):
    simulator.outside.submit("CLUSTER_REDIST_CONF")
    update(cluster)
    bad = simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name=VM1)
    good = simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name=VM2)
    simulator.alterations.alter("job", "id", number, which=bad.id)
    assert update(cluster).outcome == "updated"
    assert set(Job.objects.values_list("ganeti_id", flat=True)) == {1, good.id}
    look()
    simulator.alterations.clear()
    simulator.run_jobs()
    assert update(cluster).outcome == "updated"
    assert set(Job.objects.values_list("ganeti_id", "status")) == {(number, "success") for number in (1, 2, 3)}


def test_a_number_of_a_job_that_leaps_is_not_the_newest(simulator, cluster):
    simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name=VM1)
    update(cluster)
    bad = simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name=VM2)
    simulator.alterations.alter("job", "id", HUGE, which=bad.id)
    update(cluster)
    assert "leaps" in str(cluster.unreadable)
    simulator.alterations.clear()
    update(cluster)
    assert set(Job.objects.values_list("ganeti_id", flat=True)) == {1, 2}


def test_the_answer_to_a_reboot_that_is_no_job(simulator, cluster, look, client):
    look()
    simulator.alterations.alter("answer", "/2/instances/.*/reboot", -5)
    answer = client.post(reverse("vm-do", args=["alpha", VM1, "reboot"]), {"type": "hard"})
    assert answer.status_code < 500
    entry = Entry.objects.get(verb="vm.reboot")
    assert entry.outcome == Outcome.UNKNOWN and not Job.objects.exists()
    look()
    simulator.alterations.clear()
    simulator.run_jobs()
    for _ in range(3):
        update(cluster)
    entry.refresh_from_db()
    assert entry.outcome == Outcome.SUCCEEDED  # found by its reason


MORE_NAMES = [
    pytest.param(name, marks=[pytest.mark.long, pytest.mark.alike]) for name in (".", "x" * 300, "a?b", "a b", "für")
]


@pytest.mark.parametrize("name", [*some_in_fast(few_on_both(["a/b", "..", "", "a\0b", None], "a\0b"), 4), *MORE_NAMES])
@pytest.mark.parametrize(
    ("kind", "which"), [("instance", VM1), pytest.param("node", "node2.example.org", marks=pytest.mark.long)]
)
def test_a_name_that_is_no_address(simulator, cluster, look, kind, which, name):
    model = VirtualMachine if kind == "instance" else Node
    pk = model.objects.get(name=which).pk
    simulator.outside.modify(VM2, beparams={"vcpus": 5})
    simulator.alterations.alter(kind, "name", name, which=which)
    assert read_all(cluster).outcome == "updated"
    row = model.objects.get(pk=pk)
    assert (row.name, row.missing_since) == (which, None)
    assert row.unreadable_since is not None and "name" in row.unreadable_why
    assert VirtualMachine.objects.get(name=VM2).vcpus == 5
    assert "One record of this cluster" in look()
    simulator.alterations.clear()
    assert read_all(cluster).outcome == "updated"
    row.refresh_from_db()
    assert (row.unreadable_since, row.unreadable_why) == (None, "")
    assert "can't be read" not in look()


def test_sizes_that_cannot_be_added_up(simulator, cluster, look):
    simulator.alterations.alter("instance", "beparams", {"maxmem": HUGE, "minmem": HUGE, "vcpus": HUGE})
    simulator.alterations.alter("instance", "disk.sizes", [HUGE, HUGE])
    simulator.alterations.alter("instance", "oper_ram", HUGE)
    for field in ("mtotal", "mfree", "mnode", "dtotal", "dfree", "ctotal"):
        simulator.alterations.alter("node", field, HUGE)
    assert read_all(cluster).outcome == "updated"
    look()


def test_what_only_one_database_refused(simulator, cluster, look):
    os = "o" * 115
    simulator.alterations.alter("instance", "os", os, which=VM1)
    simulator.alterations.alter("instance", "osparams", {"a\0": "b\0", "c": "\ud800"}, which=VM1)
    assert read_all(cluster).outcome == "updated"
    machine = VirtualMachine.objects.get(name=VM1)
    assert machine.os == os  # as long as Ganeti takes it
    assert machine.raw["osparams"] == {"a\ufffd": "b\ufffd", "c": "\ufffd"}
    look()


def test_times_that_no_calendar_has(simulator, cluster, look, client):
    job = simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name=VM1)
    simulator.alterations.alter("instance", "ctime", 1e13)
    simulator.alterations.alter("info", "ctime", 1e13)
    simulator.alterations.alter("job", "oplog", [[[1, None, "message", "no time"], [2, [1e13, 5], "message", "late"]]])
    assert read_all(cluster).outcome == "updated"
    look()
    page = client.get(reverse("job", args=["alpha", job.id])).content.decode()
    assert "no time" in page and "late" in page
    assert client.get(reverse("vm", args=["alpha", VM1])).status_code == 200


def test_records_that_claim_to_be_another(simulator, cluster, look):
    other = VirtualMachine.objects.get(name=VM2)
    simulator.alterations.alter("instance", "uuid", other.uuid, which=VM1)
    assert read_all(cluster).outcome == "updated"
    other.refresh_from_db()
    assert other.name == VM2 and "more than one record with the identity" in other.unreadable_why
    look()
    simulator.alterations.clear()
    assert read_all(cluster).outcome == "updated"
    assert not VirtualMachine.objects.exclude(unreadable_since=None, missing_since=None).exists()


def test_operating_systems_that_no_database_takes(simulator, cluster, look):
    simulator.alterations.alter("answer", "/2/os", ["a\0b", "\ud800", "x" * 5000, 7, None, {"a": 1}, "noop"])
    Schedule.objects.filter(pk=cluster.pk).update(operating_systems_at=None)
    assert update(cluster).outcome == "updated"
    assert cluster.operating_systems == ["a\ufffdb", "noop", "x" * 254 + "…", "\ufffd"]
    look()
