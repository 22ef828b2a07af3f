"""What the check after a deployment takes of the product: an account for its time, and an update by the worker."""

import json
import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from clusters.models import Cluster, Schedule
from gwm.checking import NotUpdated, await_update
from gwm.readiness import note_heartbeat
from objectlog.models import Event
from people.checking import delete_check_accounts, make_check_account
from permissions.models import User
from permissions.policy import is_administrator
from tests.factories import make_cluster, make_user
from vncproxy.tickets import open_ticket

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F289")]


def test_the_account_may_do_nothing_and_is_gone_afterwards_and_the_journal_has_both() -> None:
    person, password = make_check_account()
    assert person.check_password(password) and not is_administrator(person) and not person.groups.exists()
    assert delete_check_accounts() == 1 and not User.objects.filter(pk=person.pk).exists()
    assert list(Event.objects.order_by("pk").values_list("verb", "target_name", "actor_name")) == [
        ("person.begin-check", person.username, ""),
        ("person.end-check", person.username, ""),
    ]


def test_one_that_was_left_goes_with_the_next_and_nobody_elses_does() -> None:
    left, _password = make_check_account()
    names = ["installation-check-me", "installation-check-0123456789abcdef0", "ada"]
    for name in names:
        make_user(name)
    boss = make_user("installation-check-0123456789abcdef")
    User.objects.filter(pk=boss.pk).update(is_superuser=True)
    person, _password = make_check_account()
    assert delete_check_accounts() == 1
    assert set(User.objects.values_list("username", flat=True)) >= {*names, boss.username}
    assert not User.objects.filter(pk__in=[left.pk, person.pk]).exists()


def test_the_ticket_is_one_of_ours_and_leads_nowhere(settings) -> None:
    said = StringIO()
    call_command("check_installation", "begin", stdout=said)
    check = json.loads(said.getvalue())
    ticket = open_ticket(settings.GWM_CONSOLE_KEYS, check["ticket"], time.time())
    assert ticket.host == "192.0.2.1" and ticket.user == check["name"]


def worker(cluster: Cluster | None, **outcome: object):
    """What passes the time: beat and worker, which do what is asked."""

    def passes(_seconds: float) -> None:
        note_heartbeat()
        if cluster is not None and (wanted := Schedule.objects.get(pk=cluster.pk).sync_wanted_at):
            errors = {name: outcome[name] for name in ("last_error", "last_error_kind") if name in outcome}
            Cluster.objects.filter(pk=cluster.pk).update(**errors) if errors else None
            Schedule.objects.filter(pk=cluster.pk).update(
                attempted_at=max(wanted, timezone.now()), leased_until=None, failures=outcome.get("failures", 0)
            )

    return passes


def test_an_update_by_the_worker_is_waited_for() -> None:
    cluster = make_cluster("north")
    assert await_update(30, worker(cluster)) == "Cluster north was updated."


def test_a_cluster_that_does_not_answer_is_told_and_no_fault() -> None:
    cluster = make_cluster("north")
    told = await_update(30, worker(cluster, failures=3, last_error="No answer.", last_error_kind="unreachable"))
    assert told == "Cluster north was asked, and could not be updated: No answer."


def test_an_error_of_our_own_is_a_fault() -> None:
    cluster = make_cluster("north")
    with pytest.raises(NotUpdated, match="can't be updated: The update ended"):
        await_update(30, worker(cluster, failures=1, last_error="The update ended.", last_error_kind="internal"))


def test_a_worker_that_does_nothing_is_a_fault_whatever_was_done_before() -> None:
    note_heartbeat()
    make_cluster("north")
    with pytest.raises(NotUpdated, match="No sign of life"):
        await_update(0, lambda _seconds: None)
    with pytest.raises(NotUpdated, match="No update of cluster north came to an end"):
        await_update(2, lambda _seconds: (note_heartbeat(), time.sleep(0.05))[1])
    with pytest.raises(CommandError, match="No sign of life"):
        call_command("check_installation", "updates", "--patience", "0")


def test_the_cluster_that_is_best_off_is_asked() -> None:
    bad, good = make_cluster("bad"), make_cluster("good")
    Schedule.objects.filter(pk=bad.pk).update(failures=2)
    assert await_update(30, worker(good)) == "Cluster good was updated."
