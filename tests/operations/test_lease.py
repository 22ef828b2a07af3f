"""The general lease, on a table whose columns it does not know: with a column for the holder and without."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clusters.models import Cluster, Schedule
from operations.lease import Columns, Lease, LeaseLost
from tests.factories import make_cluster

HELD = Columns("leased_until", "lease_holder")
BARE = Columns("follow_leased_until")
both = pytest.mark.parametrize("columns", [HELD, BARE], ids=["with holder", "without"])


def take(cluster: Cluster, columns: Columns, **values: object) -> Lease | None:
    return Lease.take(cluster.schedule, columns, lasts_s=30, **values)


def state(columns: Columns) -> tuple[object, ...]:
    return Schedule.objects.values_list(*[each for each in (columns.until, columns.holder) if each]).get()


@both
@pytest.mark.django_db
def test_one_has_it_and_what_goes_with_it_is_written_at_once(columns):
    cluster = make_cluster()
    lease = take(cluster, columns, failures=1)
    assert lease is not None
    before = state(columns)
    assert take(cluster, columns, failures=2) is None
    assert state(columns) == before and Schedule.objects.get().failures == 1
    lease.give_back(failures=3)
    assert state(columns)[0] is None and not any(state(columns)[1:])
    assert Schedule.objects.get().failures == 3 and not lease.is_held
    assert take(cluster, columns) is not None


@both
@pytest.mark.django_db
def test_renewed_it_lasts_longer_and_is_still_mine(columns):
    cluster = make_cluster()
    lease = take(cluster, columns)
    first = state(columns)
    lease.renew()
    assert state(columns)[0] > first[0] and state(columns)[1:] == first[1:]
    lease.renew()
    lease.give_back()


@both
@pytest.mark.django_db
def test_it_runs_out_and_whoever_lost_it_writes_nothing(columns):
    cluster = make_cluster()
    old = take(cluster, columns)
    Schedule.objects.update(**{columns.until: timezone.now() - timedelta(seconds=1)})
    new = take(cluster, columns)
    assert new is not None
    kept = state(columns)
    for write in (old.renew, lambda: old.give_back(failures=4)):
        with pytest.raises(LeaseLost):
            write()
    assert state(columns) == kept and Schedule.objects.get().failures != 4 and not old.is_held
    new.give_back()


@both
@pytest.mark.django_db
def test_a_row_that_is_gone_gives_none_and_takes_none_back(columns):
    cluster = make_cluster()
    lease = take(cluster, columns)
    Cluster.objects.all().delete()
    with pytest.raises(LeaseLost):
        lease.give_back()
    assert take(cluster, columns) is None


@both
@pytest.mark.django_db
def test_after_it_the_row_can_rest(columns):
    cluster = make_cluster()
    until = timezone.now() + timedelta(seconds=5)
    take(cluster, columns).give_back(rest_until=until)
    assert state(columns)[0] == until and take(cluster, columns) is None


@both
@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_gets_it(columns):
    cluster, got, start = make_cluster(), [], threading.Barrier(6)

    def reach_for_it():
        try:
            start.wait(30)
            got.append(take(cluster, columns))
        finally:
            connection.close()

    threads = [threading.Thread(target=reach_for_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(got) == 6 and sum(lease is not None for lease in got) == 1
