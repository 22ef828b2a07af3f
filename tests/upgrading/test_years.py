"""A database of the release before, full of odd rows, after the upgrade: nothing is lost, and all of it works.

First the rows of today go back to that release, then rows of the models as it has them are made (`edges.py`), and again
of the models just before each migration that moves data: a migration to come meets rows without a word here. What its
triggers keep is left out: like `manage.py migrate`, the way there and back goes without them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.apps.registry import Apps
from django.core.management import call_command
from django.db import connection, migrations
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState
from django.test import Client
from django.urls import reverse

from clusters.models import Cluster
from gwm.health import examine_parts
from gwm.preparation import prepare_database
from objectlog.chain import seal_all
from objectlog.models import Entry, Outcome, Via
from operations.contract import Actor
from sealing.fields import Sealed
from simulator import Simulator
from tests.architecture.test_migrations import RELEASED, ours, released_keys
from tests.factories import make_admin, make_cluster
from tests.fixtures.migrating import migrate, migrate_all, migrate_with
from tests.updates.conftest import update
from tests.updates.following import VM1, VM2, follow, machine, operate
from tests.upgrading.edges import NOT_MADE, Filling, models_of

pytestmark = [pytest.mark.beside, pytest.mark.feature("F291", "F292")]

Rows = dict[str, dict[Any, dict[str, Any]]]
_KEYS = "operations are called by their keys (…_keys_of_operations)"
#: what a row has otherwise after the upgrade, by column, and why
OTHERWISE = {
    "clusters.node.busy_with": _KEYS,
    "objectlog.entry.verb": _KEYS,
    "virtualmachines.virtualmachine.busy_with": _KEYS,
}
#: the same on the way back
OTHERWISE_BACK = {**OTHERWISE, "clusters.job.title": "is cut to what fits"}
#: parts that do not run here
NOT_STARTED = {"Worker and beat", "Console proxy", "Processes"}
LISTS = (
    *("overview", "clusters", "vms", "nodes", "jobs", "journal", "batches", "people", "teams", "templates", "usage"),
    *("requests", "reconciliation", "health", "names", "site-rights", "profile"),
)
PAGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "clusters.cluster": (
        ("slug",),
        (
            "cluster",
            "cluster-vms",
            "cluster-nodes",
            "cluster-jobs",
            "cluster-rights",
            "cluster-quotas",
            "cluster-journal",
        ),
    ),
    "clusters.node": (("cluster__slug", "name"), ("node", "node-jobs", "node-journal")),
    "clusters.job": (("cluster__slug", "ganeti_id"), ("job",)),
    "virtualmachines.virtualmachine": (
        ("cluster__slug", "name"),
        ("vm", "vm-parameters", "vm-jobs", "vm-rights", "vm-journal"),
    ),
}


class FillingExecutor(MigrationExecutor):
    """Fills the tables before each migration that moves data, and keeps what stood in a row at first."""

    filling: Filling
    kept: Rows

    def fill(self, apps: Apps) -> None:
        """Rows of these models, kept with all that were there without having been kept."""
        self.filling.fill(apps)
        for label, rows in rows_of(apps).items():
            self.kept[label] = {**rows, **self.kept.get(label, {})}

    def apply_migration(self, state: ProjectState, migration: Migration, *args: Any, **options: Any) -> ProjectState:
        """Of the plan, one after another."""
        if any(isinstance(each, migrations.RunPython | migrations.RunSQL) for each in migration.operations):
            self.fill(state.apps)
        return super().apply_migration(state, migration, *args, **options)


def rows_of(apps: Apps) -> Rows:
    """All rows, by model and key, with the values of their columns."""
    found: Rows = {}
    for model in models_of(apps):
        if model._meta.label_lower not in NOT_MADE:
            key, rows = model._meta.pk.attname, model._base_manager.values()
            found[model._meta.label_lower] = {row[key]: {name: _plain(row[name]) for name in row} for row in rows}
    return found


def _plain(value: Any) -> Any:
    return value.reveal() if isinstance(value, Sealed) else value


def differences(before: Rows, after: Rows, otherwise: dict[str, str]) -> Iterator[str]:
    """Rows that are gone, and columns of both that differ without a reason."""
    for label, rows in before.items():
        for key, values in rows.items():
            now = after.get(label, {}).get(key)
            if now is None:
                yield f"{label} {key} is gone"
                continue
            for column in set(values) & set(now):
                if values[column] != now[column] and f"{label}.{column}" not in otherwise:
                    yield f"{label}.{column} of {key}: {str(values[column])[:99]} became {str(now[column])[:99]}"


def released_targets(executor: MigrationExecutor) -> list[tuple[str, str | None]]:
    """Where the release before stood: what it did not have is gone."""
    known = {app for app, _name in released_keys(executor.loader)}
    there = ours() & {app for app, _name in executor.loader.graph.nodes}
    return [*RELEASED.items(), *((app, None) for app in sorted(there - known))]


@pytest.fixture
def tables_of_today(transactional_db: None) -> Iterator[None]:
    """Whatever happens meanwhile: the next test finds the tables of today."""
    yield
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        migrate_all()


def read_simulated(simulator: Simulator) -> Cluster:
    """A cluster that answers, as an update has read it."""
    cluster = make_cluster(
        "alpha",
        host=simulator.host,
        port=simulator.port,
        tls_fingerprint=simulator.fingerprint,
        username=simulator.username,
        password=simulator.password,
        uuid="",
    )
    assert update(cluster).outcome == "updated"
    return cluster


def ask_for_two(simulator: Simulator, cluster: Cluster) -> tuple[Entry, Entry]:
    """Two operations under way, of which the second got no answer."""
    actor = Actor(make_admin("asker"), Via.WEB)
    accepted = operate(actor, "reboot", machine(cluster, VM1))
    simulator.faults.add("drop_after", method="POST", path=r"/2/instances/.*", times=1)
    lost = operate(actor, "reboot", machine(cluster, VM2))
    assert (accepted.outcome, lost.outcome) == (Outcome.SUBMITTED, Outcome.UNKNOWN)
    return accepted, lost


def ask_pages(client: Client, apps: Apps, kept: Rows) -> Iterator[str]:
    """Every list, and every page of two objects of each kind, one with the least and one with the most; what fails."""
    urls = [reverse(name) for name in LISTS]
    for label, (columns, names) in PAGES.items():
        rows = apps.get_model(label)._base_manager.filter(pk__in=sorted(kept[label])[-2:])
        urls += [reverse(name, args=row) for row in rows.values_list(*columns) for name in names]
    for url in urls:
        if (code := client.get(url, follow=True).status_code) != 200:  # what is gone has another address
            yield f"{re.sub('x{9,}', '…', url)}: {code}"


def test_rows_of_the_release_before_are_there_after_the_upgrade_and_all_works(
    make_simulator: Callable[..., Simulator], tables_of_today: None
) -> None:
    simulator = make_simulator(nodes=2, instances=3)
    cluster = read_simulated(simulator)
    accepted, lost = ask_for_two(simulator, cluster)
    seal_all()
    today = MigrationExecutor(connection)
    migrate([])  # takes triggers off
    Filling("today").fill(today.loader.project_state().apps)
    before = rows_of(today.loader.project_state().apps)

    migrate_with(today, released_targets(today))
    gone_back = today.loader.project_state(list(RELEASED.items())).apps
    there = {model._meta.label_lower for model in models_of(gone_back)}
    before = {label: rows for label, rows in before.items() if label in there}
    assert list(differences(before, rows_of(gone_back), OTHERWISE_BACK)) == []

    executor = FillingExecutor(connection)
    executor.filling, executor.kept = Filling("then"), {}
    executor.fill(gone_back)
    first = {label: dict(rows) for label, rows in executor.kept.items()}
    now = migrate_with(executor, executor.loader.graph.leaf_nodes()).apps
    assert list(differences(executor.kept, rows_of(now), OTHERWISE)) == []

    call_command("migrate", verbosity=0)  # nothing is left of it but what comes after migrations
    prepare_database(lambda _line: None)
    seal_all()
    for words in ("check", "verify_journal", "check_counts"):
        call_command(words, stdout=StringIO(), stderr=StringIO())
    assert {part.name for part in examine_parts() if part.kind == "bad"} <= NOT_STARTED
    client = Client(raise_request_exception=False)
    client.force_login(make_admin())
    assert list(ask_pages(client, now, first)) == []

    follow(cluster)
    simulator.run_jobs()
    follow(cluster)
    for entry in (accepted, lost):
        entry.refresh_from_db()
        assert entry.outcome == Outcome.SUCCEEDED
    assert not machine(cluster, VM1).is_busy and not machine(cluster, VM2).is_busy
