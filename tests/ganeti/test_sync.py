"""The update cycle against a real Ganeti: what gnt-* does behind our back, and what happens when it can't be read."""

from __future__ import annotations

import pytest
from django.utils import timezone

from clusters.models import Cluster, Job, Node
from objectlog.models import Outcome, Via
from operations.contract import Actor, Ask
from operations.pipeline import run
from operations.table import OPERATIONS
from tests.factories import make_admin, make_cluster
from tests.ganeti.cluster import GanetiCluster
from tests.updates.conftest import update
from tools.lab.system import wait_until
from updates.due import select_to_follow
from updates.follower import follow_cluster
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.ganeti, pytest.mark.django_db]


def track(ganeti: GanetiCluster, slug: str) -> Cluster:
    row = make_cluster(
        slug,
        host=ganeti.host,
        port=ganeti.port,
        username=ganeti.username,
        password=ganeti.password,
        tls_fingerprint=ganeti.fingerprint,
        uuid="",
        synced_at=None,
        live_at=None,
        operating_systems_at=timezone.now(),
        exports_at=timezone.now(),
    )
    report = update(row)
    assert report.outcome == "updated", report.error
    return row


@pytest.fixture
def cluster(ganeti: GanetiCluster, db: None) -> Cluster:
    return track(ganeti, "real")


def machine(cluster: Cluster, name: str) -> VirtualMachine:
    return VirtualMachine.objects.select_related("primary_node").get(
        cluster=cluster, name=name, missing_since__isnull=True
    )


def assert_in_step(cluster: Cluster, ganeti: GanetiCluster, name: str) -> VirtualMachine:
    """Field by field, what gnt-instance says is what the row says."""
    vm = machine(cluster, name)
    fields = (
        "uuid",
        "pnode",
        "status",
        "admin_state",
        "os",
        "hypervisor",
        "tags",
        "be/vcpus",
        "be/maxmem",
        "serial_no",
    )
    said = dict(zip(fields, ganeti.instance(name, *fields), strict=True))
    assert vm.primary_node is not None
    mine = {
        "uuid": vm.uuid,
        "pnode": vm.primary_node.name,
        "status": vm.status,
        "admin_state": vm.admin_state,
        "os": vm.os,
        "hypervisor": vm.hypervisor,
        "tags": ",".join(vm.tags),
        "be/vcpus": str(vm.vcpus),
        "be/maxmem": said["be/maxmem"] if said["be/maxmem"].endswith(("M", "G")) else str(vm.memory_mib),
        "serial_no": str(vm.serial_no),
    }
    assert mine == said
    return vm


@pytest.mark.feature("F064", "F070", "F074", "F076")
def test_the_life_of_a_machine_made_elsewhere(ganeti: GanetiCluster, cluster: Cluster) -> None:
    name = ganeti.add_fake_instance()
    update(cluster)
    vm = assert_in_step(cluster, ganeti, name)
    assert vm.status == "running" and vm.memory_used_mib
    assert Job.objects.filter(title__startswith=f"Create {name}", status="success").exists()

    ganeti.crash(name)
    update(cluster)
    assert assert_in_step(cluster, ganeti, name).status == "ERROR_down"
    ganeti.stop(name)
    ganeti.modify(name, "-B", "vcpus=2,memory=48M")
    ganeti.add_tags(name, "web", "blue")
    update(cluster)
    changed = assert_in_step(cluster, ganeti, name)
    assert (changed.status, changed.vcpus, changed.memory_mib, changed.tags) == ("ADMIN_down", 2, 48, ["blue", "web"])

    new_name = ganeti.rename(name)
    update(cluster)
    renamed = assert_in_step(cluster, ganeti, new_name)
    assert renamed.pk == vm.pk
    ganeti.start(new_name)
    update(cluster)
    assert assert_in_step(cluster, ganeti, new_name).status == "running"

    ganeti.remove(new_name)
    update(cluster)
    vm.refresh_from_db()
    assert vm.missing_since is not None
    again = ganeti.add_fake_instance(new_name)
    assert again == new_name
    update(cluster)
    assert assert_in_step(cluster, ganeti, new_name).pk != vm.pk
    ganeti.remove(new_name)


