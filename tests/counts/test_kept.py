"""What is kept of machines is what counting them finds, whoever changed them and however."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clusters.models import Cluster
from operations.triggers import install_triggers, remove_triggers
from permissions.models import User
from permissions.policy import visible
from permissions.services import grant, grant_role, persona_of, set_role
from tests.factories import make_admin, make_cluster, make_user, make_vm
from virtualmachines.counts import check_counts, fold
from virtualmachines.filters import group_of
from virtualmachines.models import CountCheck, MachineCount, MachineTag, VirtualMachine
from virtualmachines.selectors import (
    StateSum,
    count_all_by_state,
    count_by_group,
    count_there,
    sum_all_by_state,
    sum_by_group,
)

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G052")]

STATUSES = ("running", "ADMIN_down", "ERROR_down", "")
Step = tuple[str, int, int]
VERBS = (
    *("make", "make_many", "status", "status_of_all", "busy", "free", "missing", "back", "size", "move", "same"),
    *("forget", "forget_all_of", "remove_cluster", "fold", "check"),
)


def do(step: Step) -> None:
    """One change, in the way in which some writer of ours makes it."""
    verb, one, other = step
    clusters = list(Cluster.objects.order_by("pk"))
    if not clusters:
        clusters = [make_cluster()]
    cluster = clusters[one % len(clusters)]
    machines = VirtualMachine.objects.order_by("pk")
    some = machines.filter(pk__in=[vm.pk for vm in list(machines)[one % 5 : one % 5 + 1 + other % 3]])
    match verb:
        case "make":
            make_vm(cluster, status=STATUSES[other % 4], memory_mib=other * 100)
        case "make_many":
            VirtualMachine.objects.bulk_create(
                VirtualMachine(cluster=cluster, name=f"n{number}", status=STATUSES[number % 4], vcpus=number)
                for number in range(other)
            )
        case "status":
            some.update(status=STATUSES[other % 4])
        case "status_of_all":
            cluster.virtual_machines.update(status=STATUSES[other % 4])
        case "busy":
            some.update(busy_entry=uuid4(), busy_with="vm.reboot")
        case "free":
            some.update(busy_entry=None, busy_with="")
        case "missing":
            some.update(missing_since=timezone.now())
        case "back":
            some.update(missing_since=None)
        case "size":
            some.update(memory_mib=F("memory_mib") + other, disk_mib=other, vcpus=F("vcpus") - 1)
        case "move":
            some.update(cluster=cluster)
        case "same":
            some.update(name=F("name"), read_at=timezone.now())
        case "forget":
            if (vm := some.first()) is not None:
                vm.delete()
        case "forget_all_of":
            some.delete()
        case "remove_cluster":
            cluster.delete()
        case "fold":
            fold()
        case "check":
            assert check_counts() == []


def by_group(sums: list[StateSum]) -> dict[tuple[int, str, bool], list[int]]:
    """Sums of a list that may have a group several times; nothing of what comes to nothing."""
    found: dict[tuple[int, str, bool], list[int]] = {}
    for each in sums:
        of_group = found.setdefault((each.cluster, each.group, each.is_missing), [0, 0, 0, 0])
        for position, value in enumerate((each.machines, each.memory, each.disk, each.vcpus)):
            of_group[position] += value
    return {key: value for key, value in found.items() if any(value)}


def counted(user: User) -> dict[tuple[int, str, bool], list[int]]:
    """The same, machine by machine."""

    return by_group(
        [
            StateSum(
                group_of(vm.status, is_missing=vm.missing_since is not None, is_busy=vm.busy_entry is not None),
                vm.missing_since is not None,
                1,
                vm.cluster_id,
                vm.memory_mib,
                vm.disk_mib,
                vm.vcpus,
            )
            for vm in visible(user, "view", VirtualMachine.objects.all())
        ]
    )


def assert_kept_is_counted(user: User) -> None:
    kept = by_group(sum_all_by_state(user, list(Cluster.objects.values_list("pk", flat=True))))
    assert kept == by_group(sum_all_by_state(user)) == counted(user)
    theirs = visible(user, "view", VirtualMachine.objects.all())
    assert sum_by_group(count_all_by_state(user)) == count_by_group(theirs)[0]
    assert count_there(count_all_by_state(user)) == theirs.filter(missing_since=None).count()
    for cluster in Cluster.objects.all():
        assert sum_by_group(count_all_by_state(user, cluster.slug)) == count_by_group(theirs.filter(cluster=cluster))[0]


@pytest.mark.long
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 12), st.integers(0, 12)), max_size=25))
def test_after_any_changes_what_is_kept_is_what_is_counted(db: None, steps: list[Step]) -> None:
    make_cluster()
    make_cluster()
    admin = User.objects.filter(username="root").first() or make_admin()
    for step in steps:
        do(step)
    assert_kept_is_counted(admin)
    assert check_counts() == []
    fold()
    assert_kept_is_counted(admin)
    of_states = MachineCount.objects.values_list("cluster", "status", "is_missing", "is_busy")
    assert len(set(of_states)) == of_states.count(), "one row of each state after folding"
    assert not MachineCount.objects.filter(machines=0).exists()


def test_people_with_whole_clusters_and_single_machines_see_their_own_sums() -> None:
    whole, tagged, single = make_cluster(), make_cluster(), make_cluster()
    for cluster in (whole, tagged, single):
        for status in STATUSES:
            vm = make_vm(cluster, status=status)
            MachineTag.objects.create(machine=vm, tag="web")
        make_vm(cluster, missing_since=timezone.now())
        make_vm(cluster, busy_entry=uuid4())
    operator = set_role("operator", {"vm": ["power"]})
    people = [make_user() for _ in range(8)]
    grant(["admin"], people[1], whole)
    grant(["power"], people[2], VirtualMachine.objects.filter(cluster=single)[0])
    grant_role(operator, people[3], whole)
    grant_role(operator, people[4], None)
    grant_role(operator, people[5], None, tag="web")
    grant(["migrate"], people[6], whole)  # with single machines on it and elsewhere: none counts twice
    grant(["power"], people[6], VirtualMachine.objects.filter(cluster=whole)[0])
    grant_role(operator, people[6], tagged, tag="web")
    grant_role(operator, people[6], None, owner=persona_of(people[6]))
    VirtualMachine.objects.filter(cluster=single).update(owner=persona_of(people[6]))
    grant_role(operator, people[7], None)  # with one that it covers anyway
    grant(["power"], people[7], VirtualMachine.objects.filter(cluster=single)[0])
    seen = []
    for person in people:
        assert_kept_is_counted(person)
        seen.append(sum_by_group(count_all_by_state(person))[""])
    assert seen == [0, 6, 1, 6, 18, 12, 16, 18]


def test_what_is_kept_is_not_counted_anew(django_assert_num_queries: Any) -> None:
    admin, cluster = make_admin(), make_cluster()
    make_vm(cluster)
    with django_assert_num_queries(1) as asked:
        assert sum_by_group(count_all_by_state(admin))[""] == 1
    assert VirtualMachine._meta.db_table + '"' not in asked[0]["sql"]


@pytest.fixture
def wrong() -> Iterator[Cluster]:
    """Something was written while there were no triggers."""
    cluster = make_cluster("lab")
    make_vm(cluster, memory_mib=100, disk_mib=7, vcpus=3)
    remove_triggers(connection)
    make_vm(cluster, memory_mib=200, disk_mib=8, vcpus=4)
    yield cluster
    install_triggers(connection)


def test_a_difference_is_said_logged_and_mended(wrong: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    del wrong
    said = "cluster lab, running: +1 machines, +200 MiB memory, +8 MiB disk, +4 vCPUs"
    assert check_counts() == [said]
    assert said in caplog.text
    assert_kept_is_counted(make_admin())
    check = CountCheck.objects.get()
    assert check.differences == said and check.differed_at == check.checked_at
    assert check_counts() == []
    check.refresh_from_db()
    assert check.differences == said and check.differed_at is not None and check.checked_at > check.differed_at


def test_the_command_says_what_differed_and_mends_it(wrong: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    del wrong
    with pytest.raises(CommandError, match="1 difference"):
        call_command("check_counts")
    assert "cluster lab, running: +1 machines" in capsys.readouterr().out
    call_command("check_counts")
    assert "agree" in capsys.readouterr().out


def test_migrations_count_what_was_written_without_triggers(wrong: Cluster) -> None:
    del wrong
    install_triggers(connection)
    assert check_counts() == []
    assert_kept_is_counted(make_admin())


def test_the_page_of_health_tells_of_a_difference_for_a_week(wrong: Cluster, client: Any) -> None:
    del wrong
    client.force_login(make_admin())
    assert "have not been compared yet" in client.get("/health/").content.decode()
    check_counts()
    page = client.get("/health/").content.decode()
    assert "cluster lab, running: +1 machines" in page
    CountCheck.objects.update(differed_at=timezone.now() - timedelta(days=8))
    page = client.get("/health/").content.decode()
    assert "cluster lab" not in page and "agree with the machines" in page
