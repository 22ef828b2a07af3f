"""Every method of the RAPI client, called on a real Ganeti: reads, power, jobs, errors."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from rapi import Dependency, Endpoint, JobOptions, RapiClient, Trust, probe_certificate
from rapi.errors import (
    BadCredentials,
    Garbled,
    JobLost,
    MasterDown,
    NotAllowed,
    NotFound,
    Refused,
    TimedOut,
    Unreachable,
    Untrusted,
)
from rapi.features import Features
from rapi.query import FieldState
from rapi.resources.query import any_of
from rapi.shapes import (
    GROUP_FIELDS,
    INSTANCE_CONFIG_FIELDS,
    INSTANCE_FINGERPRINT_FIELDS,
    INSTANCE_LIVE_FIELDS,
    JOB_FIELDS,
    LOCK_FIELDS,
    NETWORK_FIELDS,
    NODE_CONFIG_FIELDS,
    NODE_LIVE_FIELDS,
    InstanceFingerprint,
    InstanceInfo,
    InstanceLive,
    NodeLive,
    place_instances,
)
from rapi.trust import normalize_fingerprint
from tests.ganeti.cluster import GanetiCluster
from tests.ganeti.rapi_hands import (
    REASON,
    connect,
    done,
    ended,
    failed,
    poll,
    read_groups,
    read_instances,
    read_networks,
    read_nodes,
)

pytestmark = pytest.mark.ganeti


@pytest.fixture(scope="module")
def rapi(ganeti: GanetiCluster) -> Iterator[RapiClient]:
    with connect(ganeti) as client:
        yield client


@pytest.fixture(scope="module")
def machine(ganeti: GanetiCluster) -> Iterator[str]:
    name = ganeti.add_fake_instance()
    yield name
    ganeti.remove(name)


# --- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.feature("F062", "F063", "F064")
def test_the_cluster_says_what_it_is(ganeti: GanetiCluster, rapi: RapiClient) -> None:
    info = rapi.get_info()
    assert info.software_version.startswith("3.0")
    assert info.master == ganeti.lab.master
    assert info.enabled_hypervisors == ("kvm", "fake")
    assert info.hvparams["kvm"]["vnc_bind_address"] == "0.0.0.0"
    assert info.beparams["vcpus"] == 1
    features = Features.of(info)
    assert features.job_filters
    assert features.checks_names_by_default
    assert rapi.get_version() == 2
    rapi.get_root()
    assert "instance-create-reqv1" in rapi.get_features()
    assert "noop" in rapi.list_os()
    assert rapi.get_tags("cluster") == frozenset()
    with pytest.raises(Garbled):  # up to 3.1 the argument is ignored and plain names come
        rapi.list_os_bulk()


def test_fields_of_our_queries_are_all_known(rapi: RapiClient, machine: str) -> None:
    queries = {
        "node": (NODE_CONFIG_FIELDS, NODE_LIVE_FIELDS),
        "group": (GROUP_FIELDS,),
        "network": (NETWORK_FIELDS,),
        "instance": (INSTANCE_CONFIG_FIELDS, INSTANCE_LIVE_FIELDS),
        "job": (JOB_FIELDS,),
        "lock": (LOCK_FIELDS,),
    }
    for resource, lists in queries.items():
        for fields in lists:
            result = rapi.query(resource, fields)  # type: ignore[arg-type]
            assert result.unknown_fields == frozenset()
            known = {each["name"] for each in rapi.query_fields(resource, fields)}  # type: ignore[arg-type]
            assert known == set(fields)
    assert len(rapi.query_fields("instance")) > 200


def test_an_unknown_field_is_none_and_said_to_be_unknown(rapi: RapiClient, machine: str) -> None:
    result = rapi.query("instance", ["name", "colour"])
    assert result.unknown_fields == {"colour"}
    assert result.state(0, "colour") == FieldState.UNKNOWN
    assert result.column("colour") == [None] * len(result)
    with pytest.raises(Refused):
        rapi.query("instance", ["name"], ["=", "colour", "blue"])


def test_queries_and_bulk_records_tell_the_same(ganeti: GanetiCluster, rapi: RapiClient, machine: str) -> None:
    placement = place_instances(read_nodes(rapi))
    (queried,) = [each for each in read_instances(rapi, placement) if each.name == machine]
    (bulk,) = [each for each in rapi.list_instances_bulk() if each.name == machine]
    single = rapi.get_instance(machine)
    assert queried.primary_node is not None
    for other in (bulk, single):
        for field in ("uuid", "admin_state", "os", "disk_template", "nics", "disks", "serial_no", "primary_node"):
            assert getattr(other, field) == getattr(queried, field), field
        assert other.vcpus == queried.vcpus == 1
    assert queried.memory_max_mib == 16
    assert queried.hypervisor == "fake"
    assert machine in rapi.list_instance_names()
    assert rapi.get_instance(queried.uuid) == single
    by_uuid = any_of("uuid", [queried.uuid, str(uuid.uuid4())])
    (live,) = InstanceLive.parse_query(rapi.query("instance", INSTANCE_LIVE_FIELDS, by_uuid))
    assert (live.status, live.memory_mib, live.node_answers) == ("running", 16, True)
    assert read_instances(rapi, placement, by_uuid) == [queried]
    assert queried.mtime is not None
    assert queried in read_instances(rapi, placement, [">=", "mtime", int(queried.mtime)])
    assert read_instances(rapi, placement, [">=", "mtime", int(queried.mtime) + 3600]) == []
    prints = InstanceFingerprint.parse_query(rapi.query("instance", INSTANCE_FINGERPRINT_FIELDS))
    assert [each.serial_no for each in prints if each.uuid == queried.uuid] == [queried.serial_no]
    exports = rapi.query("export", ["node", "export"])
    said = [
        f"{node}|{export or '?'}" for node, export in zip(exports.column("node"), exports.column("export"), strict=True)
    ]
    listed = ganeti.gnt("backup", "list", "--no-headers", "--separator=|", "-o", "node,export").splitlines()
    assert sorted(said) == sorted(listed)
    assert len(said) >= len(ganeti.nodes)


def test_nodes_groups_and_networks_are_read(ganeti: GanetiCluster, rapi: RapiClient) -> None:
    nodes = read_nodes(rapi)
    assert sorted(each.name for each in nodes) == sorted(ganeti.nodes) == sorted(rapi.list_node_names())
    master = next(each for each in nodes if each.is_master)
    assert rapi.get_node(master.name).uuid == master.uuid
    assert rapi.get_node_role(master.name) == "master"
    assert all(
        each.answers and each.memory_total_mib for each in NodeLive.parse_query(rapi.query("node", NODE_LIVE_FIELDS))
    )
    assert all(NodeLive.parse(each).answers for each in rapi.list_nodes_bulk())
    (group,) = read_groups(rapi)
    assert group.name == "default"
    assert rapi.list_groups_bulk()[0].uuid == rapi.get_group("default").uuid == group.uuid
    assert rapi.list_group_names() == ["default"]
    assert read_networks(rapi) == rapi.list_networks_bulk() == []
    assert rapi.list_network_names() == []
    assert rapi.query_locks() == []


def test_a_node_that_is_offline_differs_from_one_that_has_no_figures(ganeti: GanetiCluster, rapi: RapiClient) -> None:
    second = ganeti.nodes[1]
    with ganeti.node_offline(second):
        by_name = {each.name: each for each in NodeLive.parse_query(rapi.query("node", NODE_LIVE_FIELDS))}
    assert by_name[second].offline
    assert not by_name[second].answers
    assert by_name[ganeti.nodes[0]].answers


# --- power and jobs --------------------------------------------------------------------------------------------------


@pytest.mark.feature("F142", "F143")
def test_power(rapi: RapiClient, machine: str) -> None:
    done(rapi, rapi.shutdown_instance(machine, reason=REASON, timeout_s=0, dry_run=True))
    assert rapi.get_instance(machine).admin_state == "up"
    done(rapi, rapi.shutdown_instance(machine, reason=REASON, timeout_s=0, force=True, admin_state_source="admin"))
    assert rapi.get_instance(machine).admin_state == "down"
    done(rapi, rapi.startup_instance(machine, reason=REASON, force=True, no_remember=True))
    assert rapi.get_instance(machine).admin_state == "down"
    done(rapi, rapi.startup_instance(machine, reason=REASON))
    assert rapi.get_instance(machine).admin_state == "up"
    for kind in ("soft", "hard", "full"):
        job = done(rapi, rapi.reboot_instance(machine, reason=REASON, type=kind, shutdown_timeout_s=1))
        assert job.opcodes[0].params["reboot_type"] == kind
    job = done(rapi, rapi.shutdown_instance(machine, reason=REASON, timeout_s=7, ignore_offline_nodes=True))
    assert (job.opcodes[0].name, job.opcodes[0].params["timeout"]) == ("INSTANCE_SHUTDOWN", 7)
    done(rapi, rapi.startup_instance(machine, reason=REASON))


def test_jobs_wait_for_others_and_carry_comment_priority_and_reason(rapi: RapiClient, machine: str) -> None:
    reason = f"gwm:{uuid.uuid4()}"
    before = max(rapi.list_job_ids())
    first = rapi.shutdown_instance(machine, reason=reason, timeout_s=0)
    second = rapi.startup_instance(machine, reason=REASON, depends=[Dependency(first)])
    options = JobOptions(depends=(Dependency(second),), priority="high", comment="by hand")
    third = rapi.reboot_instance(machine, reason=REASON, type="hard", options=options)
    job = done(rapi, third)
    assert job.opcodes[0].comment == "by hand"
    assert done(rapi, second).started_at >= done(rapi, first).ended_at  # type: ignore[operator]
    assert [each.id for each in rapi.find_jobs_by_reason(reason, newer_than=before)] == [first]
    assert {each.id for each in rapi.query_jobs(newer_than=before)} >= {first, second, third}
    assert [each.id for each in rapi.query_jobs(ids=[first, 999999], with_log=True)] == [first]
    assert {each.id for each in rapi.list_jobs_bulk()} >= {first, second, third}


@pytest.mark.feature("F076")
def test_a_waiting_job_says_for_what_and_can_be_cancelled(
    ganeti: GanetiCluster, rapi: RapiClient, machine: str
) -> None:
    with ganeti.held_job(20) as holder:
        poll(lambda: rapi.get_job(holder).status == "running")
        job_id = rapi.migrate_instance(machine, reason=REASON, target_node=ganeti.nodes[1])
        poll(lambda: rapi.get_job(job_id).status == "waiting")
        poll(lambda: any(job_id in each.job_ids for lock in rapi.query_locks() for each in lock.pending))
        wanted = [lock for lock in rapi.query_locks() if any(job_id in each.job_ids for each in lock.pending)]
        assert {lock.name.split("/")[0] for lock in wanted} <= {"node", "node-res"}
        assert holder in wanted[0].owner_job_ids
        assert rapi.cancel_job(job_id, reason=REASON).accepted
        assert ended(rapi, job_id).status == "canceled"
    job = rapi.get_job(job_id)
    assert job.error is not None
    assert job.error.message == "Job canceled by request"
    accepted, message = rapi.cancel_job(999999, reason=REASON)
    assert not accepted
    assert "not found" in message


def test_an_unknown_job_is_lost(rapi: RapiClient) -> None:
    with pytest.raises(JobLost) as caught:
        rapi.get_job(999999)
    assert caught.value.job_id == 999999
    assert rapi.query_jobs(ids=[999999]) == []


def test_an_archived_job_is_still_there_by_id(ganeti: GanetiCluster, rapi: RapiClient, machine: str) -> None:
    job_id = rapi.reboot_instance(machine, reason=REASON)
    done(rapi, job_id)
    ganeti.gnt("job", "archive", str(job_id))
    assert job_id not in rapi.list_job_ids()
    assert rapi.query_jobs(ids=[job_id], newer_than=job_id) == []
    assert [each.id for each in rapi.query_jobs(ids=[job_id])] == [job_id]
    assert rapi.get_job(job_id).status == "success"


def test_waiting_for_a_change_tells_the_new_status_and_the_log(rapi: RapiClient, machine: str) -> None:
    job_id = rapi.reboot_instance(machine, reason=REASON)
    done(rapi, job_id)
    change = rapi.wait_for_job_change(job_id, ["status"], previous_values=["queued"])
    assert change.values == ("success",)
    assert rapi.may_write()


# --- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.feature("F066")
def test_only_the_right_certificate_is_trusted(ganeti: GanetiCluster) -> None:
    shown = probe_certificate(ganeti.host, ganeti.port)
    assert shown.fingerprint == normalize_fingerprint(ganeti.fingerprint)
    assert shown.is_self_signed
    for trust in (Trust.system(), Trust.pinned("00" * 32)):
        with connect(ganeti, trust=trust) as client, pytest.raises(Untrusted) as caught:
            client.get_info()
        assert caught.value.presented == shown.fingerprint
    with connect(ganeti, trust=Trust.authority(shown.pem)) as client, pytest.raises(Untrusted):
        client.get_info()  # its own authority, but the name in it is ganeti.example.com
    with connect(ganeti, trust=Trust.authority(shown.pem, check_hostname=False)) as client:
        assert client.get_info().uuid


def test_wrong_credentials_and_missing_rights(ganeti: GanetiCluster, machine: str) -> None:
    with connect(ganeti, password="wrong") as client, pytest.raises(BadCredentials):
        client.get_info()
    viewer = {"username": ganeti.viewer_username, "password": ganeti.viewer_password}
    with connect(ganeti, **viewer) as client:
        assert client.get_instance(machine).name == machine
        assert client.query("node", ["name"]).rows
        assert not client.may_write()
        with pytest.raises(NotAllowed) as caught:
            client.shutdown_instance(machine, reason=REASON)
    assert caught.value.code == 403
    assert not caught.value.may_have_run


def test_what_is_not_there_is_not_found(rapi: RapiClient) -> None:
    for call in (
        lambda: rapi.get_instance("nobody.lab.test"),
        lambda: rapi.get_console("nobody.lab.test"),
        lambda: rapi.get_tags("instance", "nobody.lab.test"),
        lambda: rapi.get_node("nobody.lab.test"),
        lambda: rapi.get_node_role("nobody.lab.test"),
        lambda: rapi.get_group("nobody"),
        lambda: rapi.get_network("nobody"),
        lambda: rapi.get_filter(str(uuid.uuid4())),
        lambda: rapi.remove_filter(str(uuid.uuid4()), reason=REASON),
    ):
        with pytest.raises(NotFound):
            call()


def test_a_write_to_what_is_not_there_fails_as_a_job_with_readable_words(rapi: RapiClient) -> None:
    message = failed(rapi, rapi.startup_instance("nobody.lab.test", reason=REASON), "unknown_entity")
    assert message == "Instance 'nobody.lab.test' not known"


def test_a_drained_queue_is_closed_and_says_so(ganeti: GanetiCluster, rapi: RapiClient, machine: str) -> None:
    ganeti.gnt("cluster", "queue", "drain")
    try:
        with pytest.raises(Refused) as caught:
            rapi.reboot_instance(machine, reason=REASON)
    finally:
        ganeti.gnt("cluster", "queue", "undrain")
    assert caught.value.kind == "queue closed"
    assert not caught.value.may_have_run


def test_a_wrong_parameter_is_refused_in_ganetis_words(rapi: RapiClient) -> None:
    with pytest.raises(Refused) as caught:
        rapi.modify_cluster({"colour": "blue"}, reason=REASON)
    assert caught.value.code == 400
    assert "colour" in caught.value.text
    assert "&#" not in caught.value.text


@pytest.mark.feature("F065", "F081")
def test_silence_and_absence(ganeti: GanetiCluster, machine: str) -> None:
    with ganeti.hanging(), connect(ganeti, connect_timeout_s=1.0, read_timeout_s=1.0) as client:
        with pytest.raises((TimedOut, Unreachable)) as caught:
            client.get_info()
        assert not caught.value.may_have_run
    with connect(ganeti, (ganeti.host, 5999)) as client, pytest.raises(Unreachable) as refused:
        client.get_info()
    assert "refused" in refused.value.message
    with ganeti.cut_off(), connect(ganeti, connect_timeout_s=0.5) as client, pytest.raises((TimedOut, Unreachable)):
        client.get_info()
    with connect(ganeti) as client:
        poll(lambda: client.get_info().uuid != "")


def test_the_master_is_found_on_another_endpoint(ganeti: GanetiCluster, rapi: RapiClient, machine: str) -> None:
    """The first endpoint answers nothing, the second is not the master, the third is."""
    info = rapi.get_info()
    by_role = {each.is_master: each.primary_ip for each in read_nodes(rapi)}
    endpoints = [(ganeti.host, 5999), (by_role[False], ganeti.port), (by_role[True], ganeti.port)]
    with connect(ganeti, *endpoints, cluster_uuid=info.uuid) as client:
        done(client, client.reboot_instance(machine, reason=REASON))
        assert client.endpoint == Endpoint(by_role[True], ganeti.port)
    with connect(ganeti, *endpoints, cluster_uuid=str(uuid.uuid4())) as client, pytest.raises(Unreachable):
        client.get_info()


def test_a_dead_master_daemon_is_told(ganeti: GanetiCluster, machine: str) -> None:
    with ganeti.daemon_stopped("luxid"), connect(ganeti, read_timeout_s=50.0) as client:
        with pytest.raises(MasterDown) as caught:
            client.startup_instance(machine, reason=REASON)
        assert caught.value.code in (502, 504)
        assert not caught.value.may_have_run


def test_raw_records_of_instances_can_be_parsed_again(rapi: RapiClient, machine: str) -> None:
    info = rapi.get_instance(machine)
    assert InstanceInfo.parse(info.raw) == info
