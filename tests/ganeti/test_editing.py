"""What a real Ganeti makes of changes of a machine: of its settings, its network cards and its disks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from clusters.models import Cluster
from objectlog.models import Entry, Outcome, Via
from operations.contract import Actor, Ask
from operations.forms import params_from
from operations.pipeline import run
from operations.table import OPERATIONS
from tests.factories import make_admin
from tests.ganeti.cluster import GanetiCluster
from tests.ganeti.test_power import settle
from tests.ganeti.test_sync import machine, track
from tests.updates.conftest import update
from virtualmachines.detached import COMMAND
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.ganeti, pytest.mark.django_db]


@pytest.fixture
def cluster(ganeti: GanetiCluster, db: None) -> Cluster:
    return track(ganeti, "real")


@pytest.fixture
def name(ganeti: GanetiCluster, cluster: Cluster) -> Iterator[str]:
    """A stopped KVM machine with a small disk in a file."""
    name = ganeti.fresh_name("edited")
    hardware = ["-t", "file", "--disk", "0:size=16M", "-B", "memory=64M,vcpus=1", "-H", "kvm:kernel_path="]
    unchecked = ["--no-install", "--no-start", "--no-name-check", "--no-ip-check"]
    ganeti.gnt("instance", "add", *hardware, "-o", "noop", "-n", ganeti.nodes[0], *unchecked, name)
    update(cluster)
    yield name
    ganeti.remove(name)


class Hand:
    """Does to one machine what a person would."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster, self.name, self.actor = cluster, name, Actor(make_admin(), Via.WEB)

    @property
    def vm(self) -> VirtualMachine:
        """As it was last read."""
        return machine(self.cluster, self.name)

    def begin(self, verb: str, **given: Any) -> Entry:
        """What Ganeti said first."""
        operation = OPERATIONS[f"vm.{verb}"]
        return run(operation, Ask(self.actor, self.vm, params_from(operation, self.actor, self.vm, given)))

    def do(self, verb: str, **given: Any) -> None:
        """And see it succeed."""
        settle(self.cluster, self.begin(verb, **given))

    def edit(self, **wanted: Any) -> None:
        """Change settings."""
        self.do("modify", wanted=wanted, typed_name=self.name)


@pytest.fixture
def hand(cluster: Cluster, name: str) -> Hand:
    return Hand(cluster, name)


@pytest.mark.feature("F184", "F185", "F187")
def test_settings(hand: Hand) -> None:
    hand.edit(beparams={"vcpus": 2, "maxmem": 96, "minmem": 80}, hvparams={"boot_order": "network", "acpi": False})
    vm = hand.vm
    assert (vm.vcpus, vm.memory_mib, vm.memory_min_mib) == (2, 96, 80)
    assert (vm.hvparams["boot_order"], vm.hvparams["acpi"]) == ("network", False)
    hand.edit(beparams={"vcpus": None}, hvparams={"acpi": None})
    assert not {"vcpus"} & hand.vm.raw["custom_beparams"].keys()
    assert not {"acpi"} & hand.vm.raw["custom_hvparams"].keys()


@pytest.mark.feature("F186")
def test_network_cards(hand: Hand) -> None:
    before = len(hand.vm.nics)
    hand.edit(nics_added=[{"mac": "aa:00:00:ed:17:01", "name": "second"}])
    assert [nic["mac"] for nic in hand.vm.nics[before:]] == ["aa:00:00:ed:17:01"]
    uuid = hand.vm.nics[-1]["uuid"]
    hand.edit(nics={uuid: {"mac": "aa:00:00:ed:17:02", "name": "", "mode": "routed", "ip": "192.0.2.77"}})
    changed = hand.vm.nics[-1]
    assert (changed["uuid"], changed["mac"], changed["mode"]) == (uuid, "aa:00:00:ed:17:02", "routed")
    hand.edit(nics={uuid: {"remove": True}})
    assert len(hand.vm.nics) == before


