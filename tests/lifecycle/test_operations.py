"""What is done to a machine in its life, with the simulator: it comes about, and is refused for its reasons."""

from typing import Any

import pytest

from clusters.models import Cluster, Job
from objectlog.models import Outcome
from operations.contract import Actor, Ask, Invalid, Refusal
from operations.forms import params_from
from operations.pipeline import run
from operations.table import OPERATIONS
from permissions.policy import verbs_on
from permissions.services import grant, make_team, persona_of
from quotas.amounts import Limits
from quotas.services import set_quota
from simulator import Simulator
from tests.factories import make_user
from tests.fixtures.databases import few_on_both
from tests.lifecycle.conftest import Scene, begin, finish
from tests.updates.conftest import update
from tests.updates.following import let_deadline_pass
from updates.follower import follow_cluster
from virtualmachines.models import VirtualMachine

pytestmark = pytest.mark.django_db
NAME = "vm1.example.org"


@pytest.fixture
def ours(mine: Scene) -> Scene:
    """Alice administers the cluster, too."""
    grant(["admin"], mine.alice.user, Cluster.objects.get())
    return mine


@pytest.fixture
def stopped(ours: Scene, simulator: Simulator) -> Scene:
    """It is off."""
    simulator.outside.stop(NAME)
    update(Cluster.objects.get())
    return ours


def machine(scene: Scene) -> VirtualMachine:
    return VirtualMachine.objects.get(pk=scene.vm.pk)


@pytest.mark.feature("F197")
@pytest.mark.parametrize("start", [True, False])
def test_reinstalled_with_another_system(ours: Scene, simulator: Simulator, start: bool) -> None:
    system = next(each for each in Cluster.objects.get().operating_systems if each != machine(ours).os)
    given = {"os": system, "osparams": "mirror=near", **({"start": "on"} if start else {})}
    entry = finish(ours, begin(ours, "reinstall", **given))
    assert (entry.outcome, entry.params["osparams"]) == (Outcome.SUCCEEDED, ["mirror"])
    assert simulator.cluster.instances[NAME].osparams["mirror"] == "near"
    assert (machine(ours).os, machine(ours).is_running) == (system, start)


@pytest.mark.feature("F197")
@pytest.mark.parametrize(("others", "outcome"), [(0, Outcome.SUCCEEDED), (1, Outcome.LOST)])
def test_a_lost_answer_is_found_by_time_object_and_opcode_or_said_to_be_in_doubt(
    ours: Scene, simulator: Simulator, others: int, outcome: Outcome
) -> None:
    """Ganeti takes no reason with it. Of two that could be meant none is taken, and nothing is sent again."""
    simulator.faults.add("drop_after", method="POST", path="/2/instances/.*/reinstall", times=1)
    entry = begin(ours, "reinstall", start="on")
    assert entry.outcome == Outcome.UNKNOWN
    for _number in range(others):
        simulator.outside.submit("INSTANCE_REINSTALL", instance_name=NAME)
    for _pass in range(3):
        simulator.run_jobs()
        let_deadline_pass()
        follow_cluster(Cluster.objects.get())
    entry.refresh_from_db()
    assert (entry.outcome, machine(ours).is_busy) == (outcome, False)
    assert simulator.count("POST", f"/2/instances/{NAME}/reinstall") == 1
    assert outcome == Outcome.SUCCEEDED or "it is not known whether it was carried out" in entry.message


@pytest.mark.feature("G014")
def test_disks_are_activated_deactivated_and_recreated(stopped: Scene) -> None:
    for verb in ("activate-disks", "deactivate-disks", "recreate-disks"):
        assert finish(stopped, begin(stopped, verb)).outcome == Outcome.SUCCEEDED, verb


def test_set_offline_and_online(stopped: Scene) -> None:
    assert finish(stopped, begin(stopped, "set-offline")).outcome == Outcome.SUCCEEDED
    assert machine(stopped).admin_state == "offline"
    with pytest.raises(Refusal, match="set online first"):
        begin(stopped, "start")
    assert finish(stopped, begin(stopped, "set-online")).outcome == Outcome.SUCCEEDED
    assert machine(stopped).admin_state == "down"


@pytest.mark.alike
@pytest.mark.parametrize("verb", ["set-offline", "deactivate-disks", "recreate-disks"])
def test_what_runs_must_be_stopped_first(ours: Scene, verb: str) -> None:
    with pytest.raises(Refusal, match="must be stopped first"):
        begin(ours, verb)


