"""What the update cycle takes, on a database of its own, against the time that RAPI itself takes (section `rapi`)."""

from __future__ import annotations

import os
import resource
import secrets
import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import NamedTuple

_DATA = tempfile.mkdtemp(prefix="gwm-bench-")
os.environ.update(
    DJANGO_SETTINGS_MODULE="gwm.settings",
    GWM_DATA_DIR=_DATA,
    GWM_SECRET_KEY=secrets.token_hex(32),
    GWM_FIELD_KEYS=secrets.token_hex(32),
    GWM_JOURNAL_KEYS=secrets.token_hex(32),
    GWM_CONSOLE_KEYS=secrets.token_hex(32),
)

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.utils import timezone  # noqa: E402

from clusters.models import Cluster, Schedule  # noqa: E402
from gwm.processes.ready import keep_what_is_loaded  # noqa: E402
from tools.bench.rapi import Rapi, list_cheapest  # noqa: E402
from tools.bench.rows import Row, find_row  # noqa: E402
from tools.bench.section import Order, run_section  # noqa: E402
from tools.bench.timing import median_times_s  # noqa: E402
from tools.lab.cluster import Lab  # noqa: E402
from updates.cycle import sync_cluster  # noqa: E402
from updates.report import Report  # noqa: E402

CHANGED = 10
# The bulk call varies more than anything else; once does not do, unless it takes minutes.
ONE_BULK_S = 60.0
# With fewer instances an update takes what it takes without any: to share that out among them would say nothing.
FEW = 500
FIXED_MS = 75  # half of what a thousand may take


class Taken(NamedTuple):
    """Times of one update, in seconds; `cpu_s` is this process's own, of all its threads."""

    wall_s: float
    cpu_s: float
    report: Report


keep_what_is_loaded()  # as the processes of the product do


def _update(cluster: Cluster) -> Taken:
    cluster.refresh_from_db()
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = perf_counter()
    report = sync_cluster(cluster)
    wall_s = perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    if report.outcome != "updated":
        raise RuntimeError(f"The update {report.outcome}: {report.error}")
    return Taken(wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, report)


def _make_cluster(order: Order, slug: str) -> Cluster:
    cluster = Cluster.objects.create(
        slug=slug,
        host=order.host,
        port=order.port,
        username=order.username,
        password=order.password,
        tls_fingerprint=order.fingerprint,
    )
    # The list of operating systems is a job of Ganeti, once a day.
    Schedule.objects.filter(pk=cluster.pk).update(operating_systems_at=timezone.now(), exports_at=timezone.now())
    return cluster


def measure(order: Order) -> Iterator[Row]:
    """First import, updates in which nothing changed, and one in which ten machines did."""
    call_command("migrate", verbosity=0)
    size = order.size
    bulk = find_row(order.rows, "rapi.bulk", size)

    first = []
    for _ in range(2):
        Cluster.objects.filter(slug="import").delete()  # the same cluster is not there twice
        first.append(_update(_make_cluster(order, "import")))
    yield Row("cycle.first", "Cycle: first import", size, min(each.wall_s for each in first))
    if bulk is not None and size <= 1000:
        value = min(each.wall_s for each in first) / bulk.value
        yield Row("cycle.first_to_bulk", "Cycle: first import to /2/instances?bulk=1", size, value, "x", 3)

    cluster = Cluster.objects.get(slug="import")
    _update(cluster)
    same: list[Taken] = []
    rapi = Rapi(order)
    queries = list_cheapest(rapi)
    actions: dict[str, Callable[[], object]] = {
        "rapi": lambda: [ask() for ask in queries.values()],
        "cycle": lambda: same.append(_update(cluster)),
    }
    if size >= 6000:
        actions["bulk"] = lambda: rapi.ask("GET", "/2/instances?bulk=1")
    took = median_times_s(actions, runs=order.runs, long_s=ONE_BULK_S)
    cpu_s = statistics.median(each.cpu_s for each in same)
    yield Row("cycle.same", "Cycle: nothing changed", size, took["cycle"])
    yield Row("cycle.rapi", "Cycle: RAPI itself, in turns with it", size, took["rapi"])
    yield Row("cycle.to_rapi", "Cycle: to the time of RAPI itself", size, took["cycle"] / took["rapi"], "x", 1.3)
    if "bulk" in took:
        value = took["cycle"] / took["bulk"]
        yield Row("cycle.bulk", "Cycle: /2/instances?bulk=1, in turns with it", size, took["bulk"])
        yield Row("cycle.to_bulk", "Cycle: to /2/instances?bulk=1", size, value, "x", 0.1)
        value = took["rapi"] / took["bulk"]
        yield Row("cycle.floor", "Cycle: RAPI itself to /2/instances?bulk=1, the floor of that", size, value, "x")
    if size < FEW:
        yield Row("cycle.cpu_fixed", "Cycle: own CPU, what each update takes", size, cpu_s * 1000, "ms", FIXED_MS)
    else:
        yield Row("cycle.cpu", "Cycle: own CPU per 1,000 instances", size, cpu_s * 1000 * 1000 / size, "ms", 150)
    rows = max(each.report.rows_written for each in same)
    yield Row("cycle.rows", "Cycle: rows written", size, rows, "", 5)
    with CaptureQueriesContext(connection) as statements:
        counted = _update(cluster)
    yield Row("cycle.sql", "Cycle: SQL statements", size, len(statements), "", 20)
    yield Row("cycle.calls", "Cycle: RAPI calls", size, counted.report.rapi_calls, "")

    lab = Lab(order.lab)
    names = list(cluster.virtual_machines.order_by("name").values_list("name", flat=True)[:CHANGED])
    tag = f"bench{secrets.token_hex(4)}"
    for name in names:
        lab.run(lab.master, "gnt-instance", "add-tags", name, tag)
    changed = _update(cluster)
    machines = next(each for each in changed.report.written if each.table == "virtualmachines_virtualmachine")
    if machines.rows != CHANGED:
        raise RuntimeError(f"{machines.rows} machines were written instead of {CHANGED}.")
    yield Row("cycle.ten", f"Cycle: {CHANGED} changed", size, changed.wall_s)
    yield Row("cycle.ten_rows", f"Cycle: more rows for {CHANGED} changed", size, machines.rows, "", CHANGED)
    more = changed.report.rapi_calls - counted.report.rapi_calls
    yield Row("cycle.ten_calls", f"Cycle: more RAPI calls for {CHANGED} changed", size, more, "", 1)


if __name__ == "__main__":
    try:
        run_section(measure)
    finally:
        shutil.rmtree(_DATA, ignore_errors=True)
