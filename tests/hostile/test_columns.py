"""What the edge lets through fits into the columns that it fills: limits of shapes and of columns are held together."""

from typing import Any

import pytest
from django.db import connection, models
from django.utils import timezone

from clusters.models import Cluster, Job, Network, Node, NodeGroup
from clusters.sync.apply import apply_cluster, apply_groups, apply_networks, apply_nodes
from clusters.sync.jobs import apply_jobs
from clusters.sync.snapshot import JobListing, LiveState, Snapshot
from clusters.sync.wording import title_of
from rapi.shapes import (
    GROUP_FIELDS,
    INSTANCE_CONFIG_FIELDS,
    INSTANCE_LIVE_FIELDS,
    JOB_FIELDS,
    NETWORK_FIELDS,
    NODE_CONFIG_FIELDS,
    NODE_LIVE_FIELDS,
    ClusterInfo,
    GroupInfo,
    InstanceInfo,
    InstanceLive,
    JobInfo,
    NetworkInfo,
    NodeInfo,
    NodeLive,
)
from rapi.shapes.fields import LAST_SECOND, MOST
from rapi.shapes.job import STATUSES
from rapi.shapes.reading import Records
from tests.factories import make_cluster
from tests.hostile.values import INFO_FIELDS
from virtualmachines.models import VirtualMachine
from virtualmachines.sync.apply import apply_machines, load_machines

pytestmark = [pytest.mark.feature("G046"), pytest.mark.django_db]

UUID, NAME, LONG = "u" * 36, "n" * 255, "x" * 100_000
IDENTITY = {"uuid": UUID, "name": NAME, "id": 2**63 - 1, "status": sorted(STATUSES, key=len)[-1]}
TEXTS = dict.fromkeys(
    {*GROUP_FIELDS, *NODE_CONFIG_FIELDS, *NODE_LIVE_FIELDS, *NETWORK_FIELDS, *INSTANCE_CONFIG_FIELDS, *INFO_FIELDS}
    | {*INSTANCE_LIVE_FIELDS, *JOB_FIELDS},
    LONG,
)
NUMBERS = dict.fromkeys(TEXTS, MOST)
TIMES = dict.fromkeys(TEXTS, LAST_SECOND)


def snapshot_of(record: dict[str, Any]) -> Snapshot:
    """A reading in which every record is this one."""
    config = InstanceInfo.parse({**record, **IDENTITY, "admin_state": LONG})
    live = InstanceLive.parse({**record, **IDENTITY, "status": LONG})
    now = timezone.now()
    return Snapshot(
        started_at=now,
        info=ClusterInfo.parse(record | IDENTITY),
        groups=Records({UUID: GroupInfo.parse(record | IDENTITY)}),
        networks=Records({UUID: NetworkInfo.parse(record | IDENTITY)}),
        nodes=Records({UUID: NodeInfo.parse(record | IDENTITY)}),
        machines={UUID: config},  # type: ignore[dict-item]
        placement={},
        configs=Records({UUID: config}),
        jobs=JobListing(now, ()),
        digest="",
        live=LiveState(now, {UUID: NodeLive.parse(record | IDENTITY)}, {UUID: live}),
    )


def assert_fits(row: models.Model) -> None:
    """Every column holds what it can: SQLite would take anything."""
    for column in row._meta.concrete_fields:
        value = column.value_from_object(row)
        if value is None:
            continue
        if isinstance(column, models.CharField) and column.max_length is not None:
            assert len(value) <= column.max_length, column
        if isinstance(column, models.IntegerField):
            low, high = connection.ops.integer_field_range(column.get_internal_type())
            assert (low is None or low <= value) and (high is None or value <= high), column


@pytest.mark.long
@pytest.mark.parametrize("record", [TEXTS, NUMBERS, TIMES], ids=["texts", "numbers", "times"])
def test_the_largest_of_everything_fits_into_its_column(record: dict[str, Any]) -> None:
    cluster, snapshot, now = make_cluster("c"), snapshot_of(record), timezone.now()
    Cluster.objects.filter(pk=cluster.pk).update(**apply_cluster(cluster, snapshot))
    apply_groups(cluster, snapshot, now)
    apply_networks(cluster, snapshot, now)
    apply_nodes(cluster, snapshot, now)
    apply_machines(cluster, snapshot, load_machines(cluster), now)
    job = JobInfo.parse({**record, **IDENTITY, "summary": [LONG], "opstatus": [LONG], "ops": [{"OP_ID": LONG}]})
    apply_jobs(cluster, [job], read_from=now)
    assert len(title_of(job, {})) <= 255
    for model in (Cluster, NodeGroup, Network, Node, VirtualMachine, Job):
        (row,) = model._default_manager.all()
        assert_fits(row)


def test_a_hundred_thousand_of_the_largest_can_be_added_up() -> None:
    assert MOST * 100_000 < 2**63
    disks = {"disk.sizes": [MOST] * 50, "beparams": {"maxmem": MOST + 1, "minmem": -1, "vcpus": MOST}}
    config = InstanceInfo.parse({**IDENTITY, "admin_state": "up", **disks})
    assert (config.disk_total_mib, config.memory_max_mib, config.memory_min_mib, config.vcpus) == (
        MOST,
        None,
        None,
        MOST,
    )
