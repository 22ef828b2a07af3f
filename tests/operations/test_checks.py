"""Asking Ganeti whether it would: on the page, on the command line; nothing is changed, claimed or kept busy."""

import re
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from clusters.models import Cluster, Job, JobTarget
from objectlog.models import Entry, Event, Outcome, Via
from objectlog.reading import read_event
from operations.contract import Actor, AnyOperation, Ask, Forbidden, Refusal, Submission
from operations.forms import params_from
from operations.pipeline import run
from operations.planning import Step, plan_steps
from operations.table import OPERATIONS
from permissions.services import grant
from rapi.client import RapiClient
from simulator.model import Disk
from tests.factories import make_admin, make_user
from tests.fixtures.databases import few_on_both, some_in_fast
from tests.operations.conftest import CDS, MOVES, Scene
from tests.updates.conftest import update
from updates.follower import follow_cluster
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.rename import Rename, RenameParams

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.feature("G053")]
NEW = "shop1.example.org"
TO = {"target_node": "node2.example.org"}
GIVEN: dict[str, dict[str, Any]] = {
    "vm.rename": {"new_name": NEW},
    "vm.add-tags": {"tags": "web"},
    "cluster.add-tags": {"tags": "web"},
    "cluster.remove-tags": {"tags": "old"},
    "vm.remove-tags": {"tags": "old"},
    "vm.export": TO,
    "vm.export-and-remove": TO,
    "vm.insert-cd": {"image": "Debian"},
    "vm.modify": {"wanted": {"beparams": {"vcpus": 3}}},
    "vm.grow-disk": {"disk": 0, "more_mib": 1024},
    "vm.detach-disk": {"disk": 0},
    "vm.attach-disk": {"uuid": "40000000-0000-4000-8000-000000000001"},
    "vm.convert-disks": {"disk_template": "file"},
}
STOPPED = (
    "vm.set-offline",
    "vm.recreate-disks",
    "vm.start",
    "vm.rename",
    "vm.detach-disk",
    "vm.convert-disks",
)
CHECKED = sorted(key for key, operation in OPERATIONS.items() if operation.can_check and not operation.asked_of)


@dataclass
class Check:
    """Somebody who may do everything, a cluster that was updated, and what it was like."""

    scene: Scene
    admin: Actor

    def run(self, operation: AnyOperation) -> Entry:
        """Ask, let Ganeti answer, and look."""
        target = self.target_of(operation)
        params = params_from(operation, self.admin, target, GIVEN.get(operation.key, {}))
        entry = run(operation, Ask(self.admin, target, params, dry_run=True))
        assert not VirtualMachine.objects.get().is_busy
        return self.answered(entry)

    def target_of(self, operation: AnyOperation) -> Any:
        """The one machine, or its cluster."""
        return (Cluster if operation.target_kind == "cluster" else VirtualMachine)._default_manager.get()

    def answered(self, entry: Entry) -> Entry:
        """After Ganeti's answer and a look at the jobs."""
        self.scene.simulator.run_jobs()
        follow_cluster(Cluster.objects.get())
        entry.refresh_from_db()
        return entry

    def state(self) -> dict[str, Any]:
        """Of the machine, at Ganeti's."""
        return {
            name: (vm.uuid, vm.admin_state, vm.runs_on, vm.boots, vm.serial_no)
            for name, vm in self.scene.simulator.cluster.instances.items()
        }


@pytest.fixture
def check(scene: Scene, request: pytest.FixtureRequest) -> Check:
    update(scene.cluster)
    VirtualMachine.objects.exclude(pk=scene.vm.pk).delete()
    return Check(scene, Actor(make_admin(), Via.WEB))


def stop(check: Check) -> None:
    check.scene.simulator.outside.stop(check.scene.vm.name)
    update(check.scene.cluster)
    VirtualMachine.objects.exclude(pk=check.scene.vm.pk).delete()


