"""What rights take: 20,000 machines on 20 clusters and 100,000 grants, on SQLite and on PostgreSQL, in CPU time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from tools.bench.databases import cpu_s, on_both_databases, settle
from tools.bench.rows import Row
from tools.bench.section import Order, print_rows, run_section

CLUSTERS, MACHINES, GRANTS = 20, 20_000, 100_000
LIST_MS, CAN_MS = 40, 2
PAGES, ASKED = 12, 200
# A service that runs: PostgreSQL keeps a plan after it has made one five times.
WARMING = 8


def measure(order: Order) -> Iterator[Row]:
    """One process for each database, with rows of its own."""
    del order
    yield from on_both_databases("tools.bench.rights")


def measure_rights(database: str) -> Iterator[Row]:
    """Make the rows, then ask as each kind of holder. Django must be set up."""
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from gwm.processes.ready import keep_what_is_loaded
    from permissions.policy import can, held, verbs_on, visible
    from tools.bench.many_grants import make_grants
    from tools.bench.many_rows import make_site
    from virtualmachines.models import VirtualMachine

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    make_site(clusters=CLUSTERS, machines=MACHINES, visible=50)
    holders = make_grants(GRANTS)
    settle(connection)
    keep_what_is_loaded()  # as a process of the product does

    def cost_ms(action: Callable[[], object], times: int) -> float:
        for _ in range(WARMING):
            action()
        began = cpu_s(connection)
        for _ in range(times):
            action()
        return (cpu_s(connection) - began) / times * 1000

    for name, user in holders.items():
        client = Client()
        client.force_login(user)
        own = visible(user, "view", VirtualMachine.objects.order_by("pk")).last() or VirtualMachine.objects.all()[0]

        def rows_of_a_page(user: Any = user) -> object:
            found = visible(user, "view", VirtualMachine.objects.order_by("name", "cluster"))
            return found.count(), list(found.values_list("pk", "name")[:50])

        def page(client: Any = client) -> object:
            return client.get("/vms/?per_page=50", headers={"host": "localhost"})

        asked: list[tuple[str, Callable[[], object], int, float | None]] = [
            ("count and first 50 of the list", rows_of_a_page, PAGES, LIST_MS),
            ("page of the list", page, PAGES, LIST_MS),
            ("can", lambda user=user, own=own: can(user, "power", own), ASKED, CAN_MS),
            ("verbs_on", lambda user=user, own=own: verbs_on(user, own), ASKED, CAN_MS),
        ]
        for what, action, times, most in asked:
            key = f"rights.{database}.{name}.{what}"
            said = f"Rights on {database}, holder of {name}: {what}"
            yield Row(key, said, MACHINES, cost_ms(action, times), "ms", most)
        with CaptureQueriesContext(connection) as statements:
            held(user, own)
        yield Row(f"{key}.queries", f"{said}, queries", MACHINES, len(statements), "", 1)


if __name__ == "__main__":
    if "--database" in sys.argv:
        import django

        django.setup()
        print_rows(measure_rights(sys.argv[sys.argv.index("--database") + 1]))
    else:
        run_section(measure)