@pytest.mark.feature("F195")
def test_disks(hand: Hand, ganeti: GanetiCluster) -> None:
    hand.edit(disks_added=[{"size_mib": 16, "name": "data"}])
    assert [disk["size_mib"] for disk in hand.vm.disks] == [16, 16]
    uuid = hand.vm.disks[1]["uuid"]
    hand.edit(disks={uuid: {"name": "logs", "mode": "ro"}})
    assert (hand.vm.disks[1]["name"], hand.vm.disks[1]["uuid"]) == ("logs", uuid)
    hand.do("grow-disk", disk=1, more_mib=16)
    hand.do("grow-disk", disk=0, size_mib=24)
    assert [disk["size_mib"] for disk in hand.vm.disks] == [24, 32]
    hand.do("detach-disk", disk=1)
    assert len(hand.vm.disks) == 1
    assert uuid in ganeti.run(ganeti.lab.master, "sh", "-c", COMMAND).split(), "what people are told to type"
    hand.do("attach-disk", uuid=uuid)
    assert [disk["uuid"] for disk in hand.vm.disks[1:]] == [uuid]
    ganeti.modify(hand.name, "--disk", "1:detach")  # elsewhere: the journal knows nothing of it
    update(hand.cluster)
    assert len(hand.vm.disks) == 1
    (found,) = ganeti.run(ganeti.lab.master, "sh", "-c", COMMAND).split()
    hand.do("attach-disk", uuid=found)
    assert [disk["uuid"] for disk in hand.vm.disks[1:]] == [uuid]
    hand.edit(disks={uuid: {"remove": True}})
    assert len(hand.vm.disks) == 1


@pytest.mark.feature("F195")
def test_disks_of_another_kind(hand: Hand) -> None:
    hand.do("convert-disks", disk_template="sharedfile")
    assert hand.vm.disk_template == "sharedfile" and [disk["size_mib"] for disk in hand.vm.disks] == [16]


def test_a_refusal_is_told_in_ganetis_words(hand: Hand, ganeti: GanetiCluster) -> None:
    """Taken out past us: the number still fits, the uuid no longer does."""
    gone = hand.vm.nics[0]["uuid"]
    ganeti.gnt("instance", "modify", "--net", "-1:add", hand.name)
    ganeti.gnt("instance", "modify", "--net", "0:remove", hand.name)
    entry = hand.begin("modify", wanted={"nics": {gone: {"link": "br9"}}})
    with pytest.raises(AssertionError):
        settle(hand.cluster, entry)
    assert entry.outcome == Outcome.FAILED and gone in entry.message


@pytest.mark.feature("F192")
def test_what_waits_for_a_restart(hand: Hand, ganeti: GanetiCluster) -> None:
    hand.do("start")
    ganeti.modify(hand.name, "-B", "vcpus=2")
    update(hand.cluster)
    assert hand.vm.waiting == {"beparams.vcpus": 1}
    ganeti.gnt("instance", "reboot", "-t", "hard", "--shutdown-timeout=1", hand.name)
    update(hand.cluster)
    assert hand.vm.waiting == {} and hand.vm.waiting_since is None


@pytest.mark.feature("F172", "F174", "F175")
def test_a_cd_is_inserted_booted_from_and_ejected(hand: Hand) -> None:
    """A file that every node has stands for an image: Ganeti looks only whether it is there."""
    hand.cluster.cd_images = [{"name": "Here", "path": "/etc/os-release"}, {"name": "Gone", "path": "/no/such.iso"}]
    hand.cluster.save(update_fields=["cd_images"])
    hand.do("insert-cd", image="Here", boots="on")
    update(hand.cluster)
    drive = {name: hand.vm.hvparams[name] for name in ("cdrom_image_path", "cdrom_disk_type", "boot_order")}
    assert drive == {"cdrom_image_path": "/etc/os-release", "cdrom_disk_type": "ide", "boot_order": "cdrom"}
    hand.do("eject-cd")
    update(hand.cluster)
    assert not hand.vm.hvparams["cdrom_image_path"] and hand.vm.hvparams["boot_order"] == "disk"
    entry = hand.begin("insert-cd", image="Gone")
    with pytest.raises(AssertionError):
        settle(hand.cluster, entry)
    entry.refresh_from_db()
    assert entry.outcome == Outcome.FAILED and "/no/such.iso" in entry.message
