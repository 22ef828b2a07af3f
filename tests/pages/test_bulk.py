"""What can be done to many machines at once: each from the ticks to a batch, with will, skipped and not allowed."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from operations.contract import AnyOperation
from operations.models import Batch
from permissions.models import User
from permissions.services import grant
from rapi.shapes import INSTANCE_CONFIG_FIELDS
from tests.factories import make_node, make_user, make_vm
from tests.fixtures.databases import some_in_fast
from tests.pages.conftest import Site
from virtualmachines.models import VirtualMachine
from virtualmachines.operations import list_bulk

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F130", "G013")]
SignIn = Callable[[User], Client]

RUNS = {"status": "running", "admin_state": "up"}
STOPPED = {"status": "ADMIN_down", "admin_state": "down"}
WITH_DISK = {**STOPPED, "disks": [{"name": "root", "size_mib": 1024}]}
MIRRORED = {**RUNS, "disk_template": "drbd"}
# What Ganeti tells of a machine.
_RECORDED = json.loads((Path(__file__).parents[1] / "rapi/recorded/query_instance_config.json").read_text())
TOLD = {field: value for field, (_, value) in zip(INSTANCE_CONFIG_FIELDS, _RECORDED["data"][0], strict=True)}
# What the button of a plan says where it is not the label and "1 machine".
BUTTONS = {
    "apply-settings": "Restart 1 machine to apply settings",
    "protect": "Protect 1 machine from deletion",
    "unprotect": "Remove the protection of 1 machine",
    "add-tags": "Add tags to 1 machine",
    "remove-tags": "Remove tags from 1 machine",
    "set-owner": "Change the owner of 1 machine",
    "set-offline": "Set 1 machine offline",
    "set-online": "Set 1 machine online",
    "activate-disks": "Activate the disks of 1 machine",
    "deactivate-disks": "Deactivate the disks of 1 machine",
}
# The state in which it can be done, and one in which there is nothing to do; without it, it is missing.
STATES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "start": (STOPPED, RUNS),
    "shutdown": (RUNS, STOPPED),
    "reboot": (RUNS, STOPPED),
    "apply-settings": ({**RUNS, "waiting_since": timezone.now()}, RUNS),
    "shutdown-now": (RUNS, STOPPED),
    "migrate": (MIRRORED, {**RUNS, "disk_template": "plain"}),
    "failover": (MIRRORED, {**RUNS, "disk_template": "plain"}),
    "modify": ({**RUNS, "raw": TOLD}, {}),
    "add-tags": (RUNS, {}),
    "remove-tags": ({"tags": ["web"]}, {"tags": []}),
    "set-owner": (RUNS, {}),
    "protect": ({"is_protected": False}, {"is_protected": True}),
    "unprotect": ({"is_protected": True}, {"is_protected": False}),
    "set-offline": (STOPPED, RUNS),
    "set-online": ({"status": "ADMIN_offline", "admin_state": "offline"}, RUNS),
    "activate-disks": (WITH_DISK, {"disks": []}),
    "deactivate-disks": (WITH_DISK, {**WITH_DISK, **RUNS}),
    "delete": (RUNS, {"is_protected": True}),
}
TYPED: dict[str, dict[str, str]] = {
    "modify": {"vcpus": "3"},
    "add-tags": {"tags": "prod"},
    "remove-tags": {"tags": "web"},
    "set-owner": {"owner": "bob"},
}


def plan_of(client: Client, verb: str, *vms: VirtualMachine) -> Batch:
    assert client.post(reverse("vms-batch"), {"vm": [vm.pk for vm in vms], "verb": verb}).status_code == 302
    return Batch.objects.latest("pk")


def test_every_operation_of_the_bar_is_walked() -> None:
    assert set(STATES) == {operation.verb for operation in list_bulk()}


@pytest.mark.parametrize("operation", some_in_fast(list_bulk(), 3), ids=lambda operation: operation.verb)
def test_a_plan_says_of_each_machine_what_would_be_done_and_why_not(
    site: Site, sign_in: SignIn, operation: AnyOperation
) -> None:
    person = make_user("walker")
    make_user("bob")
    grant(["admin"], person, site.prod)
    here, other = (make_node(site.prod, f"node{number}.example.org") for number in (8, 9))
    can, cannot = STATES[operation.verb]
    nodes = {"primary_node": here, "secondary_node": other}
    will = make_vm(site.prod, "will.example.org", **{**nodes, **can})
    skipped = make_vm(site.prod, "skipped.example.org", **{**nodes, **(cannot or {"missing_since": timezone.now()})})
    denied = make_vm(site.edge, "denied.example.org", **can)
    grant(["console"], person, denied)
    client = sign_in(person)
    batch = plan_of(client, operation.verb, will, skipped, denied)
    url = reverse("batch", args=[batch.uuid])
    verdicts = dict(batch.items.values_list("target_name", "verdict"))
    assert verdicts == {will.name: "will", skipped.name: "skipped", denied.name: "denied"}
    said = client.get(url).content.decode()
    form = said[said.index('class="confirm"') : said.index("</form>", said.index('class="confirm"'))]
    assert form.count(" autofocus") == 1, "in its first field, or on the button where it asks for nothing"
    assert f">{BUTTONS.get(operation.verb, f'{operation.label} 1 machine')}</button>" in form
    assert not re.search(r"<del>([^<]+)</del> <ins>\1</ins>", said), "only what would be other than before"
    for item in batch.items.exclude(verdict="will"):
        assert item.reason and str(item.reason).split("(")[0].strip() in re.sub(r"&#x27;", "'", said)
    typed = dict(TYPED.get(operation.verb, {}))
    begin = reverse("batch-do", args=[batch.uuid, "begin"])
    if operation.is_destructive:
        assert client.post(begin, {**typed, "typed_count": "3"}).status_code == 422
        typed["typed_count"] = "1"
    assert client.post(begin, typed).status_code == 302
    batch.refresh_from_db()
    assert batch.state == "running"
    assert list(batch.items.filter(state="waiting").values_list("target_name", flat=True)) == [will.name]
