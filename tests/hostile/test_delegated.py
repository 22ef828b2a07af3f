"""Who administers one cluster only, where that cluster lies: nothing of another one is shown, taken or changed."""

import pytest
from django.test import Client
from django.urls import reverse

from clusters.models import Cluster, Job, JobTarget, Node
from permissions.services import grant
from tests.factories import make_user
from tests.hostile.conftest import Liar
from tests.hostile.test_records import pages, read_all
from virtualmachines.models import VirtualMachine

pytestmark = pytest.mark.feature("G046", "G048")
LONGEST = ".".join(["n" * 63, "m" * 63, "m" * 63, "k" * 63])


@pytest.fixture
def delegate(liar: Liar, honest: Cluster) -> Client:
    """Signed in as somebody with all rights on the lying cluster and none on the honest one."""
    person = make_user("dora")
    grant(["admin"], person, liar.row)
    client = Client()
    client.force_login(person)
    return client


def look_around(client: Client, cluster: Cluster) -> None:
    """Every page of the cluster, and of some of what it has; no page of the other one, nor its name on any."""
    urls = [reverse(name) for name in pages()] + [reverse(name, args=[cluster.slug]) for name in pages("slug")]
    for below, rows in (("/vms/", cluster.virtual_machines), ("/nodes/", cluster.nodes)):
        for row in rows.order_by("pk")[:4]:
            urls += [reverse(name, args=[cluster.slug, row.name]) for name in pages("slug", "name", below=below)]
    for job in cluster.jobs.order_by("-pk")[:3]:
        urls += [reverse(name, args=[cluster.slug, job.ganeti_id]) for name in pages("slug", "number")]
    for url in urls:
        answer = client.get(url)
        assert answer.status_code < 500, url
        assert b"honest" not in answer.content, url
    for name in pages("slug"):
        assert client.get(reverse(name, args=["honest"])).status_code in (401, 404, 405), name


@pytest.mark.long
def test_records_that_claim_what_is_anothers(liar: Liar, honest: Cluster, delegate: Client) -> None:
    theirs = list(VirtualMachine.objects.filter(cluster=honest).order_by("pk"))
    node = Node.objects.filter(cluster=honest).order_by("pk")[0]
    before = list(VirtualMachine.objects.filter(cluster=honest).order_by("pk").values())
    alter, machines = liar.simulator.alterations.alter, liar.names["instance"]
    alter("instance", "uuid", theirs[0].uuid, which=machines[0])
    alter("instance", "pnode", node.name)
    alter("node", "uuid", node.uuid, which=liar.names["node"][0])
    job = liar.simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name=theirs[0].name, instance_uuid=theirs[0].uuid)
    assert read_all(liar.row).outcome == "updated"
    assert list(VirtualMachine.objects.filter(cluster=honest).order_by("pk").values()) == before
    of_ours = JobTarget.objects.filter(job=Job.objects.get(cluster=liar.row, ganeti_id=job.id))
    assert not of_ours.filter(target_pk__in=[vm.pk for vm in theirs]).exists()
    look_around(delegate, liar.row)
    holder = make_user("olaf")
    grant(["power"], holder, theirs[0])
    delegate.force_login(holder)
    assert delegate.get(reverse("job", args=["liar", job.id])).status_code == 404


@pytest.mark.long
def test_as_much_as_there_can_be_of_everything(liar: Liar, honest: Cluster, delegate: Client) -> None:
    alter, machines, nodes = liar.simulator.alterations.alter, liar.names["instance"], liar.names["node"]
    for field in ("nic.macs", "nic.ips", "nic.networks", "nic.names", "nic.links", "nic.modes", "disk.names"):
        alter("instance", field, ["x" * 255] * 200, which=machines[0])
        alter("instance", field, [], which=machines[1])
    alter("instance", "disk.sizes", [1024] * 200, which=machines[0])
    alter("instance", "disk.sizes", [], which=machines[1])
    alter("instance", "tags", [f"t{number}-{'y' * 120}" for number in range(500)], which=machines[0])
    alter("instance", "name", LONGEST, which=machines[2])
    alter("node", "name", LONGEST, which=nodes[0])
    alter("job", "oplog", [[[line, [1700000000, 0], "message", "L" * 100_000] for line in range(50)]])
    assert read_all(liar.row).outcome == "updated"
    assert VirtualMachine.objects.filter(name=LONGEST).exists() and Node.objects.filter(name=LONGEST).exists()
    look_around(delegate, liar.row)