@pytest.mark.parametrize("key", some_in_fast(few_on_both(CHECKED, CHECKED[0]), 3))
def test_each_is_checked_and_nothing_changes(check: Check, key: str) -> None:
    operation = OPERATIONS[key]
    assert operation.sends
    if key == "vm.attach-disk":
        disk = Disk(1024, uuid=GIVEN[key]["uuid"])
        check.scene.simulator.cluster.detached[disk.uuid] = disk
    if key in STOPPED:
        stop(check)
    if key in (*CDS, "vm.apply-settings"):  # a CD that is put in waits for a restart
        check.scene.put_cd_in()
        VirtualMachine.objects.exclude(pk=check.scene.vm.pk).delete()
    if key == "vm.set-online":
        check.scene.set_offline()
    if key == "vm.remove-tags":
        check.scene.tag()
    if key == "cluster.remove-tags":
        check.scene.simulator.cluster.tags = ["old"]
        update(check.scene.cluster)
    VirtualMachine.objects.exclude(pk=check.scene.vm.pk).delete()
    if key in MOVES:
        check.scene.mirror_disks()
        VirtualMachine.objects.exclude(pk=check.scene.vm.pk).delete()
    before = check.state()
    entry = check.run(operation)
    assert (entry.verb, entry.outcome) == (f"{key}.check", Outcome.SUCCEEDED)
    assert check.state() == before
    job = Job.objects.get(entry=entry)
    target = check.target_of(operation)
    targets = job.targets.filter(kind="cluster" if target == check.scene.cluster else "instance")
    assert job.title == f"Check: {operation.label} {target}", "as its button, whatever Ganeti calls it"
    assert [each.target_pk for each in targets] == [target.pk]
    told = read_event(Event.objects.get(entry_uuid=entry.uuid, is_overtaken=False)).sentence
    assert told.startswith("Checked, and Ganeti would do it: ") and str(target) in told
    assert not JobTarget.objects.filter(name=NEW).exists(), "a check gives no name"


@pytest.mark.long
@pytest.mark.alike
@pytest.mark.parametrize("key", [key for key, operation in OPERATIONS.items() if not operation.can_check])
def test_what_cannot_be_checked_is_never_sent_or_done_instead(check: Check, key: str) -> None:
    before = check.scene.submissions()
    with pytest.raises(Refusal, match="can't be asked beforehand"):
        run(OPERATIONS[key], Ask(check.admin, check.scene.vm, None, dry_run=True))
    assert check.scene.submissions() == before and not Entry.objects.exists()


class Careless(Rename):
    """Says that it can be checked, and forgets to say that it is only a check."""

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, RenameParams], reason: str) -> Submission:
        return Submission([client.rename_instance(ask.target.name, ask.params.new_name, reason=reason)])


class Crooked(Rename):
    """Spells it in a way of which Ganeti takes no notice there."""

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, RenameParams], reason: str) -> Submission:
        path, body = f"/2/instances/{ask.target.name}/rename", {"new_name": ask.params.new_name}
        return Submission([client._submit("PUT", path, reason=reason, query=[("dry-run", "1")], body=body)])


@pytest.mark.parametrize("operation", [Careless(), Crooked()])
def test_an_operation_that_would_carry_it_out_is_stopped_before_it_is_sent(
    check: Check, operation: AnyOperation
) -> None:
    stop(check)
    before = check.scene.submissions()
    ask = Ask(check.admin, VirtualMachine.objects.get(), RenameParams(NEW), dry_run=True)
    entry = run(operation, ask)
    assert entry.outcome == Outcome.REFUSED and "was not sent" in entry.message
    assert check.scene.submissions() == before
    assert NEW not in check.scene.simulator.cluster.instances


