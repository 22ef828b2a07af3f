"""Calls of who follows jobs and of operations are added up in the schedule and stand among the figures."""

import pytest

from clusters.models import Cluster, Schedule
from objectlog.models import Outcome
from operations.contract import Actor
from simulator import Simulator
from tests.monitoring.test_metrics import figures
from tests.updates.following import VM2, VM3, follow, machine, operate
from updates.follower import follow_cluster

pytestmark = [pytest.mark.usefixtures("short_time_outs"), pytest.mark.feature("G029")]


def test_calls_of_operations_and_of_who_follows_their_jobs_are_told_apart(
    simulator: Simulator, cluster: Cluster, root: Actor
) -> None:
    updates = figures()["gwm_rapi_calls_total updates alpha"]
    operate(root, "shutdown", machine(cluster))
    asked = len(simulator.requests)
    follow(cluster)
    found = figures()
    assert found["gwm_rapi_calls_total operations alpha"] == asked > 0
    assert found["gwm_rapi_calls_total followers alpha"] == len(simulator.requests) - asked > 0
    assert found["gwm_rapi_calls_total updates alpha"] == updates
    assert found["gwm_rapi_seconds_total operations alpha"] > 0 < found["gwm_rapi_seconds_total followers alpha"]
    assert not [name for name in found if name.startswith("gwm_rapi_errors_total")]


def test_what_failed_is_told_by_kind_and_asker(simulator: Simulator, cluster: Cluster, root: Actor) -> None:
    operate(root, "shutdown", machine(cluster))
    Cluster.objects.update(host="127.0.0.1", port=1)
    cluster.refresh_from_db()
    for name in (VM2, VM3):
        Schedule.objects.update(follow_leased_until=None)
        assert follow_cluster(cluster).outcome == "failed"
        assert operate(root, "reboot", machine(cluster, name)).outcome != Outcome.SUBMITTED
    found = figures()
    for asker in ("operations", "followers"):
        assert found[f"gwm_rapi_errors_total {asker} alpha unreachable"] >= 2
    assert found["gwm_rapi_calls_total operations alpha"] > found["gwm_rapi_errors_total operations alpha unreachable"]
