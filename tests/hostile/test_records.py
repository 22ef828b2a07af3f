"""Whatever a cluster says in any field: pages answer, other clusters are updated, and all heals by itself."""

import resource
from time import process_time
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from clusters.models import Cluster, Job, Network, Node, NodeGroup, Schedule
from tests.factories import make_admin
from tests.fixtures.databases import some_in_fast
from tests.hostile.conftest import CONTROL, Liar
from tests.hostile.values import INFO_FIELDS, OF_DATABASE, VALUES
from tests.updates.conftest import update
from virtualmachines.models import VirtualMachine

pytestmark = pytest.mark.feature("G046")

# One cycle of the lying cluster, and what the process may grow by in a whole test.
SECONDS, MIB = 10.0, 200
# What changes from one cycle to the next without Ganeti saying anything else.
TIMES = {"changed_at", "read_at", "seen_at", "created_at"}
LISTS = ("overview", "clusters", "vms", "nodes", "jobs", "journal", "reconciliation", "vms-create")
MODELS = (NodeGroup, Node, Network, VirtualMachine, Job)


def in_lots_of(size: int) -> list[Any]:
    """The names of the values; a lot shares one cluster, which takes longer to make than to look at."""
    lots = []
    for names, marks in (
        (OF_DATABASE, []),
        ([name for name in VALUES if name not in OF_DATABASE], [pytest.mark.alike]),
    ):
        parts = [tuple(names[start : start + size]) for start in range(0, len(names), size)]
        lots += [pytest.param(part, marks=marks, id=part[0]) for part in parts]
    return lots


def rows_of(cluster: Cluster) -> dict[tuple[str, Any], dict[str, Any]]:
    """Everything that is there of a cluster, by table and identity."""
    found = {}
    for model in MODELS:
        for row in model._default_manager.filter(cluster=cluster).order_by("pk").values():
            if row.get("missing_since") is None:
                which = row["uuid"] if "uuid" in row else row["ganeti_id"]
                found[model.__name__, which] = {key: row[key] for key in row.keys() - TIMES}
    return found


def differing(before: dict[Any, dict[str, Any]], after: dict[Any, dict[str, Any]]) -> list[Any]:
    """What is not as it was: rows that came or went, and columns that changed."""
    found: list[Any] = sorted(before.keys() ^ after.keys())
    for which in before.keys() & after.keys():
        of_control = {"vcpus", "serial_no", "mtime", "raw"} if before[which].get("name") == CONTROL else set()
        # a record of nulls is how Ganeti says that it does not know a job, and that is final
        if after[which]["status" if "status" in after[which] else "name"] == "lost":
            continue
        changed = [key for key in before[which] if before[which][key] != after[which][key] and key not in of_control]
        found += [(which, changed)] if changed else []
    return found


def pages(*arguments: str, below: str = "") -> list[str]:
    """The names of the URLs with just these arguments, complete by construction."""
    found = []
    for name, (possibilities, *_) in get_resolver().reverse_dict.items():
        if isinstance(name, str) and possibilities:
            route, given = possibilities[0]
            if tuple(given) == arguments and below in route:
                found.append(name)
    return sorted(found)


