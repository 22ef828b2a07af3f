"""The row of the updates: one for each cluster, the only one that an update in which nothing changed writes."""

from importlib import import_module

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clusters.models import Cluster, Schedule
from tests.factories import make_cluster
from tests.fixtures.migrating import migrate, migrate_all
from tests.updates.conftest import update
from updates.due import claim_due, select_due

BEFORE, AFTER = [("clusters", "0011_keys_of_operations")], [("clusters", "0012_schedules")]
MOVED = import_module("clusters.migrations.0012_schedules").MOVED


def test_an_update_in_which_nothing_changed_leaves_the_clusters_row_alone(simulator, cluster):
    with CaptureQueriesContext(connection) as queries:
        assert update(cluster).outcome == "updated"
    writes = [query["sql"].split()[:2] for query in queries if query["sql"].startswith(("UPDATE", "INSERT", "DELETE"))]
    assert len(writes) == 3 and all(each == ["UPDATE", '"clusters_schedule"'] for each in writes)


def test_a_failure_is_written_into_the_clusters_row_once(simulator, cluster):
    simulator.faults.add("drop")
    tables = []
    for _ in range(2):
        report = update(cluster)
        assert report.outcome == "failed"
        tables.append([each.table for each in report.written if each.rows])
    assert tables == [["clusters_schedule", "clusters_cluster"], ["clusters_schedule"]]
    assert cluster.schedule.failures == 2


@pytest.mark.django_db
def test_a_cluster_comes_with_its_schedule_and_is_due():
    cluster = Cluster.objects.create(slug="new", host="127.0.0.1")
    assert cluster.schedule == Schedule.objects.get() == select_due().get()
    cluster.description = "saved again"
    cluster.save()
    assert Schedule.objects.count() == 1 and Cluster.objects.get().synced_at is None


@pytest.mark.django_db
def test_one_added_by_the_release_before_gets_its_schedule():
    cluster = make_cluster()
    Schedule.objects.all().delete()
    assert Cluster.objects.get().synced_at is None and Cluster.objects.get().live_at is None
    assert claim_due() == [cluster.pk]


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_the_migration_carries_the_values_over_and_back():
    migrate(BEFORE)
    try:
        states = MigrationExecutor(connection).loader
        now, old = timezone.now(), states.project_state(BEFORE).apps.get_model("clusters", "Cluster")
        old.objects.create(slug="a", host="h", synced_at=now, failures=3, lease_holder="x", next_sync_at=now)
        row = old.objects.values(*MOVED).get()

        migrate(AFTER)
        assert Schedule.objects.values(*MOVED).get() == row
        # The release before goes on reading and adding clusters, this one adds them without knowing its columns.
        assert old.objects.values(*MOVED).get() == row
        old.objects.create(slug="b", host="h", failures=1)
        this = states.project_state(AFTER).apps.get_model("clusters", "Cluster")
        this.objects.create(slug="c", host="h")
        assert old.objects.get(slug="c").failures == 0

        Schedule.objects.filter(cluster__slug="a").update(failures=4)
        migrate(BEFORE)
        assert old.objects.values(*MOVED).get(slug="a") == {**row, "failures": 4}
    finally:
        migrate_all()
