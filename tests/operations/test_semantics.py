"""What an operation overrules, claims and leaves behind when something else than expected happens."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from clusters.models import Job
from clusters.operations.job import CancelJob
from clusters.operations.settle import count_clean_listing
from objectlog.models import Entry, Outcome
from operations.contract import Ask, NoParams, Refusal, Submission
from operations.offers import find_obstacle, list_offers
from operations.pipeline import run
from permissions.policy import verbs_on
from rapi.client import RapiClient
from tests.factories import make_node
from tests.operations.conftest import Scene
from virtualmachines.forms.actions import RebootForm
from virtualmachines.models import VirtualMachine
from virtualmachines.operations import VM_OPERATIONS
from virtualmachines.operations.power import (
    REBOOT_TYPES,
    SOFT_REBOOTS,
    Reboot,
    RebootParams,
    Shutdown,
    ShutdownNow,
    ShutdownParams,
    Start,
)

pytestmark = pytest.mark.django_db


def offers_of(scene: Scene) -> Mapping[str, str]:
    """Each operation and why it can't be done now."""
    scene.vm.refresh_from_db()
    held = verbs_on(scene.alice.user, scene.vm)
    found = list_offers(scene.vm, VM_OPERATIONS, held)
    return {offer.operation.verb: str(offer.reason) for offer in found}


def test_a_cancel_that_ganeti_does_not_grant_is_refused(scene: Scene) -> None:
    started = run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams()))
    while scene.simulator.queue.jobs[started.job_ids[0]].status != "running":
        scene.simulator.advance()
    entry = run(CancelJob(), Ask(scene.alice, Job.objects.get(), NoParams()))
    entry.refresh_from_db()
    assert entry.outcome == Outcome.REFUSED
    assert entry.message == "Job no longer waiting, can't cancel (informed it anyway)"


def test_force_off_takes_a_waiting_shutdown_out_of_the_queue(scene: Scene) -> None:
    scene.simulator.hold_jobs()
    gentle = run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams()))
    assert offers_of(scene)["shutdown-now"] == ""
    assert offers_of(scene)["reboot"] != ""
    forced = run(ShutdownNow(), Ask(scene.alice, scene.vm, NoParams()))
    assert forced.outcome == Outcome.SUBMITTED
    assert scene.simulator.queue.jobs[gentle.job_ids[0]].status == "canceled"
    scene.vm.refresh_from_db()
    assert (scene.vm.busy_with, scene.vm.busy_entry) == ("vm.shutdown-now", forced.uuid)
    with pytest.raises(Refusal):
        run(ShutdownNow(), Ask(scene.alice, scene.vm, NoParams()))


def test_force_off_waits_for_a_running_shutdown_and_keeps_its_time(scene: Scene) -> None:
    gentle = run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams()))
    while scene.simulator.queue.jobs[gentle.job_ids[0]].status != "running":
        scene.simulator.advance()
    until = timezone.now() + timedelta(seconds=90)
    VirtualMachine.objects.update(busy_until=until)
    scene.vm.refresh_from_db()
    assert "does not interrupt a shutdown" in ShutdownNow().consequence_for(scene.vm)
    forced = run(ShutdownNow(), Ask(scene.alice, scene.vm, NoParams()))
    assert forced.outcome == Outcome.SUBMITTED
    assert scene.simulator.queue.jobs[gentle.job_ids[0]].status == "running"
    scene.vm.refresh_from_db()
    assert (scene.vm.busy_with, scene.vm.busy_until) == ("vm.shutdown-now", until)


def test_a_refused_force_off_leaves_the_machine_to_the_shutdown(scene: Scene) -> None:
    gentle = run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams()))
    scene.simulator.faults.refuse(400, "no", method="PUT", path="/2/instances/.*")
    assert run(ShutdownNow(), Ask(scene.alice, scene.vm, NoParams())).outcome == Outcome.REFUSED
    scene.vm.refresh_from_db()
    assert (scene.vm.busy_with, scene.vm.busy_entry) == ("vm.shutdown", gentle.uuid)


class Broken(Shutdown):
    """A call that this program fails at."""

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, ShutdownParams], reason: str) -> Submission:
        raise ZeroDivisionError


def test_an_error_of_this_program_during_the_call_leaves_it_in_doubt_and_is_found_out(scene: Scene) -> None:
    with pytest.raises(ZeroDivisionError):
        run(Broken(), Ask(scene.alice, scene.vm, ShutdownParams()))
    entry = Entry.objects.get()
    assert entry.outcome == Outcome.UNKNOWN and "its log has the details" in entry.message
    later = timezone.now() + timedelta(hours=1)
    count_clean_listing(scene.cluster, listed_from=later)
    count_clean_listing(scene.cluster, listed_from=later)
    entry.refresh_from_db()
    scene.vm.refresh_from_db()
    assert entry.outcome == Outcome.NOT_SUBMITTED and not scene.vm.is_busy


