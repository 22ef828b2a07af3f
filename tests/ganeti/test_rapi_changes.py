"""Every changing method of the RAPI client but power, called on a real Ganeti, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rapi import Dependency, JobOptions, RapiClient
from rapi.errors import NotFound, NotSupported, Refused
from rapi.features import Features
from rapi.resources.filters import NEW_JOBS, RateLimit
from rapi.resources.lifecycle import InstanceChanges, InstanceSpec
from tests.ganeti.cluster import GanetiCluster
from tests.ganeti.rapi_hands import REASON, connect, done, ended, failed, poll, read_groups, read_networks

pytestmark = pytest.mark.ganeti
NOBODY = "nobody.lab.test"


@pytest.fixture(scope="module")
def rapi(ganeti: GanetiCluster) -> Iterator[RapiClient]:
    with connect(ganeti) as client:
        yield client


@pytest.fixture
def machine(ganeti: GanetiCluster) -> Iterator[str]:
    name = ganeti.add_fake_instance()
    yield name
    if name in ganeti.instance_names():
        ganeti.remove(name)


def spec(name: str, **changes: Any) -> InstanceSpec:
    usual: dict[str, Any] = {
        "name": name,
        "disk_template": "file",
        "disks": [{"size": 16, "name": "root"}],
        "nics": [{"mode": "bridged", "link": "br0", "name": "lan"}],
        "os": "noop",
        "hypervisor": "fake",
        "beparams": {"minmem": 16, "maxmem": 32, "vcpus": 2},
        "file_driver": "loop",
        "start": False,
    }
    return InstanceSpec(**{**usual, **changes})


def test_the_life_of_an_instance(ganeti: GanetiCluster, rapi: RapiClient) -> None:
    name = ganeti.fresh_name("life")
    secret, private = {"token": "very-secret-token"}, {"key": "very-secret-key"}
    wanted = spec(name, pnode=ganeti.nodes[0], tags=["a:b"], osparams_secret=secret, osparams_private=private)
    assert "very-secret" not in repr(wanted)
    done(rapi, rapi.create_instance(wanted, reason=REASON, dry_run=True))
    assert name not in rapi.list_instance_names()
    job = done(rapi, rapi.create_instance(wanted, reason=REASON, options=JobOptions(comment="made by hand")))
    assert "very-secret" not in repr(job)
    assert job.log or job.opcodes[0].comment == "made by hand"
    info = rapi.get_instance(name)
    assert info.tags == ("a:b",)
    assert (info.memory_min_mib, info.memory_max_mib, info.vcpus) == (16, 32, 2)
    (disk,) = info.disks
    assert (disk.size_mib, disk.name) == (16, "root")
    (nic,) = info.nics
    assert (nic.mode, nic.link, nic.name, nic.ip) == ("bridged", "br0", "lan", None)

    done(rapi, rapi.grow_disk(name, 0, 16, reason=REASON))
    done(rapi, rapi.grow_disk(name, 0, 48, reason=REASON, absolute=True))
    assert rapi.get_instance(name).disks[0].size_mib == 48

    features = Features.of(rapi.get_info())
    changes = InstanceChanges(
        beparams={"vcpus": 3, "maxmem": "default", "minmem": "default"},
        disks=[("add", -1, {"size": 16, "name": "data"})],
        nics=[("modify", 0, {"name": "wan"}), ("add", -1, {"mode": "bridged", "link": "br0"})],
    )
    done(rapi, rapi.modify_instance(name, changes, reason=REASON, dry_run=True))
    assert rapi.get_instance(name).vcpus == 2
    changed = rapi.modify_instance(name, changes, reason=REASON, hotplug="if possible", features=features)
    job = done(rapi, changed)
    assert ["be/vcpus", 3] in job.opcodes[0].result
    info = rapi.get_instance(name)
    assert (info.vcpus, len(info.disks), [each.name for each in info.nics]) == (3, 2, ["wan", None])
    done(rapi, rapi.modify_instance(name, InstanceChanges(offline=True), reason=REASON, hotplug="no"))
    assert rapi.get_instance(name).admin_state == "offline"
    done(rapi, rapi.modify_instance(name, InstanceChanges(offline=False), reason=REASON, hotplug="no"))

    done(rapi, rapi.activate_disks(name, reason=REASON, ignore_size=True))
    done(rapi, rapi.deactivate_disks(name, reason=REASON, force=True))
    failed(rapi, rapi.recreate_disks(name, reason=REASON, disks=[1]))  # it is there still
    message = failed(rapi, rapi.replace_disks(name, reason=REASON, mode="replace_auto"))
    assert "secondary" in message  # there is no DRBD in the lab

    job = done(rapi, rapi.reinstall_instance(name, reason=REASON, os="noop", start=False))
    assert [each.name for each in job.opcodes] == ["INSTANCE_SHUTDOWN", "INSTANCE_REINSTALL"]
    assert REASON not in job.reasons  # Ganeti can't take one here

    job = done(rapi, rapi.request_instance_info(name, reason=REASON, static=True))
    assert job.opcodes[0].result[name]["disk_template"] == "file"

    exported = rapi.export_instance(
        name, ganeti.nodes[1], reason=REASON, shutdown=True, shutdown_timeout_s=0, long_sleep=True
    )
    assert ended(rapi, exported).is_final  # the OS of the lab has no export script
    done(rapi, rapi.prepare_export(name, reason=REASON, mode="local"))
    with pytest.raises((NotSupported, NotFound)):
        rapi.remove_export(name, reason=REASON)  # from 3.2 on

    renamed = ganeti.fresh_name("renamed")
    job = done(rapi, rapi.rename_instance(name, renamed, reason=REASON))
    assert job.opcodes[0].result == renamed
    done(rapi, rapi.add_tags("instance", renamed, ["x", "y:z"], reason=REASON))
    done(rapi, rapi.remove_tags("instance", renamed, ["x"], reason=REASON))
    assert rapi.get_tags("instance", renamed) == {"a:b", "y:z"}
    done(rapi, rapi.remove_instance(renamed, reason=REASON, dry_run=True))
    done(rapi, rapi.remove_instance(renamed, reason=REASON, shutdown_timeout_s=0))
    assert renamed not in rapi.list_instance_names()


def test_several_instances_at_once(ganeti: GanetiCluster, rapi: RapiClient) -> None:
    names = [ganeti.fresh_name("many") for _ in range(2)]
    specs = [spec(name, disk_template="diskless", disks=[], file_driver=None) for name in names]
    job = done(rapi, rapi.create_instances(specs, reason=REASON, iallocator="hail"))
    assert len(job.child_jobs) == 2
    assert set(names) <= set(rapi.list_instance_names())
    for name in names:
        ganeti.remove(name)


def test_placement_that_is_impossible_is_told_in_words(rapi: RapiClient, ganeti: GanetiCluster) -> None:
    wanted = spec(ganeti.fresh_name(), beparams={"memory": 30000, "vcpus": 1}, iallocator="hail")
    message = failed(rapi, rapi.create_instance(wanted, reason=REASON), "insufficient_resources")
    assert "hail" in message


def test_moves(ganeti: GanetiCluster, rapi: RapiClient, machine: str) -> None:
    first, second = ganeti.nodes
    done(rapi, rapi.migrate_instance(machine, reason=REASON, target_node=second, mode="live", dry_run=True))
    assert rapi.get_instance(machine).primary_node == first
    done(rapi, rapi.migrate_instance(machine, reason=REASON, target_node=second, mode="live", allow_failover=True))
    assert rapi.get_instance(machine).primary_node == second
    done(rapi, rapi.failover_instance(machine, reason=REASON, target_node=first, shutdown_timeout_s=0, dry_run=True))
    assert rapi.get_instance(machine).primary_node == second
    done(rapi, rapi.failover_instance(machine, reason=REASON, target_node=first, shutdown_timeout_s=0))
    assert rapi.get_instance(machine).primary_node == first


def test_the_console_of_a_fake_machine_is_a_message(rapi: RapiClient, machine: str) -> None:
    assert rapi.get_console(machine)["kind"] == "msg"
    done(rapi, rapi.shutdown_instance(machine, reason=REASON, timeout_s=0))
    with pytest.raises(Refused) as caught:
        rapi.get_console(machine)
    assert caught.value.code == 503


def test_a_node_is_changed_emptied_and_put_back(ganeti: GanetiCluster, rapi: RapiClient) -> None:
    ganeti.remove_instances()
    machine = ganeti.add_fake_instance()
    first, second = ganeti.nodes
    done(rapi, rapi.set_node_role(second, "drained", reason=REASON, force=True, auto_promote=True))
    assert rapi.get_node_role(second) == "drained"
    done(rapi, rapi.set_node_role(second, "regular", reason=REASON))
    done(rapi, rapi.modify_node(second, reason=REASON, drained=True, dry_run=True))
    assert rapi.get_node_role(second) == "master-candidate"  # Ganeti itself fills its pool of candidates
    done(rapi, rapi.modify_node(second, reason=REASON, ndparams={"spindle_count": 2}))
    assert rapi.get_node(second).ndparams["spindle_count"] == 2
    done(rapi, rapi.modify_node(second, reason=REASON, ndparams={"spindle_count": "default"}))

    by_reason = done(rapi, rapi.migrate_node(first, reason=REASON, mode="live"))
    assert REASON in by_reason.reasons
    assert by_reason.opcodes[0].params["mode"] == "live"
    assert rapi.get_instance(machine).primary_node == second
    by_comment = done(rapi, rapi.migrate_node(second, reason=REASON, target_node=first, mode="live"))
    assert by_comment.opcodes[0].comment == REASON
    assert by_comment.opcodes[0].params["target_node"] == first
    assert rapi.get_instance(machine).primary_node == first

    job = ended(rapi, rapi.evacuate_node(first, reason=REASON, mode="primary-only", iallocator="hail", dry_run=True))
    assert job.is_final
    done(rapi, rapi.evacuate_node(first, reason=REASON, mode="secondary-only", iallocator="hail"))

    done(rapi, rapi.add_tags("node", second, ["rack:7"], reason=REASON))
    assert rapi.get_tags("node", second) == {"rack:7"}
    done(rapi, rapi.remove_tags("node", second, ["rack:7"], reason=REASON))
    ganeti.remove(machine)


def test_storage_of_nodes(ganeti: GanetiCluster, rapi: RapiClient) -> None:
    job = done(rapi, rapi.request_node_storage(ganeti.nodes[0], reason=REASON, storage_type="file"))
    assert job.opcodes[0].result
    # no LVM in the lab: accepted as requests, refused as jobs
    changed = rapi.modify_node_storage(
        ganeti.nodes[0], reason=REASON, storage_type="lvm-pv", unit="/dev/none", allocatable=True
    )
    failed(rapi, changed)
    failed(rapi, rapi.repair_node_storage(ganeti.nodes[0], reason=REASON, storage_type="lvm-vg", unit="none"))


def test_power_cycling_a_node_that_does_not_exist(rapi: RapiClient) -> None:
    """Never one that does: the hypervisor *fake* would really reboot."""
    failed(rapi, rapi.powercycle_node(NOBODY, reason=REASON, force=True), "unknown_entity")


def test_groups(ganeti: GanetiCluster, rapi: RapiClient) -> None:
    second = ganeti.nodes[1]
    done(rapi, rapi.add_group("spare", reason=REASON, alloc_policy="last_resort", dry_run=True))
    done(rapi, rapi.add_group("spare", reason=REASON, alloc_policy="last_resort", ndparams={"spindle_count": 4}))
    group = rapi.get_group("spare")
    assert (group.alloc_policy, group.ndparams["spindle_count"]) == ("last_resort", 4)
    done(rapi, rapi.modify_group("spare", reason=REASON, alloc_policy="preferred"))
    done(rapi, rapi.rename_group("spare", "reserve", reason=REASON))
    done(rapi, rapi.assign_nodes("reserve", [second], reason=REASON, force=True))
    assert rapi.get_group("reserve").node_names == (second,)
    done(rapi, rapi.assign_nodes("default", [second], reason=REASON, force=True))
    done(rapi, rapi.add_tags("group", "reserve", ["cold"], reason=REASON))
    assert rapi.get_tags("group", "reserve") == {"cold"}
    done(rapi, rapi.remove_tags("group", "reserve", ["cold"], reason=REASON))
    assert {each.name for each in read_groups(rapi)} == {"default", "reserve"}
    done(rapi, rapi.remove_group("reserve", reason=REASON))


def test_networks(rapi: RapiClient) -> None:
    done(rapi, rapi.add_network("lan", "192.0.2.0/28", reason=REASON, gateway="192.0.2.1", reserved_ips=["192.0.2.9"]))
    done(rapi, rapi.connect_network("lan", "default", reason=REASON, mode="bridged", link="br0"))
    done(rapi, rapi.modify_network("lan", reason=REASON, cidr6="2001:db8::/64", remove_reserved_ips=["192.0.2.9"]))
    (network,) = read_networks(rapi)
    assert (network.cidr, network.cidr6, network.gateway) == ("192.0.2.0/28", "2001:db8::/64", "192.0.2.1")
    (link,) = network.links
    assert (link.group, link.mode, link.link, link.vlan) == ("default", "bridged", "br0", "")
    assert network.address_map == "XX.............X"
    single = rapi.get_network("lan")
    assert single.address_map is not None
    assert len(single.address_map) == 16
    assert rapi.list_networks_bulk() == [single]
    assert rapi.list_network_names() == ["lan"]
    with pytest.raises((NotFound, NotSupported)):
        rapi.rename_network("lan", "wan", reason=REASON)  # from 3.1 on
    done(rapi, rapi.add_tags("network", "lan", ["green"], reason=REASON))
    assert rapi.get_tags("network", "lan") == {"green"}
    done(rapi, rapi.remove_tags("network", "lan", ["green"], reason=REASON))
    done(rapi, rapi.disconnect_network("lan", "default", reason=REASON))
    done(rapi, rapi.remove_network("lan", reason=REASON, force=True))
    assert read_networks(rapi) == []


def test_a_machine_in_a_network(ganeti: GanetiCluster, rapi: RapiClient) -> None:
    done(rapi, rapi.add_network("pool", "192.0.2.0/28", reason=REASON, gateway="192.0.2.1"))
    done(rapi, rapi.connect_network("pool", "default", reason=REASON, mode="bridged", link="br0"))
    name = ganeti.fresh_name()
    wanted = spec(
        name,
        disk_template="diskless",
        disks=[],
        file_driver=None,
        pnode=ganeti.nodes[0],
        nics=[{"network": "pool", "ip": "pool"}],
    )
    done(rapi, rapi.create_instance(wanted, reason=REASON))
    (nic,) = rapi.get_instance(name).nics
    (network,) = read_networks(rapi)
    assert (nic.network_uuid, nic.network_name, nic.mode, nic.link) == (network.uuid, "pool", "bridged", "br0")
    assert nic.ip is not None
    assert nic.ip.startswith("192.0.2.")
    assert rapi.get_network("pool").instance_names == (name,)
    ganeti.remove(name)
    done(rapi, rapi.disconnect_network("pool", "default", reason=REASON))
    done(rapi, rapi.remove_network("pool", reason=REASON))


def test_the_cluster_itself(rapi: RapiClient) -> None:
    before = rapi.get_info()
    done(rapi, rapi.modify_cluster({"beparams": {"vcpus": 2}}, reason=REASON))
    after = rapi.get_info()
    assert after.beparams["vcpus"] == 2
    assert after.mtime != before.mtime
    done(rapi, rapi.modify_cluster({"beparams": {"vcpus": 1}}, reason=REASON))
    done(rapi, rapi.redistribute_config(reason=REASON))
    done(rapi, rapi.add_tags("cluster", "", ["one", "two"], reason=REASON))
    assert rapi.get_tags("cluster") == {"one", "two"}
    done(rapi, rapi.remove_tags("cluster", "", ["one", "two"], reason=REASON))
    lonely = rapi.add_tags("cluster", "", ["three"], reason=REASON, depends=[Dependency(999999)])
    assert "999999" in failed(rapi, lonely)


def test_rules_of_the_queue(rapi: RapiClient, machine: str) -> None:
    uuid = rapi.add_filter(reason=REASON, predicates=[NEW_JOBS], action="PAUSE", priority=3)
    try:
        assert rapi.list_filter_uuids() == [uuid]
        rule = rapi.get_filter(uuid)
        assert (rule.action, rule.priority, rule.reasons[:1]) == ("PAUSE", 3, (REASON,))
        paused = rapi.reboot_instance(machine, reason=REASON)
        assert rapi.get_job(paused).status == "queued"
        assert rapi.replace_filter(uuid, reason=REASON, predicates=[NEW_JOBS], action=RateLimit(2)) == uuid
        (rule,) = rapi.list_filters()
        assert (rule.action, rule.rate_limit) == ("RATE_LIMIT", 2)
    finally:
        rapi.remove_filter(uuid, reason=REASON)
    poll(lambda: rapi.list_filters() == [])
    poll(lambda: rapi.get_job(paused).is_final, timeout_s=60)
