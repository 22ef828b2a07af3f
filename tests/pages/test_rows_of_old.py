"""Rows that an earlier release took from a cluster: migrated where they can't be shown, and never an error."""

import pytest
from django.urls import reverse

from clusters.models import Job, Node
from tests.factories import make_admin, make_cluster, make_job, make_node, make_vm
from tests.fixtures.migrating import migrate, migrate_all
from virtualmachines.models import VirtualMachine

pytestmark = pytest.mark.feature("G046")

BEFORE = [("clusters", "0008_tie_targets"), ("virtualmachines", "0005_tie_targets")]


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_what_no_page_can_show_is_mended_by_the_migration(client):
    cluster = make_cluster("old")
    make_job(cluster, ganeti_id=-1)
    make_job(cluster, ganeti_id=5)
    make_vm(cluster, "a/b", memory_mib=9_200_000_000_000_000_000, ctime=1e13, mtime=1e13)
    make_vm(cluster, "..")
    make_vm(cluster, "good.example.org", memory_mib=512)
    make_node(cluster, "a/b", memory_total_mib=9_200_000_000_000_000_000)
    migrate(BEFORE)
    migrate_all()
    assert list(Job.objects.values_list("ganeti_id", flat=True)) == [5]
    mended = VirtualMachine.objects.get(name="a_b")
    assert (mended.memory_mib, mended.ctime, mended.mtime) == (0, None, 0)
    assert VirtualMachine.objects.get(name="good.example.org").memory_mib == 512
    assert Node.objects.get().name == "a_b" and Node.objects.get().memory_total_mib is None
    client.force_login(make_admin())
    for page in ("overview", "clusters", "vms", "nodes", "jobs"):
        assert client.get(reverse(page)).status_code == 200
    for machine in VirtualMachine.objects.all():
        assert client.get(reverse("vm", args=["old", machine.name])).status_code == 200


@pytest.mark.parametrize(
    "info",
    [
        {"ctime": 1e300, "mtime": "x", "architecture": 7, "enabled_disk_templates": {"a": 1}, "beparams": [1]},
        {"hvparams": "x", "nicparams": 3, "diskparams": [2], "ipolicy": "y", "ndparams": {"ctime": 1e300}},
        {"hvparams": {"kvm": 5}, "beparams": {"default": 5}, "diskparams": {"drbd": 5}, "ctime": True},
    ],
)
def test_what_is_kept_of_a_cluster_is_shown_whatever_it_is(client, db, info):
    cluster = make_cluster("old", info=info, enabled_hypervisors=["kvm"], unreadable=[5, {"since": "never"}])
    vm = make_vm(cluster, "web1", raw={"hvparams": 7, "beparams": [], "osparams": "x"}, ctime=1e13, mtime=-1.0)
    job = make_job(cluster, ("instance", "web1"), log=[[1, None, 0, "x"], [2, 1e300, 0, "y"], []])
    client.force_login(make_admin())
    for page in ("cluster", "cluster-parameters", "cluster-vms"):
        assert client.get(reverse(page, args=["old"])).status_code == 200
    for page in ("vm", "vm-parameters", "vm-jobs"):
        assert client.get(reverse(page, args=["old", vm.name])).status_code == 200
    for page in ("job", "job-status"):
        assert client.get(reverse(page, args=["old", job.ganeti_id])).status_code == 200


def test_the_page_says_what_cannot_be_read_since_when_and_what_to_do(client, db):
    bad = {"kind": "instance", "key": "u", "name": "a/b", "why": "Rename it in Ganeti."}
    cluster = make_cluster("lab", unreadable=[bad | {"since": "2026-01-02T03:04:05+00:00"}])
    vm = make_vm(cluster, "web1", unreadable_since="2026-01-02T03:04:05Z", unreadable_why="Remove the tag.")
    client.force_login(make_admin())
    page = client.get(reverse("cluster", args=["lab"])).content.decode()
    assert "One record of this cluster" in page and "a/b" in page and "Rename it in Ganeti." in page
    page = client.get(reverse("vm", args=["lab", vm.name])).content.decode()
    assert "be read since" in page and "Remove the tag." in page
