"""What was used day by day: kept hour by hour, shown for 90 days, summed up by month."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from io import StringIO

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as some

from people.tasks import keep_usage as keep_by_task
from people.usage_history import SHOWN_DAYS, Trend
from permissions.models import Persona
from permissions.services import persona_of
from quotas.amounts import Amounts
from quotas.history import KEPT_DAYS, keep_usage
from quotas.models import UsageDay
from tests.factories import make_cluster, make_user, make_vm

pytestmark = pytest.mark.feature("G039")
DAY = date(2026, 11, 20)


@pytest.fixture
def alice(db: None) -> Persona:
    return persona_of(make_user("alice"))


def test_the_most_of_a_day_is_kept_and_old_days_go(alice: Persona) -> None:
    cluster = make_cluster("lab")
    key = (alice.pk, cluster.pk)
    for used in (Amounts(4, 9, 1, 1), Amounts(8, 2, 1, 1), Amounts(1, 1, 1, 1)):
        keep_usage(DAY, {key: used})
    assert UsageDay.objects.get().amounts == Amounts(8, 9, 1, 1)
    assert keep_usage(DAY, {key: Amounts(1, 1, 1, 1)}) == 0, "nothing is written without need"
    keep_usage(DAY + timedelta(days=1), {key: Amounts(1, 1, 1, 1)})
    assert UsageDay.objects.count() == 2
    keep_usage(DAY + timedelta(days=KEPT_DAYS + 1), {})
    assert [each.day for each in UsageDay.objects.all()] == [DAY + timedelta(days=1)]


@pytest.mark.django_db(transaction=True)
def test_who_or_what_was_deleted_meanwhile_keeps_nobody_elses_from_being_kept() -> None:
    """Whoever looks at usage and whoever deletes an account or a cluster do not wait for each other."""
    alice, bob = persona_of(make_user("alice")), persona_of(make_user("bob"))
    lab, gone = make_cluster("lab"), make_cluster("gone")
    used = {(each.pk, there.pk): Amounts(1, 1, 1, 1) for each in (alice, bob) for there in (lab, gone)}
    bob.delete()
    gone.delete()
    assert keep_usage(DAY, used) == 1
    assert [(each.persona, each.cluster) for each in UsageDay.objects.all()] == [(alice, lab)]


def test_what_everybody_uses_is_kept_by_the_timetable(alice: Persona) -> None:
    make_vm(make_cluster(), owner=alice, memory_mib=1024, disk_mib=10, vcpus=2)
    make_vm(make_cluster())  # of nobody
    keep_by_task()
    assert UsageDay.objects.get().amounts == Amounts(1024, 10, 2, 1)


def test_it_is_shown_and_summed_up_by_month(alice: Persona) -> None:
    lab, client = make_cluster("lab"), Client()
    client.force_login(alice.user)
    make_vm(lab, owner=alice)
    assert "The last 90 days" not in client.get("/usage/").content.decode(), "nothing was kept"
    keep_by_task()
    today = UsageDay.objects.get()
    keep_usage(today.day - timedelta(days=3), {(alice.pk, lab.pk): Amounts(9 * 1024, 1, 1, 1)})
    keep_usage(today.day - timedelta(days=SHOWN_DAYS), {(alice.pk, lab.pk): Amounts(99 * 1024, 1, 1, 1)})
    page = client.get("/usage/").content.decode().replace("\xa0", " ")
    assert "The last 90 days" in page and "at most 9.0 GiB" in page and "style=" not in page
    UsageDay.objects.all().delete()
    for number in range(3):
        keep_usage(DAY + timedelta(days=number), {(alice.pk, lab.pk): Amounts(100 + number, 10, 1, 1)})
    keep_usage(date(2026, 10, 31), {(alice.pk, lab.pk): Amounts(5, 5, 5, 5)})
    rows = list(csv.DictReader(StringIO(client.get("/usage/?format=csv").content.decode())))
    assert [(row["month"], row["cluster"], row["days"]) for row in rows] == [
        ("2026-10", "lab", "1"),
        ("2026-11", "lab", "3"),
    ]
    assert (rows[1]["memory_mib_most"], rows[1]["memory_mib_days"], rows[1]["machines_days"]) == ("102", "303", "3")
    lines = client.get("/usage/?format=jsonl").content.decode().splitlines()
    assert [json.loads(line)["month"] for line in lines] == ["2026-10", "2026-11"]
    assert "?format=jsonl" in client.get("/usage/").content.decode(), "the page leads to it"
    stranger = Client()
    stranger.force_login(make_user("bob"))
    assert len(stranger.get("/usage/?format=csv").content.decode().splitlines()) == 1, "their own alone"
    assert stranger.get("/person/alice/usage/?format=csv").status_code in (403, 404)


@given(some.lists(some.integers(0, 2**40), min_size=SHOWN_DAYS, max_size=SHOWN_DAYS))
def test_a_line_of_any_days_stays_in_its_box(days: list[int]) -> None:
    trend = Trend(days, DAY)
    heights = [float(step.split("H")[0].split("Z")[0]) for step in trend.path.split("V")[1:]]
    assert all(0 <= height <= 30 for height in heights) and len(heights) <= SHOWN_DAYS + 1
    assert trend.most == max(days)
    assert days[SHOWN_DAYS - 1 - (DAY - trend.when).days] == trend.most
