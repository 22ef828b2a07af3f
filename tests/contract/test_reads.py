"""What the objects look like."""

from __future__ import annotations

import pytest

from simulator.reads import RESOURCES
from tests.contract.backends import Backend
from tests.contract.shapes import GROUP, INFO, INSTANCE, JOB, JOB_IN_FULL, NODE, check_shape

pytestmark = pytest.mark.feature("F299")


def test_version_and_features(backend: Backend) -> None:
    assert backend.read("/version") == 2
    assert backend.read("/") is None
    assert sorted(backend.read("/2/features")) == [
        "instance-create-reqv1",
        "instance-reinstall-reqv1",
        "node-evac-res1",
        "node-migrate-reqv1",
    ]


def test_cluster(backend: Backend) -> None:
    info = backend.read("/2/info")
    assert set(info) == set(INFO)
    check_shape({name: info[name] for name in INFO}, INFO)
    assert info["master"] == backend.nodes[0]
    assert set(info["beparams"]["default"]) == {
        "minmem", "maxmem", "vcpus", "auto_balance", "always_failover", "spindle_use",
    }  # fmt: skip


def test_all_hypervisors_have_their_parameters(backend: Backend) -> None:
    hvparams = backend.read("/2/info")["hvparams"]
    assert {name: len(params) for name, params in hvparams.items()} == {
        "kvm": 65, "xen-pvm": 18, "xen-hvm": 25, "chroot": 1, "lxc": 7, "fake": 1,
    }  # fmt: skip
    assert {"vnc_bind_address", "boot_order", "kernel_path", "migration_mode"} <= set(hvparams["kvm"])


def test_operating_systems(backend: Backend) -> None:
    assert "noop" in backend.read("/2/os")


def test_instance(backend: Backend, machine: str) -> None:
    found = backend.instance(machine)
    check_shape(found, INSTANCE)
    assert (found["status"], found["oper_state"], found["oper_ram"]) == ("running", True, 32)
    assert found["beparams"]["memory"] == found["beparams"]["maxmem"] == 32
    assert "migration_mode" not in found["hvparams"]
    assert found["custom_beparams"] == {"maxmem": 32, "minmem": 32}
    bulk = backend.read("/2/instances?bulk=1")
    same = next(each for each in bulk if each["name"] == machine)
    check_shape(same, INSTANCE)
    assert backend.read("/2/instances") == [
        {"id": each["name"], "uri": f"/2/instances/{each['name']}"}
        for each in sorted(bulk, key=lambda each: each["name"])
    ]


def test_found_by_uuid_and_by_partial_name(backend: Backend, machine: str) -> None:
    found = backend.instance(machine)
    assert backend.instance(found["uuid"])["name"] == machine
    short = machine.partition(".")[0]
    assert backend.instance(short)["name"] == machine
    assert backend.ask("GET", f"/2/instances/{short.upper()}").status_code == 404
    assert backend.ask("GET", "/2/instances/contract").status_code == 404
    assert backend.read(f"/2/nodes/{backend.nodes[0].partition('.')[0]}")["name"] == backend.nodes[0]


def test_a_stopped_machine_has_no_live_values(backend: Backend, stopped: str) -> None:
    found = backend.instance(stopped)
    assert (found["status"], found["admin_state"], found["oper_state"]) == ("ADMIN_down", "down", False)
    assert (found["oper_ram"], found["oper_vcpus"]) == (None, None)


def test_node(backend: Backend) -> None:
    found = backend.read(f"/2/nodes/{backend.nodes[0]}")
    assert found.pop("secondary_ip") == found["sip"]
    check_shape(found, NODE)
    assert (found["role"], found["offline"], found["drained"]) == ("M", False, False)
    for each in backend.read("/2/nodes?bulk=1"):
        check_shape(each, NODE)
        assert each["mtotal"] > each["mfree"] > 0
    listed = [{"id": name, "uri": f"/2/nodes/{name}"} for name in sorted(backend.nodes)]
    assert backend.read("/2/nodes") == listed


def test_group(backend: Backend) -> None:
    assert backend.read("/2/groups") == [{"name": "default", "uri": "/2/groups/default"}]
    found = backend.read("/2/groups/default")
    check_shape(found, GROUP)
    assert sorted(found["node_list"]) == sorted(backend.nodes)
    assert set(found["ipolicy"]) == {"minmax", "std", "spindle-ratio", "vcpu-ratio", "disk-templates"}
    assert backend.read("/2/groups?bulk=1")[0]["uuid"] == backend.read(f"/2/groups/{found['uuid']}")["uuid"]


def test_jobs(backend: Backend, machine: str) -> None:
    newest = max(backend.read("/2/jobs?bulk=1"), key=lambda job: job["id"])
    check_shape(newest, JOB)
    check_shape(backend.job(newest["id"]), JOB_IN_FULL)
    assert {"id": newest["id"], "uri": f"/2/jobs/{newest['id']}"} in backend.read("/2/jobs")


def test_an_unknown_job_is_all_null(backend: Backend) -> None:
    job = backend.job(999999)
    assert list(job) == list(JOB_IN_FULL)
    assert {name: value for name, value in job.items() if value is not None} == {"id": 999999}


def test_node_role(backend: Backend) -> None:
    assert backend.read(f"/2/nodes/{backend.nodes[0]}/role") == "master"
    assert backend.read(f"/2/nodes/{backend.nodes[1]}/role") == "master-candidate"
    assert backend.ask("GET", "/2/nodes/nope/role").status_code == 500


def test_console(backend: Backend, machine: str, stopped: str) -> None:
    found = backend.read(f"/2/instances/{machine}/console")
    assert found == {"instance": machine, "kind": "msg", "message": "Console not available for fake hypervisor"}
    answer = backend.ask("GET", "/2/instances/nope/console")
    assert (answer.status_code, answer.json()["message"]) == (500, "list index out of range")
    assert backend.ask("GET", f"/2/instances/{stopped}/console").json()["message"] == "Instance console unavailable"


def test_tags_of_nothing(backend: Backend) -> None:
    answer = backend.ask("GET", "/2/instances/nope/tags")
    assert answer.status_code == 500
    assert "unknown_entity" in answer.json()["message"]


@pytest.mark.parametrize("resource", sorted(RESOURCES))
def test_field_definitions(backend: Backend, resource: str) -> None:
    """Every field that the simulator knows is one of Ganeti's, of the same kind; and the other way round."""
    found = backend.read(f"/2/query/{resource}/fields")["fields"]
    known = RESOURCES[resource].fields
    assert {each["name"]: each["kind"] for each in found} == {name: each.kind for name, each in known.items()}
    assert all(each["title"] and each["doc"] for each in found)


def test_chosen_field_definitions(backend: Backend) -> None:
    found = backend.read("/2/query/instance/fields?fields=name,bogus")["fields"]
    assert [(each["name"], each["kind"]) for each in found] == [("name", "text"), ("bogus", "unknown")]
    assert found[1]["doc"] == "Unknown field 'bogus'"
