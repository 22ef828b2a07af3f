"""Machines made on a real Ganeti: with disk and card, checked before, refused, failed, and tied to their rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from clusters.models import Cluster, Job, Schedule
from objectlog.models import Entry, Outcome, Via
from operations.contract import Actor, Ask
from operations.pipeline import run
from permissions.policy import verbs_on
from permissions.services import grant
from tests.factories import make_user
from tests.ganeti.cluster import GanetiCluster
from tests.ganeti.test_sync import track
from tests.updates.conftest import update
from tools.lab.system import wait_until
from updates.follower import follow_cluster
from virtualmachines.exports import find_told, list_exports
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.creating import Create, CreateParams
from virtualmachines.rules.blame import blame
from virtualmachines.spec import DiskSpec, NicSpec, Options, VMSpec
from virtualmachines.spec.exports import with_told

pytestmark = [pytest.mark.ganeti, pytest.mark.django_db]


@dataclass
class Real:
    """Alice, who may create machines on the real cluster."""

    ganeti: GanetiCluster
    cluster: Cluster
    alice: Actor

    def spec(self, **changes: Any) -> VMSpec:
        """A small machine that Ganeti makes without installing anything."""
        usual = VMSpec(
            self.ganeti.fresh_name("made"),
            os=self.cluster.operating_systems[0] if self.cluster.operating_systems else "noop",
            hypervisor="fake",
            disk_template="file",
            disks=(DiskSpec(128),),
            nics=(NicSpec(),),
            beparams={"maxmem": 128, "minmem": 128, "vcpus": 1},
            options=Options(no_install=True),
        )
        return replace(usual, **changes)

    def create(self, spec: VMSpec, *, dry_run: bool = False) -> Entry:
        """Through the pipeline, and followed to its end."""
        self.cluster.refresh_from_db()
        entry = run(Create(), Ask(self.alice, self.cluster, CreateParams(spec, notes="ordered"), dry_run=dry_run))
        wait_until(lambda: self.has_ended(entry), timeout_s=120, what="the entry ends")
        return entry

    def has_ended(self, entry: Entry) -> bool:
        """After the follower has passed by."""
        follow_cluster(self.cluster)
        entry.refresh_from_db()
        return not entry.is_open


@pytest.fixture
def real(ganeti: GanetiCluster, db: None) -> Iterator[Real]:
    cluster = track(ganeti, "real")
    user = make_user("alice")
    grant(["create_vm"], user, cluster)
    yield Real(ganeti, cluster, Actor(user, Via.WEB))
    ganeti.remove_instances()


@pytest.mark.feature("F147", "F157", "F161", "F165")
@pytest.mark.parametrize("hypervisor", ["fake", "kvm"])
def test_a_machine_with_disk_and_card_is_its_row(real: Real, hypervisor: str) -> None:
    spec = real.spec(hypervisor=hypervisor)
    entry = real.create(spec)
    assert entry.outcome == Outcome.SUCCEEDED, entry.message
    row = VirtualMachine.objects.get(name=spec.name)
    assert row.pk == entry.target_pk and not row.is_busy
    told = real.ganeti.instance(spec.name, "uuid", "hypervisor", "disk_template", "disk.sizes", "nic.count")
    assert told[:3] == [row.uuid, hypervisor, "file"] and "128" in told[3] and told[4] == "1"
    assert (row.notes, row.disk_mib, row.memory_mib) == ("ordered", 128, 128)
    assert "admin" in verbs_on(real.alice.user, row)
    update(real.cluster)
    assert [each.pk for each in VirtualMachine.objects.filter(name=spec.name)] == [row.pk]


@pytest.mark.feature("G053", "G010")
def test_a_check_names_the_node_and_makes_nothing(real: Real) -> None:
    spec = real.spec()
    entry = real.create(spec, dry_run=True)
    assert entry.outcome == Outcome.SUCCEEDED, entry.message
    assert any(node in entry.message for node in real.ganeti.nodes), entry.message
    assert spec.name not in real.ganeti.instance_names()
    assert not VirtualMachine.objects.filter(name=spec.name).exists()


@pytest.mark.feature("F180", "F181")
def test_a_job_that_fails_says_why_at_its_field(real: Real) -> None:
    """More memory than any node has: the allocator finds no place."""
    spec = real.spec(hypervisor="kvm", beparams={"maxmem": 30_000, "minmem": 30_000, "vcpus": 1})
    entry = real.create(spec)
    row = VirtualMachine.objects.get(name=spec.name)
    assert entry.outcome == Outcome.FAILED and blame(entry.message) == "beparams.maxmem", entry.message
    assert row.was_never_made and not row.is_busy
    update(real.cluster)
    row.refresh_from_db()
    assert row.was_never_made


def test_a_namesake_made_behind_our_back_is_not_given_away(real: Real) -> None:
    spec = real.spec()
    real.ganeti.add_fake_instance(spec.name)
    entry = real.create(spec)
    assert entry.outcome == Outcome.FAILED and blame(entry.message) == "name", entry.message
    update(real.cluster)
    mine, other = VirtualMachine.objects.filter(name=spec.name).order_by("uuid")
    assert mine.was_never_made and other.owner is None
    assert verbs_on(real.alice.user, other) == frozenset()


@pytest.mark.feature("F180")
def test_what_is_refused_at_once_leaves_no_row(real: Real) -> None:
    """Ganeti's RAPI refuses a value that its opcodes do not take."""
    spec = real.spec(disk_template="tape")
    cluster = real.cluster
    entry = run(_Unjudged(), Ask(real.alice, cluster, CreateParams(spec)))
    assert entry.outcome == Outcome.REFUSED and "Invalid body parameters" in entry.message, entry.message
    assert not VirtualMachine.objects.filter(name=spec.name).exists()


