"""Nodes, groups, networks and the cluster itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.backends import Backend
from tests.contract.shapes import NETWORK, check_shape

pytestmark = pytest.mark.feature("F299")

MODIFICATION_NEEDED = ["OpPrereqError", ["Please pass at least one modification", "wrong_input"]]


@pytest.fixture
def second(backend: Backend) -> Iterator[str]:
    """The path of the node that is not the master; a master candidate again in the end."""
    path = f"/2/nodes/{backend.nodes[1]}"
    yield path
    if backend.read(f"{path}/role") != "master-candidate":
        backend.succeed("PUT", f"{path}/role?force=1", "regular")
        backend.succeed("PUT", f"{path}/role", "master-candidate")


def test_drain_a_node(backend: Backend, second: str) -> None:
    before = backend.read(second)
    cluster_time = backend.read("/2/info")["mtime"]
    job = backend.succeed("PUT", f"{second}/role", "drained")
    assert job["opresult"] == [[["master_candidate", "False"], ["drained", "True"]]]
    after = backend.read(second)
    assert (after["role"], after["drained"], after["master_candidate"]) == ("D", True, False)
    assert after["serial_no"] > before["serial_no"]
    assert after["mtime"] > before["mtime"]
    assert backend.read("/2/info")["mtime"] > cluster_time
    body = backend.creation(backend.fresh_name(), pnode=backend.nodes[1])
    result = backend.fail("POST", "/2/instances", body)
    assert result == ["OpPrereqError", [f"Cannot use drained primary node '{backend.nodes[1]}'", "wrong_state"]]
    job = backend.succeed("PUT", f"{second}/role", "master-candidate")
    assert job["opresult"] == [[["master_candidate", "True"], ["drained", "False"]]]


def test_an_offline_node(backend: Backend, second: str) -> None:
    name = backend.create(pnode=backend.nodes[1])
    backend.succeed("PUT", f"{second}/role?force=1", "offline")
    live = ["mtotal", "mfree", "dtotal", "ctotal", "bootid", "sptotal"]
    (row,) = backend.query("node", ["role", *live], ["=", "name", backend.nodes[1]])
    assert row == [[0, "O"], *[[4, None]] * len(live)]
    assert backend.read(second)["mtotal"] is None
    (row,) = backend.query(
        "instance", ["status", "oper_state", "oper_ram", "oper_vcpus", "console"], ["=", "name", name]
    )
    assert row == [[0, "ERROR_nodeoffline"], [2, None], [4, None], [4, None], [4, None]]
    found = backend.instance(name)
    assert (found["status"], found["oper_state"], found["oper_ram"]) == ("ERROR_nodeoffline", None, None)
    expected = ["OpPrereqError", [f"Can't use offline node: {backend.nodes[1]}", "wrong_state"]]
    path = f"/2/instances/{name}"
    for method, action, body in (("PUT", "startup", None), ("PUT", "shutdown", {}), ("POST", "reboot", {})):
        assert backend.fail(method, f"{path}/{action}", body) == expected
    result = backend.fail("PUT", f"{path}/migrate", {})
    assert result == ["OpPrereqError", ["Can't migrate, please use failover: Node is marked offline", "wrong_state"]]
    backend.succeed("PUT", f"{path}/failover", {})
    assert backend.instance(name)["pnode"] == backend.nodes[0]


@pytest.mark.parametrize(
    ("body", "result"),
    [
        ({}, MODIFICATION_NEEDED),
        (
            {"offline": True, "drained": True},
            ["OpPrereqError", ["Can't set the node into more than one state at the same time", "wrong_input"]],
        ),
    ],
)
def test_node_changes_that_fail(backend: Backend, second: str, body: dict[str, Any], result: list[Any]) -> None:
    assert backend.fail("POST", f"{second}/modify", body) == result


def test_node_roles_that_cannot_be(backend: Backend, second: str) -> None:
    for role in ("bogus", "master"):
        answer = backend.ask("PUT", f"{second}/role", role)
        assert (answer.status_code, answer.json()["message"]) == (400, f"Can&#x27;t set &#x27;{role}&#x27; role")
    answer = backend.ask("PUT", f"{second}/role", {})
    assert answer.json()["message"] == "Body contents: Type is &#x27;dict&#x27;, but &#x27;str&#x27; is expected"
    result = backend.fail("PUT", f"/2/nodes/{backend.nodes[0]}/role", "drained")
    assert result == ["OpPrereqError", ["The master role can be changed only via master-failover", "wrong_input"]]


def test_node_parameters_and_tags(backend: Backend, second: str) -> None:
    backend.succeed("POST", f"{second}/modify", {"ndparams": {"spindle_count": 3}})
    assert backend.read(second)["ndparams"]["spindle_count"] == 3
    backend.succeed("POST", f"{second}/modify", {"ndparams": {"spindle_count": "default"}})
    backend.succeed("PUT", f"{second}/tags?tag=rack:1")
    assert backend.read(f"{second}/tags") == ["rack:1"]
    backend.succeed("DELETE", f"{second}/tags?tag=rack:1")


def test_evacuation_makes_jobs(backend: Backend, second: str) -> None:
    name = backend.create(pnode=backend.nodes[1], disk_template="sharedfile", file_driver="loop", disks=[{"size": 16}])
    job = backend.succeed("POST", f"{second}/evacuate", {"mode": "primary-only"})
    jobs = job["opresult"][0]["jobs"]
    assert jobs
    for ok, number in jobs:
        assert ok is True
        assert backend.wait(number)["status"] == "success"
    assert backend.instance(name)["pnode"] == backend.nodes[0]
    job = backend.succeed("POST", f"{second}/migrate", {})
    assert job["opresult"] == [{"jobs": []}]


def test_cluster_defaults_move_no_instance(backend: Backend) -> None:
    name = backend.create()
    before, cluster_time = backend.instance(name), backend.read("/2/info")["mtime"]
    backend.succeed("PUT", "/2/modify", {"beparams": {"vcpus": 3}})
    try:
        after = backend.instance(name)
        assert after["beparams"]["vcpus"] == 3
        assert (after["serial_no"], after["mtime"]) == (before["serial_no"], before["mtime"])
        assert backend.read("/2/info")["mtime"] > cluster_time
    finally:
        backend.succeed("PUT", "/2/modify", {"beparams": {"vcpus": 1}})


def test_cluster_tags_and_redistribution(backend: Backend) -> None:
    backend.succeed("PUT", "/2/tags?tag=env:contract")
    assert "env:contract" in backend.read("/2/tags")
    assert "env:contract" in backend.read("/2/info")["tags"]
    backend.succeed("DELETE", "/2/tags?tag=env:contract")
    job = backend.succeed("PUT", "/2/redistribute-config?reason=again")
    assert (job["summary"], job["ops"][0]["reason"][0][1]) == (["CLUSTER_REDIST_CONF"], "again")


def test_groups_come_and_go(backend: Backend) -> None:
    assert backend.succeed("POST", "/2/groups", {"name": "contract-a"})["summary"] == ["GROUP_ADD(contract-a)"]
    kind, (text, code) = backend.fail("POST", "/2/groups", {"group_name": "contract-a"})
    assert (kind, code) == ("OpPrereqError", "already_exists")
    assert text.startswith("Desired group name 'contract-a' already exists as a node group (UUID: ")
    assert backend.succeed("PUT", "/2/groups/contract-a/rename", {"new_name": "contract-b"})["opresult"] == [
        "contract-b"
    ]
    backend.succeed("PUT", "/2/groups/contract-b/modify", {"alloc_policy": "last_resort"})
    assert backend.read("/2/groups/contract-b")["alloc_policy"] == "last_resort"
    assert backend.fail("PUT", "/2/groups/contract-b/modify", {}) == MODIFICATION_NEEDED
    backend.succeed("PUT", "/2/groups/contract-b/assign-nodes", {"nodes": [backend.nodes[1]]})
    assert backend.read("/2/groups/contract-b")["node_list"] == [backend.nodes[1]]
    kind, (text, code) = backend.fail("DELETE", "/2/groups/contract-b")
    assert (kind, code) == ("OpPrereqError", "wrong_state")
    assert text.startswith("Group 'contract-b' not empty, has the following nodes: ")
    backend.succeed("PUT", "/2/groups/default/assign-nodes", {"nodes": [backend.nodes[1]]})
    backend.succeed("DELETE", "/2/groups/contract-b")
    assert backend.ask("GET", "/2/groups/contract-b").status_code == 404


def test_networks_come_and_go(backend: Backend) -> None:
    path = "/2/networks/contract-net"
    body = {"name": "contract-net", "network": "192.0.2.0/28", "gateway": "192.0.2.1", "conflicts_check": False}
    backend.succeed("POST", "/2/networks", body | {"tags": ["a"]})
    found = backend.read(path)
    check_shape(found, NETWORK)
    assert (found["map"], found["free_count"], found["reserved_count"]) == ("XX.............X", 13, 3)
    assert found["external_reservations"] == "192.0.2.0, 192.0.2.1, 192.0.2.15"
    kind, (_, code) = backend.fail("POST", "/2/networks", body)
    assert (kind, code) == ("OpPrereqError", "already_exists")
    connection = {"group_name": "default", "network_mode": "bridged", "network_link": "br0", "conflicts_check": False}
    backend.succeed("PUT", f"{path}/connect", connection)
    assert backend.read(path)["group_list"] == [["default", "bridged", "br0", ""]]
    backend.succeed("PUT", f"{path}/modify", {"add_reserved_ips": ["192.0.2.9"]})
    before = backend.read(path)
    assert (before["map"], before["serial_no"]) == ("XX.......X.....X", 2)
    name = backend.create(nics=[{"network": "contract-net", "ip": "pool"}], start=False)
    machine = backend.instance(name)
    assert (machine["nic.ips"], machine["nic.networks"]) == (["192.0.2.2"], [before["uuid"]])
    assert machine["nic.networks.names"] == ["contract-net"]
    after = backend.read(path)
    assert (after["free_count"], after["inst_list"]) == (before["free_count"] - 1, [name])
    assert (after["serial_no"], after["mtime"]) == (before["serial_no"], before["mtime"])
    assert backend.fail("DELETE", path) == ["OpPrereqError", ["Network still connected", "wrong_state"]]
    backend.succeed("DELETE", f"/2/instances/{name}")
    backend.succeed("PUT", f"{path}/disconnect", {"group_name": "default"})
    backend.succeed("DELETE", path)
    assert backend.ask("GET", path).status_code == 404
