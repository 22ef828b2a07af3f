"""What the console's page and its tickets say of a machine that does not run."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clusters.models import Cluster
from permissions.models import User
from tests.factories import make_admin, make_cluster, make_node, make_vm
from virtualmachines.models import VirtualMachine

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[[User], Client]
CONSOLE = "/clusters/alpha/vms/web1.example.org/console/"


@pytest.fixture
def alpha() -> Cluster:
    """A cluster of one stopped machine."""
    cluster = make_cluster("alpha")
    make_vm(cluster, "web1.example.org", primary_node=make_node(cluster), status="ADMIN_down", admin_state="down")
    return cluster


@pytest.fixture
def admin(alpha: Cluster, sign_in: SignIn) -> Client:
    """Signed in as an administrator."""
    return sign_in(make_admin())


def page(client: Client, path: str = "") -> Any:
    """The panel's context and its text."""
    return client.get(CONSOLE + path)


def busy(verb: str) -> None:
    """Let an operation be under way on the machine."""
    VirtualMachine.objects.update(busy_with=f"vm.{verb}", busy_entry=uuid.uuid4(), busy_since=timezone.now())


@pytest.mark.parametrize("path", ["", "window/"])
def test_a_stopped_machine_is_offered_its_start(admin: Client, path: str) -> None:
    answer = page(admin, path)
    assert answer.context["obstacle"] == "The machine is not running."
    assert answer.context["start"] == {"allowed": True, "reason": ""}
    text = answer.content.decode()
    assert "data-connect" not in text
    start = reverse("vm-do", args=["alpha", "web1.example.org", "start"])
    assert re.search(f'<a [^>]*data-part="start"[^>]*hx-get="{start}"[^>]*>', text)
    refused = admin.post(CONSOLE + "ticket/")
    assert refused.status_code == 409
    assert refused.json()["start"] == {"allowed": True, "reason": ""}


@pytest.mark.parametrize(
    "change", [{"read_only": True}, {"unreachable_since": timezone.now()}], ids=["read-only", "away"]
)
def test_where_it_can_not_be_started_the_page_says_why(admin: Client, change: dict[str, Any]) -> None:
    Cluster.objects.update(**change)
    start = page(admin).context["start"]
    assert not start["allowed"]
    assert start["reason"]
    assert admin.post(CONSOLE + "ticket/").json()["start"] == start


@pytest.mark.parametrize(("verb", "word"), [("reboot", "rebooting"), ("start", "starting")])
def test_what_is_about_to_run_is_waited_for(admin: Client, verb: str, word: str) -> None:
    busy(verb)
    text = page(admin).content.decode()
    assert "data-connect" in text
    assert "Start it" not in text
    refused = admin.post(CONSOLE + "ticket/").json()
    assert refused["error"] == f"The machine is {word}."
    assert refused["remedy"] == "The console connects as soon as it runs."
    assert refused["start"] is None


def test_what_is_shut_down_is_not_waited_for(admin: Client) -> None:
    busy("shutdown")
    answer = page(admin)
    assert answer.context["obstacle"] == "The machine is not running."
    assert not answer.context["start"]["allowed"]


def test_a_machine_whose_node_did_not_answer_is_not_said_to_stand_still(admin: Client) -> None:
    VirtualMachine.objects.update(status="ERROR_nodedown", admin_state="up")
    answer = page(admin)
    assert answer.context["obstacle"] == "Its primary node did not answer."
    assert answer.context["start"] is None
    assert admin.post(CONSOLE + "ticket/").json()["start"] is None


def test_a_running_machine_without_a_screen_is_not_offered_a_start(admin: Client) -> None:
    VirtualMachine.objects.update(status="running", admin_state="up", network_port=None)
    answer = page(admin)
    assert "no VNC port" in answer.context["obstacle"]
    assert answer.context["start"] is None
    assert admin.post(CONSOLE + "ticket/").json()["start"] is None
