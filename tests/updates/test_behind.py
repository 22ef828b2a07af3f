"""What is done with gnt-* behind our back is in the database one update later, field by field."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clusters.connection import client_for
from clusters.models import Network, Node, NodeGroup, Schedule
from clusters.sync.fetch import fetch_snapshot
from clusters.sync.readings import Readings
from clusters.sync.snapshot import Known, KnownJobs
from simulator import Network as SimulatedNetwork
from tests.updates.conftest import update
from virtualmachines.models import VirtualMachine
from virtualmachines.states import state_of

VM1, VM2, VM3 = (f"vm{number}.example.org" for number in (1, 2, 3))


@pytest.fixture
def outside(simulator, cluster):
    """Hands on the simulated cluster, of which one update was made."""
    return simulator.outside


def machine(cluster, name):
    return VirtualMachine.objects.get(cluster=cluster, name=name)


def rows_of_machines(report):
    return next(each for each in report.written if each.table == VirtualMachine._meta.db_table)


@pytest.mark.feature("F074")
def test_a_new_machine_appears(simulator, cluster, outside):
    made = outside.add(
        "new.example.org", os="noop", beparams={"maxmem": 512, "minmem": 256, "vcpus": 3}, tags=["b", "a"]
    )
    report = update(cluster)
    vm = machine(cluster, "new.example.org")
    assert rows_of_machines(report).created == 1
    assert (vm.uuid, vm.os, vm.memory_mib, vm.memory_min_mib, vm.vcpus) == (made.uuid, "noop", 512, 256, 3)
    assert (vm.status, vm.admin_state, vm.tags, vm.disk_mib) == ("running", "up", ["a", "b"], 1024)
    assert vm.primary_node.name == made.primary
    assert report.rapi_calls == 9


def test_a_removed_machine_is_missing_and_stays(cluster, outside):
    before = machine(cluster, VM2)
    outside.remove(VM2)
    report = update(cluster)
    vm = machine(cluster, VM2)
    assert vm.pk == before.pk and vm.missing_since is not None and vm.owner_id == before.owner_id
    assert rows_of_machines(report).rows == 1
    first_seen = vm.missing_since
    update(cluster)
    assert machine(cluster, VM2).missing_since == first_seen


def test_a_renamed_machine_keeps_its_row(cluster, outside):
    before = machine(cluster, VM2)
    outside.rename(VM2, "renamed.example.org")
    update(cluster)
    vm = VirtualMachine.objects.get(pk=before.pk)
    assert (vm.name, vm.uuid, vm.missing_since) == ("renamed.example.org", before.uuid, None)
    assert "renamed.example.org" in vm.search_text
    assert VirtualMachine.objects.count() == 3


def test_another_machine_under_an_old_name_is_another_row(cluster, outside):
    before = machine(cluster, VM2)
    outside.remove(VM2)
    made = outside.add(VM2)
    update(cluster)
    old, new = VirtualMachine.objects.get(pk=before.pk), VirtualMachine.objects.get(uuid=made.uuid)
    assert old.pk != new.pk and old.missing_since is not None and new.missing_since is None
    assert old.name == new.name == VM2


@pytest.mark.feature("F072")
def test_a_crash_moves_no_time_and_is_seen(cluster, outside):
    before = machine(cluster, VM1)
    outside.crash(VM1)
    report = update(cluster)
    vm = machine(cluster, VM1)
    assert (before.status, vm.status) == ("running", "ERROR_down")
    assert (vm.mtime, vm.serial_no) == (before.mtime, before.serial_no)
    assert (vm.memory_used_mib, vm.vcpus_used) == (None, None)
    assert rows_of_machines(report).rows == 1
    assert report.rapi_calls == 8


def test_memory_in_use_is_seen(cluster, outside):
    outside.set_memory_in_use(VM1, 77)
    update(cluster)
    assert machine(cluster, VM1).memory_used_mib == 77


@pytest.mark.feature("F075")
def test_a_live_migration_moves_no_time_and_is_seen(simulator, cluster, outside):
    before = machine(cluster, VM1)
    target = next(name for name in simulator.cluster.nodes if name != before.primary_node.name)
    outside.migrate(VM1, target)
    report = update(cluster)
    vm = machine(cluster, VM1)
    assert vm.primary_node.name == target and vm.mtime == before.mtime
    assert report.rapi_calls == 8
    counts = {node.name: node.primary_count for node in Node.objects.all()}
    assert counts[target] == sum(1 for each in simulator.cluster.instances.values() if each.primary == target)


def test_start_stop_fail_over(simulator, cluster, outside):
    outside.stop(VM1)
    update(cluster)
    assert (machine(cluster, VM1).status, machine(cluster, VM1).admin_state) == ("ADMIN_down", "down")
    outside.start(VM1)
    target = next(name for name in simulator.cluster.nodes if name != simulator.cluster.instances[VM2].primary)
    outside.fail_over(VM2, target)
    update(cluster)
    assert (machine(cluster, VM1).status, machine(cluster, VM1).admin_state) == ("running", "up")
    assert machine(cluster, VM2).primary_node.name == target


@pytest.mark.feature("F070")
def test_a_modified_machine(simulator, cluster, outside):
    instance = simulator.cluster.instances[VM1]
    instance.disks[0].size = 5000
    instance.nics[0].ip = "192.0.2.77"
    outside.modify(
        VM1, beparams={"vcpus": 7, "maxmem": 900}, tags=["web"], os="debootstrap+trixie", admin_state="offline"
    )
    report = update(cluster)
    vm = machine(cluster, VM1)
    assert (vm.vcpus, vm.memory_mib, vm.tags, vm.os) == (7, 900, ["web"], "debootstrap+trixie")
    assert vm.admin_state == "offline"
    assert vm.disks[0]["size_mib"] == 5000 and vm.nics[0]["ip"] == "192.0.2.77"
    assert vm.disk_mib == sum(disk.size for disk in instance.disks)
    assert "192.0.2.77" in vm.search_text and "web" in vm.search_text
    assert vm.raw["beparams"]["vcpus"] == 7 and vm.raw["custom_beparams"]["vcpus"] == 7
    assert rows_of_machines(report).rows == 1
    assert report.rapi_calls == 9


@pytest.mark.feature("G003")
def test_changed_defaults_reach_every_machine(cluster, outside):
    serials = dict(VirtualMachine.objects.values_list("name", "serial_no"))
    outside.change_defaults(beparams={"vcpus": 5}, hvparams={"kvm": {"acpi": False}})
    for name in list(serials)[1:]:
        outside.cluster.instances[name].beparams.pop("vcpus", None)
    outside.cluster.forget_merged()
    report = update(cluster)
    for vm in VirtualMachine.objects.all():
        assert vm.raw["hvparams"]["acpi"] is False
        assert vm.vcpus == outside.cluster.merged_beparams(outside.cluster.instances[vm.name])["vcpus"]
        assert vm.serial_no == serials[vm.name]
    assert cluster.info["beparams"]["default"]["vcpus"] == 5
    assert report.rapi_calls == 9
    assert update(cluster).rapi_calls == 8


def test_what_moves_no_serial_number_is_read_once_a_day(simulator, cluster, outside):
    """No command of Ganeti leads there; a configuration that was restored or edited by hand does."""
    before = machine(cluster, VM1).os
    with simulator.cluster.lock:
        simulator.cluster.instances[VM1].os = "rescue"
    assert update(cluster).rapi_calls == 8
    assert machine(cluster, VM1).os == before
    Schedule.objects.update(configs_read_at=timezone.now() - timedelta(hours=25))
    assert update(cluster).rapi_calls == 9
    assert machine(cluster, VM1).os == "rescue"
    assert update(cluster).rapi_calls == 8


class Noting(Readings):
    """Remembers of which machines the configuration was asked for; None: of all."""

    asked: list[int | None]

    def read_configs(self, uuids=None):
        self.asked.append(None if uuids is None else len(uuids))
        return super().read_configs(uuids)


@pytest.mark.parametrize(("changed", "asked"), [(0, []), (200, [200]), (201, [None])])
def test_of_many_changed_machines_all_are_read_without_a_filter(make_simulator, track, changed, asked):
    """More uuids than that cost Ganeti more than to read everything."""
    cluster = track(make_simulator(nodes=2, instances=202))
    with client_for(cluster) as client:
        before = fetch_snapshot(Readings(client), Known("", "", {}, KnownJobs(), with_live=False))
        same = {
            uuid: (each.name, each.serial_no, each.mtime, each.admin_state) for uuid, each in before.machines.items()
        }
        known = dict.fromkeys(list(same)[:changed], ("another", 0, 0.0, ""))
        readings = Noting(client)
        readings.asked = []
        fetch_snapshot(readings, Known("", before.digest, same | known, KnownJobs(), with_live=False))
    assert readings.asked == asked


def test_changed_group_defaults_are_read(simulator, cluster, outside):
    group = next(iter(simulator.cluster.groups))
    outside.modify_group(group, alloc_policy="last_resort", ndparams={"ssh_port": 2222})
    report = update(cluster)
    row = NodeGroup.objects.get(name=group)
    assert row.alloc_policy == "last_resort" and row.raw["ndparams"]["ssh_port"] == 2222
    assert report.rapi_calls == 9


def test_nodes_come_go_and_change(simulator, cluster, outside):
    master = simulator.cluster.master
    other = next(name for name in simulator.cluster.nodes if name != master)
    outside.add_node("node9.example.org")
    outside.modify_node(other, offline=True, tags=["rack3"], drained=False, master_candidate=False)
    update(cluster)
    assert Node.objects.get(name="node9.example.org").missing_since is None
    node = Node.objects.get(name=other)
    assert (node.offline, node.role, node.tags, node.answers) == (True, "O", ["rack3"], False)
    assert node.memory_total_mib is None
    outside.remove_node("node9.example.org")
    outside.modify_node(other, offline=False, drained=True)
    update(cluster)
    assert Node.objects.get(name="node9.example.org").missing_since is not None
    node.refresh_from_db()
    assert (node.offline, node.drained, node.role) == (False, True, "D")
    assert node.memory_total_mib


def test_a_dead_node(simulator, cluster, outside):
    other = next(name for name in simulator.cluster.nodes if name != simulator.cluster.master)
    outside.kill_node(other)
    update(cluster)
    node = Node.objects.get(name=other)
    assert not node.answers and not node.offline and node.memory_free_mib is None
    for vm in VirtualMachine.objects.filter(primary_node=node):
        assert vm.status == "ERROR_nodedown" and vm.memory_used_mib is None
    outside.revive_node(other)
    update(cluster)
    assert Node.objects.get(name=other).answers


def test_networks(simulator, cluster, outside):
    with simulator.cluster.lock:
        network = simulator.cluster.networks["lan"] = SimulatedNetwork("lan", "192.0.2.0/24", gateway="192.0.2.1")
    update(cluster)
    row = Network.objects.get(uuid=network.uuid)
    assert (row.name, row.cidr, row.gateway) == ("lan", "192.0.2.0/24", "192.0.2.1")
    free = row.free_count
    outside.modify_network("lan", gateway="192.0.2.254", tags=["public"], mac_prefix="aa:bb:cc")
    with simulator.cluster.lock:
        simulator.cluster.instances[VM1].nics[0].network = network.uuid
        simulator.cluster.instances[VM1].nics[0].ip = "192.0.2.9"
    update(cluster)
    row.refresh_from_db()
    assert (row.gateway, row.tags, row.mac_prefix) == ("192.0.2.254", ["public"], "aa:bb:cc")
    assert row.free_count == free - 1  # a counter of the pool: neither serial number nor time moved
    with simulator.cluster.lock:
        del simulator.cluster.networks["lan"]
        simulator.cluster.instances[VM1].nics[0].network = None
    update(cluster)
    row.refresh_from_db()
    assert row.missing_since is not None


def test_the_master_is_looked_for_among_its_candidates_only(simulator, cluster, outside):
    """Master first; a regular node is never promoted without becoming a candidate, and need not be asked."""
    master = simulator.cluster.nodes[simulator.cluster.master]
    (other,) = (node for node in simulator.cluster.nodes.values() if node is not master)
    assert cluster.fallback_hosts == [master.primary_ip, other.primary_ip]
    outside.modify_node(other.name, master_candidate=False)
    update(cluster)
    assert cluster.fallback_hosts == [master.primary_ip]


def test_the_master_moves(simulator, cluster, outside):
    new = next(name for name in simulator.cluster.nodes if name != simulator.cluster.master)
    outside.fail_over_master(new)
    update(cluster)
    assert cluster.master == new
    assert Node.objects.get(role="M").name == new
    assert cluster.fallback_hosts[0] == Node.objects.get(name=new).primary_ip


def test_the_master_moves_and_its_old_address_answers_no_more(simulator, cluster, outside, settings):
    new = next(name for name in simulator.cluster.nodes if name != simulator.cluster.master)
    endpoint = simulator.add_endpoint(new)
    cluster.fallback_hosts = ["127.0.0.1"]
    cluster.save()
    outside.fail_over_master(new)
    simulator.stop_listening()
    report = update(cluster)
    assert report.outcome == "failed" and cluster.schedule.failures == 1
    cluster.port = endpoint.port
    cluster.save()
    assert update(cluster).outcome == "updated"
    assert cluster.unreachable_since is None and cluster.schedule.failures == 0


def test_ten_changes_are_ten_rows_and_one_more_call(make_simulator, track):
    simulator = make_simulator(nodes=2, instances=60)
    row = track(simulator)
    update(row)
    quiet = update(row)
    for number in range(1, 11):
        simulator.outside.modify(f"vm{number}.example.org", tags=["changed"])
    report = update(row)
    assert rows_of_machines(report).rows == 10
    assert report.rapi_calls == quiet.rapi_calls + 1
    assert report.rows_written == quiet.rows_written + 10


def test_a_machine_that_returns_is_unmarked(simulator, cluster, outside):
    with simulator.cluster.lock:
        instance = simulator.cluster.instances[VM3]
    outside.remove(VM3)
    update(cluster)
    assert machine(cluster, VM3).missing_since is not None
    with simulator.cluster.lock:
        simulator.cluster.add_instance(instance)
    update(cluster)
    assert machine(cluster, VM3).missing_since is None
    assert VirtualMachine.objects.count() == 3


@pytest.mark.feature("F062")
def test_two_clusters_with_the_same_names(make_simulator, track):
    first, second = make_simulator(nodes=2, instances=3), make_simulator(nodes=2, instances=3)
    one, two = track(first, "one"), track(second, "two")
    update(one)
    update(two)
    assert VirtualMachine.objects.filter(name=VM1).count() == 2
    first.outside.crash(VM1)
    second.outside.remove(VM1)
    update(one)
    update(two)
    assert machine(one, VM1).status == "ERROR_down" and machine(one, VM1).missing_since is None
    assert machine(two, VM1).status == "running" and machine(two, VM1).missing_since is not None
    for vm in VirtualMachine.objects.select_related("primary_node"):
        assert vm.primary_node.cluster_id == vm.cluster_id


def test_a_machine_that_is_only_reserved_is_not_taken_for_stopped(simulator, cluster):
    with simulator.cluster.lock:
        simulator.cluster.instances[VM1].forthcoming = True
        simulator.cluster.instances[VM1].admin_state = "down"
        simulator.cluster.stop(simulator.cluster.instances[VM1])
    update(cluster)
    assert machine(cluster, VM1).status == "forthcoming"
    assert state_of("forthcoming").word == "reserved"
    update(cluster)
    assert machine(cluster, VM1).status == "forthcoming", "also where its configuration is not read anew"
    with simulator.cluster.lock:
        simulator.cluster.instances[VM1].forthcoming = False
    update(cluster)
    assert machine(cluster, VM1).status == "ADMIN_down"
