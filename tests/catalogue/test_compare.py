"""Unknown to the catalogue, or unknown to Ganeti: each is a failure that names the parameter."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clusters.catalogue import BACKEND, DISK, NIC, OF_HYPERVISORS, Kind, of_hypervisor
from rapi import RapiClient
from rapi.features import parse_version
from simulator import Simulator
from tests.catalogue.compare import differences, differences_of_cluster
from tests.ganeti.cluster import GanetiCluster
from tests.ganeti.rapi_hands import connect

# Ganeti's Python, which is not ours, prints its constants.
_ASK = """
import json, sys
sys.path.insert(0, "/usr/share/ganeti/default")
from ganeti import constants as c
from ganeti.hypervisor import hv_chroot, hv_fake, hv_kvm, hv_lxc, hv_xen
def plain(value):
    if isinstance(value, (set, frozenset, list)):
        return sorted(value)
    return {key: plain(each) for key, each in value.items()} if isinstance(value, dict) else value
classes = {"kvm": hv_kvm.KVMHypervisor, "xen-pvm": hv_xen.XenPvmHypervisor, "xen-hvm": hv_xen.XenHvmHypervisor,
           "lxc": hv_lxc.LXCHypervisor, "chroot": hv_chroot.ChrootManager, "fake": hv_fake.FakeHypervisor}
print(json.dumps(plain({
    "release": c.RELEASE_VERSION, "hvparams": c.HVC_DEFAULTS,
    "checked": {n: set(k.PARAMETERS) for n, k in classes.items()},
    "beparams": {"default": c.BEC_DEFAULTS}, "nicparams": {"default": c.NICC_DEFAULTS},
    "diskparams": c.DISK_DT_DEFAULTS,
    "types": c.HVS_PARAMETER_TYPES | c.BES_PARAMETER_TYPES, "disk": c.IDISK_PARAMS_TYPES, "nic": c.INIC_PARAMS_TYPES,
    "choices": {"kvm": {"disk_type": c.HT_KVM_VALID_DISK_TYPES, "cdrom_disk_type": c.HT_KVM_VALID_DISK_TYPES,
                        "nic_type": c.HT_KVM_VALID_NIC_TYPES, "boot_order": c.HT_KVM_VALID_BO_TYPES,
                        "disk_cache": c.HT_VALID_CACHE_TYPES, "disk_aio": c.HT_KVM_VALID_AIO_TYPES,
                        "disk_discard": c.HT_VALID_DISCARD_TYPES, "usb_mouse": c.HT_KVM_VALID_MOUSE_TYPES,
                        "security_model": c.HT_KVM_VALID_SM_TYPES, "reboot_behavior": c.REBOOT_BEHAVIORS,
                        "scsi_controller_type": c.HT_KVM_VALID_SCSI_CONTROLLER_TYPES,
                        "migration_mode": c.HT_MIGRATION_MODES,
                        "kvm_flag": [each for each in c.HT_KVM_FLAG_VALUES if each],
                        "spice_image_compression": c.HT_KVM_SPICE_VALID_LOSSLESS_IMG_COMPR_OPTIONS,
                        "spice_jpeg_wan_compression": c.HT_KVM_SPICE_VALID_LOSSY_IMG_COMPR_OPTIONS,
                        "spice_zlib_glz_wan_compression": c.HT_KVM_SPICE_VALID_LOSSY_IMG_COMPR_OPTIONS,
                        "spice_streaming_video": c.HT_KVM_SPICE_VALID_VIDEO_STREAM_DETECTION_OPTIONS},
                "xen-hvm": {"disk_type": c.HT_HVM_VALID_DISK_TYPES, "nic_type": c.HT_HVM_VALID_NIC_TYPES,
                            "vif_type": c.HT_HVM_VALID_VIF_TYPES, "reboot_behavior": c.REBOOT_BEHAVIORS,
                            "migration_mode": c.HT_MIGRATION_MODES, "xen_cmd": c.KNOWN_XEN_COMMANDS},
                "xen-pvm": {"reboot_behavior": c.REBOOT_BEHAVIORS, "xen_cmd": c.KNOWN_XEN_COMMANDS,
                            "migration_mode": c.HT_MIGRATION_MODES},
                "fake": {"migration_mode": c.HT_MIGRATION_MODES}},
    "modes": c.NIC_VALID_MODES})))