def test_ganetis_own_words_when_it_would_not(check: Check, client: Client) -> None:
    """We think that it is stopped; Ganeti knows better."""
    stop(check)
    check.scene.simulator.outside.start(check.scene.vm.name)
    entry = check.run(OPERATIONS["vm.rename"])
    assert entry.outcome == Outcome.FAILED and "marked to be up" in entry.message
    told = read_event(Event.objects.get(entry_uuid=entry.uuid, is_overtaken=False))
    assert told.sentence.startswith("Checked, and Ganeti would not do it: ") and "marked to be up" in told.words


def test_on_the_page_what_was_typed_stays_and_the_answer_comes(check: Check, client: Client) -> None:
    stop(check)
    grant(["modify"], check.scene.alice.user, check.scene.vm)
    client.force_login(check.scene.alice.user)
    url = reverse("vm-do", args=["lab", check.scene.vm.name, "rename"])
    assert 'name="check"' in client.get(url).content.decode()
    answer = client.post(url, {"new_name": NEW, "check": "1"})
    entry = Entry.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{url}?check={entry.uuid}")
    page = client.get(answer.headers["Location"]).content.decode()
    assert f'value="{NEW}"' in page and 'hx-trigger="every 1s"' in page and "nothing is changed" in page
    check.answered(entry)
    page = client.get(answer.headers["Location"]).content.decode()
    assert f'value="{NEW}"' in page and 'hx-trigger="every' not in page and "Ganeti would do it" in page
    assert f"<del>{check.scene.vm.name}</del> <ins>{NEW}</ins>" in page
    for other in (f"{url}?check=nonsense", f"{url}?check=00000000-0000-4000-8000-000000000000"):
        assert "Ganeti would do it" not in client.get(other).content.decode()
    stranger = make_user("stranger")
    grant(["modify"], stranger, check.scene.vm)
    client.force_login(stranger)
    assert "Ganeti would do it" not in client.get(answer.headers["Location"]).content.decode()
    assert client.post(url, {"new_name": "not a name", "check": "1"}).status_code == 422
    assert Entry.objects.count() == 1


def test_a_check_needs_the_right_and_a_machine_that_is_free(check: Check) -> None:
    stop(check)
    with pytest.raises(Forbidden):
        run(Rename(), Ask(check.scene.alice, check.scene.vm, RenameParams(NEW), dry_run=True))
    assert Event.objects.get().verb == "vm.rename.check"
    run(OPERATIONS["vm.start"], Ask(check.admin, VirtualMachine.objects.get(), OPERATIONS["vm.start"].params_type()))
    with pytest.raises(Refusal, match="already in progress"):
        run(Rename(), Ask(check.admin, VirtualMachine.objects.get(), RenameParams(NEW), dry_run=True))


def test_a_check_under_way_takes_the_machine_from_nobody(check: Check) -> None:
    stop(check)
    vm = VirtualMachine.objects.get()
    asked = run(Rename(), Ask(check.admin, vm, RenameParams(NEW), dry_run=True))
    start = OPERATIONS["vm.start"]
    done = run(start, Ask(check.admin, VirtualMachine.objects.get(), start.params_type()))
    Entry.objects.filter(pk=asked.pk).update(outcome=Outcome.SUBMITTED)
    check.answered(done)
    done.refresh_from_db()
    assert done.outcome == Outcome.SUCCEEDED and not VirtualMachine.objects.get().is_busy


def test_on_the_command_line(check: Check) -> None:
    stop(check)
    out = StringIO()
    words = ["operate", "rename", f"lab/{check.scene.vm.name}", "--as", "root", f"--set=new_name={NEW}", "--dry-run"]
    call_command(*words, stdout=out)
    assert out.getvalue().startswith("Check: Rename")
    assert check.answered(Entry.objects.get()).outcome == Outcome.SUCCEEDED
    assert NEW not in check.scene.simulator.cluster.instances
    with pytest.raises(CommandError, match="can't be asked beforehand"):
        call_command("operate", "shutdown-now", f"lab/{check.scene.vm.name}", "--as", "root", "--dry-run")


