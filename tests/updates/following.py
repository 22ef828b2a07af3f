"""What tests of following do again and again: operate, follow, and let time pass."""

from datetime import timedelta

from django.utils import timezone

from clusters.operations.settle import submit_deadline_s
from objectlog.models import Entry
from operations.contract import Ask
from operations.pipeline import run
from operations.table import OPERATIONS
from tests.updates.conftest import update
from updates.follower import follow_cluster
from virtualmachines.models import VirtualMachine

VM1, VM2, VM3 = (f"vm{number}.example.org" for number in (1, 2, 3))


def machine(cluster, name=VM1):
    return VirtualMachine.objects.get(cluster=cluster, name=name)


def follow(cluster):
    cluster.refresh_from_db()
    report = follow_cluster(cluster)
    assert report.outcome == "updated", report.error
    cluster.refresh_from_db()
    return report


def operate(root, verb, target):
    operation = OPERATIONS[verb if "." in verb else f"vm.{verb}"]
    return run(operation, Ask(root, target, operation.params_type()))


def had_before(simulator, cluster):
    """A job of somebody else that has ended: from its number on one can look for ours."""
    simulator.outside.submit("CLUSTER_REDIST_CONF")
    simulator.run_jobs()
    update(cluster)


def let_deadline_pass():
    Entry.objects.update(created_at=timezone.now() - timedelta(seconds=submit_deadline_s() + 1))
