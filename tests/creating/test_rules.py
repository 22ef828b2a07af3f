"""Every rule on a machine to be made: what breaks it, at which field it is said, and that what keeps it is taken."""

from dataclasses import replace
from typing import Any

import pytest

from clusters.catalogue import BACKEND, OF_HYPERVISORS
from tests.creating.conftest import SPEC
from virtualmachines.rules import Facts, judge_creation
from virtualmachines.rules.blame import blame
from virtualmachines.rules.facts import NetworkFacts, NodeFacts
from virtualmachines.spec import Defaults, DiskSpec, NicSpec, Options, Placement, Source, VMSpec

DISK, NIC = DiskSpec(10240), NicSpec()
LIMITS = {"memory-size": 128, "cpu-count": 1, "disk-size": 1024, "disk-count": 1, "nic-count": 1, "spindle-use": 1}
MOST = {"memory-size": 8192, "cpu-count": 8, "disk-size": 102400, "disk-count": 4, "nic-count": 4, "spindle-use": 4}
LARGE = {"memory-size": 65536, "cpu-count": 32, "disk-size": 204800, "disk-count": 4, "nic-count": 4, "spindle-use": 4}
POLICY: dict[str, Any] = {
    "minmax": [{"min": LIMITS, "max": MOST}, {"min": LIMITS | {"memory-size": 32768}, "max": LARGE}],
    "disk-templates": ["plain", "drbd", "file", "ext", "blockdev", "diskless"],
    "vcpu-ratio": 2.0,
}
KVM: dict[str, Any] = {
    **dict.fromkeys(("cdrom_image_path", "cdrom2_image_path", "cdrom_disk_type", "kernel_path", "initrd_path"), ""),
    **dict.fromkeys(("security_domain", "vnc_x509_path", "floppy_image_path"), ""),
    **dict.fromkeys(("vnc_tls", "vnc_x509_verify", "serial_console", "spice_use_tls"), False),
    **dict.fromkeys(("spice_bind", "vnc_bind_address"), ""),
    **{
        "boot_order": "disk",
        "root_path": "/dev/vda1",
        "security_model": "none",
        "acpi": True,
        "nic_type": "paravirtual",
        "serial_speed": 38400,
        "spice_ip_version": 0,
        "disk_aio": "threads",
        "disk_cache": "default",
        "cpu_mask": "all",
    },
    "of_the_future": "",
    "counted_in_the_future": 1,
}
FACTS = Facts(
    release=(3, 0),
    defaults=Defaults(
        hypervisor="kvm",
        disk_template="plain",
        beparams={"maxmem": 1024, "minmem": 1024, "vcpus": 1, "auto_balance": True, "spindle_use": 1},
        hvparams={
            "kvm": KVM,
            "xen-pvm": {
                "kernel_path": "/boot/k",
                "initrd_path": "",
                "root_path": "/dev/xvda1",
                "use_bootloader": False,
            },
            "xen-hvm": {"boot_order": "cd", "cdrom_image_path": ""},
        },
        nic={"mode": "bridged", "link": "br0", "vlan": ""},
    ),
    hypervisors=("kvm", "xen-pvm", "xen-hvm"),
    templates=("plain", "sharedfile", "drbd", "file", "ext", "blockdev", "diskless"),
    systems=frozenset({"debootstrap+default"}),
    allocator="hail",
    policy=POLICY,
    policies={"default": POLICY, "small": POLICY | {"minmax": [{"min": LIMITS, "max": MOST | {"memory-size": 2048}}]}},
    nodes={
        "node1": NodeFacts("default", 16),
        "node2": NodeFacts("default", 16),
        "node3": NodeFacts("small", 4),
        "off": NodeFacts("default", 64, "offline"),
        "drained": NodeFacts("default", 64, "drained"),
    },
    networks={"lan": NetworkFacts("192.0.2.0/24", frozenset({"default"})), "lost": NetworkFacts()},
)


def hv(hypervisor: str = "kvm", **values: Any) -> dict[str, Any]:
    return {"hypervisor": hypervisor, "hvparams": values}


def be(**values: Any) -> dict[str, Any]:
    return {"beparams": values}


def options(**values: Any) -> dict[str, Any]:
    return {"options": Options(**values)}


def disk(**values: Any) -> dict[str, Any]:
    return {"disks": (replace(DISK, **values),)}


def nic(**values: Any) -> dict[str, Any]:
    return {"nics": (replace(NIC, **values),)}