def visit(client: Client, cluster: Cluster, turn: int) -> None:
    """The lists, the pages of the cluster, and in turn a third of the other pages and some page of a third of all else.

    Nothing of the honest cluster changes from one value to the next, so its pages are looked at with the first.
    """
    others = [name for name in pages() if name not in LISTS]
    urls = [reverse(name) for name in (*LISTS, *others[turn % 3 :: 3])]
    slugs = (cluster.slug, "honest") if turn == 0 else (cluster.slug,)
    urls += [reverse(name, args=[slug]) for name in pages("slug") for slug in slugs]
    of_vm, of_node = pages("slug", "name", below="/vms/"), pages("slug", "name", below="/nodes/")
    of_job = pages("slug", "number")
    assert len(of_vm) > 4 and len(of_node) > 2 and len(of_job) > 1
    pairs = [
        *((of_vm, vm.name) for vm in cluster.virtual_machines.order_by("pk")),
        *((of_node, node.name) for node in cluster.nodes.order_by("pk")),
        *((of_job, job.ganeti_id) for job in cluster.jobs.order_by("pk")),
    ]
    # Of one object only its rows are read: what is in them is the same from any database, so a second shows a ninth.
    one_in = 3 if connection.vendor == "sqlite" else 9
    for position, (names, which) in enumerate(pairs):
        if (position + turn) % one_in == 0:
            urls.append(reverse(names[(position + turn) // one_in % len(names)], args=[cluster.slug, which]))
    for url in urls:
        assert client.get(url).status_code < 500, url


def read_all(cluster: Cluster) -> Any:
    """One update that reads everything."""
    Schedule.objects.filter(pk=cluster.pk).update(configs_read_at=None, sync_wanted_at=timezone.now())
    began = process_time()
    report = update(cluster)
    assert process_time() - began < SECONDS
    return report


@pytest.fixture
def client(db: None) -> Client:
    client = Client()
    client.force_login(make_admin())
    return client


@pytest.mark.long
@pytest.mark.parametrize("names", in_lots_of(8))
def test_a_record_costs_itself_alone(liar: Liar, honest: Cluster, client: Client, names: tuple[str, ...]) -> None:
    read_all(liar.row)
    good = rows_of(liar.row)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for turn, name in enumerate(names):
        liar.lie(VALUES[name])
        liar.simulator.outside.modify(CONTROL, beparams={"vcpus": turn + 2})
        report = read_all(liar.row)
        assert (report.outcome, report.error) == ("updated", ""), name
        assert VirtualMachine.objects.get(name=CONTROL).vcpus == turn + 2, name
        visit(client, liar.row, turn)
        assert update(honest).outcome == "updated", name
        liar.simulator.alterations.clear()
        liar.simulator.outside.modify(CONTROL, beparams={"vcpus": 1})
        assert read_all(liar.row).outcome == "updated"
        assert liar.row.unreadable == [], name
        assert differing(good, rows_of(liar.row)) == [], name
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024 < MIB


@pytest.mark.long
@pytest.mark.parametrize("names", in_lots_of(16))
def test_what_a_cluster_says_of_itself_costs_that_field(
    liar: Liar, honest: Cluster, client: Client, names: tuple[str, ...]
) -> None:
    good = Cluster.objects.filter(pk=liar.row.pk).values("name", "master", "software_version", "info").get()
    urls = [reverse(name, args=[liar.row.slug]) for name in pages("slug")] + [reverse("overview"), reverse("clusters")]
    for name in names:
        if name == "twice":
            continue  # there is one of it
        for field in INFO_FIELDS:
            if field != "uuid":
                liar.simulator.alterations.alter("info", field, VALUES[name])
        assert update(liar.row).outcome == "updated", name
        for url in urls:
            assert client.get(url).status_code < 500, (name, url)
        assert update(honest).outcome == "updated"
        liar.simulator.alterations.clear()
        assert update(liar.row).outcome == "updated"
        assert Cluster.objects.filter(pk=liar.row.pk).values(*good).get() == good, name


NO_IDENTITIES = ("null", "absent", "an empty text", "a number", "a list", "nul", "surrogate", "slash")
OTHERS = [name for name in VALUES if name not in (*NO_IDENTITIES, "twice", "a text", "twins")]


@pytest.mark.parametrize(
    "name",
    [
        *some_in_fast(NO_IDENTITIES, 3),
        *(pytest.param(name, marks=[pytest.mark.long, pytest.mark.alike]) for name in OTHERS),
    ],
)
def test_a_cluster_whose_identity_is_none_is_not_touched(liar: Liar, client: Client, name: str) -> None:
    good = rows_of(liar.row)
    liar.simulator.alterations.alter("info", "uuid", VALUES[name])
    report = update(liar.row)
    assert report.outcome == "failed" and liar.row.last_error
    assert rows_of(liar.row) == good
    assert client.get(reverse("cluster", args=[liar.row.slug])).status_code == 200
    liar.simulator.alterations.clear()
    assert update(liar.row).outcome == "updated"