@pytest.mark.feature("F072", "F075")
def test_moves_between_nodes(ganeti: GanetiCluster, cluster: Cluster) -> None:
    name = ganeti.add_guest()
    update(cluster)
    before = assert_in_step(cluster, ganeti, name)
    assert before.network_port and before.raw["hvparams"]
    ganeti.migrate(name)
    update(cluster)
    moved = assert_in_step(cluster, ganeti, name)
    assert moved.primary_node != before.primary_node
    ganeti.failover(name)
    update(cluster)
    assert assert_in_step(cluster, ganeti, name).primary_node == before.primary_node
    ganeti.remove(name)


@pytest.mark.feature("G003")
def test_defaults_and_nodes(ganeti: GanetiCluster, cluster: Cluster) -> None:
    name = ganeti.add_fake_instance()
    update(cluster)
    before = machine(cluster, name)
    with ganeti.cluster_defaults("-B", "vcpus=3", undo=("-B", "vcpus=1")):
        update(cluster)
        changed = assert_in_step(cluster, ganeti, name)
        assert changed.vcpus == (before.vcpus if "vcpus" in before.raw["custom_beparams"] else 3)
        assert cluster.info["beparams"]["default"]["vcpus"] == 3
    update(cluster)
    assert assert_in_step(cluster, ganeti, name).vcpus == before.vcpus
    other = next(node for node in ganeti.nodes if node != cluster.master)
    with ganeti.node_offline(other):
        update(cluster)
        node = Node.objects.get(cluster=cluster, name=other)
        assert (node.offline, node.role, node.answers) == (True, "O", False)
    update(cluster)
    assert not Node.objects.get(cluster=cluster, name=other).offline
    ganeti.remove(name)


