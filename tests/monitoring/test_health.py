"""What is wrong with the service and what to do: the page, and the command for terminals and programs."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from socket import AF_UNIX, socket
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.utils import timezone

from clusters.models import Cluster
from clusters.remedies import REMEDIES
from gwm.readiness import note_heartbeat
from objectlog.chain import seal_all
from objectlog.models import Event
from people.signing_in import record_failure
from rapi import errors
from tests.factories import make_cluster

pytestmark = [pytest.mark.feature("G029"), pytest.mark.django_db]


def health(*options: str) -> tuple[str, bool]:
    """What the command writes, and whether it ends well."""
    out = StringIO()
    try:
        call_command("health", *options, stdout=out)
    except CommandError:
        return out.getvalue(), False
    return out.getvalue(), True


def as_data() -> dict[str, Any]:
    return json.loads(health("--json")[0])


def part(key: str) -> dict[str, str]:
    return next(each for each in as_data()["parts"] if each["key"] == key)


def test_the_command_says_what_the_page_says(settings) -> None:
    settings.LANGUAGE_CODE = "el"
    words, is_well = health()
    assert not is_well
    for said in ("bad   Worker and beat: never seen", "Start both: manage.py up does", "ok    Tables: up to date"):
        assert said in words
    told = as_data()
    assert told["state"] == "bad"
    assert [each["key"] for each in told["parts"]] == [
        *("database", "tables", "counts", "seal", "processes", "worker", "queue", "consoles", "disk")
    ]
    assert all(each["remedy"] for each in told["parts"] if each["kind"] != "ok")


def test_a_sign_of_life_makes_the_worker_well() -> None:
    assert part("worker")["word"] == "never seen"
    note_heartbeat()
    assert part("worker")["kind"] == "ok"


def test_events_that_are_not_sealed_are_said() -> None:
    assert part("seal")["kind"] == "ok"
    record_failure(None, "192.0.2.1")
    assert part("seal")["kind"] == "ok", "it is sealed in a moment"
    Event.objects.update(at=timezone.now() - timedelta(minutes=2))
    told = part("seal")
    assert (told["kind"], "see that it runs" in told["remedy"]) == ("bad", True)
    seal_all()
    assert part("seal")["kind"] == "ok"


@pytest.mark.parametrize(("name", "said"), [("console.sock", "gwm-console"), ("console-7.sock", "the web process")])
def test_a_console_proxy_that_was_killed_is_said_with_what_it_was(
    settings: Any, tmp_path: Path, name: str, said: str
) -> None:
    settings.GWM_CONSOLE_CONTROL = tmp_path / "console.sock"
    with socket(AF_UNIX) as left:
        left.bind(str(tmp_path / name))
    told = part("consoles")
    assert (told["kind"], said in told["remedy"]) == ("bad", True)


def test_a_cluster_that_is_away_is_said_with_what_to_do_and_does_not_make_the_service_ill() -> None:
    cluster = make_cluster("prod")
    note_heartbeat()
    Cluster.objects.update(unreachable_since=timezone.now(), last_error="No route.", last_error_kind="unreachable")
    [told] = as_data()["clusters"]
    assert told | {"name": cluster.slug, "kind": "bad", "word": "not reachable", "detail": "No route."} == told
    assert told["remedy"] == str(REMEDIES["unreachable"])
    assert {each["key"] for each in as_data()["parts"] if each["kind"] == "bad"} <= {"consoles", "disk"}


def test_what_helps_is_said_of_kinds_that_there_are(client: Client, django_user_model: Any) -> None:
    kinds = {each.kind for each in vars(errors).values() if isinstance(each, type) and hasattr(each, "kind")}
    assert set(REMEDIES) <= kinds
    make_cluster("prod")
    Cluster.objects.update(last_error="No.", last_error_kind="bad credentials")
    client.force_login(django_user_model.objects.create_superuser("root"))
    assert "Compare user and password" in client.get("/health/").content.decode()


def test_a_database_that_is_away_is_said_by_the_command_all_the_same() -> None:
    with connection.execute_wrapper(_away):
        told = as_data()
    [database, *others] = told["parts"]
    assert (database["kind"], database["remedy"]) == ("bad", "Start the database, or correct DATABASE_URL.")
    assert [each["key"] for each in others if each["key"] in {"tables", "counts", "seal"}] == []
    assert told["clusters"] == []


@pytest.mark.parametrize("lacking", ["gwm_cache", "virtualmachines_countcheck"])
def test_tables_that_are_not_there_are_said_by_the_command_and_nothing_is_looked_for_in_them(
    lacking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lacking == "gwm_cache":
        monkeypatch.setattr(type(connection.introspection), "table_names", lambda *_: [])
    else:
        monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: [("one", False)])

    def answer(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if lacking in sql:
            raise OperationalError(f"no such table: {lacking}")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(answer):
        told = {each["key"]: each for each in as_data()["parts"]}
    assert (told["tables"]["kind"], told["tables"]["remedy"]) == ("bad", "Run manage.py prepare.")
    assert told.keys() == {"database", "tables", "queue", "consoles", "disk"}


def _away(*_: Any) -> Any:
    raise OperationalError("no answer")
