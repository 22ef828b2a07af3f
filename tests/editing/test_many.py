"""Settings of many machines changed at once: what was chosen, of each machine alike, and nothing else."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from operations.forms import params_from
from operations.models import Batch
from operations.table import OPERATIONS
from permissions.services import grant, persona_of
from quotas.amounts import Limits
from quotas.services import set_quota
from tests.lifecycle.conftest import Scene, mine, scene
from virtualmachines.forms.many import ManySettingsForm
from virtualmachines.models import VirtualMachine

__all__ = ["mine", "scene"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.feature("F130")]


@pytest.fixture
def batch(mine: Scene, client: Client) -> Batch:
    """A plan for all machines of the cluster, which Alice administers."""
    grant(["admin"], mine.alice.user, mine.cluster)
    client.force_login(mine.alice.user)
    client.post(reverse("vms-batch"), {"all": "1", "filter": "", "verb": "modify"})
    batch = Batch.objects.get()
    assert batch.items.filter(verdict="will").count() == VirtualMachine.objects.count() > 1
    return batch


def send(client: Client, batch: Batch, **typed: str) -> tuple[int, str]:
    answer = client.post(reverse("batch-do", args=[batch.uuid, "begin"]), typed)
    return answer.status_code, re.sub(r"\s+", " ", answer.content.decode())


def test_before_and_after_of_each_machine_are_in_the_plan(mine: Scene, client: Client, batch: Batch) -> None:
    calls = mine.submissions()
    more = {"parameter_1": "hvparams.acpi", "value_1": "off", "parameter_2": "hvparams.boot_order", "value_2": ""}
    status, page = send(client, batch, preview="1", vcpus="3", maxmem="2 GiB", minmem="1 GiB", **more)
    assert status == 200
    assert page.count("<ins>3</ins>") == page.count("<dt>ACPI</dt>") == VirtualMachine.objects.count()
    assert "<ins>2.0 GiB</ins>" in page
    assert mine.submissions() == calls and Batch.objects.get().state == "planned"


def test_what_a_machine_would_refuse_stands_beside_it(client: Client, batch: Batch) -> None:
    """A rule that concerns one machine says so of that one alone, before anything is begun."""
    VirtualMachine.objects.filter(pk=batch.items.earliest("pk").target_pk).update(raw={})
    status, page = send(client, batch, preview="1", vcpus="3")
    assert status == 200 and page.count("would be refused") == 2  # how many, and which
    _, page = send(client, batch, preview="1", minmem="500 GiB")
    assert page.count("would be refused") == 1 + VirtualMachine.objects.count()


def test_before_and_after_cost_no_queries_for_each_machine(mine: Scene, client: Client, batch: Batch) -> None:
    """What is known of a cluster, what one may there and what is left of quotas is read once for all machines."""
    owner = persona_of(mine.alice.user)
    VirtualMachine.objects.update(owner=owner)
    set_quota(owner, mine.cluster, Limits(vcpus=1000))
    send(client, batch, preview="1", vcpus="3")  # what is asked once in the life of a process
    with CaptureQueriesContext(connection) as all_of_them:
        _, page = send(client, batch, preview="1", vcpus="3")
    [first, *others] = batch.items.all()
    batch.items.exclude(pk=first.pk).update(verdict="skipped")
    with CaptureQueriesContext(connection) as one:
        send(client, batch, preview="1", vcpus="3")
    assert others and page.count("<ins>3</ins>") == 1 + len(others)
    assert len(all_of_them) == len(one)


def test_what_was_chosen_is_kept_as_each_machine_takes_it(mine: Scene, client: Client, batch: Batch) -> None:
    more = {"parameter_1": "hvparams.acpi", "value_1": "off", "parameter_3": "hvparams.use_localtime", "value_3": ""}
    status, _ = send(client, batch, vcpus="3", auto_balance="off", **more)
    assert status == 302
    batch.refresh_from_db()
    wanted = {
        "beparams": {"vcpus": 3, "auto_balance": False},
        "hvparams": {"acpi": False, "use_localtime": None},
    }
    assert (batch.state, batch.params) == ("running", {"wanted": wanted})
    params = params_from(OPERATIONS["vm.modify"], mine.alice, mine.vm, batch.params)
    assert dict(params.wanted.beparams) == wanted["beparams"] and dict(params.wanted.hvparams) == wanted["hvparams"]


@pytest.mark.alike
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({}, "Choose what is to be changed."),
        ({"vcpus": "0"}, "greater than or equal to 1"),
        ({"maxmem": "much"}, "Type a size"),
        ({"value_1": "5"}, "Choose the parameter that is to have this value."),
        ({"parameter_1": "hvparams.nothing"}, "There is no such parameter."),
        ({"parameter_1": "hvparams.acpi", "parameter_2": "hvparams.acpi"}, "It is chosen twice."),
        ({"boot_order": "cdrom", "parameter_1": "hvparams.boot_order"}, "It is chosen twice."),
        ({"parameter_1": "hvparams.acpi", "value_1": "maybe"}, "This is on or off."),
        ({"parameter_1": "beparams.spindle_use", "value_1": "x"}, "Enter a whole number."),
    ],
)
def test_what_can_not_be_meant_is_said_at_its_field(
    client: Client, batch: Batch, typed: dict[str, str], words: str
) -> None:
    status, page = send(client, batch, **typed)
    assert status == 422 and words in page
    assert Batch.objects.get().state == "planned"


def test_what_is_for_administrators_of_a_cluster_is_offered_to_them_alone(mine: Scene) -> None:
    def offered() -> set[str]:
        form = ManySettingsForm(actor=mine.alice)
        form.fit_many(VirtualMachine.objects.all())
        return set(re.findall(r'value="(hvparams\.[\w]+)"', str(form["parameter_1"])))

    less = offered()
    grant(["admin"], mine.alice.user, mine.cluster)
    more = offered()
    assert less < more and "hvparams.kernel_path" in more - less
    assert not {name for name in more if "bootloader" in name}, "only those of the hypervisors that there are"
