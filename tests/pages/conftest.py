"""A small site: two clusters made as rows, and people of every kind, signed in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoDbBlocker

from clusters.models import Cluster
from permissions.models import User
from permissions.services import grant, persona_of
from tests.factories import make_admin, make_cluster, make_job, make_node, make_user, make_vm
from tests.fixtures.kept import keep
from virtualmachines.models import VirtualMachine

INFO = {
    "architecture": ["64bit", "x86_64"],
    "ctime": 1700000000.5,
    "mtime": 1700000100.5,
    "enabled_disk_templates": ["drbd", "plain"],
    "hvparams": {"kvm": {"vnc_bind_address": "", "acpi": True, "boot_order": "disk"}},
    "beparams": {"default": {"vcpus": 1, "auto_balance": True}},
    "ipolicy": {"minmax": [{"min": {"cpu-count": 1}, "max": {"cpu-count": 8}}]},
}


@dataclass
class Site:
    """What the tests look at."""

    prod: Cluster
    edge: Cluster
    web: VirtualMachine
    db: VirtualMachine
    other: VirtualMachine
    admin: User
    alice: User
    stranger: User


def make_site() -> Site:
    """`alice` has admin on web, power on db; `other` is on the cluster edge, which she cannot see."""
    prod = make_cluster(
        "prod", name="prod.example.org", info=INFO, enabled_hypervisors=["kvm"], software_version="3.0.2"
    )
    edge = make_cluster("edge", name="edge.example.org")
    node, mirror = make_node(prod, "node1.example.org", primary_count=2), make_node(prod, "node2.example.org")
    nics = [{"mac": "aa:00:00:00:00:01", "ip": "192.0.2.23", "mode": "bridged", "link": "br0"}]
    web = make_vm(
        prod,
        "web1.example.org",
        primary_node=node,
        secondary_node=mirror,
        nics=nics,
        disks=[{"name": "root", "size_mib": 40960}],
        raw={"hvparams": {"vnc_bind_address": "0.0.0.0", "acpi": True}, "beparams": {"vcpus": 2, "auto_balance": True}},
    )
    db_vm = make_vm(prod, "db1.example.org", primary_node=node, status="ADMIN_down", admin_state="down")
    other = make_vm(edge, "web1.example.org")
    make_job(prod, ("instance", web.name), title="Shut down web1.example.org", log=[[1, 1700000000.0, 0, "Line one"]])
    alice = make_user("alice")
    grant(["admin"], alice, web)
    grant(["power"], alice, db_vm)
    web.owner = persona_of(alice)
    web.save()
    return Site(prod, edge, web, db_vm, other, make_admin(), alice, make_user("stranger"))


@pytest.fixture
def site(db: None) -> Site:
    """One of the test's own."""
    return make_site()


@pytest.fixture(scope="module")
def kept_site(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    """One for a module in which no test commits."""
    yield from keep(django_db_blocker, make_site)


@pytest.fixture
def sign_in() -> Callable[[User], Client]:
    """A browser in which this person is signed in."""

    def make(user: User, **options: Any) -> Client:
        client = Client(**options)
        client.force_login(user)
        return client

    return make
