"""What it takes to make machines, and to do something to many: the page, what is asked while one types, plans of 500.

In CPU time, for a person who may create machines on 20 of 100 clusters, on SQLite and on PostgreSQL. What the clusters
say of themselves is what a simulated one answers.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

from tools.bench.databases import cpu_s, on_both_databases, settle
from tools.bench.rows import Row
from tools.bench.section import Order, print_rows, run_section

CLUSTERS, MACHINES, USABLE, PLANNED = 100, 10_000, 20, 500
WARMING, RUNS = 6, 15
PAGE_MS, LIVE_MS, PLAN_MS, PLAN_QUERIES = 60, 30, 500, 15
PAGE, LIVE, BATCH = "/vms/create/", "/vms/create/live/", "/vms/batch/"


def measure(order: Order) -> Iterator[Row]:
    """One process for each database, with rows of its own."""
    del order
    yield from on_both_databases("tools.bench.creating")


def measure_creating(database: str) -> Iterator[Row]:
    """Make the rows, then ask as a person does. Django must be set up."""
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from gwm.processes.ready import keep_what_is_loaded
    from virtualmachines.models import VirtualMachine

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    client = Client()
    client.force_login(_make_creator())
    settle(connection)
    keep_what_is_loaded()

    def ask(url: str, typed: dict[str, Any] | None = None, expected: int = 200) -> Any:
        send = client.get if typed is None else client.post
        answer = send(url, typed, headers={"host": "localhost"})
        if answer.status_code != expected:
            raise RuntimeError(f"{url} answered {answer.status_code}")
        return answer

    fields = re.findall(r'name="((?:beparams|disks|nics)\.[^"]+)"', ask(PAGE).content.decode())
    typed = {**dict.fromkeys(fields, ""), "cluster": "cluster07", "name": "new1.example.org"}
    typed |= {"os": "debootstrap+default", "disks.0.size_mib": "1 GiB", "nics.0.mac": "auto"}
    several = {**typed, "name": f"new{{1..{PLANNED}}}.example.org"}
    ticked = list(VirtualMachine.objects.order_by("pk").values_list("pk", flat=True)[:PLANNED])
    reboots = {"verb": "reboot", "vm": ticked}
    asked: list[tuple[str, str, dict[str, Any] | None, int, float, int | None]] = [
        ("page", PAGE, None, 200, PAGE_MS, None),
        ("live part", LIVE, typed, 200, LIVE_MS, None),
        (f"live part of {PLANNED}", LIVE, several, 200, LIVE_MS, None),
        # With what the form itself reads, as it does for one.
        (f"plan of {PLANNED} creations", PAGE, several, 302, PLAN_MS, None),
        (f"plan of {PLANNED} reboots", BATCH, reboots, 302, PLAN_MS, PLAN_QUERIES),
    ]
    for name, url, given, expected, most_ms, most_queries in asked:
        for _ in range(WARMING):
            ask(url, given, expected)
        began = cpu_s(connection)
        for _ in range(RUNS):
            ask(url, given, expected)
        worked_s = (cpu_s(connection) - began) / RUNS
        with CaptureQueriesContext(connection) as statements:
            ask(url, given, expected)
        key, what = f"creating.{database}.{name}", f"Creating on {database}: {name}"
        yield Row(f"{key}.cpu", f"{what}, CPU", MACHINES, worked_s * 1000, "ms", most_ms)
        yield Row(f"{key}.queries", f"{what}, queries", MACHINES, len(statements), "", most_queries)


def _make_creator() -> Any:
    """The site, and a person who may create machines on some of its clusters, and reboot those that are there."""
    from clusters.models import Cluster, NodeGroup
    from permissions.models import User
    from permissions.services import grant
    from tools.bench.many_rows import make_site

    make_site(clusters=CLUSTERS, machines=MACHINES, visible=50)
    info, systems, group = _read_simulated()
    Cluster.objects.update(info=info, operating_systems=systems)
    NodeGroup.objects.update(raw=group)
    person = User.objects.create_user("creator")
    for cluster in Cluster.objects.order_by("slug")[:USABLE]:
        grant(["create_vm", "admin"] if cluster.pk % 2 else ["create_vm"], person, cluster)
    return person


def _read_simulated() -> tuple[Any, Any, Any]:
    """What a cluster says of itself, its operating systems, and a node group."""
    from clusters.models import Cluster, NodeGroup
    from simulator import Simulator
    from updates.cycle import sync_cluster

    with Simulator() as there:
        cluster = Cluster.objects.create(
            slug="simulated",
            host=there.host,
            port=there.port,
            username=there.username,
            password=there.password,
            tls_fingerprint=there.fingerprint,
        )
        sync_cluster(cluster)
    cluster.refresh_from_db()
    group = NodeGroup.objects.get(cluster=cluster, name="default").raw
    cluster.delete()
    return cluster.info, cluster.operating_systems, group


if __name__ == "__main__":
    if "--database" in sys.argv:
        import django

        django.setup()
        print_rows(measure_creating(sys.argv[sys.argv.index("--database") + 1]))
    else:
        run_section(measure)