def at(primary: str = "", secondary: str = "", **values: str) -> dict[str, Any]:
    return {"placement": Placement(primary, secondary, **values)}


# What breaks a rule, where it is said, and the nearest that keeps it.
RULES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("os", {"os": "nothing"}, {"os": "nothing", **options(no_install=True)}),
    ("os", {"os": ""}, {"os": "", "osparams": {"os-image": "/srv/image"}}),
    ("hypervisor", {"hypervisor": "lxc"}, {"hypervisor": "xen-hvm"}),
    ("disk_template", {"disk_template": "rbd"}, {"disk_template": "file"}),
    ("disks", {"disks": (DISK,) * 17}, {"disks": (DISK,) * 4}),
    ("nics", {"nics": (NIC,) * 9}, {"nics": (NIC,) * 4}),
    ("disks", {"disks": (DISK,) * 5}, {"disks": (DISK,) * 4}),
    ("nics", {"nics": (NIC,) * 5}, {"nics": (NIC,) * 4}),
    ("disk_template", {"disk_template": "sharedfile"}, {"disk_template": "file"}),
    ("disks.0.size_mib", disk(size_mib=0), disk(size_mib=1024)),
    ("disks.0.size_mib", disk(size_mib=204801), disk(size_mib=102400)),
    ("disks.1.name", {"disks": (DiskSpec(1024, name="a"),) * 2}, {"disks": (DiskSpec(1024, name="a"), DISK)}),
    ("disks.0.provider", {"disk_template": "ext"}, {"disk_template": "ext", **disk(provider="san")}),
    ("disks.0.provider", disk(provider="san"), {}),
    ("disks.0.provider_params", disk(provider_params={"a": "b"}), {}),
    ("disks", {"disk_template": "blockdev"}, {"disk_template": "blockdev", **disk(adopt="/dev/disk/x")}),
    ("disks", {"disk_template": "file", **disk(adopt="x")}, disk(adopt="x")),
    ("nics.0.mac", nic(mac="xx"), nic(mac="aa:00:00:12:34:56")),
    ("nics.1.mac", {"nics": (NicSpec("aa:00:00:12:34:56"), NicSpec("AA:00:00:12:34:56"))}, {"nics": (NIC, NIC)}),
    ("nics.0.ip", nic(network="lan", ip="192.0.2"), nic(network="lan", ip="none")),
    ("nics.1.name", {"nics": (NicSpec(name="a"),) * 2}, {"nics": (NicSpec(name="a"), NIC)}),
    ("nics.1.ip", {"nics": (NicSpec(ip="192.0.2.1"),) * 2}, {"nics": (NicSpec(ip="192.0.2.1"), NIC)}),
    ("nics.0.ip", nic(ip="pool"), nic(ip="pool", network="lan")),
    ("nics.0.ip", nic(ip="1.2.3"), nic(ip="192.0.2.1")),
    ("nics.0.ip", nic(mode="routed"), nic(mode="routed", ip="192.0.2.1")),
    ("nics.0.ip", nic(network="lan", ip="198.51.100.1"), nic(network="lan", ip="192.0.2.7")),
    ("nics.0.mode", nic(mode="pool"), nic(network="lan")),
    ("nics.0.mode", nic(mode="warp"), nic(mode="openvswitch")),
    ("nics.0.vlan", nic(mode="routed", ip="192.0.2.1", vlan="5"), nic(mode="openvswitch", vlan="5")),
    ("nics.0.network", nic(network="wan"), nic(network="lan")),
    ("nics.0.network", nic(network="lost"), nic(network="lan")),
    ("nics.0.network", {**nic(network="lan"), **at("node3")}, {**nic(network="lan"), **at("node1")}),
    ("nics.0.link", nic(network="lan", link="br1"), nic(link="br1")),
    ("placement.secondary", at("node1", "node2"), at("node1")),
    (
        "placement.secondary",
        {"disk_template": "drbd", **at("node1", "node1")},
        {"disk_template": "drbd", **at("node2", "node1")},
    ),
    (
        "placement.secondary",
        {"disk_template": "drbd", **at("node1")},
        {"disk_template": "drbd", **at("node1", "node2")},
    ),
    ("placement.primary", at("nowhere"), at("node1")),
    ("placement.primary", at("off"), at("node2")),
    ("placement.primary", at("drained"), at("node2")),
    ("placement.primary", at("node1", allocator="hail"), at(allocator="hail")),
    ("placement.group", at(group="nowhere"), at(group="default")),
    ("placement.group", at("node1", group="small"), at("node1", group="default")),
    ("options.ip_check", options(ip_check=True), options(ip_check=True, name_check=True)),
    (
        "options.opportunistic_locking",
        {**options(opportunistic_locking=True), **at("node1")},
        options(opportunistic_locking=True),
    ),
    ("tags", {"tags": frozenset({"a b"})}, {"tags": frozenset({"a:b"})}),
    ("source.node", {"source": Source("")}, {"source": Source("node1")}),
    ("source.node", {"source": Source("nowhere")}, {"source": Source("node1")}),
    ("hvparams.boot_order", hv(boot_order="cdrom"), hv(boot_order="cdrom", cdrom_image_path="/srv/a.iso")),
    (
        "hvparams.boot_order",
        hv("xen-hvm", boot_order="d"),
        hv("xen-hvm", boot_order="d", cdrom_image_path="/srv/a.iso"),
    ),
    (
        "hvparams.cdrom2_image_path",
        hv(cdrom2_image_path="/a.iso"),
        hv(cdrom2_image_path="/a.iso", cdrom_image_path="/b.iso"),
    ),
    ("hvparams.boot_order", hv(boot_order="floppy"), hv(boot_order="floppy", floppy_image_path="/srv/a.img")),
    ("hvparams.initrd_path", hv(initrd_path="/i"), hv(initrd_path="/i", kernel_path="/k")),
    ("hvparams.root_path", hv(kernel_path="/k", root_path=""), hv(kernel_path="/k")),
    ("hvparams.root_path", hv("xen-pvm", root_path=""), hv("xen-pvm", root_path="", use_bootloader=True)),
    ("hvparams.security_domain", hv(security_model="user"), hv(security_model="user", security_domain="kvm")),
    ("hvparams.security_domain", hv(security_model="user", security_domain="1"), hv()),
    ("hvparams.security_domain", hv(security_domain="kvm"), hv()),
    ("hvparams.security_model", hv(security_model="pool"), hv()),
    ("hvparams.vnc_x509_path", hv(vnc_x509_path="/x"), hv(vnc_x509_path="/x", vnc_tls=True)),
    ("hvparams.vnc_x509_verify", hv(vnc_x509_verify=True), hv(vnc_x509_verify=True, vnc_x509_path="/x", vnc_tls=True)),
    ("hvparams.serial_speed", hv(serial_console=True, serial_speed=12345), hv(serial_speed=12345)),
    ("hvparams.disk_aio", hv(disk_aio="native"), hv(disk_aio="native", disk_cache="none")),
    ("hvparams.spice_use_tls", hv(spice_use_tls=True), hv(spice_use_tls=True, spice_bind="eth0")),
    ("hvparams.spice_bind", hv(spice_bind="eth0", vnc_bind_address="0.0.0.0"), hv(vnc_bind_address="0.0.0.0")),
    (
        "hvparams.spice_ip_version",
        hv(spice_bind="192.0.2.1", spice_ip_version=6),
        hv(spice_bind="eth0", spice_ip_version=6),
    ),
    ("hvparams.cpu_mask", {"beparams": {"vcpus": 2}, **hv(cpu_mask="0:1:2")}, hv(cpu_mask="0-2")),
    ("hvparams.cpu_mask", hv(cpu_mask="0:1"), {"beparams": {"vcpus": 2}, **hv(cpu_mask="0:1")}),
    ("hvparams.counted_in_the_future", hv(counted_in_the_future="x"), hv(counted_in_the_future=2)),
    ("hvparams.unheard_of", hv(unheard_of="x"), hv(of_the_future="x")),
    ("hvparams.kernel_path", hv(kernel_path="boot/k"), hv(kernel_path="/boot/k")),
    ("beparams.maxmem", be(maxmem=16384), be(maxmem=8192)),
    ("beparams.maxmem", be(maxmem=131072), be(maxmem=65536)),
    ("beparams.maxmem", {**be(maxmem=4096), **at("node3")}, {**be(maxmem=2048), **at("node3")}),
    ("beparams.maxmem", {**be(maxmem=4096), **at(group="small")}, be(maxmem=4096)),
    ("beparams.minmem", be(minmem=2048), be(minmem=512)),
    ("beparams.vcpus", be(vcpus=0), be(vcpus=2)),
    ("beparams.vcpus", be(vcpus=33, maxmem=65536), be(vcpus=32, maxmem=65536)),
    ("beparams.vcpus", be(vcpus="two"), be(vcpus=2)),
    ("osparams.a b", {"osparams": {"a b": "c"}}, {"osparams": {"ab": "c"}}),
    ("osparams.ab", {"osparams": {"ab": 1}}, {"osparams": {"ab": "1"}}),
]


