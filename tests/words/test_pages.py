"""Every page in a language in which each translated letter is accented: a plain word on it is one that nobody can
translate."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.hashers import make_password
from django.core import mail
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from clusters.catalogue import BACKEND, DISK, NIC, OF_HYPERVISORS, OF_TEMPLATES
from clusters.models import Cluster, Node, Schedule
from gwm.live.pages import PAGES, STILL
from objectlog.models import Via
from operations.contract import Actor
from operations.models import Batch
from operations.planning import plan
from operations.table import OPERATIONS
from people.mailing import send_due_letters
from permissions.models import Role, RoleVerb, User
from permissions.services import grant, make_team, persona_of
from tests.factories import (
    FINGERPRINT,
    SCHEDULED,
    make_admin,
    make_cluster,
    make_job,
    make_key,
    make_node,
    make_request,
    make_template,
    make_token,
    make_user,
    make_vm,
)
from tests.fixtures.databases import some_in_fast
from tests.fixtures.kept import keep, sign_in, signed_in
from tests.pages.conftest import INFO
from tests.permissions.matrix import DOORS
from tests.permissions.matrix import PAGES as ALL_PAGES
from tests.permissions.matrix import WHERE as ALL_WHERE
from tests.words.pseudo import find_untranslated, spoken
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.power import Shutdown

# Words do not depend on the database; that all pages can be asked for on each is tests/permissions/test_matrix.py.
pytestmark = pytest.mark.alike

# What the test made begins with zz. The others are names and words of Ganeti's, units, products and file formats.
KNOWN = re.compile(
    r"""(?:\bzzalice/)?SHA256:\S+|\bzz[\w.:@-]*|\.example\.org|\bZZ\b|[Dd]ebian[ +]12
    | \b[A-Z]\w+(?:/[\w+-]+)+                       # time zones
    | \bEnglish\b|\bEspañol\b                      # languages, as their speakers call them
    | (?:/[\w.-]+)+/?                               # paths
    | \bssh-ed25519\b|~/\.ssh/id_ed25519\.pub|\.pub\b
    | @?\b(?:TEAM|CLUSTER|NUMBER|NODE|GROUP|NETWORK|MACHINE|TEMPLATE)\b  # as commands name what one types
    | \{\w+\}                                       # values that a script fills in
    | \b[a-z]+:(?:\w+\b|(?=[,.]))                   # terms and keys of a filter, as one types them
    | \breachable,\ failed,\ unreachable,\ new\b     # and values
    | gnt-instance\ (?:move\ -n\ NODE|change-group\ --to\ GROUP)  # commands, in a sentence
    | the\ console\ broker\ does\ not\ answer.*     # the detail of an error, as logs have it
    | \b(?:Ganeti\ Web\ Manager|Ganeti|RAPI|kvm|drbd|plain|image\+noble|Noble|x86_64|64bit|default|master|UTC|GiB|MiB
      |TiB|UUID|VNC|MAC|VLAN|IPv4|IPv6|CPU|OS|NUMA|bridged|routed|openvswitch|ro|rw|auto|br0|root|admin|power|act|PIN|PEM|CA|SHA|status\.json|min|ms
      |CSV|JSON|sqlite|postgresql|Ctrl|Alt|Del|OP_\w+|INSTANCE_\w+|EN|VM|[a-z]+\d+|[0-9a-f-]{36})\b""",
    re.VERBOSE,
)
# The values of parameters are Ganeti's, too: choices show them as they are, and the default in brackets.
TABLES = (BACKEND, DISK, NIC, *OF_HYPERVISORS.values(), *OF_TEMPLATES.values())
VALUES = {choice.value for table in TABLES for parameter in table.values() for choice in parameter.choices}
CLUSTER = {"slug": "zzlab"}
BATCH = ALL_WHERE["batch"]
BEGUN: dict[str, object] = {"uuid": UUID(int=3), "state": "stopped"}
WHERE = {
    "vm": {**CLUSTER, "name": "zzweb.example.org"},
    "node": {**CLUSTER, "name": "zznode1.example.org"},
    "cluster": CLUSTER,
    "job": {**CLUSTER, "number": 7},
    "batch": BATCH,
    "template": {**CLUSTER, "name": "zzsmall"},
    "person": {"name": "zzalice"},
    "team": {"name": "zzteam"},
    "token": {"name": "zzalice", "token": "zzhook"},
    "request": ALL_WHERE["request"],
    "site": {},
    "role": {"name": "zzhelpdesk"},
    "key": {"name": "zzalice", "fingerprint": FINGERPRINT},
}
NOT_PAGES = frozenset(
    {
        "vm-modify-confirm",
        "logout",
        "live-ages",
        "live-changed",
        "job-status",
        "vm-console-picture",
        "vm-console-ticket",
        "vms-batch",
        "vms-create-live",
        "batch-do",
        "reconciliation-batch",
        "view-as-stop",
        "lists",
        "end-session",
        "directory-connect",  # there is none
        "openid-begin",
        "openid-back",
        "openid-connect",
        "openid-disconnect",
        "end-other-sessions",
        *("passkey-sign-in", "passkey-options", "passkey-again", "factor-passkey-options"),
        *("factor-remove", "factor-codes", "second-factor"),  # of who has one: tests/people/test_factors.py
        "new-email",  # without a link that was mailed
        "key-feed",
        "cluster-key-feed",
        "vm-key-feed",
    }
)
# For who is not signed in, or has a password; they have tests of their own.
WITHOUT_ADMIN = frozenset(
    {"login", "change-password", "new-password", "password-again", "register", "register-sent", "make-account"}
)
# Samples of parts for who builds pages; no sentence of it is the product's.
SAMPLES = frozenset({"styleguide"})


def kind_of(name: str) -> str:
    about_none = (
        *("vms", "nodes", "jobs", "clusters", "cluster-add", "template-create", "person-add", "team-create", "teams"),
        *("site-rights", "role-create"),
    )
    return "" if name in about_none else name.partition("-")[0]


def make_world() -> str:
    """All there is pages of, and somebody who sees everything there is, signed in."""
    cluster = make_cluster("zzlab", name="zzlab.example.org", info=INFO, enabled_hypervisors=["kvm"], username="zzgwm")
    node, mirror = make_node(cluster, "zznode1.example.org"), make_node(cluster, "zznode2.example.org", drained=True)
    vm = make_vm(
        cluster,
        "zzweb.example.org",
        primary_node=node,
        secondary_node=mirror,
        nics=[{"mac": "aa:00:00:00:00:01", "ip": "192.0.2.23", "mode": "bridged", "link": "br0"}],
        disks=[{"name": "zzroot", "size_mib": 40960}],
        raw={
            "uuid": "0b1e0ef7-6b8f-4a3c-9a44-000000000001",
            "name": "zzweb.example.org",
            "admin_state": "up",
            "hypervisor": "kvm",
            "disk_template": "plain",
            "hvparams": {"acpi": True},
            "beparams": {"vcpus": 2, "auto_balance": True},
            "disk.sizes": [40960],
            "nic.macs": ["aa:00:00:00:00:01"],
        },
    )
    make_template("zzsmall", cluster, description="zz")
    make_vm(cluster, "zzdown.example.org", status="ERROR_down", primary_node=node)
    make_vm(cluster, "zzgone.example.org", missing_since=timezone.now())
    make_job(cluster, ("instance", vm.name), ganeti_id=7, title="zz", log=[[1, 1700000000.0, 0, "Line one"]])
    make_job(cluster, ("instance", vm.name), ganeti_id=8, title="zz", status="error", ended_at=timezone.now())
    alice, admin = make_user("zzalice"), make_admin("zzroot")
    grant(["admin"], alice, vm)
    make_team("zzteam", [alice])
    make_key(alice, "zzlaptop")
    make_token(alice, "zzhook", on=cluster)
    make_request(alice, cluster, pk=4711, reason="zzwhy")
    RoleVerb.objects.all().delete()
    for role in Role.objects.all():  # what they are called, and for what, is whose they are to say
        Role.objects.filter(pk=role.pk).update(name=f"zz{role.name}", description="zzwhat")
    vm.owner = persona_of(alice)
    vm.save()
    for where in (BATCH, BEGUN):
        plan(Shutdown(), Actor(admin, Via.WEB), VirtualMachine.objects.all(), {})
        Batch.objects.filter(pk=Batch.objects.latest("pk").pk).update(**where)
    return sign_in(admin)


@pytest.fixture(scope="module")
def ticket(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    yield from keep(django_db_blocker, make_world)


@pytest.fixture
def client(ticket: str, db: None) -> Client:
    """Signed in as somebody who sees everything there is."""
    return signed_in(ticket)


@pytest.fixture(autouse=True)
def language() -> Iterator[None]:
    with spoken():
        yield


def untranslated(client: Client, url: str, status: int = 200) -> list[str]:
    answer = client.get(url)
    assert answer.status_code == status, url
    templates = sorted({each.name for each in answer.templates if each.name})
    texts = find_untranslated(answer.content.decode(), KNOWN)
    found = [text for text in texts if text.rpartition("(")[2].rstrip(")") not in VALUES]
    return [f"{url} ({', '.join(templates[-4:])}): {text}" for text in found]


def test_every_page_is_known_here() -> None:
    names = {pattern.name for pattern in get_resolver().url_patterns if getattr(pattern, "name", None)}
    assert names <= PAGES.keys() | STILL | ALL_PAGES.keys() | NOT_PAGES | set(DOORS.values()) | {None}, names


ASKED = sorted(key for key, operation in OPERATIONS.items() if not operation.has_own_page)


@pytest.mark.parametrize("name", sorted((ALL_PAGES.keys() | PAGES.keys()) - NOT_PAGES - SAMPLES - WITHOUT_ADMIN))
def test_a_page(client: Client, name: str) -> None:
    assert untranslated(client, reverse(name, kwargs=WHERE.get(kind_of(name), {}))) == []


@pytest.mark.parametrize("key", some_in_fast(ASKED, 15))
def test_the_question_of_an_operation(client: Client, key: str) -> None:
    operation = OPERATIONS[key]
    url = reverse(DOORS[operation.kind], kwargs={**WHERE[operation.kind], "verb": operation.verb})
    roles = set(Role.objects.values_list("name", flat=True)) if operation.verb.endswith("-role") else set()
    answer = client.get(url)
    assert answer.status_code in (200, 404)
    assert set(find_untranslated(answer.content.decode(), KNOWN)) <= roles
    if answer.status_code == 200:
        answer = client.post(url, {"timeout_s": "many", "type": "?", "typed_name": "?"})
        assert answer.status_code in (302, 409, 422)
        assert set(find_untranslated(answer.content.decode(), KNOWN)) <= roles


@pytest.mark.parametrize("name", ["overview", "vms", "nodes", "clusters", "jobs", "journal"])
def test_a_page_without_anything_on_it(client: Client, name: str) -> None:
    stranger = Client()
    stranger.force_login(make_user("zzstranger"))
    assert untranslated(stranger, reverse(name)) == []
    assert untranslated(client, f"{reverse(name)}?q=zznothing&who=zznobody&status=missing") == []
    Cluster.objects.all().delete()
    assert untranslated(client, reverse(name)) == []


@pytest.mark.parametrize(
    "state",
    [
        {"unreachable_since": timezone.now(), "last_error": "zz", "last_error_kind": "unreachable"},
        {"last_error": "zz", "last_error_kind": "untrusted"},
        {"read_only": True},
        {"username": ""},
        {"synced_at": None, "live_at": None},
        {"answers_at": "zzelsewhere", "answers_at_since": timezone.now()},
        {"unreadable": [{"kind": "instance", "key": "zz", "name": "zz", "why": "zz", "since": None}]},
    ],
    ids=lambda state: next(iter(state)),
)
def test_a_cluster_that_is_not_well(client: Client, state: dict[str, object]) -> None:
    for name, value in state.items():
        (Schedule if name in SCHEDULED else Cluster).objects.update(**{name: value})
    for name in ("overview", "clusters", "cluster", "vm", "vm-console", "node"):
        assert untranslated(client, reverse(name, kwargs=WHERE.get(kind_of(name), {}))) == []


STATUSES = ["ADMIN_down", "ADMIN_offline", "ERROR_nodedown", "ERROR_nodeoffline", "ERROR_up", "ERROR_wrongnode"]


@pytest.mark.parametrize("status", some_in_fast([*STATUSES, "USER_down", "ERROR_down", "forthcoming", ""], 3))
def test_a_machine_in_every_state(client: Client, status: str) -> None:
    VirtualMachine.objects.update(status=status, admin_state="down", nics=[], disks=[], owner=None)
    for name in ("vm", "vms", "vm-console"):
        assert untranslated(client, reverse(name, kwargs=WHERE.get(kind_of(name), {}))) == []


CHANGES = [key for key, each in OPERATIONS.items() if each.kind == "vm" and each.sends and each.locks]


@pytest.mark.parametrize("verb", some_in_fast(CHANGES, 5))
def test_a_machine_that_is_busy(client: Client, verb: str) -> None:
    VirtualMachine.objects.update(busy_with=verb, busy_entry="0" * 32, busy_since=timezone.now())
    assert untranslated(client, reverse("vm", kwargs=WHERE["vm"])) == []


@pytest.mark.parametrize("state", [{"offline": True}, {"answers": False}, {"role": "O"}, {"role": "R"}], ids=str)
def test_a_node_in_every_state(client: Client, state: dict[str, object]) -> None:
    Node.objects.update(**state)
    for name in ("node", "nodes"):
        assert untranslated(client, reverse(name, kwargs=WHERE.get(kind_of(name), {}))) == []


def test_pages_of_what_went_wrong(client: Client) -> None:
    assert untranslated(client, "/zznowhere/", 404) == []
    assert untranslated(client, "/clusters/zzelse/", 404) == []
    assert untranslated(client, "/vms/?q=a%00b", 400) == []
    stranger = Client()
    stranger.force_login(make_user("zzstranger"))
    assert untranslated(stranger, reverse("health"), 403) == []
    assert untranslated(stranger, reverse("cluster-add"), 403) == []
    assert find_untranslated(client.delete("/vms/").content.decode(), KNOWN) == []
    strict = Client(enforce_csrf_checks=True)
    assert find_untranslated(strict.post("/login/").content.decode(), KNOWN) == []


@pytest.mark.parametrize("name", ["cluster-add", "cluster-edit"])
@pytest.mark.parametrize("typed", ["", "?? //", "99999"])
def test_a_form_with_errors(client: Client, name: str, typed: str) -> None:
    url = reverse(name, kwargs=WHERE.get(kind_of(name), {}))
    for step in ("address", "settings"):
        fields = dict.fromkeys(
            ("host", "port", "slug", "tls_trust", "tls_fingerprint", "tls_ca_pem", "username"), typed
        )
        answer = client.post(url, {"step": step, **fields})
        assert answer.status_code == 422
        assert find_untranslated(answer.content.decode(), KNOWN) == []


@pytest.mark.parametrize("fields", [{}, {"login": "zznobody", "password": "zz"}], ids=["empty", "wrong"])
def test_signing_in(db: None, fields: dict[str, str]) -> None:
    assert untranslated(Client(), "/login/?next=/vms/") == []
    answer = Client().post("/login/", fields)
    assert answer.status_code in (200, 422)
    assert find_untranslated(answer.content.decode(), KNOWN) == []


def test_a_new_password_by_mail(db: None, settings: Any) -> None:
    settings.GWM_MAIL_URL, settings.GWM_PUBLIC_URL = "smtp://localhost", "https://zz.example.org"
    bob = make_user("zzbob")
    User.objects.filter(pk=bob.pk).update(email="zzbob@example.org", password=make_password("zz"))
    assert untranslated(Client(), reverse("forgot-password")) == []
    assert untranslated(Client(), "/password/new/1/nothing/", status=404) == []
    answer = Client().post(reverse("forgot-password"), {"email": "zz"})
    assert find_untranslated(answer.content.decode(), KNOWN) == []
    assert untranslated(Client(), reverse("forgot-password-sent")) == []
    Client().post(reverse("forgot-password"), {"email": "zzbob@example.org"})
    send_due_letters()
    (letter,) = mail.outbox
    told = re.sub(r"https://\S+", "", f"<p>{letter.subject}</p><p>{letter.body}</p>")
    assert find_untranslated(told, KNOWN) == []
    browser = Client()
    path = re.search(r"/password/new/\S+", letter.body)
    assert path
    page = browser.get(path[0], follow=True)
    for answer in (page, browser.post(page.request["PATH_INFO"], {"password1": "zz", "password2": "zzz"})):
        assert find_untranslated(answer.content.decode(), KNOWN) == []


def test_registering_by_mail(db: None, settings: Any) -> None:
    settings.GWM_MAIL_URL, settings.GWM_PUBLIC_URL = "smtp://localhost", "https://zz.example.org"
    assert untranslated(Client(), reverse("register"), status=403) == []
    settings.GWM_REGISTRATION = True
    make_user("zzbob")
    User.objects.update(email="zzbob@example.org")
    assert untranslated(Client(), reverse("register")) == []
    assert untranslated(Client(), reverse("register-sent")) == []
    assert untranslated(Client(), "/register/nothing/", status=404) == []
    for name in ("zzbob", "zznew"):
        Client().post(reverse("register"), {"email": f"{name}@example.org"})
    send_due_letters()
    for letter in mail.outbox:
        told = re.sub(r"https://\S+", "", f"<p>{letter.subject}</p><p>{letter.body}</p>")
        assert find_untranslated(told, KNOWN) == []
    path = re.search(r"/register/\S+", mail.outbox[-1].body)
    assert path
    page = Client().post(path[0], {"username": "zzbob", "password1": "zz", "password2": "zz"})
    assert find_untranslated(page.content.decode(), KNOWN) == []


def test_changing_a_password(client: Client) -> None:
    bob = make_user("zzbob")
    bob.set_password("zz")
    bob.save()
    client.force_login(bob)
    assert untranslated(client, reverse("change-password")) == []
    for fields in ({}, {"oldpassword": "zz", "password1": "zz", "password2": "zzz"}):
        answer = client.post(reverse("change-password"), fields)
        assert find_untranslated(answer.content.decode(), KNOWN) == []


def test_a_batch_that_has_begun(client: Client) -> None:
    assert untranslated(client, reverse("batch", args=[BEGUN["uuid"]])) == []