@pytest.mark.alike
@pytest.mark.parametrize("verb", ["delete", "reinstall", "recreate-disks", "export-and-remove"])
@pytest.mark.feature("G013")
def test_whatever_destroys_data_is_refused_while_protected(stopped: Scene, verb: str) -> None:
    assert begin(stopped, "protect").outcome == Outcome.DONE
    assert "protected" in (OPERATIONS[f"vm.{verb}"].obstacle(machine(stopped)) or "")


def test_tags_come_and_go(mine: Scene, simulator: Simulator) -> None:
    before = set(simulator.cluster.instances[NAME].tags)
    assert finish(mine, begin(mine, "add-tags", tags="web, prod web")).outcome == Outcome.SUCCEEDED
    assert set(simulator.cluster.instances[NAME].tags) == {*before, "web", "prod"} == set(machine(mine).tags)
    assert finish(mine, begin(mine, "remove-tags", tags=["web", "never"])).outcome == Outcome.SUCCEEDED
    assert set(machine(mine).tags) == {*before, "prod"}


@pytest.mark.alike
@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ("gwm:owner:7", "kept by this program"),
        ("htools:iextags:web", "administrators of the cluster"),
        ("ü", "is not a tag"),
        ("x" * 129, "is not a tag"),
        ("a b&c", "is not a tag"),
    ],
)
def test_tags_that_nobody_may_set(mine: Scene, tags: str, words: str) -> None:
    for verb in ("add-tags", "remove-tags"):
        machines = VirtualMachine.objects.filter(pk=mine.vm.pk)
        machines.update(tags=[tags])
        with pytest.raises(Invalid, match=words):
            begin(mine, verb, tags=tags)
    assert mine.submissions() == 0


def test_nothing_is_sent_for_tags_that_are_there_or_are_not(mine: Scene) -> None:
    VirtualMachine.objects.filter(pk=mine.vm.pk).update(tags=["web"])
    with pytest.raises(Invalid, match="has them already"):
        begin(mine, "add-tags", tags="web")
    with pytest.raises(Invalid, match="none of them"):
        begin(mine, "remove-tags", tags="prod")
    assert mine.submissions() == 0


@pytest.mark.feature("F112", "F120")
def test_the_owner_changes_within_the_quota(ours: Scene) -> None:
    bob, team = make_user("bob"), make_team("web")
    assert begin(ours, "set-owner", owner="bob").outcome == Outcome.DONE
    assert machine(ours).owner == persona_of(bob)
    assert "power" not in verbs_on(bob, machine(ours)), "owning gives no rights"
    with pytest.raises(Invalid, match="owner already"):
        begin(ours, "set-owner", owner="bob")
    set_quota(persona_of(team), ours.cluster, Limits(machines=0))
    with pytest.raises(Invalid, match="exceeds the quota"):
        begin(ours, "set-owner", owner="@web")
    assert begin(ours, "set-owner", owner="").outcome == Outcome.DONE
    assert machine(ours).owner is None
    with pytest.raises(Invalid, match="nobody called"):
        begin(ours, "set-owner", owner="nobody-of-this-name")


_GIVEN: dict[str, dict[str, Any]] = {"add-tags": {"tags": "web"}, "remove-tags": {"tags": "web"}}


@pytest.mark.parametrize(
    "verb", few_on_both(["delete", "recreate-disks", "set-offline", "remove-tags", "reinstall"], "delete")
)
def test_a_namesake_is_never_hit(stopped: Scene, simulator: Simulator, verb: str) -> None:
    VirtualMachine.objects.filter(pk=stopped.vm.pk).update(tags=["web"])
    simulator.cluster.instances[NAME].uuid = "99999999-0000-4000-8000-000000000001"
    entry = begin(stopped, verb, **_GIVEN.get(verb, {}))
    assert entry.outcome == Outcome.REFUSED and "another machine" in entry.message
    assert stopped.submissions() == 0 and not Job.objects.exists()


def test_the_form_of_a_batch_reads_what_it_has_kept(mine: Scene, scene: Scene) -> None:
    """A batch keeps parameters as JSON and reads them again for every machine."""
    operation = OPERATIONS["vm.add-tags"]
    params = params_from(operation, mine.alice, machine(mine), {"tags": ["web", "prod"]})
    assert params.tags == ("web", "prod")
    assert isinstance(mine.alice, Actor)
    entry = run(operation, Ask(mine.alice, machine(mine), params))
    assert entry.outcome == Outcome.SUBMITTED
