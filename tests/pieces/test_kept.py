"""Queries whose statements are kept say what they would say if they were written anew."""

from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any
from unittest.mock import patch

import pytest
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Count, DateTimeField, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from clusters.models import Job, Node
from tests.factories import make_cluster, make_job, make_node
from ui.kept import Given, Kept

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def ended_since(jobs: QuerySet[Job]) -> QuerySet[Job, Any]:
    late = jobs.filter(ended_at__gte=Given("moment", DateTimeField())).order_by("-ganeti_id")
    return late.values_list("ganeti_id", "cluster__slug", "ended_at", "opcode_statuses", "entry__actor_name")[:2]


def make_jobs() -> None:
    cluster = make_cluster("lab")
    for hours in (1, 2, 3):
        make_job(
            cluster,
            status="success",
            opcode_statuses=["success"],
            ganeti_id=10 - hours,
            ended_at=NOW - timedelta(hours=hours),
        )


def test_values_are_those_of_this_time_and_come_back_as_fields_have_them() -> None:
    make_jobs()
    kept = Kept(Job, ended_since)
    first = (9, "lab", NOW - timedelta(hours=1), ["success"], None)
    assert kept.read(moment=NOW - timedelta(minutes=90)) == [first]
    assert kept.read(moment=NOW) == []
    assert [row[0] for row in kept.read(moment=NOW - timedelta(days=1))] == [9, 8]


def test_rows_are_sifted_before_they_are_cut_off_and_counted() -> None:
    make_jobs()
    newest = Kept(Job, lambda jobs: jobs.order_by("-ganeti_id").values_list("ganeti_id")[:2])
    which = f"{connection.ops.quote_name('clusters_job')}.ganeti_id < %s", (9,)
    assert newest.read(which) == [(8,), (7,)]
    assert newest.read() == [(9,), (8,)]
    for name in ("node1", "node2"):
        make_node(make_cluster(), name=name)
    numbers = Kept(Node, lambda nodes: nodes.order_by().values_list("cluster__name").annotate(number=Count("*")))
    assert sum(number for _name, number in numbers.read()) == 2
    assert sum(number for _name, number in numbers.read(("clusters_node.name = %s", ("node1",)))) == 1


def test_a_statement_is_written_once() -> None:
    kept = Kept(Job, ended_since)
    kept.read(moment=NOW)
    with patch.object(SQLCompiler, "as_sql", side_effect=AssertionError):
        kept.read(moment=NOW)
        assert kept.statement(moment=NOW)[0] == kept.statement(moment=NOW + timedelta(1))[0]


def test_every_thread_asks_by_its_own_connection() -> None:
    kept, used = Kept(Job, ended_since), []

    def look() -> None:
        used.append((kept._write(is_sifted=False).connection, connections[DEFAULT_DB_ALIAS]))

    look()
    thread = Thread(target=look)
    thread.start()
    thread.join()
    (here, own), (there, other) = used
    assert here is own is not there and there is other