def test_a_check_whose_answer_is_lost_is_found_again(check: Check) -> None:
    stop(check)
    check.scene.simulator.faults.add("drop_after", method="PUT", path="/2/instances/.*/rename", times=1)
    entry = run(Rename(), Ask(check.admin, VirtualMachine.objects.get(), RenameParams(NEW), dry_run=True))
    assert entry.outcome == Outcome.UNKNOWN and not VirtualMachine.objects.get().is_busy
    assert check.answered(entry).outcome == Outcome.SUCCEEDED


def test_what_a_job_gave_is_kept_and_shown(check: Check, client: Client) -> None:
    """A rename gives the name that the machine has in the end."""
    stop(check)
    vm = VirtualMachine.objects.get()
    entry = check.answered(run(Rename(), Ask(check.admin, vm, RenameParams(NEW))))
    job = Job.objects.get(entry=entry)
    assert (entry.outcome, job.results) == (Outcome.SUCCEEDED, [NEW])
    client.force_login(check.admin.user)
    page = client.get(reverse("job", args=["lab", job.ganeti_id])).content.decode()
    assert re.search(rf"<dt>result</dt>\s*<dd>{NEW}</dd>", page)
    assert client.get(reverse("job-status", args=["lab", job.ganeti_id])).json()["results"] == [NEW]


def test_before_and_after_stand_on_the_page_before_it_is_done(check: Check, client: Client) -> None:
    """Computed here, from what was typed: nothing that is sent comes from a hidden field."""
    stop(check)
    client.force_login(check.admin.user)
    url = reverse("vm-do", args=["lab", check.scene.vm.name, "rename"])
    answer = client.post(url, {"new_name": NEW, "preview": "1"})
    page = answer.content.decode()
    assert answer.status_code == 200 and not Entry.objects.exists()
    before = rf"<del>{check.scene.vm.name}</del>"
    assert re.search(rf"<dt>name</dt>\s*<dd>\s*{before}\s*<ins>{NEW}</ins>\s*</dd>", page)
    assert set(re.findall(r'<input[^>]*type="hidden"[^>]*name="(\w+)"', page)) <= {"csrfmiddlewaretoken", "next"}
    assert f'value="{NEW}"' in page
    assert client.post(url, {"new_name": "no name!", "preview": "1"}).status_code == 422
    assert client.post(url, {"new_name": NEW}).status_code == 302
    told = read_event(Event.objects.filter(entry_uuid=Entry.objects.get().uuid).latest("pk"))
    assert told.changes == [("name", check.scene.vm.name, NEW)]


def test_what_asks_for_nothing_says_at_once_what_it_changes(check: Check, client: Client) -> None:
    Cluster.objects.update(answers_at="192.0.2.1")
    client.force_login(check.admin.user)
    page = client.get(reverse("cluster-do", args=["lab", "use-address"])).content.decode()
    assert "<ins>192.0.2.1</ins>" in page and 'name="preview"' not in page


def test_a_plan_says_before_and_after_of_the_step_that_changes_something(check: Check, client: Client) -> None:
    steps = [
        Step(OPERATIONS["vm.shutdown"], {"timeout_s": 5}),
        Step(OPERATIONS["vm.rename"], {"new_name": NEW}),
        Step(OPERATIONS["vm.start"], {}),
    ]
    batch = plan_steps(check.admin, VirtualMachine.objects.get(), steps)
    client.force_login(check.admin.user)
    page = client.get(reverse("batch", args=[batch.uuid])).content.decode()
    assert page.count(f"<ins>{NEW}</ins>") == page.count(f"<del>{check.scene.vm.name}</del>") == 1
    assert client.post(reverse("batch-do", args=[batch.uuid, "begin"]), {}).status_code == 302
    assert "<ins>" not in client.get(reverse("batch", args=[batch.uuid])).content.decode()
