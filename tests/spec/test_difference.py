"""What differs between two machines, and what is asked of Ganeti for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapi import RapiClient
from rapi.shapes import INSTANCE_CONFIG_FIELDS, InstanceInfo
from rapi.shapes import Placement as Found
from simulator import Simulator
from tests.ganeti.rapi_hands import REASON, connect, done
from tests.spec.machines import backend, disks, hvparams, machines, nics, settled, words
from virtualmachines.spec import (
    CannotChange,
    Defaults,
    DiskSpec,
    NicSpec,
    Options,
    Placement,
    Requests,
    VMSpec,
    creation_of,
    difference,
    read_spec,
    requests_for,
)
from virtualmachines.spec.difference import ParameterChanged, PartAdded, PartChanged, PartRemoved, ValueChanged

DEFAULTS = Defaults(
    hypervisor="kvm",
    disk_template="file",
    beparams={"vcpus": 1, "maxmem": 128},
    hvparams={"kvm": {"acpi": True, "boot_order": "disk"}},
    nic={"mode": "bridged", "link": "br0", "vlan": ""},
)
ROOT, DATA = DiskSpec(1024, name="root", uuid="d1"), DiskSpec(2048, name="data", uuid="d2")
LAN, WAN = NicSpec("aa:00:00:00:00:01", uuid="n1"), NicSpec("aa:00:00:00:00:02", ip="192.0.2.1", uuid="n2")
WEB = VMSpec(
    "web.example.org",
    "noop",
    "kvm",
    "file",
    (ROOT, DATA),
    (LAN, WAN),
    beparams={"vcpus": 2},
    hvparams={"acpi": False},
    tags=frozenset({"a", "b"}),
    placement=Placement("node1"),
)


def asked(**changes: Any) -> Requests:
    return requests_for(difference(WEB, replace(WEB, **changes), DEFAULTS))


def body(**changes: Any) -> dict[str, Any]:
    requests = asked(**changes)
    return requests.modify.body() if requests.modify else {}


def test_nothing() -> None:
    assert asked() == Requests()
    assert asked(beparams={"vcpus": 2, "maxmem": 128}) == Requests()
    assert asked(options=Options(start=False), osparams_secret={"a": "b"}) == Requests()


@pytest.mark.parametrize(
    ("changes", "sent"),
    [
        ({"beparams": {"vcpus": 4}}, {"beparams": {"vcpus": 4}}),
        ({"beparams": {"vcpus": 1}}, {"beparams": {"vcpus": "default"}}),
        ({"beparams": {}}, {"beparams": {"vcpus": "default"}}),
        ({"hvparams": {"boot_order": "network"}}, {"hvparams": {"acpi": "default", "boot_order": "network"}}),
        ({"osparams": {"x": "y"}}, {"osparams": {"x": "y"}}),
        ({"os": "debian"}, {"os_name": "debian"}),
        ({"disk_template": "sharedfile"}, {"disk_template": "sharedfile"}),
        ({"disks": (ROOT,)}, {"disks": [["remove", "d2", {}]]}),
        ({"disks": ()}, {"disks": [["remove", "d2", {}], ["remove", "d1", {}]]}),
        ({"disks": (ROOT, DATA, DiskSpec(16))}, {"disks": [["add", -1, {"size": 16}]]}),
        ({"disks": (DATA, DiskSpec(16))}, {"disks": [["add", "-1", {"size": 16}], ["remove", "d1", {}]]}),
        ({"disks": (replace(ROOT, name=""), DATA)}, {"disks": [["modify", "d1", {"name": "none"}]]}),
        ({"disks": (replace(ROOT, mode="ro"), DATA)}, {"disks": [["modify", "d1", {"mode": "ro"}]]}),
        ({"nics": (LAN, replace(WAN, ip="", link="br1"))}, {"nics": [["modify", "n2", {"ip": "none", "link": "br1"}]]}),
        ({"nics": (LAN, WAN, NicSpec(network="lan", ip="pool"))},
         {"nics": [["add", -1, {"ip": "pool", "network": "lan"}]]}),
        ({"nics": ()}, {"nics": [["remove", "n2", {}], ["remove", "n1", {}]]}),
    ],
)  # fmt: skip
def test_what_is_sent(changes: dict[str, Any], sent: dict[str, Any]) -> None:
    assert body(**changes) == sent


def test_a_card_that_follows_the_cluster_again() -> None:
    before = replace(WEB, nics=(replace(LAN, link="br1"),))
    requests = requests_for(difference(before, replace(WEB, nics=(LAN,)), DEFAULTS))
    assert requests.modify is not None and requests.modify.body() == {"nics": [["modify", "n1", {"link": "default"}]]}


def test_other_requests() -> None:
    assert asked(name="new") == Requests(new_name="new")
    assert asked(disks=(replace(ROOT, size_mib=4096), DATA)) == Requests(grow=((0, 4096),))
    assert asked(tags=frozenset({"b", "c"})) == Requests(tags_added=("c",), tags_removed=("a",))


@pytest.mark.parametrize(
    "changes",
    [
        {"hypervisor": "fake"},
        {"placement": Placement("node2")},
        {"placement": Placement("node1", "node2")},
        {"os": ""},
        {"disks": (replace(ROOT, size_mib=512), DATA)},
        {"disks": (replace(ROOT, spindles=2), DATA)},
    ],
)
def test_what_no_edit_can_do(changes: dict[str, Any]) -> None:
    with pytest.raises(CannotChange):
        asked(**changes)


def test_a_machine_without_disks_stays_so() -> None:
    bare = replace(WEB, disks=())
    with pytest.raises(CannotChange):
        requests_for(difference(bare, WEB, DEFAULTS))


def test_before_and_after() -> None:
    changed = difference(
        WEB, replace(WEB, os="debian", beparams={}, disks=(replace(ROOT, size_mib=2048), DiskSpec(16))), DEFAULTS
    )
    assert changed.changes == (
        ValueChanged("os", "noop", "debian"),
        ParameterChanged("beparams", "vcpus", 2, 1, is_reset=True),
        PartRemoved(1, DATA),
        PartChanged(0, ROOT, "size_mib", 1024, 2048),
        PartAdded(DiskSpec(16)),
    )
    assert changed and not difference(WEB, WEB, DEFAULTS)


def test_without_uuids_places_count() -> None:
    before, after = VMSpec("a", disks=(DiskSpec(16), DiskSpec(32))), VMSpec("b", disks=(DiskSpec(64),))
    changes = difference(before, after, DEFAULTS).changes
    assert changes[1:] == (PartRemoved(1, DiskSpec(32)), PartChanged(0, DiskSpec(16), "size_mib", 16, 64))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Simulator]:
    with Simulator(nodes=2) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def rapi(cluster: Simulator) -> Iterator[RapiClient]:
    with connect(cluster) as client:
        yield client


@st.composite
def edits(draw: st.DrawFn, before: VMSpec) -> VMSpec:
    """What somebody may make of a machine: values changed, disks grown and renamed, parts removed and added."""
    kept_disks = [each for each in before.disks if draw(st.booleans())]
    kept_nics = [each for each in before.nics if draw(st.booleans())]
    grown = [replace(disk, size_mib=disk.size_mib + draw(st.integers(0, 64))) for disk in kept_disks]
    renamed = [replace(disk, name=draw(st.just(disk.name) | st.just("") | words)) for disk in grown]
    moved = [replace(nic, ip=draw(st.sampled_from([nic.ip, "", "192.0.2.8"]))) for nic in kept_nics]
    linked = [replace(nic, link=draw(st.sampled_from([nic.link, "", "br7"]))) for nic in moved]
    return replace(
        before,
        os=draw(st.just(before.os) | st.just("noop")),
        disks=(*renamed, *draw(st.lists(disks, max_size=1 if before.disks else 0))),
        nics=(*linked, *draw(st.lists(nics, max_size=1))),
        beparams=draw(st.just(before.beparams) | backend),
        hvparams=draw(st.just(before.hvparams) | hvparams(before.hypervisor)),
        tags=frozenset(draw(st.lists(words, max_size=3))),
    )


def read(rapi: RapiClient, name: str, node: str) -> VMSpec:
    rows = rapi.query("instance", INSTANCE_CONFIG_FIELDS, ["=", "name", name]).records()
    return read_spec(InstanceInfo.parse(next(iter(rows)), Found(node)))


def carry_out(rapi: RapiClient, name: str, requests: Requests, finish: Any) -> None:
    """As an operation would."""
    jobs = [rapi.grow_disk(name, index, size, reason=REASON, absolute=True) for index, size in requests.grow]
    if requests.modify:
        jobs.append(rapi.modify_instance(name, requests.modify, reason=REASON))
    if requests.tags_added:
        jobs.append(rapi.add_tags("instance", name, requests.tags_added, reason=REASON))
    if requests.tags_removed:
        jobs.append(rapi.remove_tags("instance", name, requests.tags_removed, reason=REASON))
    finish()
    for job in jobs:
        done(rapi, job)


@pytest.mark.long
@settings(max_examples=30, deadline=None)
@given(spec=machines(), data=st.data())
def test_an_edit_makes_the_one_of_the_other(
    cluster: Simulator, rapi: RapiClient, spec: VMSpec, data: st.DataObject
) -> None:
    defaults = Defaults.of(rapi.get_info().raw)
    node = spec.placement.primary
    rapi.create_instance(creation_of(spec, defaults), reason=REASON)
    cluster.run_jobs()
    try:
        before = read(rapi, spec.name, node)
        after = data.draw(edits(before))
        carry_out(rapi, spec.name, requests_for(difference(before, after, defaults)), cluster.run_jobs)
        found = read(rapi, spec.name, node)
        assert found.trimmed(defaults) == settled(after, defaults, found)
        assert not difference(found, settled(after, defaults, found), defaults)
    finally:
        rapi.remove_instance(spec.name, reason=REASON)
        cluster.run_jobs()


@pytest.mark.ganeti
def test_a_real_ganeti_takes_it(ganeti_rapi: RapiClient, node: str) -> None:
    rapi, name = ganeti_rapi, "spec2.lab.test"
    defaults = Defaults.of(rapi.get_info().raw)
    spec = VMSpec(
        name, "noop", "kvm", "file",
        disks=(DiskSpec(16, name="root"), DiskSpec(16), DiskSpec(16, name="old")),
        nics=(NicSpec(name="lan"), NicSpec(ip="192.0.2.9", mode="routed", link="other"), NicSpec()),
        beparams={"maxmem": 64, "minmem": 64, "vcpus": 2}, hvparams={"acpi": False, "cpu_cores": 2},
        tags=frozenset({"a", "b"}), placement=Placement(primary=node),
        options=Options(start=False, no_install=True, file_driver="loop"),
    )  # fmt: skip
    done(rapi, rapi.create_instance(creation_of(spec, defaults), reason=REASON))
    before = read(rapi, name, node)
    root, middle, __ = before.disks
    lan, other, __ = before.nics
    after = replace(
        before,
        disks=(replace(root, size_mib=32, name=""), replace(middle, name="middle"), DiskSpec(24, name="new")),
        nics=(replace(lan, name=""), replace(other, ip="192.0.2.10", link=""), NicSpec("aa:00:00:00:00:77")),
        beparams={"maxmem": 96, "minmem": 64},
        hvparams={"boot_order": "network", "cpu_cores": 4},
        tags=frozenset({"b", "c"}),
    )
    carry_out(rapi, name, requests_for(difference(before, after, defaults)), lambda: None)
    found = read(rapi, name, node)
    done(rapi, rapi.remove_instance(name, reason=REASON, shutdown_timeout_s=0))
    # A card that was touched has the cluster's defaults as its own.
    assert found.trimmed(defaults) == settled(after, defaults, found)
