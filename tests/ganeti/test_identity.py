"""What a real Ganeti does with names, behind our back: a namesake shares nothing, a renamed machine loses nothing."""

from __future__ import annotations

import pytest

from clusters.models import Cluster, Job
from clusters.selectors import list_jobs
from gwm.selectors import events_about
from objectlog.models import Via
from operations.contract import Actor, Ask, Forbidden, Refusal
from operations.pipeline import run
from operations.table import OPERATIONS
from permissions.journal import list_visible_events
from permissions.models import User
from permissions.policy import can
from permissions.services import grant
from tests.factories import make_user
from tests.ganeti.cluster import GanetiCluster
from tests.ganeti.test_sync import machine, track
from tests.updates.conftest import update
from tools.lab.system import wait_until
from updates.follower import follow_cluster
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.console import open_console
from virtualmachines.operations.rename import RenameParams

pytestmark = [pytest.mark.ganeti, pytest.mark.django_db, pytest.mark.feature("G048")]


@pytest.fixture
def cluster(ganeti: GanetiCluster, db: None) -> Cluster:
    return track(ganeti, "identity")


def holder_of(vm: VirtualMachine) -> User:
    person = make_user()
    grant(["admin"], person, vm)
    return person


def titles(person: User) -> set[str]:
    return set(list_jobs(person).values_list("title", flat=True))


def journal(person: User, vm: VirtualMachine) -> list[str]:
    events = events_about(list_visible_events(person).filter(is_overtaken=False), "vm", vm.pk)
    return [event.verb.removeprefix("vm.") for event in events]


def operate(cluster: Cluster, verb: str, person: User, vm: VirtualMachine, params: object = None) -> None:
    """Do it, and wait for its end."""
    operation = OPERATIONS[f"vm.{verb}"]
    entry = run(operation, Ask(Actor(person, Via.CLI), vm, params or operation.params_type()))
    assert entry.outcome == "submitted", entry.message

    def is_settled() -> bool:
        cluster.refresh_from_db()
        assert follow_cluster(cluster).outcome == "updated"
        entry.refresh_from_db()
        return not entry.is_open

    wait_until(is_settled, what="the end of the job", timeout_s=30.0)
    vm.refresh_from_db()


def test_a_namesake_shares_nothing_with_the_removed_machine(ganeti: GanetiCluster, cluster: Cluster) -> None:
    name = ganeti.add_guest()
    node = ganeti.instance(name, "pnode")[0]
    update(cluster)
    old = machine(cluster, name)
    holder = holder_of(old)
    assert open_console(Actor(holder, Via.WEB), old, session="s").ticket
    operate(cluster, "shutdown-now", holder, old)
    assert titles(holder) == {f"Create {name}", f"Force off {name}"}

    ganeti.remove(name)
    assert ganeti.add_guest(name, node=node) == name
    update(cluster)
    new = machine(cluster, name)
    old = VirtualMachine.objects.get(pk=old.pk)
    successor = holder_of(new)
    assert new.pk != old.pk and old.is_missing
    assert new.network_port == old.network_port, "it has the port that the old one had"
    assert new.is_running

    with pytest.raises(Refusal):
        open_console(Actor(holder, Via.WEB), old, session="s")
    with pytest.raises(Forbidden):
        open_console(Actor(holder, Via.WEB), new, session="s")
    assert open_console(Actor(successor, Via.WEB), new, session="s").ticket
    assert not can(holder, "view", new) and not can(successor, "view", old)
    assert titles(holder) == {f"Create {name}", f"Force off {name}", f"Delete {name}"}
    assert titles(successor) == {f"Create {name}"}
    creations = Job.objects.filter(title__startswith=f"Create {name}").order_by("ganeti_id")
    assert [bool(can(holder, "cancel", job)) for job in creations] == [True, False]
    assert [bool(can(successor, "cancel", job)) for job in creations] == [False, True]
    assert journal(holder, old) == ["shutdown-now", "console"]
    assert journal(successor, new) == ["console", "console"], "and that the holder of the old one was refused"
    assert journal(successor, old) == []
    ganeti.remove(name)


def test_a_renamed_machine_loses_nothing(ganeti: GanetiCluster, cluster: Cluster) -> None:
    name = ganeti.add_guest()
    update(cluster)
    vm = machine(cluster, name)
    holder = holder_of(vm)
    assert open_console(Actor(holder, Via.WEB), vm, session="s").ticket
    operate(cluster, "shutdown-now", holder, vm)
    new_name = ganeti.rename(name)
    ganeti.start(new_name)
    taken = ganeti.add_fake_instance(name)
    update(cluster)
    vm = machine(cluster, new_name)
    assert titles(holder) == {f"Create {name}", f"Force off {name}", f"Rename {name}", f"Start {new_name}"}
    assert journal(holder, vm) == ["shutdown-now", "console"]
    assert open_console(Actor(holder, Via.WEB), vm, session="s").ticket
    assert titles(holder_of(machine(cluster, taken))) == {f"Create {name}"}
    operate(cluster, "shutdown-now", holder, vm)
    assert f"Force off {new_name}" in titles(holder)
    ganeti.remove(new_name)
    ganeti.remove(taken)


@pytest.mark.feature("F196")
def test_a_machine_that_we_rename_loses_nothing(ganeti: GanetiCluster, cluster: Cluster) -> None:
    name, new_name = ganeti.add_guest(), "renamed-by-us.example.org"
    update(cluster)
    vm = machine(cluster, name)
    holder = holder_of(vm)
    rename = OPERATIONS["vm.rename"]
    with pytest.raises(Refusal, match="shut it down first"):
        run(rename, Ask(Actor(holder, Via.CLI), vm, RenameParams(new_name)))
    operate(cluster, "shutdown-now", holder, vm)
    operate(cluster, "rename", holder, vm, RenameParams(new_name))
    assert (vm.name, vm.is_busy) == (new_name, False)
    operate(cluster, "start", holder, vm)
    assert titles(holder) == {f"Create {name}", f"Force off {name}", f"Rename {name}", f"Start {new_name}"}
    assert journal(holder, vm) == ["start", "rename", "shutdown-now"]
    assert open_console(Actor(holder, Via.WEB), vm, session="s").ticket
    assert ganeti.instance(new_name, "status")[0] == "running"
    ganeti.remove(new_name)
