"""Pages of a list end somewhere, and say so."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.template import Context, Template
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from objectlog.models import Via
from objectlog.services import Target, begin
from permissions.policy import visible
from permissions.services import grant
from tests.factories import make_cluster, make_user, make_vm
from tests.pages.conftest import Site
from tests.pages.test_lists import SignIn
from ui.listing import list_page
from ui.paging import DEEPEST, Pages, count_rows
from ui.templatetags.units import DASH
from virtualmachines.models import VirtualMachine


def drawn(pages: Pages, number: int = 1) -> str:
    page = pages.page(number)
    template = Template("{% load paging %}{% page_position page 'jobs' %}|{% pages_end page %}")
    return template.render(Context({"page": page}))


@pytest.mark.parametrize(
    ("rows", "size", "total", "pages", "said"),
    [
        (0, 50, None, 1, f"0{DASH}0 of 0 jobs|"),
        (1, 50, None, 1, f"1{DASH}1 of 1 job|"),
        (DEEPEST, 50, None, 200, f"1{DASH}50 of 10,000 jobs|"),
        (
            DEEPEST,
            200,
            123_456,
            50,
            f"1{DASH}200 of 123,456 jobs|Only the first 10,000 are paged through: narrow it down",
        ),
        (DEEPEST + 1, 50, None, 200, f"1{DASH}50 of more than 10,000 jobs|Only the first 10,000 are paged through:"),
        (DEEPEST + 1, 70, None, 143, f"1{DASH}70 of more than 10,000 jobs|"),
    ],
)
def test_pages_end(rows: int, size: int, total: int | None, pages: int, said: str) -> None:
    found = Pages(range(rows), size, total)
    assert found.num_pages == pages
    assert drawn(found).startswith(said)
    assert bool(drawn(found).partition("|")[2]) == bool(said.partition("|")[2])


@pytest.mark.parametrize("number", ["1", "3", "0", "-1", "x", "", "²", "1.5"])
def test_a_page_that_is_there_or_means_nothing_is_not_missed(number: str) -> None:
    assert not Pages(range(30), 10).lacks(number)


@pytest.mark.parametrize("number", ["4", "999999", "9" * 5000])
def test_a_page_behind_the_last_is_missed(number: str) -> None:
    assert Pages(range(30), 10).lacks(number)


@pytest.mark.feature("G052")
def test_rows_beyond_the_last_page_are_neither_counted_nor_shown(db: None) -> None:
    Group.objects.bulk_create([Group(name=f"{number:06}") for number in range(DEEPEST + 7)], batch_size=5000)
    with CaptureQueriesContext(connection) as queries:
        assert count_rows(Group.objects.order_by("name")) == DEEPEST + 1
    assert f"LIMIT {DEEPEST + 1}" in queries.captured_queries[0]["sql"]
    request = RequestFactory().get("/?page=999999&per_page=100")
    listing = list_page(request, Group.objects.all(), {"name": ("name",)}, "name")
    assert listing.is_behind
    assert [group.name for group in listing.page.object_list][-1] == f"{DEEPEST - 1:06}"


@pytest.mark.parametrize("path", ["vms", "nodes", "jobs", "journal"])
def test_every_list_says_that_there_is_no_such_page(site: Site, sign_in: SignIn, path: str) -> None:
    about = Target("vm", site.web.pk, site.web.name, "prod", site.prod.pk, site.web.uuid)
    begin(actor_id=None, actor_name="x", persona_name="x", via=Via.WEB, verb="vm.reboot", target=about, params={})
    client = sign_in(site.admin)
    said = "There is no such page. This is the last one."
    page = client.get(f"/{path}/?page=999999")
    assert page.status_code == 200
    assert said in page.content.decode()
    assert said not in client.get(f"/{path}/?page=1").content.decode()


@pytest.mark.feature("G052")
@pytest.mark.parametrize("rows", [0, 1, 10, 29, 30, 31, 50, 51, 120])
def test_who_counts_only_ahead_shows_the_same_rows(db: None, rows: int) -> None:
    """And goes on to the next page wherever there is one."""
    Group.objects.bulk_create([Group(name=f"{number:06}") for number in range(rows)])
    for number in ("1", "2", "3", "5", "12", "999999", "x"):
        request = RequestFactory().get(f"/?page={number}&per_page=10")
        whole, ahead = (
            list_page(request, Group.objects.all(), {"name": ("name",)}, "name", ahead=each) for each in (0, 2)
        )
        assert list(ahead.page.object_list) == list(whole.page.object_list), number
        assert ahead.page.has_next() == whole.page.has_next() and ahead.is_behind == whole.is_behind, number


@pytest.mark.feature("G052")
def test_what_is_not_counted_is_said_to_be_more(db: None) -> None:
    Group.objects.bulk_create([Group(name=f"{number:06}") for number in range(120)])
    request = RequestFactory().get("/?page=3&per_page=10")
    with CaptureQueriesContext(connection) as queries:
        listing = list_page(request, Group.objects.all(), {"name": ("name",)}, "name", ahead=2)
        template = Template("{% load paging %}{% page_position page 'jobs' %}|{% pages_end page %}")
        said = template.render(Context({"page": listing.page}))
    assert said == f"21{DASH}30 of more than 50 jobs|" and "LIMIT 51" in queries.captured_queries[0]["sql"]


@pytest.mark.parametrize(("total", "number", "is_tested"), [(5000, 1, True), (5000, 2, False), (1000, 1, False)])
def test_of_many_rows_the_first_pages_are_found_in_their_order(
    db: None, total: int, number: int, is_tested: bool
) -> None:
    """Of as many as are looked up one by one elsewhere; on either way they are the same."""
    alice, cluster = make_user("alice"), make_cluster()
    for name in ("c", "a", "b", "d"):
        vm = make_vm(cluster, name=f"{name}.example.org")
        if name != "b":
            grant(["power"], alice, vm)
    rows = visible(alice, "view", VirtualMachine.objects.order_by("name", "pk"))
    shown: Any = Pages(rows, total // 10, total, keys_first=True).page(number).object_list
    assert ("IS TRUE" in str(shown.query)) == is_tested
    assert [vm.name[0] for vm in shown] == (["a", "c", "d"] if number == 1 else [])
