"""What pages take with 10,000 machines on 20 clusters and with 100,000 on 100, none of which answers, on SQLite and on
PostgreSQL.

Measured is the whole way through middleware, view and template by Django's own test client, without the network. Held
to limits is the CPU time of it, the database's included: it is the same on a machine that is busy, but for what others
take from its caches. So it is the median of many times; what the worst of them took stands beside it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from tools.bench.databases import cpu_s, on_both_databases, settle
from tools.bench.rows import Row
from tools.bench.section import Order, print_rows, run_section

# Machines, and their clusters.
SIZES = {10_000: 20, 100_000: 100}
VISIBLE = 50
# A service that runs: PostgreSQL keeps a plan after it has made one five times.
WARMING = 8
RUNS = 15
VM = "/clusters/cluster07/vms/vm0007.cluster07.example.org/"
LIST, OVERVIEW = "list of 50, administrator", "overview, administrator"
# What is asked: name, address, who asks, limits for milliseconds of CPU time and queries.
PAGES: list[tuple[str, str, str, float | None, int | None]] = [
    (LIST, "/vms/?per_page=50", "admin", 40, 7),
    ("list of 50, user who may see 50", "/vms/?per_page=50", "user", 40, 7),
    ("list of one cluster, administrator", "/vms/?per_page=50&cluster=cluster05", "admin", 40, 8),
    ("list, a word, administrator", "/vms/?per_page=50&q=vm0007", "admin", 60, 8),
    ("list, a word that all have, administrator", "/vms/?per_page=50&q=example", "admin", 60, 8),
    ("list, a word that none has, administrator", "/vms/?per_page=50&q=nowhere", "admin", 60, 8),
    ("list, an address, administrator", "/vms/?per_page=50&q=198.51.7.1", "admin", 60, 8),
    ("list, a word, user", "/vms/?per_page=50&q=vm", "user", 60, 8),
    ("list, in trouble, administrator", "/vms/?per_page=50&status=trouble", "admin", 60, 8),
    ("list, running, administrator", "/vms/?per_page=50&status=running", "admin", 60, 8),
    ("list, a tag, administrator", "/vms/?per_page=50&tag=web", "admin", 60, 8),
    ("list, an operating system, administrator", "/vms/?per_page=50&os=debian", "admin", 60, 8),
    ("list, a word and an owner, administrator", "/vms/?per_page=50&q=example+owner:owner7", "admin", 60, 8),
    ("list, an owner, administrator", "/vms/?per_page=50&owner=owner7", "admin", 60, 8),
    ("list, a node, administrator", "/vms/?per_page=50&node=node3.cluster05", "admin", 60, 8),
    ("list, more memory than, administrator", "/vms/?per_page=50&q=mem%3E15G", "admin", 60, 8),
    ("list, several filters, administrator", "/vms/?per_page=50&q=status:down+tag:web+-name:vm00", "admin", 60, 8),
    (OVERVIEW, "/", "admin", 40, None),
    ("overview, user", "/", "user", 40, None),
    ("machine, administrator", VM, "admin", 25, None),
    ("machine, user", "", "user", 25, None),
    ("machine's parameters, administrator", f"{VM}parameters/", "admin", None, None),
    ("cluster, administrator", "/clusters/cluster07/", "admin", None, None),
    ("clusters, administrator", "/clusters/", "admin", None, None),
    ("nodes, administrator", "/nodes/?per_page=50", "admin", None, None),
    ("jobs, administrator", "/jobs/?per_page=50", "admin", None, None),
    ("jobs, user", "/jobs/?per_page=50", "user", None, None),
    ("journal, administrator", "/journal/?per_page=50", "admin", None, None),
    ("journal, user", "/journal/?per_page=50", "user", None, None),
    ("dock, user", "/dock/", "user", None, None),
]
# The last of the first twenty pages, in every order of the list both ways; by owner and node they are found by groups,
# which takes a query more (ui.groups).
PAGES += [
    (f"list, page 20 by {column}, administrator", f"/vms/?per_page=50&page=20&sort={column}", "admin", 60, queries)
    for each, queries in (
        *((column, 8) for column in ("name", "status", "cluster", "os", "vcpus", "memory", "disk")),
        *((column, 9) for column in ("owner", "node")),
    )
    for column in (each, f"-{each}")
]
# With 10,000 machines a page may not take longer than it did before there were 100,000.
TIGHTER: dict[tuple[int, str, str], float] = {
    (10_000, "SQLite", LIST): 24,
    (10_000, "PostgreSQL", LIST): 31,
    (10_000, "SQLite", OVERVIEW): 30,
    (10_000, "PostgreSQL", OVERVIEW): 30,
}


def measure(order: Order) -> Iterator[Row]:
    """One process for each size and database, with rows of its own."""
    del order
    for machines in SIZES:
        yield from on_both_databases("tools.bench.pages", "--machines", str(machines))


def measure_pages(database: str, machines: int) -> Iterator[Row]:
    """Make the rows, ask for every page many times. Django must be set up."""
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from gwm.processes.ready import keep_what_is_loaded
    from tools.bench.many_rows import make_site
    from virtualmachines.selectors import list_vms

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    admin, user = make_site(clusters=SIZES[machines], machines=machines, visible=VISIBLE)
    settle(connection)
    own = list_vms(user).select_related("cluster").first()
    assert own is not None
    clients: dict[str, Any] = {"admin": Client(), "user": Client()}
    clients["admin"].force_login(admin)
    clients["user"].force_login(user)
    keep_what_is_loaded()  # as a process of the product does
    for name, asked, who, most_ms, most_queries in PAGES:
        url = asked or f"/clusters/{own.cluster.slug}/vms/{own.name}/"

        def ask(who: str = who, url: str = url) -> None:
            answer = clients[who].get(url, headers={"host": "localhost"})
            if answer.status_code != 200:
                raise RuntimeError(f"{url} answered {answer.status_code}")

        for _ in range(WARMING):
            ask()
        worked, took = [], []
        for _ in range(RUNS):
            before, began = cpu_s(connection), time.perf_counter()
            ask()
            took.append(time.perf_counter() - began)
            worked.append(cpu_s(connection) - before)
        with CaptureQueriesContext(connection) as statements:
            ask()
        what = f"Pages on {database}: {name}"
        held_ms = TIGHTER.get((machines, database, name), most_ms)
        cpu_ms, most_cpu_ms, took_ms = (1000 * each for each in (median(worked), max(worked), median(took)))
        yield Row(f"cpu.{database}.{who}.{asked}", f"{what}, CPU", machines, cpu_ms, "ms", held_ms)
        yield Row(f"most.{database}.{who}.{asked}", f"{what}, CPU at most", machines, most_cpu_ms, "ms")
        yield Row(f"pages.{database}.{who}.{asked}", f"{what}, time", machines, took_ms, "ms")
        yield Row(f"queries.{database}.{who}.{asked}", f"{what}, queries", machines, len(statements), "", most_queries)


if __name__ == "__main__":
    if "--database" in sys.argv:
        import django

        parser = argparse.ArgumentParser()
        parser.add_argument("--database", required=True)
        parser.add_argument("--machines", required=True, type=int, choices=SIZES)
        chosen = parser.parse_args()
        django.setup()
        print_rows(measure_pages(chosen.database, chosen.machines))
    else:
        run_section(measure)
