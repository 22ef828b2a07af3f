"""Lists as files: what is shown, in its order and no more, of what the person may see. See also test_columns.py."""

import csv
import json
import tracemalloc
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.http import StreamingHttpResponse
from django.test import Client, RequestFactory

from permissions.models import User
from permissions.services import grant
from tests.factories import make_job, make_user, make_vm
from tests.fixtures.databases import some_in_fast
from tests.pages.conftest import Site
from ui import exporting
from virtualmachines.models import VirtualMachine

SignIn = Callable[[User], Client]
LISTS = {
    "/vms/": "machines",
    "/clusters/": "clusters",
    "/nodes/": "nodes",
    "/jobs/": "jobs",
    "/clusters/prod/vms/": "machines",
    "/clusters/prod/nodes/": "nodes",
    "/clusters/prod/jobs/": "jobs",
    "/clusters/prod/nodes/node1.example.org/primary/": "machines",
    "/clusters/prod/nodes/node2.example.org/secondary/": "machines",
    "/clusters/prod/vms/web1.example.org/jobs/": "jobs",
}


def cells_of(client: Client, url: str) -> list[dict[str, str]]:
    answer = client.get(url)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(StringIO(answer.content.decode(), newline="")))


@pytest.mark.parametrize(("url", "name"), some_in_fast(LISTS.items(), 2))
def test_every_list_is_a_file_and_links_to_it(site: Site, sign_in: SignIn, url: str, name: str) -> None:
    client = sign_in(site.admin)
    assert "?format=csv" in client.get(url).content.decode()
    rows = cells_of(client, f"{url}?format=csv")
    answer = client.get(f"{url}?format=json")
    assert answer["Content-Disposition"] == f'attachment; filename="{name}.json"'
    told = answer.json()
    assert told["complete"] is True
    assert len(told[name]) == len(rows) > 0
    assert [list(row) for row in told[name]] == [list(row) for row in rows]
    assert "text/html" in client.get(f"{url}?format=xls")["Content-Type"]


def test_a_file_has_the_filter_and_the_order_of_the_page_and_all_of_its_pages(site: Site, sign_in: SignIn) -> None:
    for number in range(12):
        make_vm(site.prod, f"many{number:02}.example.org", vcpus=8)
    client = sign_in(site.admin)
    rows = cells_of(client, "/vms/?q=name:many+vcpus%3E2&sort=-name&per_page=5&page=2&format=csv")
    assert [row["name"] for row in rows] == [f"many{number:02}.example.org" for number in reversed(range(12))]
    nodes = client.get("/nodes/?sort=-name&format=json").json()["nodes"]
    assert [node["name"] for node in nodes] == ["node2.example.org", "node1.example.org"]
    assert client.get("/jobs/?status=error&format=json").json()["jobs"] == []


def test_a_file_has_nothing_that_the_person_may_not_see(site: Site, sign_in: SignIn) -> None:
    for person in (site.alice, site.stranger):
        client = sign_in(person)
        for url, name in (("/vms/", "machines"), ("/nodes/", "nodes"), ("/jobs/", "jobs"), ("/clusters/", "clusters")):
            rows = client.get(f"{url}?format=json").json()[name]
            shown = client.get(url).context
            assert len(rows) == len(shown["page"].object_list), url
    assert {row["cluster"] for row in cells_of(sign_in(site.alice), "/vms/?format=csv")} == {"prod"}


def test_of_a_job_that_touches_other_machines_a_file_tells_no_more_than_the_page(site: Site, sign_in: SignIn) -> None:
    make_job(
        site.edge, ("instance", "web1.example.org"), ("instance", "xyzzy"), title="Start xyzzy", error="xyzzy is broken"
    )
    holder = make_user("holder")
    grant(["power"], holder, site.other)
    text = sign_in(holder).get("/jobs/?format=csv").content.decode()
    assert "Job on web1.example.org and others" in text
    assert "xyzzy" not in text


@pytest.mark.parametrize(("over", "is_complete"), [(0, True), (1, False)])
def test_a_file_that_is_cut_says_so(monkeypatch: pytest.MonkeyPatch, over: int, is_complete: bool) -> None:
    monkeypatch.setattr(exporting, "MOST", 3 * exporting.PIECE)
    rows, cells = range(exporting.MOST + over), {"number": lambda row: row}
    told = json.loads(export_as("json", rows, cells))
    assert (told["complete"], len(told["numbers"])) == (is_complete, exporting.MOST)
    last = export_as("csv", rows, cells).splitlines()[-1]
    expected = f"{exporting.MOST - 1}" if is_complete else f"Only the first {exporting.MOST} rows are in this file."
    assert last == expected


def export_as(wanted: str, rows: range, cells: exporting.Cells) -> str:
    answer = exporting.export(RequestFactory().get("/", {"format": wanted}), "numbers", rows, cells)
    assert isinstance(answer, StreamingHttpResponse)
    return answer.getvalue().decode()


@pytest.mark.long
def test_of_a_long_file_no_more_is_read_than_is_sent(site: Site, django_assert_num_queries: Any) -> None:
    make_machines(site, 2 * exporting.PIECE)
    rows = VirtualMachine.objects.order_by("-name")
    with django_assert_num_queries(2):  # whether it is long, and the keys
        answer = exporting.export(
            RequestFactory().get("/", {"format": "csv"}), "machines", rows, {"name": lambda vm: vm.name}
        )
    assert isinstance(answer, StreamingHttpResponse)
    VirtualMachine.objects.filter(name="many0007.example.org").delete()
    pieces = iter(answer)
    with django_assert_num_queries(1):
        lines = next(pieces).decode().splitlines()
    assert len(lines) == exporting.PIECE
    lines += b"".join(pieces).decode().splitlines()
    expected = [f"many{number:04}.example.org" for number in reversed(range(2 * exporting.PIECE)) if number != 7]
    assert [line for line in lines if line.startswith("many")] == expected


def make_machines(site: Site, number: int) -> None:
    machines = (VirtualMachine(cluster=site.prod, name=f"many{each:04}.example.org") for each in range(number))
    VirtualMachine.objects.bulk_create(machines, batch_size=1000)


@pytest.mark.long
def test_memory_does_not_grow_with_a_file(site: Site) -> None:
    make_machines(site, 8 * exporting.PIECE)
    rows = VirtualMachine.objects.order_by("name")
    most = []
    for pieces in (2, 8):
        given = rows.filter(name__lt=f"many{pieces * exporting.PIECE:04}")
        tracemalloc.start()
        answer = exporting.export(
            RequestFactory().get("/", {"format": "json"}), "machines", given, {"name": lambda vm: vm.name}
        )
        assert isinstance(answer, StreamingHttpResponse)
        assert sum(map(len, answer)) > pieces * 20_000
        most.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert most[1] < 1.5 * most[0]


@pytest.mark.long
def test_what_nobody_has_read_yet_is_not_made(site: Site, django_assert_num_queries: Callable[..., Any]) -> None:
    make_machines(site, 4 * exporting.PIECE)
    rows = VirtualMachine.objects.order_by("name")
    with django_assert_num_queries(3):  # whether it is long, all keys, and the first rows
        answer = exporting.export(
            RequestFactory().get("/", {"format": "csv"}), "machines", rows, {"n": lambda vm: vm.name}
        )
        assert isinstance(answer, StreamingHttpResponse)
        pieces = iter(answer)
        next(pieces)
    with django_assert_num_queries(1):
        next(pieces)
