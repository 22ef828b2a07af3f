"""The pipeline, against a simulated cluster over real HTTPS."""

import logging
from dataclasses import replace

import pytest
from django.utils import timezone

from clusters.models import Cluster, Job
from clusters.operations.cluster import EditCluster
from clusters.operations.job import CancelJob
from clusters.operations.wanted import ClusterSettings
from objectlog.logged import read_ids
from objectlog.models import Entry, Outcome, Via
from operations.contract import Actor, Ask, Forbidden, NoParams, Refusal
from operations.offers import list_offers
from operations.pipeline import run
from permissions.kinds import KINDS
from permissions.policy import verbs_on
from permissions.services import grant, make_team, persona_of
from tests.factories import make_job, make_user, make_vm
from tests.operations.conftest import Scene, Watched
from virtualmachines.operations import VM_OPERATIONS
from virtualmachines.operations.power import Reboot, RebootParams, Shutdown, ShutdownNow, ShutdownParams, Start

pytestmark = pytest.mark.django_db


@pytest.mark.feature("F142", "F231")
def test_accepted(scene: Scene) -> None:
    entry = run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams(timeout_s=30)))
    entry.refresh_from_db()
    assert (entry.outcome, entry.actor_name, entry.persona_name, entry.via) == ("submitted", "alice", "alice", "web")
    assert (entry.verb, entry.target_kind, entry.target_pk) == ("vm.shutdown", "vm", scene.vm.pk)
    assert (entry.target_name, entry.cluster_name) == ("vm1.example.org", "lab")
    assert entry.params == {"timeout_s": 30}
    job = Job.objects.get()
    assert (job.ganeti_id, job.entry, job.title) == (entry.job_ids[0], entry, "Shut down vm1.example.org")
    assert job.targets.get().name == "vm1.example.org"
    scene.vm.refresh_from_db()
    assert (scene.vm.busy_with, scene.vm.busy_entry) == ("vm.shutdown", entry.uuid)
    assert Cluster.objects.get().schedule.sync_wanted_at is not None
    [opcode] = scene.simulator.queue.jobs[job.ganeti_id].ops
    assert opcode["OP_ID"] == "OP_INSTANCE_SHUTDOWN"
    assert opcode["timeout"] == 30
    assert [entry.reason] == [line[1] for line in opcode["reason"] if line[0] == "gnt:user"]


def test_what_is_logged_of_the_call_names_its_entry(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    send = Shutdown.send
    monkeypatch.setattr(Shutdown, "send", lambda *args: (seen.append(read_ids()), send(*args))[1])
    entry = run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams()))
    assert seen == [{"entry": str(entry.uuid)}] and read_ids() == {}


@pytest.mark.parametrize("is_check", [False, True])
def test_what_has_ended_before_its_answer_came_is_returned_as_it_ended(scene: Scene, is_check: bool) -> None:
    entry = run(Watched(scene.simulator), Ask(scene.alice, scene.vm, ShutdownParams(), dry_run=is_check))
    assert (entry.outcome, entry.job_ids) == ("succeeded", list(scene.simulator.queue.jobs))
    assert entry.finished_at is not None
    scene.vm.refresh_from_db()
    assert not scene.vm.is_busy


@pytest.mark.feature("F142", "F143")
@pytest.mark.parametrize(
    ("operation", "params", "status", "admin_state", "opcode", "expected"),
    [
        (Start(), NoParams(), "ADMIN_down", "down", "OP_INSTANCE_STARTUP", {}),
        (ShutdownNow(), NoParams(), "running", "up", "OP_INSTANCE_SHUTDOWN", {"timeout": 0, "force": True}),
        (Reboot(), RebootParams("soft"), "running", "up", "OP_INSTANCE_REBOOT", {"reboot_type": "soft"}),
        (Reboot(), RebootParams("hard"), "running", "up", "OP_INSTANCE_REBOOT", {"reboot_type": "hard"}),
        (Reboot(), RebootParams("full", 7), "running", "up", "OP_INSTANCE_REBOOT", {"reboot_type": "full"}),
    ],
)
def test_what_is_asked_of_ganeti(
    scene: Scene, operation: object, params: object, status: str, admin_state: str, opcode: str, expected: dict
) -> None:
    scene.vm.status, scene.vm.admin_state = status, admin_state
    scene.vm.save()
    entry = run(operation, Ask(scene.alice, scene.vm, params))
    [sent] = scene.simulator.queue.jobs[entry.job_ids[0]].ops
    assert sent["OP_ID"] == opcode
    assert sent["instance_name"] == "vm1.example.org"
    assert {name: sent[name] for name in expected} == expected


