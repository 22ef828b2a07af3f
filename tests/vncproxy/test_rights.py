"""From the right to a console to its end: the ticket by the pipeline, and closing when the right has gone."""

import time
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from gwm.consoles import close_forbidden_consoles
from gwm.tasks import close_consoles_without_right
from objectlog.models import Entry, Via
from operations.contract import Actor, Forbidden, Refusal
from permissions.models import User
from permissions.services import grant, revoke
from permissions.sessions import mark_of_key
from tests.factories import make_cluster, make_node, make_user, make_vm
from tests.vncproxy.ends import KEY, Browser
from virtualmachines.operations.console import open_console
from vncproxy.client import list_consoles
from vncproxy.settings import networks
from vncproxy.tickets import open_ticket
from vncproxy.troubles import Trouble

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(client, daemon, vnc, settings):
    """Alice has the console of web1 open."""
    settings.GWM_CONSOLE_KEYS = [KEY]
    settings.GWM_CONSOLE_CONTROL = Path(daemon.control)
    settings.GWM_CONSOLE_NODE_NETWORKS = networks("", "127.0.0.0/8")
    cluster = make_cluster("lab")
    node = make_node(cluster, primary_ip="127.0.0.1")
    vm = make_vm(cluster, "web1.example.org", primary_node=node, network_port=vnc().port)
    alice = make_user("alice")
    grant(["power"], alice, vm)
    client.force_login(alice)
    admission = open_console(Actor(alice, Via.WEB), vm, session=mark_of_key(client.session.session_key))
    browser = Browser(daemon.port, admission.ticket)
    assert browser.log_in(admission.password) == bytes(4)
    return cluster, vm, alice, browser


def withdraw_right(cluster, vm, alice):
    revoke(["power"], alice, vm)


def let_right_end(cluster, vm, alice):
    """It ends by itself: nobody does anything at that moment."""
    grant(["power"], alice, vm, until=timezone.now())


def switch_account_off(cluster, vm, alice):
    alice.is_active = False
    alice.save()


def delete_account(cluster, vm, alice):
    alice.delete()


def lose_machine(cluster, vm, alice):
    vm.missing_since = timezone.now()
    vm.save()


def replace_machine(cluster, vm, alice):
    """Removed in Ganeti; a namesake gets its name and its VNC port, and alice may open that one's console."""
    lose_machine(cluster, vm, alice)
    port, node = vm.network_port, vm.primary_node
    grant(["power"], alice, make_vm(cluster, vm.name, network_port=port, primary_node=node))


def give_another_identity(cluster, vm, alice):
    vm.uuid = "30000000-0000-4000-8000-000000000000"
    vm.save()


def delete_machine(cluster, vm, alice):
    vm.delete()


def remove_cluster(cluster, vm, alice):
    cluster.delete()


def sign_out(client):
    assert client.post(reverse("logout")).status_code == 302


def run_out(client):
    Session.objects.filter(pk=client.session.session_key).update(expire_date=timezone.now())


def delete_session(client):
    Session.objects.filter(pk=client.session.session_key).delete()


def change_password_elsewhere(client):
    alice = User.objects.get(username="alice")
    alice.set_password("another-password")
    alice.save()


def sign_in_as_another(client):
    client.force_login(make_user("bob"))


def replace_session_by_that_of_another(client):
    bob = Client()
    make_user("bob")
    User.objects.filter(username="bob").update(password=User.objects.get(username="alice").password)
    bob.force_login(User.objects.get(username="bob"))
    data = Session.objects.get(pk=bob.session.session_key).session_data
    Session.objects.filter(pk=client.session.session_key).update(session_data=data)


@pytest.mark.parametrize(
    "ends",
    [
        sign_out,
        run_out,
        delete_session,
        change_password_elsewhere,
        sign_in_as_another,
        replace_session_by_that_of_another,
    ],
    ids=lambda function: function.__name__,
)
def test_closed_when_the_session_has_ended(scene, client, daemon, ends):
    *_, alice, browser = scene
    Client().force_login(alice)  # a session elsewhere keeps no console of this one open
    assert close_forbidden_consoles(daemon.control) == 0
    ends(client)
    assert close_consoles_without_right() == 1
    code, reason = browser.wait_for_close()
    assert code == Trouble.CLOSED_BY_STAFF.code
    assert "session has ended" in reason


def test_a_console_of_no_session_is_closed(scene, daemon, vnc):
    _, vm, alice, _ = scene
    admission = open_console(Actor(alice, Via.WEB), vm, session="")
    browser = Browser(daemon.port, admission.ticket)
    assert browser.log_in(admission.password) == bytes(4)
    assert close_forbidden_consoles(daemon.control) == 1


def test_what_the_broker_lists_is_no_key_to_the_session(scene, client, daemon):
    (listed,) = [console for console in list_consoles(daemon.control) if console.open]
    assert listed.session == mark_of_key(client.session.session_key)
    assert client.session.session_key not in repr(listed)