def faults(spec: VMSpec, facts: Facts = FACTS, *, is_admin: bool = True, may_export: bool = True) -> dict[str, str]:
    return judge_creation(spec, facts, is_admin=is_admin, may_export=may_export)


@pytest.mark.feature("F151", "F164", "F165", "F167", "F168", "F169", "F171", "F173", "F175", "F176", "F189")
@pytest.mark.parametrize(("field", "breaks", "keeps"), RULES, ids=[f"{n}-{rule[0]}" for n, rule in enumerate(RULES)])
def test_a_rule(field: str, breaks: dict[str, Any], keeps: dict[str, Any]) -> None:
    found = faults(replace(SPEC, **breaks))
    assert found.get(field), found
    assert faults(replace(SPEC, **keeps)) == {}


def test_where_one_is_told_how_it_starts_that_alone_is_looked_at() -> None:
    """From Ganeti 4.0 on."""
    of_bios = replace(FACTS.defaults, hvparams={"kvm": {**KVM, "boot_type": "bios", "kernel_path": "/k"}})
    told = replace(FACTS, release=(4, 0), defaults=of_bios)
    cdrom, rootless = (replace(SPEC, hvparams=each) for each in ({"boot_order": "cdrom"}, {"root_path": ""}))
    by_kernel = {"boot_type": "direct_kernel"}
    assert [set(faults(each, told)) for each in (cdrom, rootless)] == [{"hvparams.boot_order"}, set()]
    again = (replace(each, hvparams={**each.hvparams, **by_kernel}) for each in (cdrom, rootless))
    assert [set(faults(each, told)) for each in again] == [set(), {"hvparams.root_path"}]


