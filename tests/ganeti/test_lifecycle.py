"""What a real Ganeti does in the life of a machine: tags, offline, disks, reinstallation, deletion; and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from clusters.models import Cluster
from clusters.operations.tagging import tags_of
from objectlog.models import Entry, Outcome, Via
from operations.contract import Actor, Ask
from operations.forms import params_from
from operations.pipeline import run
from operations.table import OPERATIONS
from tests.factories import make_admin
from tests.ganeti.cluster import GanetiCluster
from tests.ganeti.test_sync import machine, track
from tests.updates.conftest import update
from tools.lab.system import wait_until
from updates.follower import follow_cluster
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.ganeti, pytest.mark.django_db, pytest.mark.feature("F197", "F198", "G014")]


@pytest.fixture
def cluster(ganeti: GanetiCluster, db: None) -> Cluster:
    return track(ganeti, "real")


@pytest.fixture
def root(db: None) -> Actor:
    return Actor(make_admin(), Via.WEB)


def do(root: Actor, cluster: Cluster, name: str, verb: str, **given: Any) -> Entry:
    """Up to the end of its job."""
    operation, vm = OPERATIONS[f"vm.{verb}"], machine(cluster, name)
    entry = run(operation, Ask(root, vm, params_from(operation, root, vm, given)))

    wait_until(lambda: has_ended(cluster, entry), what=f"the end of {verb}", timeout_s=120)
    return entry


def has_ended(cluster: Cluster, entry: Entry) -> bool:
    """Whether its job has, by a look at the cluster's."""
    cluster.refresh_from_db()
    follow_cluster(cluster)
    entry.refresh_from_db()
    return not entry.is_open


def test_a_life_up_to_deletion_and_a_namesake_afterwards(ganeti: GanetiCluster, cluster: Cluster, root: Actor) -> None:
    name = ganeti.add_guest()
    update(cluster)
    for verb, given in (
        ("shutdown", {"timeout_s": 0}),
        ("add-tags", {"tags": "web prod"}),
        ("remove-tags", {"tags": "prod"}),
        ("activate-disks", {}),
        ("deactivate-disks", {}),
        ("set-offline", {}),
        ("set-online", {}),
        ("reinstall", {}),
    ):
        entry = do(root, cluster, name, verb, **given)
        assert entry.outcome == Outcome.SUCCEEDED, (verb, entry.message)
    old = machine(cluster, name)
    assert (old.tags, old.admin_state) == (["web"], "down")
    refused = do(root, cluster, name, "recreate-disks")
    assert refused.outcome == Outcome.FAILED and refused.message, "its disks are still there"
    assert do(root, cluster, name, "delete", timeout_s=0).outcome == Outcome.SUCCEEDED
    assert name not in ganeti.instance_names() and not VirtualMachine.objects.filter(name=name).exists()
    ganeti.add_fake_instance(name, started=False)
    update(cluster)
    new = machine(cluster, name)
    assert new.pk != old.pk and new.uuid != old.uuid and new.tags == []
    ganeti.remove(name)


@pytest.mark.feature("F094")
def test_tags_of_the_cluster_itself(ganeti: GanetiCluster, cluster: Cluster, root: Actor) -> None:
    def tag(verb: str, *, dry_run: bool = False) -> set[str]:
        operation = OPERATIONS[f"cluster.{verb}-tags"]
        cluster.refresh_from_db()
        params = params_from(operation, root, cluster, {"tags": "here"})
        entry = run(operation, Ask(root, cluster, params, dry_run=dry_run))
        wait_until(lambda: has_ended(cluster, entry), what=f"the end of {verb}", timeout_s=120)
        assert entry.outcome == Outcome.SUCCEEDED, entry.message
        update(cluster)
        cluster.refresh_from_db()
        assert tags_of(cluster) == set(ganeti.gnt("cluster", "list-tags").split())
        return tags_of(cluster)

    assert "here" not in tag("add", dry_run=True)
    assert "here" in tag("add")
    assert "here" in tag("remove", dry_run=True)
    assert "here" not in tag("remove")
