"""A spec becomes a request, the request a machine, and what Ganeti tells of the machine is the spec."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapi import RapiClient
from rapi.shapes import INSTANCE_CONFIG_FIELDS, InstanceInfo
from rapi.shapes import Placement as Found
from simulator import Simulator
from tests.ganeti.rapi_hands import REASON, connect, done
from tests.spec.machines import HYPERVISORS, TEMPLATES, machines, settled
from virtualmachines.spec import (
    Defaults,
    DiskSpec,
    NicSpec,
    Options,
    Placement,
    Source,
    VMSpec,
    creation_of,
    difference,
    read_spec,
)
from virtualmachines.spec.machine import UNTOLD, told_fields

INFO = {
    "enabled_hypervisors": ["kvm", "fake"],
    "enabled_disk_templates": ["file", "diskless"],
    "beparams": {"default": {"vcpus": 1, "auto_balance": True, "maxmem": 128, "minmem": 128}},
    "hvparams": {"kvm": {"acpi": True, "boot_order": "disk", "cpu_cores": 0}},
    "os_hvp": {"debian": {"kvm": {"boot_order": "network"}}},
    "osparams": {"debian": {"dhcp": "yes"}},
    "nicparams": {"default": {"mode": "bridged", "link": "br0", "vlan": ""}},
}
DEFAULTS = Defaults.of(INFO)
WIDE: Any = {"hypervisors": HYPERVISORS, "templates": TEMPLATES, "second": "node2.example.org"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Simulator]:
    with Simulator(nodes=2) as simulator:
        simulator.cluster.settings["enabled_hypervisors"] = list(HYPERVISORS)
        simulator.cluster.settings["enabled_disk_templates"] = ["file", *(set(TEMPLATES) - {"file"}), "diskless"]
        yield simulator


@pytest.fixture(scope="module")
def rapi(cluster: Simulator) -> Iterator[RapiClient]:
    with connect(cluster) as client:
        yield client


def read(rapi: RapiClient, name: str, node: str, second: str = "") -> VMSpec:
    rows = rapi.query("instance", INSTANCE_CONFIG_FIELDS, ["=", "name", name]).records()
    return read_spec(InstanceInfo.parse(next(iter(rows)), Found(node, (second,) if second else ())))


@settings(deadline=None)
@given(spec=machines(**WIDE))
def test_nothing_is_lost(cluster: Simulator, rapi: RapiClient, spec: VMSpec) -> None:
    defaults = Defaults.of(rapi.get_info().raw)
    job = rapi.create_instance(creation_of(spec, defaults), reason=REASON)
    cluster.run_jobs()
    done(rapi, job)
    found = read(rapi, spec.name, spec.placement.primary, spec.placement.secondary)
    rapi.remove_instance(spec.name, reason=REASON)
    cluster.run_jobs()
    assert found == settled(spec, defaults, found)
    assert not difference(found, settled(spec, defaults, found), defaults)


@given(spec=machines(**WIDE))
def test_equal_specs_do_not_differ(spec: VMSpec) -> None:
    assert not difference(spec, spec, DEFAULTS)
    assert not difference(spec, spec.trimmed(DEFAULTS), DEFAULTS)
    assert spec.trimmed(DEFAULTS).trimmed(DEFAULTS) == spec.trimmed(DEFAULTS)


@given(spec=machines(**WIDE), data=st.data())
def test_only_what_differs_is_sent(spec: VMSpec, data: st.DataObject) -> None:
    """A default that is written out is not in the request, whichever it is."""
    repeated = data.draw(st.sampled_from(sorted(INFO["beparams"]["default"].items())))  # type: ignore[index]
    body = creation_of(replace(spec, beparams={**spec.beparams, repeated[0]: repeated[1]}), DEFAULTS).body()
    assert repeated[0] not in body.get("beparams", {})
    for name, value in body.get("beparams", {}).items():
        assert DEFAULTS.beparams.get(name) != value
    for nic in body["nics"]:
        assert not {"mode": "bridged", "link": "br0"}.items() & nic.items()


def test_defaults_are_those_of_hypervisor_and_os() -> None:
    def sent(**of: object) -> object:
        return creation_of(VMSpec("a", **of), DEFAULTS).body().get("hvparams")  # type: ignore[arg-type]

    assert sent(hvparams={"boot_order": "disk", "acpi": True}) is None
    assert sent(hvparams={"boot_order": "disk"}, os="debian") == {"boot_order": "disk"}
    assert sent(hvparams={"boot_order": "network"}, os="debian+12") is None
    assert sent(hvparams={"boot_order": "disk"}, hypervisor="fake") == {"boot_order": "disk"}
    assert sent(hvparams={"cpu_cores": False}) == {"cpu_cores": False}  # not the same as 0
    assert creation_of(VMSpec("a", os="debian", osparams={"dhcp": "yes", "x": "y"}), DEFAULTS).osparams == {"x": "y"}
    assert creation_of(VMSpec("a", disk_template="file"), DEFAULTS).disk_template == "diskless"
    assert creation_of(VMSpec("a", disks=(DiskSpec(16),)), DEFAULTS).disk_template == "file"


def test_everything_that_can_be_said_is_sent() -> None:
    disk = DiskSpec(
        1024, name="d", mode="ro", spindles=2, vg="v", metavg="m", access="userspace", adopt="lv", provider="p",
        provider_params={"tier": "fast"},
    )  # fmt: skip
    nic = NicSpec("aa:00:00:00:00:01", "192.0.2.1", "routed", "t", "10", name="n")
    switches = {each.name: not each.default for each in fields(Options) if isinstance(each.default, bool)}
    spec = VMSpec(
        "a", "noop", "kvm", "ext", (disk,), (nic, NicSpec(network="lan", ip="pool", mode="routed")), {"vcpus": 2},
        {"acpi": False}, {"a": "b"}, {"pw": "private"}, {"key": "secret"}, frozenset({"y", "x"}),
        Placement("n1", "n2", "hail", "g"), Source("n3", "/export", "gzip"),
        Options(file_driver="loop", file_storage_dir="sub", **switches),  # type: ignore[arg-type]
    )  # fmt: skip
    body = creation_of(spec, DEFAULTS).body()
    assert body["disks"] == [
        {"size": 1024, "name": "d", "mode": "ro", "spindles": 2, "vg": "v", "metavg": "m", "access": "userspace",
         "adopt": "lv", "provider": "p", "tier": "fast"},
    ]  # fmt: skip
    assert body["nics"] == [
        {"mac": "aa:00:00:00:00:01", "ip": "192.0.2.1", "mode": "routed", "link": "t", "vlan": "10", "name": "n"},
        {"network": "lan", "ip": "pool"},  # its mode is the network's
    ]
    del body["disks"], body["nics"]
    assert body == {
        "name": "a", "hypervisor": "kvm", "disk_template": "ext", "mode": "import",
        "beparams": {"vcpus": 2}, "hvparams": {"acpi": False}, "osparams": {"a": "b"},
        "osparams_private": {"pw": "private"}, "osparams_secret": {"key": "secret"}, "tags": ["x", "y"],
        "pnode": "n1", "snode": "n2", "iallocator": "hail", "group_name": "g", "src_node": "n3",
        "src_path": "/export", "compress": "gzip", "file_driver": "loop", "file_storage_dir": "sub", **switches,
    }  # fmt: skip
    assert "private" not in repr(spec) and "secret'" not in repr(spec)


@pytest.mark.parametrize("kind", UNTOLD)
def test_what_ganeti_does_not_tell_is_named(kind: type) -> None:
    """A new field is either told, and then it survives the way above, or stands among those that are not."""
    assert UNTOLD[kind] <= {each.name for each in fields(kind)}
    assert told_fields(kind) | UNTOLD[kind] == {each.name for each in fields(kind)}


@pytest.mark.ganeti
def test_a_real_ganeti_tells_it_too(ganeti_rapi: RapiClient, node: str) -> None:
    defaults = Defaults.of(ganeti_rapi.get_info().raw)
    spec = VMSpec(
        "spec1.lab.test", "noop", "kvm", "file",
        disks=(DiskSpec(32, name="root"), DiskSpec(16, mode="ro")),
        nics=(NicSpec(name="lan"), NicSpec("aa:00:00:12:34:56", ip="192.0.2.9", mode="routed", link="other")),
        beparams={"maxmem": 64, "minmem": 48, "vcpus": 2, "auto_balance": True},
        hvparams={"boot_order": "network", "acpi": True, "cpu_cores": 2, "serial_console": False},
        tags=frozenset({"a:b", "c"}),
        placement=Placement(primary=node),
        options=Options(start=False, no_install=True, file_driver="loop"),
    )  # fmt: skip
    done(ganeti_rapi, ganeti_rapi.create_instance(creation_of(spec, defaults), reason=REASON))
    found = read(ganeti_rapi, spec.name, node)
    done(ganeti_rapi, ganeti_rapi.remove_instance(spec.name, reason=REASON, shutdown_timeout_s=0))
    assert found == settled(spec, defaults, found)