@pytest.mark.feature("F108")
def test_forbidden_is_not_begun(scene: Scene) -> None:
    stranger = Actor(make_user("mallory"), Via.API)
    with pytest.raises(Forbidden, match="power"):
        run(Shutdown(), Ask(stranger, scene.vm, ShutdownParams()))
    assert not Entry.objects.exists()
    assert scene.simulator.requests == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "ADMIN_down", "admin_state": "down"}, "stopped already"),
        ({"missing_since": timezone.now()}, "no longer there"),
    ],
)
def test_refusal_is_not_begun(scene: Scene, fields: dict, words: str) -> None:
    type(scene.vm).objects.filter(pk=scene.vm.pk).update(**fields)
    with pytest.raises(Refusal, match=words):
        run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams()))
    assert not Entry.objects.exists()
    assert scene.simulator.requests == []


@pytest.mark.feature("G004")
def test_a_job_that_an_update_saw_before_the_answer_came_is_bound(scene: Scene) -> None:
    """An update that could not read its reason does not know whose it is; the answer to the submission does."""
    number = scene.simulator.queue.last_id + 1
    make_job(scene.cluster, ganeti_id=number, title="as Ganeti says it")
    entry = run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams()))
    job = Job.objects.get()
    assert (job.ganeti_id, job.entry) == (number, entry)
    assert job.title == "Shut down vm1.example.org", "it is called as all others of ours"
    assert [target.target_pk for target in job.targets.all()] == [scene.vm.pk]


@pytest.mark.feature("F047", "G002")
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"unreachable_since": timezone.now()}, "has not been reachable since"),
        ({"username": ""}, "read-only"),
        ({"read_only": True}, "read-only"),
    ],
)
def test_cluster_that_cannot_be_changed(scene: Scene, fields: dict, words: str) -> None:
    Cluster.objects.update(**fields)
    with pytest.raises(Refusal, match=words):
        run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams()))
    scene.vm.cluster.refresh_from_db()
    held = verbs_on(scene.alice.user, scene.vm)
    offers = {offer.operation.verb: offer for offer in list_offers(scene.vm, VM_OPERATIONS, held)}
    assert words in offers["reboot"].reason


@pytest.mark.feature("F145", "G004")
def test_one_at_a_time(scene: Scene) -> None:
    run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams()))
    with pytest.raises(Refusal, match="already in progress"):
        run(Reboot(), Ask(scene.alice, scene.vm, RebootParams()))
    assert scene.submissions() == 1


@pytest.mark.feature("F043", "F044")
def test_ganeti_refuses_in_its_own_words(scene: Scene) -> None:
    scene.simulator.faults.refuse(400, "Can't do 'that' today", method="PUT", path="/2/instances/.*")
    entry = run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams()))
    entry.refresh_from_db()
    assert entry.outcome == Outcome.REFUSED
    assert entry.message == "Can't do 'that' today"
    assert entry.finished_at is not None
    scene.vm.refresh_from_db()
    assert not scene.vm.is_busy


@pytest.mark.feature("G004")
def test_queue_closed_and_no_connection_are_refusals(scene: Scene) -> None:
    scene.simulator.faults.queue_full(times=1)
    entry = run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams()))
    assert (entry.outcome, entry.message) == (Outcome.REFUSED, "Queue drained")
    scene.simulator.stop_listening()
    entry = run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams()))
    assert entry.outcome == Outcome.REFUSED
    assert str(scene.simulator.port) in entry.message
    scene.vm.refresh_from_db()
    assert not scene.vm.is_busy