"""
# Ganeti's own: `bridge` passes its types and is refused (it is `link` since 2.5), `dev_type` is set by Ganeti itself.
NOT_FOR_PEOPLE = {"bridge", "dev_type"}


# What the same says of releases that are not installed: of Debian 13's ganeti-3.1 (3.1.0~rc2-3), without `xen_cmd`; and
# of what Ganeti's main branch had in July 2026, where what was to be 3.2 is called 4.0. The latter was read in
# Constants.hs and has not run.
_KEPT = ("ganeti-3.1.json", "ganeti-4.0.json")


_INSTALLED = pytest.param("installed", marks=pytest.mark.program("gnt-instance", "ganeti"))


@pytest.fixture(scope="module", params=[_INSTALLED, *_KEPT])
def constants(request: pytest.FixtureRequest) -> dict[str, Any]:
    if request.param in _KEPT:
        kept: dict[str, Any] = json.loads(Path(__file__).with_name(request.param).read_text())
        return kept
    answer = subprocess.run(["/usr/bin/python3", "-c", _ASK], capture_output=True, text=True, check=True, timeout=60)
    read: dict[str, Any] = json.loads(answer.stdout)
    return read


class TestConstants:
    """Of the Ganeti that is installed and of a later one, without a cluster."""

    def test_what_clusters_have_defaults_for(self, constants: dict[str, Any]) -> None:
        assert differences_of_cluster(constants, parse_version(constants["release"])[:2]) == []

    def test_what_each_hypervisor_takes(self, constants: dict[str, Any]) -> None:
        release = parse_version(constants["release"])[:2]
        for name, taken in constants["checked"].items():
            known = {each.name for each in of_hypervisor(name).values() if each.exists_in(release)}
            assert known == set(taken), name

    def test_types(self, constants: dict[str, Any]) -> None:
        of_kind = {Kind.SWITCH: "bool", Kind.INTEGER: "int", Kind.SIZE: "size"}
        for table in (*OF_HYPERVISORS.values(), BACKEND):
            for name, parameter in table.items():
                if not parameter.exists_in(parse_version(constants["release"])[:2]):
                    continue
                theirs = constants["types"][name].removeprefix("maybe-").removesuffix("-or-auto")
                assert of_kind.get(parameter.kind, "string") == theirs, name

    def test_choices(self, constants: dict[str, Any]) -> None:
        release = parse_version(constants["release"])[:2]
        for hypervisor, table in OF_HYPERVISORS.items():
            ours = {
                name: sorted(each.options_in(release))
                for name, each in table.items()
                if each.kind is Kind.CHOICE and each.exists_in(release)
            }
            assert ours == constants["choices"].get(hypervisor, {}), hypervisor
        assert sorted(NIC["mode"].options_in(release)) == constants["modes"]

    def test_what_disks_and_network_cards_take(self, constants: dict[str, Any]) -> None:
        assert DISK.keys() == constants["disk"].keys() - NOT_FOR_PEOPLE
        assert NIC.keys() == constants["nic"].keys() - NOT_FOR_PEOPLE


class TestClusters:
    """What /2/info and /2/instances say, of the simulator and of a real cluster."""

    @pytest.fixture
    def read(self, rapi: RapiClient) -> tuple[dict[str, Any], tuple[int, int]]:
        info = rapi.get_info()
        return info.raw, parse_version(info.software_version)[:2]

    def test_defaults(self, read: tuple[dict[str, Any], tuple[int, int]]) -> None:
        info, release = read
        assert differences_of_cluster(info, release) == []

    def test_machines(self, rapi: RapiClient, read: tuple[dict[str, Any], tuple[int, int]]) -> None:
        __, release = read
        vm = next(iter(rapi.query("instance", ["name", "hypervisor", "beparams", "hvparams"]).records()))
        assert differences(vm["name"], BACKEND, vm["beparams"], release) == []
        # What is the cluster's alone (how its nodes migrate, and drive Xen) is not told of a machine.
        found = differences(vm["name"], of_hypervisor(vm["hypervisor"]), vm["hvparams"], release)
        assert [each for each in found if "migration_" not in each] == []


@pytest.fixture(params=["simulator", pytest.param("ganeti", marks=pytest.mark.ganeti)])
def rapi(request: pytest.FixtureRequest, make_simulator: Callable[..., Simulator]) -> Iterator[RapiClient]:
    if request.param == "simulator":
        with connect(make_simulator(nodes=1, instances=1)) as client:
            yield client
        return
    cluster: GanetiCluster = request.getfixturevalue("ganeti")
    if not cluster.instance_names():
        cluster.add_fake_instance(started=False)
    with connect(cluster) as client:
        yield client
