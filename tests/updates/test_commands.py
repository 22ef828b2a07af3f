"""`manage.py sync_clusters` and `manage.py check_rapi`."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from clusters.models import Job, Schedule
from virtualmachines.models import VirtualMachine


@pytest.fixture(autouse=True)
def short_time_outs(settings):
    settings.GWM_RAPI_READ_TIMEOUT_S = 3
    settings.GWM_RAPI_CONNECT_TIMEOUT_S = 2


def call(*arguments):
    """The command's output, and the error it ended with, if any."""
    out = StringIO()
    try:
        call_command(*arguments, stdout=out)
    except CommandError as error:
        return out.getvalue(), error
    return out.getvalue(), None


@pytest.mark.feature("F078")
def test_it_updates_all_and_says_what_it_did(make_simulator, track):
    track(make_simulator(instances=3), "one")
    track(make_simulator(instances=2), "two")
    said, error = call("sync_clusters")
    assert error is None
    assert "one: 3 machines" in said and "two: 2 machines" in said
    assert "virtualmachines_virtualmachine 3 new" in said
    assert VirtualMachine.objects.count() == 5


def test_as_json_and_by_name(make_simulator, track):
    track(make_simulator(instances=3), "one")
    track(make_simulator(instances=2), "two")
    said, error = call("sync_clusters", "two", "--json")
    (report,) = json.loads(said)
    assert error is None
    assert (report["cluster"], report["outcome"], report["machines"], report["rapi_calls"]) == ("two", "updated", 2, 9)
    assert report["rows_written"] >= 5 and report["seconds"] > 0
    assert {each["table"]: each["created"] for each in report["written"]}["virtualmachines_virtualmachine"] == 2
    assert VirtualMachine.objects.count() == 2


def test_a_failure_is_told_and_others_are_updated(make_simulator, track):
    dead = make_simulator(instances=3)
    track(dead, "dead")
    track(make_simulator(instances=2), "well")
    dead.stop_listening()
    said, error = call("sync_clusters")
    assert error is not None and error.returncode == 1 and "dead" in str(error)
    assert "dead: FAILED (unreachable)" in said and "well: 2 machines" in said
    said, error = call("sync_clusters", "dead", "--json")
    assert json.loads(said)[0]["error_kind"] == "unreachable" and error.returncode == 1


def test_an_unknown_name_and_no_cluster(db):
    assert "There is no cluster nowhere" in str(call("sync_clusters", "nowhere")[1])
    said, error = call("sync_clusters")
    assert error is None and "add_cluster" in said


def test_it_follows_jobs_too(simulator, cluster):
    simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name="vm1.example.org")
    call("sync_clusters")
    assert not Job.objects.get().is_final
    simulator.run_jobs()
    call("sync_clusters")
    assert Job.objects.get().status == "success"
    assert VirtualMachine.objects.get(name="vm1.example.org").status == "ADMIN_down"


def test_the_list_of_operating_systems_comes_with_the_second_update(simulator, track):
    row = track(simulator, "one", operating_systems_at=None)
    call("sync_clusters")
    row.refresh_from_db()
    assert row.operating_systems == []
    call("sync_clusters")
    row.refresh_from_db()
    assert row.operating_systems == sorted(simulator.cluster.operating_systems)
    asked = simulator.count(path="/2/os")
    call("sync_clusters")
    assert simulator.count(path="/2/os") == asked == 1
    Schedule.objects.update(operating_systems_at=None)  # as "refresh" does
    simulator.faults.refuse(500, "no", path="/2/os")
    assert call("sync_clusters")[1] is None
    row.refresh_from_db()
    assert row.operating_systems == sorted(simulator.cluster.operating_systems)


def test_check_rapi_of_a_cluster_in_good_health(simulator, cluster):
    said, error = call("check_rapi", "alpha")
    assert error is None and "Everything answers." in said
    assert simulator.cluster.name in said and "may read and write" in said and "trusted by its fingerprint" in said
    assert "3 listed" in said and " ms)" in said
    assert simulator.password not in said


@pytest.mark.parametrize(
    "trouble, words",
    [
        ("password", "rapi/users on the master"),
        ("certificate", "accept the new one"),
        ("nobody", "RAPI_ARGS"),
        ("luxid", "ganeti-luxid"),
        ("viewer", "may read only"),
    ],
)
def test_check_rapi_says_what_to_do(simulator, cluster, trouble, words):
    if trouble == "password":
        cluster.password = "wrong"
        cluster.save()
    elif trouble == "certificate":
        simulator.change_certificate()
    elif trouble == "nobody":
        simulator.stop_listening()
    elif trouble == "luxid":
        simulator.faults.master_down()
    else:
        cluster.username, cluster.password = simulator.viewer_username, simulator.viewer_password
        cluster.save()
    said, error = call("check_rapi", "alpha")
    assert words in said
    assert (error is None) == (trouble == "viewer")
    assert "wrong" not in said


def test_check_rapi_of_nothing(db):
    assert "There is no cluster" in str(call("check_rapi", "nowhere")[1])
