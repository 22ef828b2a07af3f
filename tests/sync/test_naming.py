"""Which row a name meant at which time, where Ganeti's opcodes say no more than the name."""

from datetime import UTC, datetime, timedelta

import pytest

from clusters.models import Cluster, FormerName
from clusters.sync.naming import Directory, Tie, Times
from clusters.sync.touched import Touched, touched_by
from tests.factories import make_cluster, make_vm

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G048")]
DAY_0 = datetime(2026, 1, 1, tzinfo=UTC)
WEB = Touched("instance", "web1")


def day(number: float) -> datetime:
    return DAY_0 + timedelta(days=number)


def at(begin: float, end: float) -> Times:
    return Times(day(begin).timestamp(), day(end).timestamp())


@pytest.fixture
def cluster() -> Cluster:
    return make_cluster()


def make(cluster: Cluster, *, made: float | None, gone: float | None = None, name: str = "web1") -> Tie:
    """A row; the days on which Ganeti made it, and on which an update found it missing."""
    vm = make_vm(
        cluster,
        name,
        ctime=day(made).timestamp() if made is not None else None,
        missing_since=day(gone) if gone is not None else None,
    )
    return Tie(vm.pk, vm.uuid)


def find(cluster: Cluster, begin: float, end: float, touched: Touched = WEB) -> Tie | None:
    return Directory(cluster, [touched]).find(touched, at(begin, end))


def test_a_name_ends_when_a_namesake_is_made_and_not_when_we_notice(cluster: Cluster) -> None:
    old, new = make(cluster, made=1, gone=20), make(cluster, made=10)
    assert find(cluster, 2, 3) == old
    assert find(cluster, 11, 12) == new, "the old one was gone by then, though we noticed on day 20"
    assert find(cluster, 9, 11) is None, "either"


def test_an_object_that_a_job_made_and_of_which_no_row_is_known_takes_the_name(cluster: Cluster) -> None:
    make(cluster, made=1, gone=20)
    directory = Directory(cluster, [WEB])
    directory.add_births({Touched("instance", "web1", is_made=True): at(10, 11)})
    assert directory.find(WEB, at(12, 13)) is None
    assert directory.find(WEB, at(2, 3)) is not None


def test_the_birth_of_a_known_object_is_told_once(cluster: Cluster) -> None:
    new = make(cluster, made=10)
    directory = Directory(cluster, [WEB])
    directory.add_births({Touched("instance", "web1", is_made=True): at(9, 11)})
    assert directory.find(WEB, at(12, 13)) == new


def test_before_it_was_made_it_is_not_meant(cluster: Cluster) -> None:
    new = make(cluster, made=10)
    assert find(cluster, 8, 9) is None
    assert find(cluster, 8, 11) == new, "a job that waited until it was there"


def test_what_a_job_makes_is_not_what_was_there_before(cluster: Cluster) -> None:
    make(cluster, made=1)
    assert find(cluster, 5, 6, Touched("instance", "web1", is_made=True)) is None


def test_whose_time_is_not_known_may_be_meant_at_any(cluster: Cluster) -> None:
    old = make(cluster, made=None)
    assert find(cluster, 2, 3) == old
    new = make(cluster, made=10)
    assert find(cluster, 11, 12) == new
    assert find(cluster, 2, 3) == old


def test_names_follow_each_other(cluster: Cluster) -> None:
    tie = make(cluster, made=1, name="now")
    for name, seen, until in (("web1", 4, 5), ("between", 8, 9)):
        FormerName.objects.create(
            cluster=cluster, kind="instance", target_pk=tie.pk, name=name, seen_at=day(seen), until=day(until)
        )
    assert find(cluster, 2, 3) == tie and find(cluster, 6, 7) is None
    between, now = Touched("instance", "between"), Touched("instance", "now")
    assert find(cluster, 6, 7, between) == tie and find(cluster, 2, 3, between) is None
    assert find(cluster, 10, 11, now) == tie and find(cluster, 2, 3, now) is None


def test_a_uuid_says_more_than_a_name(cluster: Cluster) -> None:
    old, new = make(cluster, made=1, gone=20), make(cluster, made=10)
    assert find(cluster, 11, 12, Touched("instance", "web1", uuid=old.uuid)) == old
    assert find(cluster, 2, 3, Touched("instance", new.uuid)) == new
    assert find(cluster, 2, 3, Touched("instance", "web1", uuid="20000000-0000-4000-8000-ffffffffffff")) is None


def test_another_cluster_has_names_and_uuids_of_its_own(cluster: Cluster) -> None:
    tie = make(make_cluster(), made=1)
    assert find(cluster, 2, 3) is None
    assert find(cluster, 2, 3, Touched("instance", "web1", uuid=tie.uuid)) is None


def test_a_job_that_means_two_objects_by_one_name_means_neither(cluster: Cluster) -> None:
    make(cluster, made=1)
    steps = [("INSTANCE_REMOVE", {"instance_name": "web1"}, ""), ("INSTANCE_CREATE", {"instance_name": "web1"}, "")]
    (touched,) = touched_by(steps)
    assert touched.is_doubtful and find(cluster, 5, 6, touched) is None
    (touched,) = touched_by([steps[1], ("INSTANCE_STARTUP", {"instance_name": "web1"}, "")])
    assert touched.is_made and not touched.is_doubtful
    startups = [("INSTANCE_STARTUP", {"instance_name": "web1", "instance_uuid": uuid}, "") for uuid in ("u1", "u2")]
    (touched,) = touched_by(startups)
    assert touched.is_doubtful and not touched.uuid
    (touched,) = touched_by(startups[:1])
    assert touched == Touched("instance", "web1", uuid="u1")


def test_a_node_that_is_added_again_is_not_made(cluster: Cluster) -> None:
    (touched,) = touched_by([("NODE_ADD", {"node_name": "node1", "readd": True}, "")])
    assert not touched.is_made
