"""A site as large as we promise: 100,000 machines, 2,000 people, 300 teams, 100,000 grants, 1,000,000 events.

Measured in CPU time, the database's included, on SQLite and on PostgreSQL: lists of people with many rights, pages of
rights, and pages of the journal, whatever it is asked for.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from tools.bench.databases import cpu_s, on_both_databases, settle
from tools.bench.rows import Row
from tools.bench.section import Order, print_rows, run_section

if TYPE_CHECKING:
    from permissions.models import User

CLUSTERS, MACHINES, PEOPLE, TEAMS, GRANTS, EVENTS = 100, 100_000, 2_000, 300, 100_000, 1_000_000
WARMING, RUNS = 6, 10
MOST_MS, LIST_QUERIES = 40, 8
VM = "/clusters/cluster07/vms/vm0007.cluster07.example.org/"
LISTS = ("fifty teams", "fifty machines", "a bit of all", "a cluster")
ADMINS = {
    "rights of a machine": f"{VM}rights/",
    "rights of a cluster": "/clusters/cluster07/rights/",
    "rights of a team": "/teams/team7/rights/",
    "journal of a machine": f"{VM}journal/?per_page=50",
    "journal of a cluster": "/clusters/cluster07/journal/?per_page=50",
    "journal": "/journal/?per_page=50",
    **{f"journal, page {page}": f"/journal/?per_page=50&page={page}" for page in (5, 20, 200)},
    "journal, every step": "/journal/?per_page=50&steps=1",
    **{
        f"journal, {asked}": f"/journal/?per_page=50&q={asked}"
        for asked in (
            *("actor:person7", "actor:left", "actor:nobody", "verb:vm.reboot", "verb:reboot", "verb:vm.delete"),
            *("verb:team.create", "kind:vm", "kind:node", "cluster:cluster05", "what:example", "what:nowhere"),
            *("reboot", "unobtainium", "nowhere", "actor:person7+verb:vm.delete"),
        )
    },
    **{f"journal, {name}": f"/journal/?per_page=50&outcome={name}" for name in ("bad", "open", "well", "lost")},
    **{
        f"journal by {order}": f"/journal/?per_page=50&sort={order}"
        for order in ("who", "-who", "target", "outcome", "-outcome", "verb", "cluster")
    },
}
# Of these nothing is known beforehand for who may read some of all; and nobody knows how they go together.
ASKED = (
    *("&steps=1", "&q=verb:vm.reboot", "&q=verb:vm.delete", "&q=cluster:cluster01", "&q=reboot", "&q=what:example"),
    *("&q=via:web", "&q=-via:web&sort=when", "&q=from:192.0.2", "&outcome=bad", "&outcome=well", "&sort=when"),
    *("&sort=who", "&sort=-target", "&sort=outcome", "&q=reboot&sort=who"),
)


def measure(order: Order) -> Iterator[Row]:
    """One process for each database, with rows of its own."""
    yield from on_both_databases("tools.bench.scale", kept=order.kept)


def measure_scale(database: str) -> Iterator[Row]:
    """Make the rows, then ask for every page. Django must be set up."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from gwm.processes.ready import keep_what_is_loaded

    admin, holders = _find_or_make()
    settle(connection)
    keep_what_is_loaded()
    for name, who, url, most_queries in pages_asked_for(admin, holders):
        client = Client()
        client.force_login(who)

        def ask(client: Client = client, url: str = url) -> None:
            answer = client.get(url, headers={"host": "localhost"})
            if answer.status_code != 200:
                raise RuntimeError(f"{url} answered {answer.status_code}")

        for _ in range(WARMING):
            ask()
        began = cpu_s(connection)
        for _ in range(RUNS):
            ask()
        worked_ms = (cpu_s(connection) - began) / RUNS * 1000
        with CaptureQueriesContext(connection) as statements:
            ask()
        key, what = f"scale.{database}.{name}", f"Scale on {database}: {name}"
        yield Row(f"{key}.cpu", f"{what}, CPU", MACHINES, worked_ms, "ms", MOST_MS)
        yield Row(f"{key}.queries", f"{what}, queries", MACHINES, len(statements), "", most_queries)


def _find_or_make() -> tuple[User, dict[str, User]]:
    """The rows, and who asks. They are made where there are none yet; those that were kept are only migrated."""
    from django.conf import settings
    from django.core.management import call_command

    from permissions.models import User
    from tools.bench.many_events import make_events
    from tools.bench.many_grants import HOLDER, make_grants
    from tools.bench.many_rows import make_site

    call_command("migrate", verbosity=0)
    made = settings.DATA_DIR / "made"
    size = json.dumps([CLUSTERS, MACHINES, PEOPLE, TEAMS, GRANTS, EVENTS])
    if not made.exists():
        call_command("createcachetable", verbosity=0)
        make_site(clusters=CLUSTERS, machines=MACHINES, visible=50)
        make_grants(GRANTS, people_of=PEOPLE, teams_of=TEAMS)
        make_events(EVENTS)
        made.write_text(size)
    elif made.read_text() != size:
        raise RuntimeError(f"What is kept in {settings.DATA_DIR} is of another size: {made.read_text()}.")
    holders = User.objects.filter(username__startswith=HOLDER)
    return User.objects.get(username="admin"), {each.username.removeprefix(HOLDER): each for each in holders}


def pages_asked_for(admin: User, holders: Mapping[str, User]) -> list[tuple[str, User, str, int | None]]:
    """What is measured: its name, who asks for which page, and how many queries it may take."""
    asked: list[tuple[str, User, str, int | None]]
    asked = [(f"list, holder of {name}", holders[name], "/vms/?per_page=50", LIST_QUERIES) for name in LISTS]
    asked += [(f"{name}, administrator", admin, url, None) for name, url in ADMINS.items()]
    asked += [
        (f"journal{words}, holder of {name}", holders[name], f"/journal/?per_page=50{page}", None)
        for words, page in (("", ""), *((f", page {page}", f"&page={page}") for page in (5, 20, 200)))
        for name in LISTS
    ]
    asked += [
        (f"journal{query}, page {page}, {kind} {name}".strip(), who, f"/journal/?per_page=50{query}&page={page}", None)
        for kind, name, who in (
            *(("holder of", name, holders[name]) for name in LISTS),
            ("administrator", "", admin),
        )
        for query in ASKED
        for page in (1, 20, 200)
    ]
    return asked


if __name__ == "__main__":
    if "--database" in sys.argv:
        import django

        django.setup()
        print_rows(measure_scale(sys.argv[sys.argv.index("--database") + 1]))
    else:
        run_section(measure)
