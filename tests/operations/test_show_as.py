"""What would be sent, shown before it is: the same for every operation, and nothing is sent for it."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from objectlog.models import Entry
from operations.contract import AnyOperation, Ask
from operations.forms import params_from
from operations.offers import find_obstacle
from operations.pipeline import run
from operations.table import OPERATIONS
from permissions.services import persona_of
from tests.fixtures.databases import some_in_fast
from tests.operations.conftest import Scene
from tests.operations.test_checks import GIVEN, Check, check, stop
from virtualmachines.models import VirtualMachine

__all__ = ["check"]
# What is sent is put together before the database is asked.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.feature("G031"), pytest.mark.alike]
SENT = sorted(
    key for key, operation in OPERATIONS.items() if operation.sends and operation.kind == "vm" and key != "vm.create"
)


def prepared(check: Check, key: str) -> Ask[Any, Any]:
    """As it is, or stopped, or with disks on two nodes: whatever lets the operation be done."""
    operation = OPERATIONS[key]
    check.scene.put_cd_in()
    check.scene.tag()
    for change in (
        lambda: None,
        lambda: stop(check),
        check.scene.mirror_disks,
        check.scene.start,
        check.scene.set_offline,
    ):
        change()
        VirtualMachine.objects.exclude(pk=check.scene.vm.pk).delete()
        VirtualMachine.objects.update(owner=persona_of(check.admin.user))
        vm = VirtualMachine.objects.get()
        if find_obstacle(operation, vm) is None:
            return Ask(check.admin, vm, params_from(operation, check.admin, vm, GIVEN.get(key, {})))
    raise AssertionError(f"Nothing was found that lets {key} be done.")


@pytest.mark.parametrize("key", some_in_fast(SENT, 6))
def test_what_is_shown_is_what_is_sent(check: Check, key: str) -> None:
    """And there is a command that says all of it."""
    operation: AnyOperation = OPERATIONS[key]
    ask = prepared(check, key)
    before = check.scene.submissions()
    shown = operation.rehearse(ask)
    assert shown and check.scene.submissions() == before and not Entry.objects.exists()
    assert all(each.command.startswith("gnt-") for each in shown), [each.line for each in shown]
    assert all(check.scene.vm.name in each.command for each in shown)
    run(operation, ask)
    requests = [
        request for request in check.scene.simulator.requests if request[0] != "GET" and "/query/" not in request[1]
    ]
    sent = [(method, path.partition("?")[0]) for method, path in requests]
    lines = [each.line.partition("?")[0].split(" ") for each in shown]
    assert sent[before:] == [(method, path) for method, path in lines]
    opcode = check.scene.simulator.queue.jobs[max(check.scene.simulator.queue.jobs)].ops[-1]
    body = json.loads(shown[-1].body or "{}")
    assert {name: opcode[name] for name in body if name in opcode} == {
        name: value for name, value in body.items() if name in opcode
    }


def test_the_page_shows_what_is_on_the_form(check: Check, client: Client) -> None:
    client.force_login(check.admin.user)
    scene: Scene = check.scene
    scene.mirror_disks()
    url = reverse("vm-do", args=["lab", scene.vm.name, "migrate"])
    page = client.get(url).content.decode()
    assert f"gnt-instance migrate {scene.vm.name}</pre>" in page
    page = client.post(url, {"mode": "non-live", "preview": "1"}).content.decode()
    assert f"gnt-instance migrate --migration-mode=non-live {scene.vm.name}</pre>" in page
    assert f"PUT /2/instances/{scene.vm.name}/migrate" in page and "&quot;mode&quot;: &quot;non-live&quot;" in page
    assert not Entry.objects.exists()


def test_where_something_is_to_be_typed_nothing_is_shown_until_it_is(check: Check, client: Client) -> None:
    client.force_login(check.admin.user)
    url = reverse("vm-do", args=["lab", check.scene.vm.name, "rename"])
    assert "show-as" not in client.get(url).content.decode()
    url = reverse("vm-do", args=["lab", check.scene.vm.name, "export-and-remove"])
    page = client.post(url, {"target_node": "node2.example.org", "preview": "1"}).content.decode()
    assert "gnt-backup export --node=node2.example.org" in page and "--remove-instance" in page
    assert check.scene.vm.name in check.scene.simulator.cluster.instances and not Entry.objects.exists()
