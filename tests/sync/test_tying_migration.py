"""Rows of an installation that knew things by their names: tied where just one row can be meant, and back again."""

from datetime import UTC, datetime

import pytest

from clusters.models import JobTarget
from objectlog.models import Entry
from tests.factories import make_cluster, make_job, make_node, make_vm
from tests.fixtures.migrating import migrate, migrate_all

BEFORE = [("clusters", "0007_keys_of_targets"), ("virtualmachines", "0004_keys_of_targets")]
AFTER = [("clusters", "0008_tie_targets"), ("virtualmachines", "0005_tie_targets")]


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


@pytest.mark.long
@pytest.mark.feature("G048")
@pytest.mark.django_db(transaction=True)
def test_targets_are_tied_where_one_row_can_be_meant_and_untied_again() -> None:
    cluster = make_cluster("lab")
    old = make_vm(cluster, "web1", ctime=day(1).timestamp(), missing_since=day(10))
    new = make_vm(cluster, "web1", ctime=day(12).timestamp())
    node = make_node(cluster, "node1", raw={"ctime": day(2).timestamp()})
    jobs = {
        "of the old": make_job(cluster, ("instance", "web1"), received_at=day(3), ended_at=day(4)),
        "of the new": make_job(cluster, ("instance", "web1"), received_at=day(13), ended_at=day(14)),
        "of nobody": make_job(cluster, ("instance", "web1"), received_at=day(11), ended_at=day(11)),
        "of both": make_job(cluster, ("instance", "web1"), received_at=day(9), ended_at=day(13)),
        "of the node": make_job(cluster, ("node", "node1"), received_at=day(3), ended_at=day(4)),
        "before the node": make_job(cluster, ("node", "node1"), received_at=day(1), ended_at=day(1)),
        "of the cluster": make_job(cluster, ("cluster", "cluster")),
    }
    entry = Entry.objects.create(
        verb="vm.start", target_kind="vm", target_pk=new.pk, target_name="web1", cluster_name="lab", outcome="done"
    )
    migrate(BEFORE)
    JobTarget.objects.update(target_pk=None, uuid="")
    migrate(AFTER)
    keys = {name: job.targets.get().target_pk for name, job in jobs.items()}
    assert keys == {
        "of the old": old.pk,
        "of the new": new.pk,
        "of nobody": None,
        "of both": None,
        "of the node": node.pk,
        "before the node": None,
        "of the cluster": cluster.pk,
    }
    entry.refresh_from_db()
    assert (entry.cluster_pk, entry.target_uuid) == (cluster.pk, new.uuid)
    migrate(BEFORE)
    assert not JobTarget.objects.exclude(target_pk=None).exists()
    migrate(AFTER)
    assert JobTarget.objects.exclude(target_pk=None).count() == 4
    migrate_all()
