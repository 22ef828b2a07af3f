"""What pages take with 10,000 machines on 20 clusters, none of which answers, on SQLite and on PostgreSQL.

Server time is that of Django's own test client: the whole way through middleware, view and template, without the
network.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from tools.bench.databases import cpu_s, on_both_databases
from tools.bench.rows import Row
from tools.bench.section import Order, print_rows, run_section

CLUSTERS, MACHINES, VISIBLE = 20, 10_000, 50
# A service that runs: PostgreSQL keeps a plan after it has made one five times.
WARMING = 8
RUNS = 15
VM = "/clusters/cluster07/vms/vm0007.cluster07.example.org/"
# What is asked: name, address, who asks, limits for milliseconds and queries.
PAGES: tuple[tuple[str, str, str, float | None, int | None], ...] = (
    ("list of 50, administrator", "/vms/?per_page=50", "admin", 40, 8),
    ("list of 50, user who may see 50", "/vms/?per_page=50", "user", 40, 8),
    ("list, last page by memory, administrator", "/vms/?per_page=50&page=200&sort=-memory", "admin", None, 8),
    ("list of one cluster, administrator", "/vms/?per_page=50&cluster=cluster05", "admin", 40, 8),
    ("list, search for a word, administrator", "/vms/?per_page=50&q=vm0007", "admin", None, 8),
    ("list, in trouble, administrator", "/vms/?per_page=50&status=trouble", "admin", None, 8),
    ("overview, administrator", "/", "admin", 30, None),
    ("overview, user", "/", "user", 30, None),
    ("machine, administrator", VM, "admin", 30, None),
    ("machine, user", "", "user", 30, None),
    ("machine's parameters, administrator", f"{VM}parameters/", "admin", None, None),
    ("cluster, administrator", "/clusters/cluster07/", "admin", None, None),
    ("nodes, administrator", "/nodes/?per_page=50", "admin", None, None),
    ("jobs, administrator", "/jobs/?per_page=50", "admin", None, None),
    ("jobs, user", "/jobs/?per_page=50", "user", None, None),
    ("journal, user", "/journal/?per_page=50", "user", None, None),
    ("dock, user", "/dock/", "user", None, None),
)


def measure(order: Order) -> Iterator[Row]:
    """One process for each database, with rows of its own."""
    del order
    yield from on_both_databases("tools.bench.pages")


def measure_pages(database: str) -> Iterator[Row]:
    """Make the rows, ask for every page many times. Django must be set up."""
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from tools.bench.many_rows import make_site
    from tools.bench.timing import median_times_s
    from virtualmachines.selectors import list_vms

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    admin, user = make_site(clusters=CLUSTERS, machines=MACHINES, visible=VISIBLE)
    if connection.vendor == "postgresql":  # does so by itself a minute later; nobody does it for SQLite
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    own = list_vms(user).select_related("cluster").first()
    assert own is not None
    clients: dict[str, Any] = {"admin": Client(), "user": Client()}
    clients["admin"].force_login(admin)
    clients["user"].force_login(user)
    for name, asked, who, most_ms, most_queries in PAGES:
        url = asked or f"/clusters/{own.cluster.slug}/vms/{own.name}/"

        def ask(who: str = who, url: str = url) -> None:
            answer = clients[who].get(url, headers={"host": "localhost"})
            if answer.status_code != 200:
                raise RuntimeError(f"{url} answered {answer.status_code}")

        for _ in range(WARMING):
            ask()
        worked_s = cpu_s(connection)
        took_s = median_times_s({"page": ask}, runs=RUNS)["page"]
        worked_s = (cpu_s(connection) - worked_s) / (RUNS + 1)  # its first round does not count
        with CaptureQueriesContext(connection) as statements:
            ask()
        what = f"Pages on {database}: {name}"
        yield Row(f"pages.{database}.{who}.{asked}", what, MACHINES, took_s * 1000, "ms", most_ms)
        if most_ms is not None:
            yield Row(f"cpu.{database}.{who}.{asked}", f"{what}, CPU of it", MACHINES, worked_s * 1000, "ms")
        yield Row(f"queries.{database}.{who}.{asked}", f"{what}, queries", MACHINES, len(statements), "", most_queries)


if __name__ == "__main__":
    if "--database" in sys.argv:
        import django

        django.setup()
        print_rows(measure_pages(sys.argv[sys.argv.index("--database") + 1]))
    else:
        run_section(measure)
