"""Machines that were changed since a time, and by which index a database finds them."""

from collections.abc import Callable

import pytest
import time_machine
from django.db import connection
from django.test import Client

from permissions.models import User
from tests.pages.conftest import Site
from ui.filtering import parse
from virtualmachines.filters import MACHINES
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F130")]
SignIn = Callable[[User], Client]
NOW = 1_795_000_000  # 2026-11-18T11:06:40Z
DAY = 24 * 60 * 60


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("changed:7d", {"web"}),
        ("changed:1w", {"web"}),
        ("changed:3h", set()),
        ("changed:30d", {"web", "db"}),
        ("changed<30d", {"other"}),
        ("-changed:7d", {"db", "other"}),
        ("changed:>2026-11-01", {"web"}),
        ("changed>=2026-10-29 changed<=2026-10-31", {"db"}),
        ("changed:7d status:running", {"web"}),
        ("changed:often", set()),
    ],
)
def test_found_by_when_they_were_changed(site: Site, sign_in: SignIn, query: str, found: set[str]) -> None:
    for name, days in {"web": 1, "db": 19, "other": 400}.items():
        VirtualMachine.objects.filter(pk=getattr(site, name).pk).update(mtime=NOW - days * DAY)
    with time_machine.travel(NOW, tick=False):
        listed = sign_in(site.admin).get("/vms/", {"q": query}).context["page"].object_list
    assert {name for name in ("web", "db", "other") if getattr(site, name) in listed} == found


def test_rows_are_picked_in_the_index_of_lists(site: Site) -> None:
    """The long rows are read for one page alone, however many were changed."""
    asked = MACHINES.read(parse(MACHINES.keys["changed"].sample))
    keys = VirtualMachine.objects.filter(asked.condition).order_by("name", "pk").values_list("pk")[:50]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
        assert "Index Only Scan using vm_listed" in keys.explain()
    else:
        plan = keys.explain()
        assert "USING COVERING INDEX vm_listed" in plan and "TEMP B-TREE" not in plan