def test_an_entry_whose_verb_no_release_knows_any_more_frees_its_machine(scene: Scene) -> None:
    scene.simulator.faults.add("drop", method="PUT", path="/2/instances/.*")
    entry = run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams()))
    Entry.objects.filter(pk=entry.pk).update(verb="teleport")
    later = timezone.now() + timedelta(hours=1)
    for _ in range(2):
        count_clean_listing(scene.cluster, listed_from=later)
    entry.refresh_from_db()
    scene.vm.refresh_from_db()
    assert not scene.vm.is_busy
    assert entry.outcome == Outcome.LOST and "not known whether it was carried out" in entry.message


def test_a_cancel_that_was_killed_claims_no_more_than_is_known(scene: Scene) -> None:
    run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams()))
    entry = run(CancelJob(), Ask(scene.alice, Job.objects.get(), NoParams()))
    Entry.objects.filter(pk=entry.pk).update(outcome=Outcome.SUBMITTING)
    later = timezone.now() + timedelta(hours=1)
    for _ in range(2):
        count_clean_listing(scene.cluster, listed_from=later)
    entry.refresh_from_db()
    assert entry.outcome == Outcome.LOST and "not known" in entry.message


def test_nothing_starts_a_machine_that_is_only_reserved(scene: Scene) -> None:
    VirtualMachine.objects.update(status="forthcoming", admin_state="down")
    reasons = offers_of(scene)
    for name in ("start", "shutdown", "shutdown-now", "reboot"):
        assert "only reserved" in reasons[name], name


def test_nothing_starts_a_machine_whose_node_is_offline(scene: Scene) -> None:
    node = make_node(scene.cluster, "node9.example.org", offline=True)
    VirtualMachine.objects.update(status="ERROR_nodeoffline", admin_state="up", primary_node=node)
    reasons = offers_of(scene)
    assert "node9.example.org is set offline" in reasons["start"]
    assert "node9.example.org is set offline" in reasons["reboot"]
    VirtualMachine.objects.update(status="ADMIN_down", admin_state="down")
    assert "node9.example.org is set offline" in offers_of(scene)["start"]
    node.offline = False
    node.save()
    assert offers_of(scene)["start"] == ""


@pytest.mark.parametrize(
    ("operation", "status", "admin_state", "is_shown"),
    [
        (Start(), "running", "up", True),
        (Start(), "ADMIN_down", "down", False),
        (Start(), "ERROR_down", "up", False),
        (Shutdown(), "ADMIN_down", "down", True),
        (Shutdown(), "running", "up", False),
        (Shutdown(), "ERROR_up", "down", False),
        (ShutdownNow(), "ADMIN_down", "down", True),
        (ShutdownNow(), "running", "up", False),
        (Reboot(), "running", "up", True),
        (Reboot(), "ERROR_down", "up", False),
    ],
)
def test_what_a_row_shows_of_a_success(operation: Any, status: str, admin_state: str, is_shown: bool) -> None:
    assert operation.is_shown_by(VirtualMachine(status=status, admin_state=admin_state)) is is_shown


@pytest.mark.parametrize("hypervisor", ["kvm", "xen-hvm", "xen-pvm", "lxc", "fake", "chroot", "one of later"])
def test_the_form_says_what_each_way_does_with_the_hypervisor(scene: Scene, hypervisor: str) -> None:
    scene.vm.hypervisor = hypervisor
    form = RebootForm(target=scene.vm)
    choices = dict(form.fields["type"].choices)  # type: ignore[attr-defined]
    assert next(iter(choices)) == "hard" == form.fields["type"].initial == RebootParams().type
    assert "wait up to" in choices["hard"]
    assert ("soft" in choices) is (hypervisor != "chroot")
    if hypervisor == "kvm":
        assert "Reset at once" in choices["soft"]
    if hypervisor.startswith("xen"):
        assert "Ask the guest" in choices["soft"]
    assert set(SOFT_REBOOTS) >= {"kvm", "xen-hvm", "xen-pvm", "lxc"} and set(REBOOT_TYPES) == {"hard", "full", "soft"}


def test_only_what_it_names_is_overruled(scene: Scene) -> None:
    for verb in ("vm.start", "vm.reboot", "vm.shutdown-now", "teleport"):
        scene.vm.busy_with, scene.vm.busy_entry = verb, Entry().uuid
        assert find_obstacle(ShutdownNow(), scene.vm) is not None
    scene.vm.busy_with = "vm.shutdown"
    assert find_obstacle(ShutdownNow(), scene.vm) is None
    for operation in (Start(), Shutdown(), Reboot()):
        assert find_obstacle(operation, scene.vm) is not None
