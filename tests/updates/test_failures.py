"""A failed, partial or garbled reading changes nothing but the error that is shown."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone
from guardian.shortcuts import assign_perm

from clusters.models import Cluster, Job, Network, Node, NodeGroup, Schedule
from permissions.policy import Allowed, can
from tests.factories import make_user
from tests.fixtures.databases import few_on_both, some_in_fast
from tests.updates.conftest import update
from updates.cycle import sync_cluster
from updates.due import select_due
from virtualmachines.models import VirtualMachine

TABLES = (NodeGroup, Node, Network, VirtualMachine, Job)
READS = {
    "info": r"/2/info",
    "groups": r"/2/query/group",
    "networks": r"/2/query/network",
    "nodes": r"/2/query/node",
    "machines": r"/2/query/instance",
    "jobs": r"/2/query/job",
}
KINDS = {
    "refuse": ("refused", False),
    "drop": ("unreachable", True),
    "garbage": ("garbled", False),
    "truncated": ("unreachable", True),
    "hang": ("timed out", True),
}
# The columns of a cluster's rows that an attempt may change.
OF_ATTEMPT = {
    "attempted_at",
    "unreachable_since",
    "failures",
    "rapi_calls",
    "rapi_seconds",
    "rapi_failures",
    "last_error",
    "last_error_kind",
    "next_sync_at",
    "leased_until",
    "lease_holder",
}


def everything(without=frozenset()):
    return {
        table.__name__: [
            {column: value for column, value in row.items() if column not in without}
            for row in table.objects.order_by("pk").values()
        ]
        for table in TABLES
    }


# What is taken even when configuration can't be read.
LIVE = {"status", "memory_used_mib", "vcpus_used", "changed_at", "read_at"}
LIVE |= {"answers", "memory_free_mib", "memory_node_mib", "disk_free_mib"}
OF_LIVE_READING = {"live_at", "live_error", "live_failed_at"}


def row_of(cluster, without=frozenset()):
    values = Cluster.objects.filter(pk=cluster.pk).values().get()
    values |= Schedule.objects.filter(pk=cluster.pk).values().get()
    return {name: str(value) for name, value in values.items() if name not in OF_ATTEMPT | without}


def failed_readings():
    """All faults of all readings; where time is short those of machines, and of the others one in turn."""
    for number, read in enumerate(READS):
        for place, fault in enumerate(KINDS):
            is_short = read == "machines" or place == number % len(KINDS)
            marks = [*([] if fault == "garbage" else [pytest.mark.alike]), *([] if is_short else [pytest.mark.long])]
            yield pytest.param(read, fault, marks=marks)


NEVER_S = 600.0


@pytest.fixture(autouse=True)
def patience(settings):
    """Only what never answers is given up, however busy the machine is."""
    settings.GWM_RAPI_READ_TIMEOUT_S = settings.GWM_RAPI_CONNECT_TIMEOUT_S = NEVER_S


@pytest.mark.feature("F079", "F081", "G002")
@pytest.mark.parametrize(("read", "fault"), list(failed_readings()))
def test_a_failed_reading_changes_nothing_but_the_error(simulator, cluster, read, fault, settings):
    simulator.outside.add("new.example.org")
    simulator.outside.remove("vm1.example.org")
    simulator.outside.stop("vm2.example.org")
    kind, is_away = KINDS[fault]
    of_live, of_row = (frozenset(), frozenset()) if is_away else (LIVE, OF_LIVE_READING)
    before, row = everything(of_live), row_of(cluster, of_row)
    if kind == "timed out":
        settings.GWM_RAPI_READ_TIMEOUT_S = 0.2  # what else takes as long on a busy machine ends in the same
    simulator.faults.add(fault, path=READS[read], code=500, message="Server got itself in trouble")
    report = update(cluster)
    assert (report.outcome, report.error_kind, cluster.last_error_kind) == ("failed", kind, kind)
    assert cluster.last_error == report.error and cluster.schedule.failures == 1
    assert (cluster.unreachable_since is not None) == is_away
    assert everything(of_live) == before
    assert row_of(cluster, of_row) == row
    stopped = VirtualMachine.objects.get(name="vm2.example.org").status
    assert stopped == ("running" if is_away or read == "machines" else "ADMIN_down")
    assert cluster.schedule.next_sync_at > timezone.now()
    assert cluster.schedule.leased_until is None and cluster.schedule.lease_holder == ""

    simulator.faults.clear()
    settings.GWM_RAPI_READ_TIMEOUT_S = NEVER_S
    Schedule.objects.filter(pk=cluster.pk).update(sync_wanted_at=timezone.now())
    assert update(cluster).outcome == "updated"
    assert (cluster.schedule.failures, cluster.last_error, cluster.last_error_kind) == (0, "", "")
    assert cluster.unreachable_since is None
    assert VirtualMachine.objects.get(name="vm1.example.org").missing_since is not None
    assert VirtualMachine.objects.get(name="new.example.org").status == "running"


@pytest.mark.parametrize("read", ["nodes", "groups"])
def test_a_first_import_that_breaks_off_leaves_nothing(simulator, track, read):
    row = track(simulator)
    simulator.faults.add("truncated", path=READS[read])
    assert update(row).outcome == "failed"
    assert not any(everything().values())
    assert row.uuid == "" and row.synced_at is None and not row.defaults_digest
    simulator.faults.clear()
    assert update(row).outcome == "updated"
    assert VirtualMachine.objects.count() == 3


@pytest.mark.parametrize(
    "code, message, kind, words",
    [
        (401, "Unauthorized", "bad credentials", "user name or password"),
        (403, "Method requires one of read, write access", "not allowed", "requires one of read"),
        (504, "Gateway Timeout", "master down", "does not answer"),
        (502, "Can't connect to master daemon", "master down", "not the master"),
        (500, "Can't do it, it's broken", "refused", "Can't do it, it's broken"),
    ],
)
def test_the_error_is_told_apart_and_in_ganetis_words(simulator, cluster, code, message, kind, words):
    simulator.faults.refuse(code, message)
    update(cluster)
    assert cluster.last_error_kind == kind
    assert words in cluster.last_error
    assert simulator.password not in cluster.last_error


@pytest.mark.feature("F082")
def test_wrong_password(simulator, cluster):
    cluster.password = "wrong"
    cluster.save()
    update(cluster)
    assert cluster.last_error_kind == "bad credentials" and cluster.unreachable_since is None
    cluster.password = simulator.password
    cluster.save()
    assert update(cluster).outcome == "updated"  # new credentials count at once


def test_nothing_listens_and_then_it_does(simulator, cluster):
    simulator.stop_listening()
    update(cluster)
    since = cluster.unreachable_since
    assert since is not None and cluster.last_error_kind == "unreachable"
    update(cluster)
    assert cluster.unreachable_since == since and cluster.schedule.failures == 2
    simulator.listen_again()
    update(cluster)
    assert cluster.unreachable_since is None


@pytest.mark.feature("F066")
def test_another_certificate_is_not_trusted(simulator, cluster):
    simulator.change_certificate()
    before = len(simulator.requests)
    update(cluster)
    assert cluster.last_error_kind == "untrusted" and cluster.unreachable_since is not None
    assert len(simulator.requests) == before


def test_another_cluster_at_the_same_address_is_not_taken_for_it(simulator, cluster):
    before, uuid = everything(), cluster.uuid
    simulator.cluster.uuid = "99999999-0000-4000-8000-000000000000"
    update(cluster)
    assert cluster.last_error_kind == "wrong cluster" and cluster.uuid == uuid
    assert everything() == before


def test_an_unreadable_password_and_a_bad_fingerprint_are_explained(simulator, cluster):
    cluster.tls_fingerprint = "nonsense"
    cluster.save()
    assert update(cluster).error_kind == "settings"
    cluster.tls_fingerprint = simulator.fingerprint
    cluster.save()
    Cluster.objects.filter(pk=cluster.pk).update(password="")
    assert update(cluster).outcome == "failed"


def update_in_time(cluster, settings):
    """One update in which all is answered that is answered at all, in a time that is as short as the machine lets."""
    for time_out in (0.3, 3.0, 30.0, NEVER_S):
        settings.GWM_RAPI_READ_TIMEOUT_S = time_out
        Schedule.objects.filter(pk=cluster.pk).update(sync_wanted_at=timezone.now())
        report = update(cluster)
        if report.outcome == "updated":
            break
    return report


@pytest.mark.feature("G002")
@pytest.mark.parametrize("field", ["oper_ram", "mtotal"])
@pytest.mark.parametrize("fault", some_in_fast(few_on_both(["garbage", "drop", "hang", "truncated"], "garbage"), 2))
def test_live_state_may_fail_alone(simulator, cluster, fault, field, settings):
    """Configuration is taken, live state stays old and says so."""
    simulator.outside.modify("vm1.example.org", beparams={"vcpus": 6})
    simulator.outside.crash("vm2.example.org")
    live_at = cluster.live_at
    simulator.faults.add(fault, mentions=field)
    report = update_in_time(cluster, settings) if fault == "hang" else update(cluster)
    assert report.outcome == "updated" and report.live_error
    assert cluster.live_error == report.live_error and cluster.schedule.live_failed_at is not None
    assert cluster.live_at == live_at and cluster.schedule.failures == 0 and cluster.last_error == ""
    assert VirtualMachine.objects.get(name="vm1.example.org").vcpus == 6
    crashed = VirtualMachine.objects.get(name="vm2.example.org")
    assert crashed.status == ("running" if field == "oper_ram" else "ERROR_down")
    assert Node.objects.filter(answers=True, memory_total_mib__gt=0).count() == 2

    simulator.faults.clear()
    settings.GWM_RAPI_READ_TIMEOUT_S = NEVER_S
    Schedule.objects.filter(pk=cluster.pk).update(sync_wanted_at=timezone.now())
    update(cluster)
    assert cluster.live_error == "" and cluster.live_at > live_at
    assert VirtualMachine.objects.get(name="vm2.example.org").status == "ERROR_down"


def test_live_state_that_failed_is_not_asked_for_at_every_update(simulator, cluster):
    Schedule.objects.filter(pk=cluster.pk).update(live_at=timezone.now() - timedelta(seconds=60))
    simulator.faults.add("drop", mentions="oper_ram")
    assert update(cluster).live_error
    simulator.forget_requests()
    report = update(cluster)
    assert report.rapi_calls == 6 and cluster.live_error
    Schedule.objects.filter(pk=cluster.pk).update(live_failed_at=timezone.now() - timedelta(seconds=31))
    simulator.faults.clear()
    assert update(cluster).rapi_calls == 8
    assert cluster.live_error == ""


@pytest.mark.feature("F080")
def test_backoff_grows_and_ends(simulator, cluster, settings):
    simulator.stop_listening()
    pauses = []
    for _ in range(9):
        began = timezone.now()
        update(cluster)
        pauses.append((cluster.schedule.next_sync_at - began).total_seconds())
    assert 9 <= pauses[0] <= 12
    assert all(later > earlier * 1.5 for earlier, later in pairwise(pauses[:5]))
    assert pauses[-1] <= 300 * 1.06
    assert not select_due().filter(pk=cluster.pk).exists()
    Schedule.objects.filter(pk=cluster.pk).update(sync_wanted_at=timezone.now())
    assert select_due().filter(pk=cluster.pk).exists()
    simulator.listen_again()
    update(cluster)
    assert not select_due().filter(pk=cluster.pk).exists()
    assert (cluster.schedule.next_sync_at - timezone.now()) < timedelta(seconds=settings.GWM_SYNC_INTERVAL_S * 1.1)


def test_a_cluster_that_lists_nothing_for_once_loses_nothing(simulator, cluster):
    user = make_user()
    vm = VirtualMachine.objects.get(name="vm1.example.org")
    vm.notes = "mine"
    vm.save()
    assign_perm("power", user, vm)
    with simulator.cluster.lock:
        instances = dict(simulator.cluster.instances)
        for name in instances:
            simulator.cluster.remove_instance(name)
    update(cluster)
    assert VirtualMachine.objects.filter(missing_since__isnull=False).count() == 3
    with simulator.cluster.lock:
        for instance in instances.values():
            simulator.cluster.add_instance(instance)
    update(cluster)
    assert VirtualMachine.objects.filter(missing_since__isnull=True).count() == 3
    vm.refresh_from_db()
    assert vm.notes == "mine" and isinstance(can(user, "power", vm), Allowed)


def test_a_cluster_removed_in_mid_update(simulator, cluster):
    removed = Cluster.objects.get(pk=cluster.pk)
    Cluster.objects.filter(pk=cluster.pk).delete()
    assert sync_cluster(removed).outcome == "skipped"
