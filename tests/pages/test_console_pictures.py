"""Pictures of screens: who gets one, what is said instead, and what the journal keeps of it."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache, caches
from django.test import Client

from clusters.models import Cluster
from objectlog.models import Entry
from permissions.models import User
from tests.factories import make_admin, make_cluster, make_node, make_user, make_vm
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.pictures import JOURNAL_EVERY_S
from vncproxy.client import own_control_socket
from vncproxy.tickets import open_ticket

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[[User], Client]
PAGE = "/clusters/alpha/vms/web1.example.org/"
PICTURE = f"{PAGE}console/picture/"


class Broker:
    """Answers on the control socket as it is told; `asked` are the sealed tickets."""

    def __init__(self, path: Path) -> None:
        self.asked: list[str] = []
        self.reply: dict[str, str] = {"picture": "aGVsbG8="}
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as lines:
                self.asked.append(json.loads(lines.readline())["ticket"])
                connection.sendall(json.dumps(self.reply).encode() + b"\n")

    def close(self) -> None:
        """Answer nobody any more."""
        if self._listener.fileno() != -1:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()


@pytest.fixture
def broker(tmp_path: Path, settings: Any) -> Iterator[Broker]:
    """A console proxy, and nothing remembered of tests before."""
    settings.GWM_CONSOLE_CONTROL = tmp_path / "console.sock"
    for each in (cache, caches["pictures"]):
        each.clear()
    broker = Broker(settings.GWM_CONSOLE_CONTROL)
    yield broker
    broker.close()


@pytest.fixture
def alpha(broker: Broker) -> Cluster:
    """A cluster of one running machine with VNC."""
    cluster = make_cluster("alpha", vnc_password="of the node")
    make_vm(
        cluster,
        "web1.example.org",
        primary_node=make_node(cluster, primary_ip="192.0.2.1"),
        network_port=11007,
    )
    return cluster


@pytest.fixture
def admin(alpha: Cluster, sign_in: SignIn) -> Client:
    """Signed in as an administrator."""
    return sign_in(make_admin())


def looked() -> int:
    """How often the journal says that somebody looked."""
    return Entry.objects.filter(verb="vm.picture").count()


@pytest.mark.feature("G038")
def test_a_picture_is_taken_once_and_shown_for_a_while(admin: Client, broker: Broker, settings: Any) -> None:
    first = admin.post(PICTURE)
    assert first.json()["picture"] == "data:image/png;base64,aGVsbG8="
    assert "no-store" in first["Cache-Control"]
    assert "private" in first["Cache-Control"]
    assert admin.post(PICTURE).json() == first.json()
    (asked,) = broker.asked
    ticket = open_ticket(settings.GWM_CONSOLE_KEYS, asked, time.time())
    assert (ticket.host, ticket.port, ticket.kind, ticket.password) == ("192.0.2.1", 11007, "picture", "of the node")


def test_the_journal_says_once_a_person_machine_and_hour_that_somebody_looked(
    admin: Client, alpha: Cluster, sign_in: SignIn
) -> None:
    assert JOURNAL_EVERY_S == 3600
    for _ in range(3):
        admin.post(PICTURE)
    assert looked() == 1
    sign_in(make_admin("other")).post(PICTURE)  # who is shown the picture of another looks as well
    assert looked() == 2


def test_a_kept_picture_is_not_shown_to_who_may_not_open_the_console(
    admin: Client, broker: Broker, sign_in: SignIn
) -> None:
    admin.post(PICTURE)
    assert sign_in(make_user("stranger")).post(PICTURE).status_code == 404
    assert Client().post(PICTURE).status_code in (302, 401)
    assert admin.get(PICTURE).status_code == 405
    assert (len(broker.asked), looked()) == (1, 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": "ADMIN_down", "admin_state": "down"}, "The machine is not running."),
        ({"raw": {"hvparams": {"vnc_bind_address": ""}}}, "VNC is switched off for this machine"),
    ],
)
def test_a_machine_without_a_screen_says_so_on_its_page_and_nobody_is_asked(
    admin: Client, broker: Broker, change: dict[str, Any], said: str
) -> None:
    admin.post(PICTURE)
    VirtualMachine.objects.update(**change)
    assert said in admin.post(PICTURE).json()["error"]
    page = admin.get(PAGE).content.decode()
    assert said in page
    assert "data-screen=" not in page
    assert len(broker.asked) == 1


def test_what_the_proxy_says_is_shown_and_kept_for_a_moment(admin: Client, broker: Broker) -> None:
    broker.reply = {"trouble": "PASSWORD_MISSING", "said": "The machine asks for a VNC password."}
    for _ in range(2):
        assert admin.post(PICTURE).json()["error"] == "The machine asks for a VNC password."
    assert len(broker.asked) == 1
    assert "data-screen=" in admin.get(PAGE).content.decode(), "the page doesn't wait for it"


def test_a_busy_proxy_is_asked_again(admin: Client, broker: Broker) -> None:
    broker.reply = {"trouble": "BUSY", "said": "Too many."}
    assert admin.post(PICTURE).json()["again"]
    broker.reply = {"picture": "aGVsbG8="}
    assert "picture" in admin.post(PICTURE).json()


def test_without_a_proxy_it_says_so(admin: Client, broker: Broker) -> None:
    broker.close()
    assert admin.post(PICTURE).json()["error"] == "The console broker can't be reached."


def test_one_person_may_have_so_many_taken_in_a_minute(admin: Client, broker: Broker, settings: Any) -> None:
    settings.GWM_CONSOLE_PICTURES_PER_MINUTE = 2
    answers = []
    for _ in range(3):
        caches["pictures"].clear()
        answers.append(admin.post(PICTURE).json())
    assert ["picture" in each for each in answers] == [True, True, False]
    assert len(broker.asked) == 2


def test_pictures_can_be_switched_off(admin: Client, broker: Broker, settings: Any) -> None:
    settings.GWM_CONSOLE_PICTURES = 0
    assert "switched off" in admin.post(PICTURE).json()["error"]
    assert broker.asked == []


@pytest.mark.parametrize("stands", ["daemon", "own", "nowhere"])
@pytest.mark.parametrize("url", ["/console/ws", "wss://screens.example.org/console/ws"])
def test_where_a_proxy_on_another_host_alone_reaches_the_nodes_the_page_says_so(
    admin: Client, broker: Broker, settings: Any, url: str, stands: str
) -> None:
    settings.GWM_CONSOLE_URL = url
    broker.reply = {"trouble": "UNREACHABLE", "said": "No console answered."}
    if stands == "own":
        settings.GWM_CONSOLE_CONTROL.rename(own_control_socket(settings.GWM_CONSOLE_CONTROL))
    elif stands == "nowhere":
        settings.GWM_CONSOLE_CONTROL.unlink()
    said = admin.post(PICTURE).json()["error"]
    if url.startswith("wss") and stands != "daemon":
        assert "a proxy on another host (screens.example.org)" in said
    else:
        assert said == ("The console broker can't be reached." if stands == "nowhere" else "No console answered.")
