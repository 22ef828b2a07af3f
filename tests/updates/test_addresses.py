"""A cluster whose configured address has died: where it is found, and what becomes of the configured one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clusters.connection import client_for
from clusters.models import Cluster, Schedule
from clusters.operations.cluster import UseAddress
from clusters.states import state_of_cluster
from objectlog.models import Via
from operations.contract import Actor, Ask, Forbidden, NoParams, Refusal
from operations.pipeline import run
from permissions.services import grant
from tests.factories import make_admin, make_user
from tests.updates.conftest import update


@pytest.fixture
def moved(cluster):
    """The configured address is dead; a master candidate's answers."""
    Cluster.objects.filter(pk=cluster.pk).update(host="127.0.0.9", fallback_hosts=["127.0.0.1"])
    cluster.refresh_from_db()
    return cluster


def calls_of(cluster):
    report = update(cluster)
    assert report.outcome == "updated"
    return report.rapi_calls


def test_the_address_that_answers_is_remembered(simulator, moved):
    searching = calls_of(moved)
    assert (moved.answers_at, moved.host) == ("127.0.0.1", "127.0.0.9")
    since = moved.answers_at_since
    assert since is not None
    found = calls_of(moved)
    assert found < searching, "the dead address is not tried first in every cycle"
    assert moved.answers_at_since == since
    assert state_of_cluster(moved) == ("warn", "address moved")


def test_the_configured_address_is_tried_again_and_taken_back(simulator, moved):
    update(moved)
    Schedule.objects.update(host_tried_at=timezone.now() - timedelta(minutes=11))
    assert calls_of(moved) > 8, "it was tried, in vain"
    assert moved.answers_at == "127.0.0.1"
    assert timezone.now() - moved.schedule.host_tried_at < timedelta(minutes=1)
    Cluster.objects.update(host="127.0.0.1")
    Schedule.objects.update(host_tried_at=timezone.now() - timedelta(minutes=11))
    moved.refresh_from_db()
    update(moved)
    assert (moved.answers_at, moved.answers_at_since, moved.schedule.host_tried_at) == ("", None, None)
    assert state_of_cluster(moved)[0] == "ok"


def test_operations_go_to_the_address_that_answers(simulator, moved):
    update(moved)
    with client_for(moved) as client:
        client.get_info()
        assert client.calls == 1
    with client_for(moved, configured_first=True) as client:
        assert client.endpoint.host == "127.0.0.9"


def test_the_address_that_answers_is_taken_over(simulator, moved):
    update(moved)
    admin, somebody = make_admin(), make_user("somebody")
    grant(["create_vm"], somebody, moved)
    with pytest.raises(Forbidden):
        run(UseAddress(), Ask(Actor(somebody, Via.WEB), moved, NoParams()))
    entry = run(UseAddress(), Ask(Actor(admin, Via.WEB), moved, NoParams()))
    moved.refresh_from_db()
    assert (moved.host, moved.answers_at) == ("127.0.0.1", "")
    assert entry.message == "127.0.0.1 becomes its address instead of 127.0.0.9."
    with pytest.raises(Refusal, match="answers at its configured address"):
        run(UseAddress(), Ask(Actor(admin, Via.WEB), moved, NoParams()))
