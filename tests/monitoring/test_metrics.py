"""`/metrics`: what it has, that it stays cheap and without names, and that the alerts are about what it has."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.task import Clock

from clusters.models import Cluster, Job, JobStatus, Schedule
from gwm.metrics import write_metrics
from gwm.processes.health import Metrics
from gwm.readiness import note_heartbeat
from objectlog.chain import seal_all
from objectlog.models import Entry, Event, Outcome
from operations.models import Batch, BatchItem, BatchLane, BatchState, ItemState, Verdict
from people.signing_in import record_failure, record_sign_in
from rapi.client import RapiClient
from rapi.errors import RapiError, Unreachable
from rapi.trust import Trust
from simulator import Simulator
from tests.factories import make_cluster, make_job, make_user, make_vm
from tests.monitoring.test_readiness import BEARER, BY_TOKEN, ask, monitoring, strangers
from tests.servers import find_program
from tests.up.running import ROOT
from updates.cycle import sync_cluster

pytestmark = pytest.mark.feature("G029")
RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
MOST_QUERIES = 13


def figures() -> dict[str, float]:
    """Every sample, by its name and the values of its labels."""
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in families()
        for sample in family.samples
    }


def families() -> Iterator[Metric]:
    return text_string_to_metric_families(write_metrics().decode())


@pytest.mark.django_db
def test_a_service_without_anything_has_its_figures() -> None:
    found = figures()
    assert found["gwm_worker_heartbeat_age_seconds"] == float("inf")
    assert found["gwm_journal_unsealed_seconds"] == found["gwm_sign_ins_refused"] == found["gwm_batches_running"] == 0
    note_heartbeat()
    assert figures()["gwm_worker_heartbeat_age_seconds"] < 30


@pytest.mark.django_db
def test_what_is_under_way_and_what_is_wrong_is_counted() -> None:
    prod, edge = make_cluster("prod"), make_cluster("edge", synced_at=None)
    now = timezone.now()
    Schedule.objects.filter(pk=prod.pk).update(synced_at=now - timedelta(minutes=5), failures=3)
    Cluster.objects.filter(pk=edge.pk).update(unreachable_since=now, last_error="No.", last_error_kind="timed out")
    for status in (JobStatus.RUNNING, JobStatus.QUEUED, JobStatus.SUCCESS):
        Job.objects.filter(pk=make_job(prod).pk).update(status=status)
    Entry.objects.create(verb="vm.reboot", target_kind="instance", outcome=Outcome.UNKNOWN)
    batch = Batch.objects.create(actor_name="x", operation="vm.startup", state=BatchState.RUNNING)
    for position, state in enumerate((ItemState.WAITING, ItemState.WAITING, ItemState.RUNNING, ItemState.DONE)):
        BatchItem.objects.create(
            batch=batch, position=position, kind="instance", target_name="v", verdict=Verdict.WILL, state=state
        )
    BatchLane.objects.create(name="lane", hung_at=now)
    found = figures()
    assert 299 < found["gwm_cluster_data_age_seconds prod"] < 400
    assert found["gwm_cluster_data_age_seconds edge"] == float("inf")
    expected = {
        "gwm_cluster_up prod": 1,
        "gwm_cluster_up edge": 0,
        "gwm_cluster_updates_failed prod": 3,
        "gwm_cluster_trouble edge timed out": 1,
        "gwm_jobs_open prod": 2,
        "gwm_jobs_open edge": 0,
        "gwm_operations_open unknown": 1,
        "gwm_operations_open submitted": 0,
        "gwm_batches_running": 1,
        "gwm_batch_items waiting": 2,
        "gwm_batch_items running": 1,
        "gwm_batch_lanes_hung": 1,
    }
    assert {name: found[name] for name in expected} == expected


@pytest.mark.django_db
def test_sign_ins_that_were_refused_and_the_seal_are_those_of_the_journal() -> None:
    bob = make_user("bob")
    record_failure(bob, "192.0.2.1")
    record_failure(None, "192.0.2.1")
    record_sign_in(bob, "192.0.2.1")
    found = figures()
    assert (found["gwm_sign_ins_refused"], found["gwm_journal_sealed_until"]) == (2, 0)
    Event.objects.filter(outcome=Outcome.FAILED).update(at=timezone.now() - timedelta(hours=2))
    found = figures()
    assert found["gwm_sign_ins_refused"] == 0 and found["gwm_journal_unsealed_seconds"] > 7000
    seal_all()
    found = figures()
    assert (found["gwm_journal_sealed_until"], found["gwm_journal_unsealed_seconds"]) == (3, 0)


@pytest.mark.django_db
def test_a_scrape_costs_as_much_with_many_clusters_as_with_none(settings: Any) -> None:
    settings.GWM_JOURNAL_STREAM = "file:///dev/null"
    counts = []
    for _ in range(2):
        write_metrics()
        with CaptureQueriesContext(connection) as queries:
            write_metrics()
        counts.append(len(queries))
        for _ in range(5):
            make_job(make_cluster())
            record_failure(None, "192.0.2.1")
    assert counts[0] == counts[1] <= MOST_QUERIES, counts


@pytest.mark.django_db
def test_nobody_and_no_address_is_named_and_labels_are_of_fixed_lists() -> None:
    cluster = make_cluster("prod", username="rapi-user", password="rapi-secret", host="ganeti.example.org")
    make_vm(cluster, "web1.example.org")
    make_job(cluster)
    record_failure(make_user("barbara"), "192.0.2.77")
    strange = {"a kind from outside": 2, "another": 1, "timed out": 4}
    Schedule.objects.update(rapi_failures=strange)
    Cluster.objects.update(last_error="The words of web1.", last_error_kind="from outside")
    text = write_metrics().decode()
    for name in ("barbara", "192.0.2.77", "web1", "rapi-user", "rapi-secret", "ganeti.example.org", "outside"):
        assert name not in text
    assert {label for family in families() for sample in family.samples for label in sample.labels} == {
        *("asker", "cluster", "kind", "outcome", "state", "version")
    }
    found = figures()
    assert found["gwm_rapi_errors_total updates prod other"] == 3
    assert found["gwm_rapi_errors_total updates prod timed out"] == 4
    assert found["gwm_cluster_trouble prod other"] == 1


@pytest.mark.django_db
def test_updates_add_up_their_calls_and_what_failed(simulator: Simulator) -> None:
    cluster = make_cluster(
        host=simulator.host,
        port=simulator.port,
        tls_fingerprint=simulator.fingerprint,
        username=simulator.username,
        password=simulator.password,
        uuid="",
        operating_systems_at=timezone.now(),
        exports_at=timezone.now(),
    )
    report = sync_cluster(cluster)
    before = figures()
    assert before[f"gwm_rapi_calls_total updates {cluster.slug}"] == report.rapi_calls > 0
    assert before[f"gwm_rapi_seconds_total updates {cluster.slug}"] > 0
    assert not [name for name in before if name.startswith("gwm_rapi_errors_total")]
    Cluster.objects.update(host="127.0.0.1", port=1)
    failed = [sync_cluster(Cluster.objects.get()).rapi_calls for _ in range(2)]
    found = figures()
    assert found[f"gwm_rapi_errors_total updates {cluster.slug} unreachable"] == sum(failed) > 2
    assert found[f"gwm_rapi_calls_total updates {cluster.slug}"] == report.rapi_calls + sum(failed)


def test_a_client_counts_seconds_and_failures_by_kind() -> None:
    with RapiClient([("127.0.0.1", 1)], trust=Trust.system(), connect_timeout_s=1) as client:
        with pytest.raises(RapiError):
            client.get_info()
        assert client.failures == {Unreachable.kind: client.calls} and client.seconds > 0


def test_strangers_find_no_such_address_and_nothing_is_asked_for_them() -> None:
    def never() -> bytes:
        raise AssertionError("asked")

    for watchers, request in strangers():
        assert Metrics(Clock(), never, watchers).render(request) == b"There is nothing here.\n"
        assert request.responseCode == 404
    for watchers, request in monitoring():
        metrics = Metrics(Clock(), never, watchers)
        metrics.tell(b"gwm_info 1\n")
        metrics.render(request)
        assert (request.responseCode, request.written) == (200, [b"gwm_info 1\n"])
        assert request.responseHeaders.getRawHeaders(b"content-type")[0].startswith(b"text/plain; version=")


def test_figures_that_cannot_be_had_are_an_error_and_not_an_old_answer() -> None:
    request = ask(authorization=BEARER)
    metrics = Metrics(Clock(), bytes, BY_TOKEN)
    metrics.tell(metrics.failed())
    metrics.render(request)
    assert (request.responseCode, b"".join(request.written)) == (503, b"")
    late, clock = ask(authorization=BEARER), Clock()
    Metrics(clock, bytes, BY_TOKEN).render(late)
    clock.advance(9)
    assert late.responseCode == 503


@pytest.mark.django_db
def test_a_database_that_is_away_is_an_error() -> None:
    def away(*_: Any) -> Any:
        raise OperationalError("no answer")

    with connection.execute_wrapper(away), pytest.raises(OperationalError):
        write_metrics()


@pytest.mark.django_db
def test_alerts_are_about_figures_that_there_are(settings: Any) -> None:
    settings.GWM_JOURNAL_STREAM = "file:///dev/null"
    make_cluster("prod")
    Schedule.objects.update(rapi_failures={"timed out": 1})
    written = {sample.name for family in families() for sample in family.samples}
    written |= {"gwm_redis_up", "gwm_console_proxy_up"}  # only where there is one
    named = set(re.findall(r"\bgwm_\w+", re.sub(r"(?m)^ +(summary|description):.*", "", RULES.read_text())))
    assert named and named <= written


@pytest.mark.program("promtool", "prometheus")
def test_prometheus_understands_the_alerts_and_they_ring_when_they_should(tmp_path: Path) -> None:
    program = find_program("promtool")
    assert program
    cases = (Path(__file__).parent / "alerts.yml").read_text(encoding="utf-8")
    (tmp_path / "alerts.yml").write_text(cases.replace("RULES", str(RULES)))
    for words in (["check", "rules", str(RULES)], ["test", "rules", str(tmp_path / "alerts.yml")]):
        checked = subprocess.run([program, *words], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.django_db
@pytest.mark.program("promtool", "prometheus")
def test_prometheus_understands_the_figures() -> None:
    program = find_program("promtool")
    assert program
    make_cluster("prod")
    checked = subprocess.run([program, "check", "metrics"], input=write_metrics(), capture_output=True)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