@pytest.mark.feature("F071", "G003")
def test_nothing_changed_nothing_written(
    ganeti: GanetiCluster, cluster: Cluster, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    update(cluster)
    before = list(VirtualMachine.objects.order_by("pk").values())
    jobs = list(Job.objects.order_by("pk").values())
    # 18 where nothing moves; figures of nodes and machines move by themselves, and each table written takes four
    with django_assert_max_num_queries(18 + 2 * 4):  # type: ignore[operator]
        report = update(cluster)
    assert report.rapi_calls == 8
    assert report.rows_written <= 5
    assert list(VirtualMachine.objects.order_by("pk").values()) == before
    assert list(Job.objects.order_by("pk").values()) == jobs


@pytest.mark.feature("F079", "G002")
@pytest.mark.parametrize("trouble", ["luxid", "rapi", "hanging", "cut_off"])
def test_trouble_changes_nothing_but_the_error(
    ganeti: GanetiCluster, cluster: Cluster, settings: pytest.FixtureRequest, trouble: str
) -> None:
    settings.GWM_RAPI_CONNECT_TIMEOUT_S = 1.0  # type: ignore[attr-defined]
    settings.GWM_RAPI_READ_TIMEOUT_S = 2.0  # type: ignore[attr-defined]
    Cluster.objects.filter(pk=cluster.pk).update(fallback_hosts=[])
    before = {table: list(table.objects.order_by("pk").values()) for table in (VirtualMachine, Node, Job)}
    synced_at = cluster.synced_at
    kinds = {"luxid": "timed out", "rapi": "unreachable", "hanging": "timed out", "cut_off": "timed out"}
    broken = ganeti.daemon_stopped(trouble) if trouble in ("luxid", "rapi") else getattr(ganeti, trouble)()
    with broken:
        report = update(cluster)
    assert (report.outcome, cluster.last_error_kind) == ("failed", kinds[trouble]), report.error
    assert cluster.unreachable_since is not None and cluster.synced_at == synced_at
    assert {table: list(table.objects.order_by("pk").values()) for table in before} == before

    def is_well() -> bool:
        return update(cluster).outcome == "updated"

    settings.GWM_RAPI_READ_TIMEOUT_S = 60.0  # type: ignore[attr-defined]
    wait_until(is_well, what="an update after the trouble", timeout_s=60.0)
    assert cluster.unreachable_since is None and cluster.schedule.failures == 0


@pytest.mark.feature("F073", "F231", "G001")
def test_an_operation_is_followed_to_its_end(ganeti: GanetiCluster, cluster: Cluster) -> None:
    name = ganeti.add_fake_instance()
    update(cluster)
    actor = Actor(make_admin(), Via.CLI)
    entry = run(
        OPERATIONS["vm.shutdown-now"], Ask(actor, machine(cluster, name), OPERATIONS["vm.shutdown-now"].params_type())
    )
    assert entry.outcome == Outcome.SUBMITTED

    def is_settled() -> bool:
        cluster.refresh_from_db()
        report = follow_cluster(cluster)
        assert report.outcome == "updated", report.error
        entry.refresh_from_db()
        return not entry.is_open

    wait_until(is_settled, what="the end of the job", timeout_s=30.0)
    assert entry.outcome == Outcome.SUCCEEDED
    vm = assert_in_step(cluster, ganeti, name)
    assert vm.status == "ADMIN_down" and not vm.is_busy
    job = Job.objects.get(entry=entry)
    assert job.status == "success" and job.started_at and job.ended_at
    assert not select_to_follow().filter(pk=cluster.pk).exists()
    assert ganeti.jobs_with_reason(entry.reason) == [job.ganeti_id]
    ganeti.remove(name)


@pytest.mark.feature("G001")
def test_why_a_job_waits_and_for_whom(ganeti: GanetiCluster, cluster: Cluster) -> None:
    name = ganeti.add_guest()
    update(cluster)
    with ganeti.held_job(60) as holder:
        waiter = int(
            ganeti.gnt("instance", "migrate", "-f", "-n", ganeti.other_node(name), "--submit", "--print-jobid", name)
        )
        update(cluster)

        def explained() -> bool:
            cluster.refresh_from_db()
            follow_cluster(cluster)
            return bool(Job.objects.get(cluster=cluster, ganeti_id=waiter).waiting_for)

        wait_until(explained, what="the waiting job's locks", timeout_s=20.0)
        job = Job.objects.get(cluster=cluster, ganeti_id=waiter)
        assert job.status == "waiting"
        assert any(holder in lock["holders"] and lock["lock"].startswith("node") for lock in job.waiting_for)

    def has_ended() -> bool:
        cluster.refresh_from_db()
        follow_cluster(cluster)
        return Job.objects.get(cluster=cluster, ganeti_id=waiter).is_final

    wait_until(has_ended, what="the end of the migration", timeout_s=60.0)
    assert Job.objects.get(cluster=cluster, ganeti_id=waiter).waiting_for == []
    assert_in_step(cluster, ganeti, name)
    ganeti.remove(name)


@pytest.mark.feature("F062")
def test_two_clusters_with_the_same_names(
    ganeti: GanetiCluster, ganeti_second: GanetiCluster, cluster: Cluster
) -> None:
    name = ganeti.add_fake_instance()
    ganeti_second.add_fake_instance(name)
    second = track(ganeti_second, "second")
    update(cluster)
    assert VirtualMachine.objects.filter(name=name).count() == 2
    ganeti_second.crash(name)
    update(cluster)
    update(second)
    assert machine(cluster, name).status == "running"
    assert machine(second, name).status == "ERROR_down"
    assert {node.cluster_id for node in Node.objects.filter(name=ganeti.nodes[0])} == {cluster.pk, second.pk}
    ganeti.remove(name)
    ganeti_second.remove(name)


def test_the_master_moves(ganeti: GanetiCluster, cluster: Cluster) -> None:
    other = next(node for node in ganeti.nodes if node != cluster.master)
    with ganeti.master_on(other):

        def is_seen() -> bool:
            return update(cluster).outcome == "updated" and cluster.master == other

        wait_until(is_seen, what="an update from the new master", timeout_s=60.0)
    update(cluster)