@pytest.mark.feature("F206", "F208")
@pytest.mark.parametrize(
    "happens",
    [
        withdraw_right,
        pytest.param(let_right_end, marks=pytest.mark.feature("G054")),
        switch_account_off,
        delete_account,
        lose_machine,
        pytest.param(replace_machine, marks=pytest.mark.feature("G048")),
        pytest.param(give_another_identity, marks=pytest.mark.feature("G048")),
        delete_machine,
        remove_cluster,
    ],
    ids=lambda function: function.__name__,
)
def test_closed_when_the_right_has_gone(scene, daemon, happens):
    *rows, browser = scene
    assert close_forbidden_consoles(daemon.control) == 0, "as long as she may, she may"
    happens(*rows)
    assert close_consoles_without_right() == 1
    code, reason = browser.wait_for_close()
    assert code == Trouble.CLOSED_BY_STAFF.code
    assert reason
    assert list_consoles(daemon.control) == [] or all(not console.open for console in list_consoles(daemon.control))


@pytest.mark.feature("F253", "F257")
def test_opening_is_journalled_and_needs_the_right(scene):
    _, vm, _, _ = scene
    entry = Entry.objects.get()
    assert (entry.verb, entry.actor_name, entry.target_name, entry.outcome) == (
        "vm.console",
        "alice",
        "web1.example.org",
        "done",
    )
    assert entry.params == {} and entry.message == ""
    with pytest.raises(Forbidden, match="console"):
        open_console(Actor(make_user("bob"), Via.WEB), vm, session="mark")
    assert Entry.objects.count() == 1


@pytest.mark.alike
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "ADMIN_down"}, "not running"),
        ({"missing_since": timezone.now()}, "no longer there"),
        ({"uuid": ""}, "not known to Ganeti yet"),
        ({"hypervisor": "fake"}, "no graphical console"),
        ({"network_port": None}, "no VNC port"),
        ({"primary_node": None}, "not known on which node"),
        ({"raw": {"hvparams": {"vnc_bind_address": ""}}}, "vnc_bind_address is empty"),
        ({"raw": {"hvparams": {"vnc_bind_address": "/run/vnc"}}}, "UNIX socket"),
        ({"raw": {"hvparams": {"vnc_bind_address": "0.0.0.0", "vnc_tls": True}}}, "vnc_tls"),
    ],
)
def test_why_there_is_no_console(scene, fields, words):
    _, vm, alice, _ = scene
    type(vm).objects.filter(pk=vm.pk).update(**fields)
    with pytest.raises(Refusal, match=words):
        open_console(Actor(alice, Via.WEB), vm, session="mark")
    assert Entry.objects.count() == 1, "nothing was opened but the scene's own"


@pytest.mark.alike
def test_vnc_on_loopback_is_explained(scene):
    _, vm, alice, _ = scene
    vm.primary_node.primary_ip = "192.0.2.7"
    vm.primary_node.save()
    vm.raw = {"hvparams": {"vnc_bind_address": "127.0.0.1"}}
    vm.save()
    with pytest.raises(Refusal, match=r"from its node alone.*0\.0\.0\.0"):
        open_console(Actor(alice, Via.WEB), vm, session="mark")


def test_no_broker_here_is_no_error(settings, tmp_path, db):
    settings.GWM_CONSOLE_CONTROL = tmp_path / "nothing.sock"
    assert close_consoles_without_right() == 0


@pytest.mark.alike
@pytest.mark.parametrize(
    ("cluster", "address", "port", "opens"),
    [
        ({"host": "ganeti.example.org"}, "127.0.0.1", 11000, False),
        ({"host": "ganeti.example.org"}, "::ffff:127.0.0.1", 11000, False),
        ({"host": "ganeti.example.org"}, "0.0.0.0", 11000, False),
        ({"host": "ganeti.example.org"}, "169.254.169.254", 11000, False),
        ({"host": "127.0.0.1"}, "127.0.0.1", 11000, False),
        ({"host": "127.0.0.1", "is_demo": True}, "127.0.0.1", 11000, True),
        ({"host": "127.0.0.1", "is_demo": True}, "192.0.2.1", 11000, False),
        ({"host": "127.0.0.1", "is_demo": True}, "127.0.0.1", 6379, False),
        ({"host": "evil.example.org", "is_demo": True}, "127.0.0.1", 11000, False),
        ({"host": "ganeti.example.org"}, "192.0.2.1", 11000, True),
        ({"host": "ganeti.example.org"}, "192.0.2.1", 14999, True),
        ({"host": "ganeti.example.org"}, "192.0.2.1", 15000, False),
        ({"host": "ganeti.example.org"}, "192.0.2.1", 22, False),
    ],
)
def test_a_cluster_cannot_point_the_console_where_it_likes(scene, settings, cluster, address, port, opens):
    settings.GWM_CONSOLE_NODE_NETWORKS = ()
    _, vm, alice, _ = scene
    type(vm.cluster).objects.update(**cluster)
    type(vm.primary_node).objects.update(primary_ip=address)
    type(vm).objects.update(network_port=port)
    vm = type(vm).objects.get()
    if opens:
        ticket = open_ticket([KEY], open_console(Actor(alice, Via.WEB), vm, session="mark").ticket, time.time())
        assert (ticket.host, ticket.port, ticket.is_demo) == (address, port, vm.cluster.is_demo)
    else:
        with pytest.raises(Refusal, match="the cluster reports"):
            open_console(Actor(alice, Via.WEB), vm, session="mark")
