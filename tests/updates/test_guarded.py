"""Ganeti fails at one field of one record: everything else is read, and the culprit is found, named and remembered.

On a real Ganeti 3.0.2 `gnt-instance add-tags web1 für` is enough: every query of `tags`, and of that job, answers 500.
"""

import pytest

from clusters.models import Job, Node, Schedule
from objectlog.words import say
from tests.updates.conftest import update
from updates.follower import follow_cluster
from virtualmachines.models import VirtualMachine

pytestmark = pytest.mark.feature("G046")

VM1, VM2 = "vm1.example.org", "vm2.example.org"
MOST_CALLS = 20


def tag(simulator, name, tags):
    simulator.outside.modify(name, tags=tags)


@pytest.fixture
def many(make_simulator, track):
    """Two hundred machines, read once."""
    simulator = make_simulator(nodes=2, instances=200)
    row = track(simulator, "many")
    assert update(row).outcome == "updated"
    return simulator, row


def test_one_tag_costs_one_machine_its_tags(many):
    simulator, row = many
    tag(simulator, VM1, ["before"])
    update(row)
    tag(simulator, VM1, ["für"])
    tag(simulator, VM2, ["good"])
    Schedule.objects.update(configs_read_at=None)
    simulator.outside.crash("vm3.example.org")
    report = update(row)
    assert (report.outcome, report.error) == ("updated", "")
    assert report.rapi_calls <= MOST_CALLS
    culprit = VirtualMachine.objects.get(name=VM1)
    assert culprit.unreadable_since is not None and "config.data" in culprit.unreadable_why
    assert "0xfc" in culprit.unreadable_why
    assert culprit.tags == ["before"]  # its last good ones
    assert VirtualMachine.objects.filter(unreadable_since__isnull=False).count() == 1
    assert VirtualMachine.objects.get(name=VM2).tags == ["good"]
    assert VirtualMachine.objects.get(name="vm3.example.org").status == "ERROR_down"
    assert [(each["kind"], each["name"]) for each in row.unreadable] == [("instance", VM1)]

    since = culprit.unreadable_since
    simulator.outside.modify(VM1, beparams={"vcpus": 7})
    report = update(row)
    assert report.rapi_calls <= 12  # it knows where to look
    culprit.refresh_from_db()
    assert culprit.unreadable_since == since and culprit.vcpus == 7

    tag(simulator, VM1, ["fuer"])
    assert update(row).outcome == "updated"
    culprit.refresh_from_db()
    assert (culprit.tags, culprit.unreadable_since, culprit.unreadable_why) == (["fuer"], None, "")
    assert row.unreadable == [] and row.query_troubles == {}
    assert update(row).rapi_calls == 8


def test_a_new_machine_at_fault_is_there_without_the_field(simulator, cluster):
    simulator.outside.add("new.example.org", tags=["größe"])
    assert update(cluster).outcome == "updated"
    new = VirtualMachine.objects.get(name="new.example.org")
    assert (new.status, new.tags) == ("running", [])
    update(cluster)
    new.refresh_from_db()
    assert new.unreadable_since is not None


@pytest.mark.long
def test_more_than_one_culprit_is_found_in_the_next_cycles(many):
    simulator, row = many
    names = {"vm5.example.org", "vm99.example.org", "vm150.example.org"}
    for name in names:
        tag(simulator, name, ["für"])
    for _ in range(6):
        Schedule.objects.update(configs_read_at=None)
        report = update(row)
        assert report.outcome == "updated" and report.rapi_calls <= MOST_CALLS
    unreadable = VirtualMachine.objects.exclude(unreadable_since=None).values_list("name", flat=True)
    assert set(unreadable) == names
    tag(simulator, "vm99.example.org", ["fuer"])
    for _ in range(2):
        assert update(row).rapi_calls <= MOST_CALLS
    assert set(unreadable.all()) == names - {"vm99.example.org"}


def test_a_node_at_fault_keeps_what_is_known_of_it(simulator, cluster):
    simulator.outside.modify_node("node2.example.org", tags=["höhle"], drained=True)
    assert update(cluster).outcome == "updated"
    node = Node.objects.get(name="node2.example.org")
    assert node.unreadable_since is not None and node.drained and node.answers


def test_a_job_at_fault_costs_no_other(simulator, cluster):
    bad = simulator.outside.submit("TAGS_SET", kind="instance", name=VM1, tags=["für"])
    good = simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name=VM2)
    assert follow_cluster(cluster).outcome == "updated"
    assert Job.objects.get(ganeti_id=good.id).title
    assert Job.objects.get(ganeti_id=bad.id).status == "queued"
    simulator.run_jobs()
    assert update(cluster).outcome == "updated"
    assert set(Job.objects.values_list("status", flat=True)) <= {"success", "error"}


def test_a_field_that_no_record_has_is_left_out(simulator, cluster):
    simulator.faults.refuse(500, "broken in this release", path=r"/2/query/node", mentions="ndparams")
    simulator.outside.modify_node("node2.example.org", drained=True)
    report = update(cluster)
    assert report.outcome == "updated" and report.rapi_calls <= MOST_CALLS
    assert Node.objects.get(name="node2.example.org").drained
    assert "broken in this release" in say(cluster.unreadable[0]["why"])
