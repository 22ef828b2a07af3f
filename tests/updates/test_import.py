"""The first update of a cluster brings everything in."""

import pytest

from clusters.models import Job, Network, Node, NodeGroup
from tests.updates.conftest import update
from virtualmachines.models import VirtualMachine


@pytest.mark.feature("F067", "F068", "F069", "F070", "F074", "F075", "F076")
def test_everything_is_there_after_the_first_update(simulator, track):
    row = track(simulator, "alpha")
    report = update(row)
    assert (report.outcome, report.error, report.machines) == ("updated", "", 3)
    assert row.uuid == simulator.cluster.uuid
    assert row.name == simulator.cluster.name
    assert row.master == simulator.cluster.master
    assert row.software_version
    assert row.info["uuid"] == row.uuid
    assert row.synced_at and row.live_at and not row.last_error and row.schedule.failures == 0
    assert row.schedule.next_sync_at > row.synced_at
    assert set(row.fallback_hosts) <= {node.primary_ip for node in simulator.cluster.nodes.values()}
    assert NodeGroup.objects.filter(cluster=row).count() == len(simulator.cluster.groups)
    assert Network.objects.filter(cluster=row).count() == len(simulator.cluster.networks)
    assert {node.name for node in Node.objects.filter(cluster=row)} == set(simulator.cluster.nodes)
    machines = {vm.name: vm for vm in VirtualMachine.objects.filter(cluster=row)}
    assert set(machines) == set(simulator.cluster.instances)
    for name, vm in machines.items():
        instance = simulator.cluster.instances[name]
        assert vm.uuid == instance.uuid
        assert vm.primary_node.name == instance.primary
        assert (vm.secondary_node.name if vm.secondary_node else None) == instance.secondary
        assert (vm.os, vm.hypervisor, vm.disk_template) == (instance.os, instance.hypervisor, instance.disk_template)
        assert vm.status == "running"
        assert vm.memory_used_mib == simulator.cluster.memory_of(instance)
        assert vm.disk_mib == sum(disk.size for disk in instance.disks)
        assert [nic["mac"] for nic in vm.nics] == [nic.mac for nic in instance.nics]
        assert vm.raw["hvparams"]
        assert name in vm.search_text


@pytest.mark.feature("F071", "F072", "G003")
def test_nothing_changed_nothing_written(simulator, cluster, django_assert_max_num_queries):
    before = list(VirtualMachine.objects.order_by("pk").values())
    with django_assert_max_num_queries(20):
        report = update(cluster)
    assert report.outcome == "updated"
    assert [(each.table, each.rows) for each in report.written if each.rows] == [("clusters_schedule", 2)]
    assert report.rows_written == 2
    assert list(VirtualMachine.objects.order_by("pk").values()) == before
    assert report.rapi_calls == 8 == len(simulator.requests)
    assert simulator.count(path="/2/instances") == 0
    assert Job.objects.count() == 0


@pytest.mark.feature("F065")
def test_over_ipv6(make_simulator, track):
    simulator = make_simulator(host="::1", instances=2)
    row = track(simulator)
    assert row.host == "::1"
    assert update(row).outcome == "updated"
    assert VirtualMachine.objects.count() == 2


@pytest.mark.feature("F062", "F063")
def test_releases_side_by_side(make_simulator, track):
    """What differs is taken from what each cluster reports: here one that lacks parameters which the other has."""
    old, new = make_simulator(instances=1), make_simulator(instances=1)
    old.cluster.settings["software_version"], new.cluster.settings["software_version"] = "2.16.2", "3.1.0"
    for name in ("vnc_tls", "user_shutdown"):
        old.cluster.settings["hvparams"]["kvm"].pop(name, None)
    new.cluster.settings["hvparams"]["kvm"]["from_the_future"] = 7
    for simulator in (old, new):
        simulator.cluster.instances["vm1.example.org"].hypervisor = "kvm"
        simulator.cluster.forget_merged()
    one, two = track(old, "old"), track(new, "new")
    assert update(one).outcome == update(two).outcome == "updated"
    assert "user_shutdown" not in one.virtual_machines.get().raw["hvparams"]
    assert two.virtual_machines.get().raw["hvparams"]["from_the_future"] == 7
    assert one.virtual_machines.get().status == two.virtual_machines.get().status == "running"


@pytest.mark.long
def test_a_thousand_machines_at_once(make_simulator, track):
    """More than SQLite takes terms in one condition."""
    row = track(make_simulator(instances=1100))
    assert update(row).outcome == "updated"
    assert VirtualMachine.objects.count() == 1100