class _Unjudged(Create):
    """As if none of our rules were there, so that Ganeti's own are heard."""

    def check(self, ask: Ask[Cluster, CreateParams]) -> None:
        return


@pytest.mark.feature("F205", "F147")
def test_what_an_export_holds_is_told_and_made_again(real: Real) -> None:
    """Private parameters of the OS come along, and are told to nobody."""
    grant(["export"], real.alice.user, real.cluster)
    spec = real.spec(disks=(DiskSpec(128), DiskSpec(192)), tags=frozenset({"kept"}))
    assert real.create(spec).outcome == Outcome.SUCCEEDED
    macs = real.ganeti.instance(spec.name, "nic.macs")
    real.ganeti.gnt("instance", "modify", "--os-parameters-private", "key=hush", spec.name)
    real.ganeti.gnt("backup", "export", "-n", real.ganeti.nodes[1], spec.name)
    Schedule.objects.update(exports_at=None)
    update(real.cluster)
    (export,) = [each for each in list_exports(real.alice.user) if each.name == spec.name]
    asked = VMSpec(f"copy-of-{spec.name}", source=export.source, nics=(NicSpec(),), options=Options(start=False))
    entry = real.create(asked, dry_run=True)
    assert entry.outcome == Outcome.SUCCEEDED, entry.message
    told = find_told(real.alice.user, str(entry.uuid), real.cluster)
    assert told is not None and [disk.size_mib for disk in told.disks] == [128, 192]
    assert (told.os, told.hypervisor, told.tags, told.beparams["maxmem"]) == (spec.os, "fake", {"kept"}, 128)
    real.ganeti.remove(spec.name)
    update(real.cluster)
    again = with_told(replace(asked, name=spec.name, nics=()), replace(told, nics=()))
    again = replace(again, beparams={}, hvparams={})  # some are for admins to say; unsaid they are as in the export
    entry = real.create(again)
    assert entry.outcome == Outcome.SUCCEEDED, entry.message
    assert real.ganeti.instance(spec.name, "nic.macs", "os") == [*macs, spec.os]
    assert "hush" not in str([*Job.objects.values(), *Entry.objects.values()])
    real.ganeti.gnt("backup", "remove", spec.name)