def test_what_a_cluster_has_not_told_is_not_judged() -> None:
    assert faults(SPEC, Facts(allocator="hail")) == {}


@pytest.mark.feature("F158")
def test_a_cluster_without_an_allocator_asks_for_the_node() -> None:
    """The predecessor failed there."""
    without = replace(FACTS, allocator="")
    assert set(faults(SPEC, without)) == {"placement.primary"}
    assert faults(replace(SPEC, placement=Placement("node1")), without) == {}


def test_the_policy_may_be_stepped_over_by_who_administers_the_cluster() -> None:
    large = replace(SPEC, beparams={"maxmem": 999_999}, options=Options(ignore_ipolicy=True))
    assert faults(large) == {}
    assert "options.ignore_ipolicy" in faults(large, is_admin=False)


def test_more_processors_than_the_policy_lets_any_node_have() -> None:
    crowded = replace(FACTS, policies={}, policy=POLICY | {"vcpu-ratio": 0.5})
    assert set(faults(replace(SPEC, beparams={"vcpus": 8}), crowded)) == set(), "the largest node has 16"
    found = faults(replace(SPEC, beparams={"vcpus": 8}), replace(crowded, policy=POLICY | {"vcpu-ratio": 0.25}))
    assert "0.25 for each of 16 CPUs" in found["beparams.vcpus"]


def test_what_a_release_does_not_know_is_told_apart_from_what_is_wrong() -> None:
    found = faults(replace(SPEC, beparams={"maxmem": 2048}), replace(FACTS, release=(2, 5)))
    assert "release of Ganeti does not know" in found["beparams.maxmem"]
    found = faults(replace(SPEC, disks=(DiskSpec(1024, name="a"),)), replace(FACTS, release=(2, 7)))
    assert "release of Ganeti does not know" in found["disks.0.name"]


def test_a_cluster_that_makes_nothing_without_disks() -> None:
    bare = replace(SPEC, disks=())
    assert faults(bare) == {}
    assert set(faults(bare, replace(FACTS, templates=("plain",)))) == {"disks"}


def test_disks_and_cards_are_as_many_as_the_settings_say(settings: Any) -> None:
    settings.GWM_MOST_DISKS, settings.GWM_MOST_NICS = 2, 1
    anything = replace(FACTS, policy={}, policies={})
    found = faults(replace(SPEC, disks=(DISK,) * 3, nics=(NIC,) * 2), anything)
    assert found == {
        "disks": "A machine has at most 2 disks here.",
        "nics": "A machine has at most 1 network card here.",
    }
    assert faults(replace(SPEC, disks=(DISK,) * 2), anything) == {}


