"""How long it takes to verify a journal of a million events, in CPU time, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Iterator

from tools.bench.databases import cpu_s, on_both_databases, settle
from tools.bench.rows import Row
from tools.bench.section import Order, print_rows, run_section

EVENTS = 1_000_000
MOST_S = 60


def measure(order: Order) -> Iterator[Row]:
    """One process for each database, with rows of its own."""
    del order
    yield from on_both_databases("tools.bench.journal")


def measure_journal(database: str) -> Iterator[Row]:
    """Make the events, then verify them. Django must be set up."""
    from django.core.management import call_command
    from django.db import connection

    from objectlog.verification import Verification

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    make_events(EVENTS)
    settle(connection)
    began, worked = time.perf_counter(), cpu_s(connection)
    verification = Verification()
    problems = list(verification.problems())
    if problems or verification.checked != EVENTS:
        raise RuntimeError(f"{verification.checked} events were verified, with {len(problems)} problems.")
    key, what = f"journal.{database}", f"Journal on {database}: to verify {EVENTS:,} events"
    yield Row(f"{key}.cpu", f"{what}, CPU", 0, cpu_s(connection) - worked, "s", MOST_S)
    yield Row(f"{key}.time", f"{what}, time", 0, time.perf_counter() - began, "s")


def make_events(count: int) -> None:
    """A chain of so many, each as a reboot writes it; sealed here, which is quicker than by the sealer in batches."""
    from objectlog.canonical import list_keys, make_seal, write_text
    from objectlog.chain import seal_all
    from objectlog.models import ChainEnd, Event, Via
    from objectlog.services import Target, begin

    about = Target("vm", 7, "vm0007.example.org", "cluster07", 7, str(uuid.uuid4()))
    begin(actor_id=None, actor_name="a", persona_name="a", via=Via.WEB, verb="vm.reboot", target=about, params={})
    seal_all()
    one, [key, *_] = Event.objects.get(), list_keys()
    fields, seal = json.loads(one.text), one.seal
    columns = {
        field.attname: getattr(one, field.attname) for field in Event._meta.concrete_fields if field.name != "id"
    }

    def follow(number: int) -> Event:
        nonlocal seal
        own = {"target_pk": number, "target_name": f"vm{number}.example.org", "entry_uuid": str(uuid.uuid4())}
        text, previous = write_text({**fields, **own}), seal
        seal = make_seal(key, previous, text)
        chained = {"text": text, "number": number, "previous": previous, "seal": seal}
        return Event(**{**columns, **own, **chained})

    for first in range(2, count + 1, 10_000):
        Event.objects.bulk_create([follow(number) for number in range(first, min(first + 10_000, count + 1))])
    newest = ChainEnd.objects.get(name=ChainEnd.NEWEST)
    newest.number, newest.seal = count, seal
    newest.mac = make_seal(key, newest.name, str(newest.number), newest.seal)
    newest.save()


if __name__ == "__main__":
    if "--database" in sys.argv:
        import django

        django.setup()
        print_rows(measure_journal(sys.argv[sys.argv.index("--database") + 1]))
    else:
        run_section(measure)
