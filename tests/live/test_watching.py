"""What changes is written down, whoever changes it and however; and read once, though it commit late."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connection, models, transaction
from django.utils import timezone

from clusters.models import Job, Network, Node, NodeGroup, Schedule
from gwm.live.reader import KEEP, Reader, forget_old, touched_since
from gwm.live.triggers import PREFIX
from gwm.live.watched import UNWATCHED, WATCHED
from gwm.models import Touched
from objectlog.models import Entry, Event, Outcome, Via
from operations.triggers import install_triggers, remove_triggers
from permissions.services import grant, grant_role, make_team, revoke, revoke_role, set_role
from tests.factories import make_cluster, make_job, make_node, make_template, make_user, make_vm
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G045")]
OURS = ("gwm", "people", "quotas", "virtualmachines", "clusters", "permissions", "objectlog", "operations", "mfa")


@pytest.fixture
def told() -> Callable[[], set[str]]:
    """What was touched since the last call."""
    reader = Reader()

    def ask() -> set[str]:
        return reader.read()

    ask()
    return ask


def test_every_table_of_ours_is_watched_or_left_out_on_purpose() -> None:
    tables = {
        model._meta.db_table
        for label in OURS
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
    }
    assert tables - set(WATCHED) - UNWATCHED == set()
    assert tables >= UNWATCHED
    assert set(WATCHED) <= tables


def test_every_topic_has_triggers_for_columns_that_exist() -> None:
    every: set[str] = set()
    with connection.cursor() as cursor:
        for table, topics in WATCHED.items():
            columns = {each.name for each in connection.introspection.get_table_description(cursor, table)}
            every |= columns
            for topic in topics:
                assert topic.only <= columns, (table, topic.name)
        assert all(topic.without <= every for topics in WATCHED.values() for topic in topics)
        triggers = count_triggers(cursor)
    assert triggers == 3 * sum(map(len, WATCHED.values()))


def count_triggers(cursor: Any) -> int:
    catalogue = (
        "SELECT count(*) FROM pg_trigger WHERE tgname LIKE %s"
        if connection.vendor == "postgresql"
        else "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s"
    )
    cursor.execute(catalogue, [f"{PREFIX}%"])
    return int(cursor.fetchone()[0])


def test_triggers_are_taken_off_and_made_anew() -> None:
    with connection.cursor() as cursor:
        before = count_triggers(cursor)
        remove_triggers(connection)
        assert count_triggers(cursor) == 0
        install_triggers(connection)
        install_triggers(connection)
        assert count_triggers(cursor) == before


def rows() -> dict[str, models.Model]:
    """One row of every table that Ganeti fills, and of the journal."""
    cluster = make_cluster()
    entry = Entry.objects.create(
        actor_name="a",
        via=Via.WEB,
        verb="vm.reboot",
        target_kind="vm",
        target_pk=1,
        target_name="x",
        outcome=Outcome.DONE,
    )
    made: list[models.Model] = [
        cluster,
        cluster.schedule,
        NodeGroup.objects.create(cluster=cluster, name="g"),
        Network.objects.create(cluster=cluster, name="n"),
        make_node(cluster),
        make_vm(cluster),
        make_job(cluster),
        make_template("small", cluster),
        entry,
        Event.objects.create(at=timezone.now(), verb="vm.reboot", outcome=Outcome.DONE, target_kind="vm", target_pk=1),
    ]
    return {each._meta.db_table: each for each in made}


def another(field: models.Field[Any, Any], value: Any) -> Any:
    """Another value for a column."""
    if isinstance(field, models.BooleanField):
        return not value
    if isinstance(field, models.DateTimeField):
        return timezone.now() + timedelta(seconds=5)
    if isinstance(field, models.UUIDField):
        return "12345678-1234-4234-8234-123456789012"
    if isinstance(field, models.JSONField):
        return {"other": 1}
    if isinstance(field, (models.CharField, models.TextField)):
        return "x" if value != "x" else "y"
    return (value or 0) + 1


@pytest.mark.parametrize(
    "table",
    [
        table
        for table in WATCHED
        if table.split("_")[0] in ("clusters", "objectlog", "virtualmachines")
        and "grant" not in table
        and "target" not in table
    ],
)
def test_every_column_that_is_not_left_out_is_a_change(table: str, told: Callable[[], set[str]]) -> None:
    row = rows()[table]
    told()
    for field in row._meta.concrete_fields:
        if field.primary_key or field.is_relation:
            continue
        topics = [topic for topic in WATCHED[table] if topic.columns_of([field.column])]
        value = another(field, getattr(row, field.attname))
        type(row)._base_manager.filter(pk=row.pk).update(**{field.attname: value})
        row.refresh_from_db()
        kinds = {topic.name.partition(":")[0] for topic in topics}
        assert {name.partition(":")[0] for name in told()} == kinds, field.name


def test_what_is_written_again_as_it_was_is_no_change(told: Callable[[], set[str]]) -> None:
    vm = make_vm(make_cluster())
    told()
    VirtualMachine.objects.filter(pk=vm.pk).update(status=vm.status)
    vm.save()
    assert told() == set()


def test_no_way_of_writing_passes_by(told: Callable[[], set[str]]) -> None:
    cluster = make_cluster()
    vms = [make_vm(cluster) for _ in range(3)]
    mine = {f"vm:{vm.pk}" for vm in vms} | {f"vms:{cluster.pk}"}
    told()
    for vm in vms:
        vm.status = "ADMIN_down"
    VirtualMachine.objects.bulk_update(vms, ["status"])
    assert told() == mine
    with connection.cursor() as cursor:
        cursor.execute("UPDATE virtualmachines_virtualmachine SET status = 'running'")
    assert told() == mine
    made = VirtualMachine.objects.bulk_create([VirtualMachine(cluster=cluster, name="new.example.org")])
    assert told() == {f"vm:{made[0].pk}", f"vms:{cluster.pk}", f"machines:{cluster.pk}"}
    pk = cluster.pk
    cluster.delete()
    assert mine | {f"machines:{pk}", f"cluster:{pk}"} <= told()


def test_a_job_touches_what_it_works_on(told: Callable[[], set[str]]) -> None:
    cluster = make_cluster()
    vm = make_vm(cluster, "web1.example.org")
    told()
    job = make_job(cluster, ("instance", "web1.example.org"), status="running")
    assert told() == {f"job:{job.pk}", f"jobs:{cluster.pk}", f"of:instance:{vm.pk}"}
    Job.objects.filter(pk=job.pk).update(log=[[1, 1.0, 0, "x"]])
    assert told() == {f"job:{job.pk}"}
    Job.objects.filter(pk=job.pk).update(seen_at=timezone.now())
    assert told() == set()


def test_rights_given_and_taken_touch_their_holder(told: Callable[[], set[str]]) -> None:
    vm, alice, team = make_vm(make_cluster()), make_user("alice"), Group.objects.create(name="team")
    told()
    grant(["power"], alice, vm)
    assert told() == {f"rights:{alice.pk}"}
    revoke(["power"], alice, vm)
    assert told() == {f"rights:{alice.pk}"}
    alice.groups.add(team)
    assert told() == {f"rights:{alice.pk}"}
    grant(["power"], team, vm)
    assert told() == {"rights:groups"}
    alice.last_login = timezone.now()
    alice.save()
    assert told() == {f"account:{alice.pk}"}, "which the pages of accounts show; rights are as they were"


def test_an_update_in_which_nothing_changed_touches_ages_alone(told: Callable[[], set[str]]) -> None:
    cluster = make_cluster()
    told()
    now = timezone.now()
    Schedule.objects.filter(pk=cluster.pk).update(synced_at=now, live_at=now, leased_until=now, lease_holder="x")
    assert told() == {f"age:{cluster.pk}"}


@pytest.mark.feature("G054")
def test_a_right_that_ends_is_told_at_that_moment_and_once(told: Callable[[], set[str]]) -> None:
    vm, alice, team = make_vm(make_cluster()), make_user("alice"), make_team("web")
    role = set_role("operator", {"vm": ["power"]})
    now = timezone.now()
    grant(["power"], alice, vm, until=now + timedelta(seconds=10))
    grant_role(role, team, None, until=now + timedelta(seconds=20))
    told()
    for seconds, expected in ((9, set()), (11, {f"rights:{alice.pk}"}), (12, set()), (21, {"rights:groups"})):
        with time_machine.travel(now + timedelta(seconds=seconds), tick=False):
            assert told() == expected, seconds
    topics = [f"rights:{alice.pk}", "rights:groups"]
    with time_machine.travel(now + timedelta(seconds=11), tick=False):
        assert touched_since([topics[0]], timezone.now().timestamp()) == {topics[0]}


def test_whatever_may_change_rights_is_told(told: Callable[[], set[str]]) -> None:
    cluster, alice = make_cluster(), make_user("alice")
    team = make_team("web")
    role = set_role("operator", {"vm": ["power"]})
    told()
    for change, expected in (
        (lambda: grant_role(role, alice, cluster), f"rights:{alice.pk}"),
        (lambda: grant_role(role, team, None), "rights:groups"),
        (lambda: set_role("operator", {"vm": ["modify"]}), "rights:groups"),
        (lambda: grant(["act"], alice, team), f"rights:{alice.pk}"),
        (lambda: alice.groups.add(team), f"rights:{alice.pk}"),
        (lambda: revoke_role(role, alice, cluster), f"rights:{alice.pk}"),
        (role.delete, "rights:groups"),
    ):
        change()
        assert expected in told()


def test_pollers_are_told_what_they_ask_about() -> None:
    cluster = make_cluster()
    vm, node = make_vm(cluster), make_node(cluster)
    Touched.objects.all().delete()
    began = timezone.now().timestamp()
    Node.objects.filter(pk=node.pk).update(drained=True)
    asked = [f"vm:{vm.pk}", f"node:{node.pk}", "nodes:*", "vms:*"]
    assert touched_since(asked, began) == {f"node:{node.pk}", "nodes:*"}
    assert touched_since(asked, began + 3600) == set()


def test_what_is_old_is_forgotten() -> None:
    make_cluster()
    Touched.objects.update(at=timezone.now() - KEEP - timedelta(seconds=1))
    make_cluster()
    assert forget_old() > 0
    assert {name.partition(":")[0] for name in Touched.objects.values_list("topic", flat=True)} == {"cluster", "age"}


@pytest.mark.django_db(transaction=True)
def test_what_commits_late_is_told_late_and_once() -> None:
    """A transaction writes, another one commits meanwhile and is read, then the first commits."""
    vm, node = make_vm(make_cluster()), make_node(make_cluster())
    reader = Reader()
    reader.read()
    has_written, may_commit = threading.Event(), threading.Event()

    def write_slowly() -> None:
        try:
            with transaction.atomic():
                VirtualMachine.objects.filter(pk=vm.pk).update(status="ADMIN_down")
                has_written.set()
                may_commit.wait(120)
        finally:
            connection.close()

    slow = threading.Thread(target=write_slowly)
    slow.start()
    assert has_written.wait(120)
    if connection.vendor == "postgresql":  # SQLite lets nobody write meanwhile
        Node.objects.filter(pk=node.pk).update(drained=True)
        assert f"node:{node.pk}" in reader.read()
    assert f"vm:{vm.pk}" not in reader.read()
    may_commit.set()
    slow.join(120)
    assert reader.read() == {f"vm:{vm.pk}", f"vms:{vm.cluster_id}"}
    assert reader.read() == set()