def test_a_policy_of_old_has_one_pair_of_limits() -> None:
    old = replace(FACTS, policies={}, policy={"min": LIMITS, "max": MOST})
    assert set(faults(replace(SPEC, beparams={"maxmem": 16384}), old)) == {"beparams.maxmem"}


GUARDED = [("beparams", "kvm", each) for each in BACKEND.values() if each.is_for_admins] + [
    ("hvparams", hypervisor, each)
    for hypervisor, table in OF_HYPERVISORS.items()
    for each in table.values()
    if each.is_for_admins
]


@pytest.mark.parametrize(("where", "hypervisor", "parameter"), GUARDED, ids=lambda each: getattr(each, "name", each))
def test_what_concerns_the_host_is_set_by_who_administers_the_cluster(
    where: str, hypervisor: str, parameter: Any
) -> None:
    """Generated from the catalogue: every such parameter of every hypervisor."""
    default: Any = 0 if parameter.least is not None else ""
    known = {where: {parameter.name: default}}
    defaults = Defaults(
        hypervisor=hypervisor, beparams=known.get("beparams", {}), hvparams={hypervisor: known.get("hvparams", {})}
    )
    facts = Facts(release=parameter.since or (3, 0), defaults=defaults, allocator="hail")
    spec = replace(SPEC, hypervisor=hypervisor, **{where: {parameter.name: "/else"}})
    assert "administer" in faults(spec, facts, is_admin=False)[f"{where}.{parameter.name}"]
    assert "administer" not in faults(spec, facts, is_admin=True).get(f"{where}.{parameter.name}", "")
    assert faults(replace(spec, **{where: {parameter.name: default}}), facts, is_admin=False).get(
        f"{where}.{parameter.name}", ""
    ) in ("", "A kernel is needed."), "it is the default"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (disk(vg="fast"), "disks.0.vg"),
        (disk(adopt="old"), "disks.0.adopt"),
        (disk(spindles=2), "disks.0.spindles"),
        ({"osparams": {"os-image": "/etc/shadow"}}, "osparams.os-image"),
        (options(force_variant=True), "options.force_variant"),
        (options(conflicts_check=False), "options.conflicts_check"),
        (options(file_storage_dir="/etc"), "options.file_storage_dir"),
        (hv(of_the_future="x"), "hvparams.of_the_future"),
    ],
)
def test_what_reaches_into_nodes_is_for_who_administers_the_cluster(changes: dict[str, Any], field: str) -> None:
    assert field in faults(replace(SPEC, **changes), is_admin=False)
    assert field not in faults(replace(SPEC, **changes))


def test_an_export_may_be_anybodys() -> None:
    spec = replace(SPEC, source=Source("node1"))
    assert "source.node" in faults(spec, may_export=False, is_admin=False)
    assert faults(spec, is_admin=False) == {}


@pytest.mark.feature("F180")
@pytest.mark.parametrize(
    ("words", "field"),
    [
        ("Instance 'web1' is already in the cluster", "name"),
        ("The given name (web1) does not resolve: Name or service not known", "name"),
        (
            "Instance allocation to group 1 (default) violates policy: memory-size value 1 is not in range [1, 2]",
            "beparams.maxmem",
        ),
        ("Can't compute nodes using iallocator 'hail': Request failed: FailMem: 2", "beparams.maxmem"),
        ("Can't compute nodes using iallocator 'hail': Request failed: no groups", "placement.allocator"),
        ("OS Parameters validation failed on node n1: Directory for OS x not found in search path", "os"),
        ("Cannot use drained primary node 'n1'", "placement.primary"),
        ("The networked disk templates need a mirror node", "placement.secondary"),
        ("Disk template 'rbd' is not enabled in cluster.", "disk_template"),
        ("MAC address aa:00:00:00:00:01 already in use in cluster", "nics"),
        ("IP address 192.0.2.7 already in use or does not belong to network lan", "nics"),
        ("IP 192.0.2.7 of instance new1 already in use", "options.ip_check"),
        ("Hypervisor parameter validation failed on n: Unsupported machine version: x", "hvparams.machine_version"),
        ("Hypervisor parameter validation failed on n: Unknown security domain user x", "hvparams.security_domain"),
        ("Something never heard of", ""),
    ],
)
def test_ganetis_words_stand_at_their_field(words: str, field: str) -> None:
    assert blame(words) == field