@pytest.mark.feature("G004")
@pytest.mark.parametrize("fault", ["drop", "drop_after", "garbage", "truncated"])
def test_no_answer_leaves_it_open_and_is_not_sent_again(scene: Scene, fault: str) -> None:
    scene.simulator.faults.add(fault, method="PUT", path="/2/instances/.*")
    entry = run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams()))
    entry.refresh_from_db()
    assert entry.outcome == Outcome.UNKNOWN
    assert entry.is_open and entry.message
    scene.vm.refresh_from_db()
    assert scene.vm.busy_entry == entry.uuid
    assert scene.submissions() == 1


def test_cancel(scene: Scene) -> None:
    scene.simulator.hold_jobs()
    started = run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams()))
    job = Job.objects.get()
    entry = run(CancelJob(), Ask(scene.alice, job, NoParams()))
    assert entry.outcome == Outcome.DONE
    assert entry.message
    assert scene.simulator.queue.jobs[started.job_ids[0]].status == "canceled"


def test_cancel_without_an_answer_is_said_and_over(scene: Scene) -> None:
    job = make_job(scene.cluster, ("instance", "vm1.example.org"))
    scene.simulator.faults.add("drop", method="DELETE")
    entry = run(CancelJob(), Ask(scene.alice, job, NoParams()))
    assert entry.outcome == Outcome.FAILED
    assert entry.message.startswith("No answer")


def test_editing_a_cluster_makes_it_no_demo_and_no_demo_of_it(scene: Scene) -> None:
    """The form does not ask; consoles of the demo alone may be on this host."""
    grant(["admin"], scene.alice.user, scene.cluster)
    for is_demo in (True, False):
        Cluster.objects.update(is_demo=is_demo)
        cluster = Cluster.objects.get()
        known = ("slug", "host", "port", "username", "tls_trust", "tls_fingerprint")
        wanted = ClusterSettings(**{name: getattr(cluster, name) for name in known}, is_demo=not is_demo)
        run(EditCluster(), Ask(scene.alice, cluster, replace(wanted, description="edited")))
        cluster.refresh_from_db()
        assert (cluster.description, cluster.is_demo) == ("edited", is_demo)


@pytest.mark.feature("G016")
def test_journal_names_person_and_persona(scene: Scene) -> None:
    group = make_team("web-team", [scene.alice.user])
    actor = Actor(scene.alice.user, Via.CLI, persona_of(group))
    entry = run(Shutdown(), Ask(actor, scene.vm, ShutdownParams()))
    assert (entry.actor_name, entry.persona_name, entry.via) == ("alice", "web-team", "cli")
    scene.alice.user.delete()
    entry.refresh_from_db()
    assert (entry.actor, entry.actor_name) == (None, "alice")


@pytest.mark.feature("F107")
def test_offers_say_why_not(scene: Scene) -> None:
    bob = make_user("bob")
    grant(["tags"], bob, scene.vm)

    def offers(user: object) -> dict[str, str]:
        held = verbs_on(user, scene.vm)
        return {offer.operation.verb: offer.reason for offer in list_offers(scene.vm, VM_OPERATIONS, held)}

    suit = [operation for operation in VM_OPERATIONS if operation.suits(scene.vm)]
    assert set(offers(bob)) == set(offers(scene.alice.user)) == {operation.verb for operation in suit}
    lacked = [operation for operation in suit if operation.needs != "tags"]
    for operation in lacked:
        verb = f"{operation.needs})" if operation.needs in KINDS["vm"].grantable else ""  # or one of the cluster
        assert f"(needs {verb}" in offers(bob)[operation.verb]
    assert len(suit) > len(lacked) > 5
    assert offers(scene.alice.user)["reboot"] == ""
    assert offers(scene.alice.user)["start"] == "It is running already."


def test_credentials_are_not_logged(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    scene.cluster.password = "not-the-real-one-4711"
    scene.cluster.save()
    scene.vm.refresh_from_db()
    entry = run(Shutdown(), Ask(scene.alice, make_same(scene), ShutdownParams()))
    assert entry.outcome == Outcome.REFUSED
    assert "4711" not in caplog.text + entry.message + str(entry.params)


def make_same(scene: Scene) -> object:
    vm = make_vm(scene.cluster, "vm2.example.org")
    grant(["power"], scene.alice.user, vm)
    return vm
