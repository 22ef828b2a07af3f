"""Queries, bytes and work of pages: as many queries at 10 rows as at 200, and few."""

import re
import sys
from collections.abc import Callable
from types import FrameType

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from objectlog.changes import Change
from objectlog.models import Via
from objectlog.services import Target, begin
from permissions.models import User
from permissions.services import grant, grant_role, set_role
from tests.factories import make_cluster, make_job, make_node, make_template, make_user, make_vm
from tests.pages.conftest import Site
from virtualmachines.models import MachineTag

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
LONG_NUMBER = re.compile(rb"\d{4,}")

VM = "/clusters/prod/vms/web1.example.org/"
QUIET = "/clusters/prod/vms/db1.example.org/"
# Address: most queries for an administrator, for a user, bytes at 200 rows. Jobs are under way; what a user is told of
# those in the dock is one of the queries, and what is shown of those on a machine are two more. Of the bytes 1,500 are
# for whom one acts, as whom one looks and what one uses, in the menu of the header.
BUDGETS: dict[str, tuple[int, int, int]] = {
    "/": (9, 8, 43_500),
    "/vms/?per_page=50": (6, 7, 98_500),
    "/vms/?per_page=50&q=example&sort=owner": (8, 8, 98_900),  # SQLite is asked how common a word is
    "/clusters/": (9, 6, 47_500),
    "/nodes/?per_page=50": (8, 6, 94_500),
    "/templates/?per_page=50": (8, 8, 81_500),
    "/templates/-/kept/": (8, 9, 41_500),
    "/jobs/?per_page=50": (8, 8, 64_500),
    "/journal/?per_page=50": (9, 10, 91_500),  # a user's events are read by an index alone, and counted besides
    VM: (9, 10, 43_000),  # with its menu of all that can be done to it
    QUIET: (8, 9, 41_500),
    f"{VM}parameters/": (8, 9, 41_000),
    "/dock/": (6, 6, 16_000),
}
# Functions that are called for it, by an administrator and by a user: what costs CPU time, counted so that a machine at
# work fails no test. Limits are an eighth above what it is.
CALLS: dict[str, tuple[int, int]] = {
    QUIET: (21_000, 24_800),
    "/vms/?per_page=50": (38_300, 40_800),
    "/": (14_800, 23_000),
    "/clusters/": (23_500, 15_200),
}


def grow(site: Site, number: int) -> None:
    """So many more of everything, all of which alice may see."""
    for index in range(number):
        cluster = make_cluster() if index % 20 == 0 else site.prod
        node = make_node(cluster)
        vm = make_vm(cluster, primary_node=node, owner=site.web.owner, tags=["web"])
        grant(["admin"], site.alice, vm)
        grant(["use"], site.alice, make_template(f"{number}-{index}", None, owner=site.web.owner))
        make_job(cluster, ("instance", vm.name), status="success" if index % 3 else "running")
        begin(
            actor_id=site.alice.pk,
            actor_name="alice",
            persona_name="web team",
            via=Via.WEB,
            verb="vm.reboot",
            target=Target("vm", vm.pk, vm.name, cluster.slug, cluster.pk, vm.uuid),
            params={},
            changes=[Change("port", "port", 5080, 5081)],
        )


def count(client: Client, url: str) -> tuple[list[str], int]:
    """Statements and bytes of a page that was there before, its longer numbers taken as equally long.

    Keys go on from test to test on PostgreSQL, and have more digits the more tests were before.
    """
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(url)
    assert answer.status_code == 200
    return [query["sql"] for query in captured], len(LONG_NUMBER.sub(b"0000", answer.content))


@pytest.mark.long
@pytest.mark.feature("F126", "F083")
def test_queries_do_not_grow_with_rows(site: Site, sign_in: SignIn) -> None:
    grant(["use"], site.alice, make_template("kept", None))
    clients = {"admin": sign_in(site.admin), "alice": sign_in(site.alice)}
    grow(site, 10)
    for url in BUDGETS:
        for client in clients.values():
            client.get(url)  # what is asked once in the life of a process
    few = {(who, url): len(count(client, url)[0]) for url in BUDGETS for who, client in clients.items()}
    grow(site, 190)
    for url, (for_admin, for_user, size) in BUDGETS.items():
        for who, most in (("admin", for_admin), ("alice", for_user)):
            statements, length = count(clients[who], url)
            assert len(statements) == few[who, url], (who, url)
            assert len(statements) <= most, (who, url, "\n".join(statements))
            assert length <= size, (who, url)


def count_calls(client: Client, url: str) -> int:
    """Calls of functions in Python while a page is made."""
    number = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal number
        number += event == "call"

    for _ in range(2):
        client.get(url)  # what is kept in the life of a process
    sys.setprofile(note)
    try:
        client.get(url)
    finally:
        sys.setprofile(None)
    return number


@pytest.mark.feature("F126")
def test_pages_take_little_work(site: Site, sign_in: SignIn) -> None:
    grow(site, 60)
    clients = {"admin": sign_in(site.admin), "alice": sign_in(site.alice)}
    for url, (for_admin, for_user) in CALLS.items():
        for who, most in (("admin", for_admin), ("alice", for_user)):
            assert count_calls(clients[who], url) <= most, (who, url)


@pytest.mark.feature("F108", "F126")
def test_a_list_takes_eight_queries_whatever_gives_the_rights(site: Site, sign_in: SignIn) -> None:
    """Verbs on machines and on a cluster, a role on another for those with a tag, and jobs under way on all of them."""
    helper, other = make_user("helper"), make_cluster("other")
    tagged = make_vm(other, tags=["web"])
    MachineTag.objects.create(machine=tagged, tag="web")
    grant(["power"], helper, site.web)
    grant(["admin"], helper, site.edge)
    grant_role(set_role("operator", {"vm": ["power"]}), helper, other, tag="web")
    for vm in (site.web, tagged, make_vm(site.edge)):
        make_job(vm.cluster, ("instance", vm.name), status="running")
    client = sign_in(helper)
    client.get("/vms/")
    statements, _length = count(client, "/vms/")
    assert len(statements) <= 8, "\n".join(statements)
