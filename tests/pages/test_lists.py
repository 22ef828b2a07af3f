"""Filters, order and paging of lists."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from clusters.models import Cluster, Node
from permissions.models import User
from tests.factories import make_batch, make_cluster, make_job, make_node, make_vm
from tests.pages.conftest import Site
from virtualmachines.filters import group_of

SignIn = Callable[[User], Client]


@pytest.fixture
def site(kept_site: Site, db: None) -> Site:
    return deepcopy(kept_site)


def names(client: Client, query: str) -> list[str]:
    """The machines of the list, in order, as cluster/name."""
    page = client.get(f"/vms/?{query}").context["page"]
    return [f"{vm.cluster.slug}/{vm.name.split('.')[0]}" for vm in page.object_list]


@pytest.mark.feature("F125", "F126")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["prod/db1", "prod/web1", "edge/web1"]),
        ("q=web", ["prod/web1", "edge/web1"]),
        ("q=WEB+cluster:edge", ["edge/web1"]),
        ("q=web+db", []),
        ("cluster=prod", ["prod/db1", "prod/web1"]),
        ("cluster=nothing", []),
        ("status=running", ["prod/web1", "edge/web1"]),
        ("status=stopped", ["prod/db1"]),
        ("status=trouble", []),
        ("status=ADMIN_down", ["prod/db1"]),
        ("status=admin_DOWN", ["prod/db1"]),
        ("status=since_then", []),
        ("owner=alice", ["prod/web1"]),
        ("q=owner:alice", ["prod/web1"]),
        ("node=node1", ["prod/db1", "prod/web1"]),
        ("node=node2.example.org", ["prod/web1"]),
        ("hypervisor=kvm&os=debian", ["prod/db1", "prod/web1", "edge/web1"]),
        ("hypervisor=xen-pvm", []),
        ("tag=none", []),
        ("q=-status:running", ["prod/db1"]),
        ("q=-node:node1", ["edge/web1"]),
        ("q=-group:nothing", ["prod/db1", "prod/web1", "edge/web1"]),
        ("q=status:running+-cluster:prod", ["edge/web1"]),
        ("q=status:running+status:stopped", []),
        ("q=-name:web", ["prod/db1"]),
        ("q=name=web1", []),
        ("q=name=WEB1.example.org+-owner:alice", ["edge/web1"]),
        ("q=mem>4G", []),
        ("q=mem<=4G+vcpus>=1+disk<10T", ["prod/db1", "prod/web1", "edge/web1"]),
        ("q=mem>4X", []),
        ("q=%22web1.example%22", ["prod/web1", "edge/web1"]),
        ("sort=-name", ["edge/web1", "prod/web1", "prod/db1"]),
        ("sort=cluster", ["edge/web1", "prod/db1", "prod/web1"]),
        ("sort=nonsense", ["prod/db1", "prod/web1", "edge/web1"]),
        ("sort=owner&status=running", None),
        ("page=99", ["prod/db1", "prod/web1", "edge/web1"]),
        ("page=x&per_page=-1", ["prod/db1", "prod/web1", "edge/web1"]),
    ],
)
def test_list_of_machines(site: Site, sign_in: SignIn, query: str, found: list[str] | None) -> None:
    listed = names(sign_in(site.admin), query)
    if found is None:
        assert sorted(listed) == ["edge/web1", "prod/web1"]
    else:
        assert listed == found


@pytest.mark.parametrize("column", ["name", "status", "cluster", "owner", "node", "os", "vcpus", "memory", "disk"])
def test_every_column_sorts(site: Site, sign_in: SignIn, column: str) -> None:
    client = sign_in(site.admin)
    assert len(names(client, f"sort={column}")) == len(names(client, f"sort=-{column}")) == 3


def test_numbers_beside_the_states(site: Site, sign_in: SignIn) -> None:
    make_vm(site.prod, "gone.example.org", missing_since=timezone.now())
    make_vm(site.prod, "crashed.example.org", status="ERROR_down")
    context = sign_in(site.admin).get("/vms/?cluster=prod&status=stopped").context
    assert {name: number for name, _, number in context["groups"]} == {
        "": 4,
        "running": 1,
        "stopped": 1,
        "trouble": 1,
        "busy": 0,
        "missing": 1,
    }


def test_each_number_is_that_of_the_list_it_leads_to(site: Site, sign_in: SignIn) -> None:
    """Of machines in every state, each of them also missing, busy, and both."""
    number = 0
    for status in ("running", "ADMIN_down", "ERROR_down", "unheard of"):
        for missing_since in (None, timezone.now()):
            for busy_entry in (None, uuid4()):
                number += 1
                name = f"every{number}.example.org"
                make_vm(site.prod, name, status=status, missing_since=missing_since, busy_entry=busy_entry)
    client = sign_in(site.admin)
    for name, _, counted in client.get("/vms/?cluster=prod&per_page=500").context["groups"]:
        found = client.get(f"/vms/?cluster=prod&per_page=500&status={name}").context["page"].object_list
        groups = [group_of(vm.status, is_missing=vm.is_missing, is_busy=vm.is_busy) for vm in found]
        assert groups.count(name) == counted if name else len(groups) == counted == number + 2


@pytest.mark.parametrize(("asked", "given"), [("1", 5), ("50", 50), ("501", 500), ("9999", 500), ("99999", 50)])
def test_a_page_has_a_sensible_length_whatever_is_asked_for(
    site: Site, sign_in: SignIn, settings: Any, asked: str, given: int
) -> None:
    settings.GWM_PAGE_SIZE = 50
    assert sign_in(site.admin).get(f"/vms/?per_page={asked}").context["page"].paginator.per_page == given


@pytest.mark.feature("F126")
def test_pages_do_not_overlap(site: Site, sign_in: SignIn) -> None:
    for number in range(30):
        make_vm(site.prod, f"same{number:02}.example.org", vcpus=4)
    client = sign_in(site.admin)
    seen: list[str] = []
    for page in range(1, 5):
        seen += names(client, f"sort=-vcpus&per_page=10&page={page}")
    assert len(seen) == len(set(seen)) == 33
    assert "1–10 of 33" in client.get("/vms/?per_page=10").content.decode()  # noqa: RUF001


@pytest.mark.feature("F129", "F222")
def test_machines_of_a_node(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.admin)
    primary = client.get("/clusters/prod/nodes/node1.example.org/primary/").context["page"].object_list
    secondary = client.get("/clusters/prod/nodes/node2.example.org/secondary/").context["page"].object_list
    assert [vm.name for vm in primary] == ["db1.example.org", "web1.example.org"]
    assert [vm.name for vm in secondary] == ["web1.example.org"]


def test_nodes_of_the_same_name_on_two_clusters(site: Site, sign_in: SignIn) -> None:
    make_node(site.edge, "node1.example.org", offline=True)
    client = sign_in(site.admin)
    listed = client.get("/nodes/?status=offline").context["page"].object_list
    assert [(node.cluster.slug, node.name) for node in listed] == [("edge", "node1.example.org")]
    for sort in ("name", "status", "cluster", "group", "role", "machines", "cpus", "memory", "disk"):
        assert client.get(f"/nodes/?sort=-{sort}").status_code == 200


@pytest.mark.feature("F239")
def test_list_of_jobs(site: Site, sign_in: SignIn) -> None:
    make_job(site.edge, status="error", title="Reboot x", error="no", ended_at=timezone.now())
    client = sign_in(site.admin)
    titles = [job.title for job in client.get("/jobs/?status=error").context["page"].object_list]
    assert titles == ["Reboot x"]
    assert len(client.get("/jobs/?q=shut+web1").context["page"].object_list) == 1
    assert len(client.get("/clusters/prod/jobs/").context["page"].object_list) == 1
    for sort in ("id", "status", "title", "cluster", "received", "ended"):
        assert client.get(f"/jobs/?sort=-{sort}").status_code == 200
    assert [job.title for job in sign_in(site.alice).get("/jobs/").context["page"].object_list] == [
        "Shut down web1.example.org"
    ]


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("nodes", "name:node1", ["node1.example.org"]),
        ("nodes", "-name:node1 cluster:prod", ["node2.example.org"]),
        ("nodes", "machines>=2", ["node1.example.org"]),
        ("nodes", "status:offline", []),
        ("nodes", "-status:offline -machines>0", ["node2.example.org"]),
        ("nodes", "-group:nothing -mem>1000T machines:2", ["node1.example.org"]),
        ("nodes", "tag:SSD:fast -role:master", ["node2.example.org"]),
        ("nodes", "tag:ssd", []),
        ("nodes", "role:nobody", "it is one of master, candidate, regular, drained, offline."),
        ("clusters", "tag:site-a status:reachable", ["prod"]),
        ("clusters", "-tag:site-a", ["edge"]),
        ("clusters", "ganeti:3.0 since:today updated>=today", ["prod"]),
        ("clusters", "status:unreachable", []),
        ("clusters", "since>soon", "it is compared to a day or a time, as in since&gt;2026-11-01. Filters are name:"),
        ("batches", "by:root status:running verb:shutdown", ["root: vm.shutdown (running)"]),
        ("batches", "-by:root", []),
        ("jobs", "since:today -ended:today", ["Shut down web1.example.org"]),
        ("jobs", "actor:nobody", []),
        ("nodes", "status:nonsense", "it is one of online, drained, offline, unresponsive, missing. Filters are name:"),
        ("nodes", "free<much", "“free&lt;much” can&#x27;t be read: it is compared to a size"),
        ("jobs", '"shut down" -by:nobody', ["Shut down web1.example.org"]),
        ("jobs", "title:web1 -status:error cluster:prod number>0", ["Shut down web1.example.org"]),
        ("jobs", "-title:web1", []),
        ("jobs", "number>many", "it is compared to a whole number, as in number&gt;1200. Filters are number:"),
        ("jobs", "owner:alice", "There is no filter “owner:”, so it was searched as text. Filters are number:"),
    ],
)
def test_other_lists_are_filtered_in_the_same_language(
    site: Site, sign_in: SignIn, path: str, text: str, found: list[str] | str
) -> None:
    Node.objects.filter(name="node2.example.org").update(tags=["ssd:fast", "x"])
    Cluster.objects.filter(pk=site.prod.pk).update(info={"tags": ["site-a"]})
    make_batch(site.admin)
    answer = sign_in(site.admin).get(f"/{path}/", {"q": text})
    rows = answer.context["page"].object_list
    listed = [getattr(row, "title", "") or (row.cluster.slug if path == "clusters" else str(row)) for row in rows]
    if isinstance(found, str):
        assert listed == []
        assert found in answer.content.decode()
    else:
        assert listed == found


def test_a_cluster_without_machines(site: Site, sign_in: SignIn) -> None:
    make_cluster("empty", synced_at=None, live_at=None)
    client = sign_in(site.admin)
    for part in ("", "vms/", "nodes/", "jobs/", "parameters/"):
        assert client.get(f"/clusters/empty/{part}").status_code == 200
    assert "The first update is in progress" in client.get("/clusters/empty/").content.decode()


def test_a_filter_that_does_not_exist_is_named_when_nothing_matches(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.admin)
    page = client.get("/vms/?q=foo:bar").content.decode()
    assert "No machine matches “foo:bar”" in page
    assert "There is no filter “foo:”" in page
    assert "owner:, node:" in page
    page = client.get("/vms/?q=mem>4X").content.decode()
    assert "“mem&gt;4X” can&#x27;t be read: it is compared to a size in M, G or T, as in mem&gt;4G." in page
    assert "Filters are cluster:, status:" in page
    for text in ("zzz", "2001:db8::1", "fe80:1", "aa:00:00", "tag:zzz"):  # addresses and filters that exist
        page = client.get("/vms/", {"q": text}).content.decode()
        assert f"No machine matches “{text}”" in page
        assert "There is no filter" not in page


@pytest.mark.feature("F125")
def test_the_list_shows_addresses_and_links_tags(site: Site, sign_in: SignIn) -> None:
    site.web.tags, site.web.nics = ["env:production"], [{"ip": "192.0.2.23"}, {"ip": None}, {"ip": "2001:db8::7"}]
    site.web.search_text = "web1.example.org env:production"
    site.web.save()
    client = sign_in(site.admin)
    page = client.get("/vms/?cluster=prod").content.decode()
    assert '192.0.2.23 <span class="dim" title="2001:db8::7">+1</span>' in page
    assert 'href="/vms/?tag=env%3Aproduction"' in page
    assert names(client, "tag=env%3Aproduction") == ["prod/web1"]
    assert names(client, "q=env:production") == ["prod/web1"]
    assert page.count('visually-hidden">No owner') == 1  # db1's
