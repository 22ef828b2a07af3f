"""The pages behind the buttons of a machine, and their plans for many, under values that no page sends."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from operations.contract import AnyOperation
from operations.planning import plan
from operations.table import OPERATIONS
from tests.creating.test_hostile_forms import OF_DATABASE, alike_but
from tests.operations.test_checks import Check, check
from virtualmachines.models import VirtualMachine
from virtualmachines.operations import list_bulk

__all__ = ["check"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long, pytest.mark.feature("G053")]
ASKING = sorted(each.verb for each in OPERATIONS.values() if each.kind == "vm" and not each.has_own_page)


def judge(answer: Any, what: str) -> None:
    assert answer.status_code in (200, 302, 400, 403, 404, 409, 422), what
    assert b"<script>alert" not in answer.content, what


def typed_into(page: Any, value: str) -> dict[str, str]:
    """All of its fields."""
    return dict.fromkeys(page.context["form"].fields, value)


@pytest.mark.parametrize("value", alike_but(*OF_DATABASE))
def test_each_says_what_it_can_t_take(check: Check, client: Client, value: str) -> None:
    client.force_login(check.admin.user)
    for verb in ASKING:
        url = reverse("vm-do", args=["lab", check.scene.vm.name, verb])
        page = client.get(url, {"check": value[:500], "next": value[:500]})
        judge(page, verb)
        if fields := typed_into(page, value):
            for press in ({}, {"detour": "1"}):
                judge(client.post(url, {**fields, **press}), verb)
    judge_plans(client, check, value)


def judge_plans(client: Client, check: Check, value: str) -> None:
    """Of those that ask for something."""
    for operation in list_bulk():
        url, typed = plan_of(operation, client, check, value)
        if typed:
            judge(client.post(url, {**typed, "preview": "1"}), operation.key)
            judge(client.post(url, typed), operation.key)


def plan_of(operation: AnyOperation, client: Client, check: Check, value: str) -> tuple[str, dict[str, str]]:
    """Where it is begun, and with what."""
    uuid = plan(operation, check.admin, VirtualMachine.objects.all(), {}).uuid
    typed = typed_into(client.get(reverse("batch", args=[uuid])), value)
    return reverse("batch-do", args=[uuid, "begin"]), {
        **typed,
        **({"typed_count": "1"} if "typed_count" in typed else {}),
    }
