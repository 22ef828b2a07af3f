"""A question that can't be answered now asks for itself again where waiting helps, and nowhere else."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from clusters.models import Cluster
from permissions.models import User
from tests.pages.conftest import Site
from virtualmachines.models import VirtualMachine

pytestmark = pytest.mark.django_db
WEB = "/clusters/prod/vms/web1.example.org"
BUSY = {"busy_with": "vm.reboot", "busy_entry": uuid4()}


def renews(client: Client, url: str) -> bool:
    answer = client.get(url)
    assert answer.status_code == 200
    return b"data-renews=" in answer.content


@pytest.mark.parametrize(
    ("of_machine", "of_cluster", "expected"),
    [
        (BUSY, {}, True),
        ({}, {"unreachable_since": timezone.now()}, True),
        ({}, {"read_only": True}, False),
        ({}, {}, False),  # it runs already
        (BUSY, {"read_only": True}, False),
    ],
)
def test_it_asks_again_while_its_machine_is_busy_or_its_cluster_away(
    site: Site,
    sign_in: Callable[[User], Client],
    of_machine: dict[str, Any],
    of_cluster: dict[str, Any],
    expected: bool,
) -> None:
    VirtualMachine.objects.filter(pk=site.web.pk).update(**of_machine)
    Cluster.objects.update(**of_cluster)
    client = sign_in(site.admin)
    assert renews(client, f"{WEB}/do/start/") is expected
    assert renews(client, f"{WEB}/actions/"), "something may begin, too"


def test_nobody_waits_until_their_own_account_is_another_one(site: Site, sign_in: Callable[[User], Client]) -> None:
    client = sign_in(site.admin)
    url = f"/person/{site.admin.username}/do/demote/"
    assert "own account" in client.get(url).content.decode() and not renews(client, url)
