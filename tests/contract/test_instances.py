"""What can be done to machines, what it says, and which numbers it moves."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.backends import Backend

pytestmark = pytest.mark.feature("F299")


def serial(backend: Backend, name: str) -> tuple[int, float]:
    found = backend.instance(name)
    return found["serial_no"], found["mtime"]


def logged(job: dict[str, Any]) -> list[str]:
    return [entry[3] for log in job["oplog"] for entry in log]


# power


def test_power_cycle_and_the_numbers_it_moves(backend: Backend) -> None:
    name = backend.create()
    path = f"/2/instances/{name}"
    start, _ = serial(backend, name)

    def moved(method: str, action: str, body: Any = None) -> int:
        before, _ = serial(backend, name)
        backend.succeed(method, path + action, body)
        return serial(backend, name)[0] - before

    assert moved("PUT", "/startup") == 0  # it runs already
    assert moved("POST", "/reboot", {}) == 0
    assert moved("PUT", "/shutdown", {"timeout": 0}) == 2
    assert backend.instance(name)["status"] == "ADMIN_down"
    assert moved("PUT", "/startup") == 1
    assert backend.instance(name)["status"] == "running"
    assert moved("PUT", "/shutdown?no_remember=1", {"timeout": 0}) == 1
    assert backend.instance(name)["status"] == "ERROR_down"
    assert moved("PUT", "/startup") == 1
    assert moved("PUT", "/tags?tag=x") == 1
    assert serial(backend, name)[0] == start + 6


def test_shutdown_twice_and_reboot_of_a_stopped_one(backend: Backend, stopped: str) -> None:
    path = f"/2/instances/{stopped}"
    backend.succeed("PUT", f"{path}/shutdown", {})
    backend.succeed("PUT", f"{path}/shutdown")
    job = backend.succeed("POST", f"{path}/reboot", {})
    assert logged(job) == [f" - INFO: Instance {stopped} was already stopped, starting now"]
    assert backend.instance(stopped)["status"] == "running"


@pytest.mark.parametrize(
    ("method", "action", "body"),
    [
        ("PUT", "/startup?dry-run=1", None),
        ("PUT", "/shutdown?dry-run=1", {"timeout": 0}),
        ("POST", "/reboot?type=hard&dry-run=1", {}),
        ("PUT", "/rename", {"new_name": "checked.lab.test", "name_check": False, "ip_check": False, "dry_run": True}),
        ("PUT", "/modify", {"beparams": {"maxmem": 256}, "dry_run": True}),
        ("DELETE", "?dry-run=1", {}),
    ],
)
def test_a_check_changes_nothing_and_says_so(
    backend: Backend, stopped: str, method: str, action: str, body: Any
) -> None:
    before = backend.instance(stopped)
    job = backend.succeed(method, f"/2/instances/{stopped}{action}", body)
    assert logged(job)[-1] == " - INFO: dry-run mode requested, not actually executing the operation"
    assert job["opresult"] == [None] and job["ops"][0]["dry_run"] is True
    assert backend.instance(stopped) == before


def test_a_check_of_what_cannot_be_done(backend: Backend, machine: str) -> None:
    body = {"new_name": "checked.lab.test", "name_check": False, "ip_check": False, "dry_run": True}
    result = backend.fail("PUT", f"/2/instances/{machine}/rename", body)
    assert result == ["OpPrereqError", [f"Instance '{machine}' is marked to be up, cannot rename", "wrong_state"]]
    answer = backend.ask("PUT", f"/2/instances/{machine}/shutdown?dry-run=1", {"dry_run": True})
    assert (
        answer.status_code == 400
    )  # the other spelling is refused here; where the body is right, the query is ignored


def test_offline_machines(backend: Backend, stopped: str) -> None:
    path = f"/2/instances/{stopped}"
    job = backend.succeed("PUT", f"{path}/modify", {"offline": True})
    assert job["opresult"] == [[["admin_state", "offline"]]]
    found = backend.instance(stopped)
    assert (found["status"], found["admin_state"]) == ("ADMIN_offline", "offline")
    text = f"Instance '{stopped}' is marked to be offline, can't use instance from outside down, up states"
    for method, action, body in (("PUT", "startup", None), ("PUT", "shutdown", {}), ("POST", "reboot", {})):
        assert backend.fail(method, f"{path}/{action}", body) == ["OpPrereqError", [text, "wrong_state"]]
    backend.succeed("PUT", f"{path}/modify", {"offline": False})
    assert backend.instance(stopped)["status"] == "ADMIN_down"


def test_a_running_machine_cannot_go_offline(backend: Backend, machine: str) -> None:
    kind, (text, code) = backend.fail("PUT", f"/2/instances/{machine}/modify", {"offline": True})
    assert (kind, code) == ("OpPrereqError", "wrong_state")
    assert text == f"Instance '{machine}' is marked to be up, can't change to offline without being down first"


# creating and removing


def test_create_with_hail(backend: Backend) -> None:
    name = backend.fresh_name()
    job = backend.succeed("POST", "/2/instances?reason=gwm:create", backend.creation(name, iallocator="hail"))
    (chosen,) = job["opresult"][0]
    assert chosen in backend.nodes
    assert logged(job)[0] == f" - INFO: Selected nodes for instance {name} via iallocator hail: {chosen}"
    assert f"adding instance {name} to cluster config" in logged(job)
    assert logged(job)[-1] == "* starting instance..."
    (op,) = job["ops"]
    assert (op["OP_ID"], op["instance_name"], op["pnode"]) == ("OP_INSTANCE_CREATE", name, chosen)
    assert op["beparams"] == {"maxmem": 32, "minmem": 32}
    assert op["reason"][0][:2] == ["gnt:user", "gwm:create"]
    found = backend.instance(name)
    assert (found["status"], found["pnode"], found["disk_template"]) == ("running", chosen, "diskless")
    assert found["ctime"] <= found["mtime"]


def test_create_and_remove_with_disks(backend: Backend) -> None:
    name = backend.fresh_name()
    body = backend.creation(
        name,
        disk_template="sharedfile",
        file_driver="loop",
        disks=[{"size": 16}, {"size": 32, "name": "data"}],
        tags=["t"],
    )
    job = backend.succeed("POST", "/2/instances", body)
    assert {"* disk 0, size 16M", "* disk 1, size 32M", "* creating instance disks..."} <= set(logged(job))
    found = backend.instance(name)
    assert (found["disk.sizes"], found["disk.names"], found["disk_usage"]) == ([16, 32], [None, "data"], 48)
    assert (found["tags"], len(set(found["disk.uuids"]))) == (["t"], 2)
    before = backend.read("/2/info")["mtime"]
    job = backend.succeed("DELETE", f"/2/instances/{name}?reason=gwm:remove", {"shutdown_timeout": 0})
    assert job["summary"] == [f"INSTANCE_REMOVE({name})"]
    assert backend.ask("GET", f"/2/instances/{name}").status_code == 404
    assert backend.read("/2/info")["mtime"] > before
    kind, (_, code) = backend.fail("DELETE", f"/2/instances/{name}")
    assert (kind, code) == ("OpPrereqError", "unknown_entity")


def test_create_without_installation_does_not_start(backend: Backend) -> None:
    name = backend.create(no_install=True, start=True)
    assert backend.instance(name)["status"] == "ADMIN_down"


def test_create_dry_run(backend: Backend) -> None:
    name = backend.fresh_name()
    backend.succeed("POST", "/2/instances?dry-run=1", backend.creation(name))
    assert backend.ask("GET", f"/2/instances/{name}").status_code == 404


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"__version__": 0}, "Instance creation request version 0 is no longer supported"),
        ({"__version__": 7}, "Unsupported request data version 7"),
        (
            {"bogus": 1},
            "Invalid body parameters: Object OpInstanceCreate doesn&#x27;t support the parameter &#x27;bogus&#x27;",
        ),
        ({"disks": [{"size": 1.5}]}, "OP_INSTANCE_CREATE.disks"),
        ({"mode": None}, "OP_INSTANCE_CREATE.mode"),
    ],
)
def test_creations_refused_at_once(backend: Backend, change: dict[str, Any], text: str) -> None:
    answer = backend.ask("POST", "/2/instances", backend.creation("x.example.org") | change)
    assert answer.status_code == 400
    assert text in answer.json()["message"]


@pytest.mark.parametrize(
    ("change", "kind", "text", "code"),
    [
        ({"pnode": "nope"}, "OpPrereqError", "Node 'nope' not known", "unknown_entity"),
        (
            {"hypervisor": "xen-pvm"},
            "OpPrereqError",
            "Selected hypervisor (xen-pvm) not enabled in the cluster",
            "wrong_state",
        ),
        ({"hvparams": {"bogus": 1}}, "TypeEnforcementError", "Unknown parameter 'bogus'", None),
        ({"beparams": {"bogus": 1}}, "TypeEnforcementError", "Unknown parameter 'bogus'", None),
        ({"nics": []}, "OpPrereqError", "violates policy: nic-count value 0 is not in range [1, 8]", "wrong_input"),
        ({"name": "bad name"}, "OpPrereqError", "Invalid hostname 'bad name'", "wrong_input"),
        ({"name": "unqualified", "name_check": True}, "OpPrereqError", "does not resolve", "resolver_error"),
        ({"disk_template": "plain", "disks": [{"size": 16}]}, "OpPrereqError", "is not enabled in cluster", None),
        (
            {"disk_template": "file", "file_driver": "loop", "disks": [{}]},
            "OpPrereqError",
            "Missing disk size",
            "wrong_input",
        ),
        ({"os": "nope"}, "OpExecError", "Directory for OS nope not found in search path", None),
    ],
)
def test_creations_that_fail(backend: Backend, change: dict[str, Any], kind: str, text: str, code: str | None) -> None:
    found, (message, *codes) = backend.fail("POST", "/2/instances", backend.creation("failing.example.org") | change)
    assert found == kind
    assert text in message
    assert codes == ([code] if code else [])


def test_a_name_is_taken(backend: Backend, machine: str) -> None:
    result = backend.fail("POST", "/2/instances", backend.creation(machine))
    assert result == ["OpPrereqError", [f"Instance '{machine}' is already in the cluster", "already_exists"]]


def test_no_room(backend: Backend) -> None:
    info = backend.read("/2/info")
    largest = info["ipolicy"]["minmax"][0]["max"]["memory-size"]
    body = backend.creation("huge.example.org", iallocator="hail", beparams={"memory": 4_000_000})
    assert largest < 4_000_000
    kind, (text, code) = backend.fail("POST", "/2/instances", body)
    assert (kind, code) == ("OpPrereqError", "insufficient_resources")
    assert text.startswith("Can't compute nodes using iallocator 'hail': Request failed: Group default (preferred)")


def test_multi_alloc(backend: Backend) -> None:
    names = [backend.fresh_name() for _ in range(2)]
    bodies = [
        {k: v for k, v in backend.creation(n, iallocator=None).items() if k not in ("__version__", "iallocator")}
        for n in names
    ]
    job = backend.succeed("POST", "/2/instances-multi-alloc", {"instances": bodies, "iallocator": "hail"})
    result = job["opresult"][0]
    assert sorted(result["allocatable"]) == sorted(names)
    assert result["failed"] == []
    for ok, number in result["jobs"]:
        assert ok is True
        assert backend.wait(number)["status"] == "success"


# changing


def test_modify_parameters(backend: Backend, stopped: str) -> None:
    path = f"/2/instances/{stopped}/modify"
    job = backend.succeed("PUT", path, {"beparams": {"maxmem": 64, "minmem": 48, "vcpus": 2}})
    assert sorted(job["opresult"][0]) == [["be/maxmem", 64], ["be/minmem", 48], ["be/vcpus", 2]]
    found = backend.instance(stopped)
    assert found["custom_beparams"] == {"maxmem": 64, "minmem": 48, "vcpus": 2}
    backend.succeed("PUT", path, {"beparams": {"vcpus": "default"}})
    assert "vcpus" not in backend.instance(stopped)["custom_beparams"]
    backend.succeed("PUT", path, {"custom_beparams": {"memory": 40}})
    assert backend.instance(stopped)["beparams"]["minmem"] == 40


@pytest.mark.parametrize(
    ("body", "result"),
    [
        ({}, ["OpPrereqError", ["No changes submitted", "wrong_input"]]),
        ({"hvparams": {"nope": 1}}, ["TypeEnforcementError", ["Unknown parameter 'nope'"]]),
        ({"beparams": {"nope": 1}}, ["TypeEnforcementError", ["Unknown parameter 'nope'"]]),
    ],
)
def test_modifications_that_fail(backend: Backend, stopped: str, body: dict[str, Any], result: list[Any]) -> None:
    assert backend.fail("PUT", f"/2/instances/{stopped}/modify", body) == result


def test_nics_come_change_and_go(backend: Backend, stopped: str) -> None:
    path = f"/2/instances/{stopped}/modify"
    job = backend.succeed("PUT", path, {"nics": [["add", -1, {"mac": "auto"}]]})
    (what, text), *_ = job["opresult"][0]
    assert (what, text.partition("mac=")[0]) == ("nic.1", "add:")
    assert text.endswith(",ip=None,mode=bridged,link=br0,network=None")
    job = backend.succeed("PUT", path, {"nics": [["modify", 0, {"link": "br0", "name": "lan"}]]})
    assert job["opresult"][0] == [
        ["nic.name/0", "lan"],
        ["nic.link/0", "br0"],
        ["nic.mode/0", "bridged"],
        ["nic.vlan/0", ""],
    ]
    assert backend.instance(stopped)["nic.names"] == ["lan", None]
    job = backend.succeed("PUT", path, {"nics": [["remove", 1, {}]]})
    assert job["opresult"][0] == [["NIC/1", "remove"]]
    kind, (text,) = backend.fail("PUT", path, {"nics": [["modify", 5, {"link": "x"}]]})
    assert (kind, text) == ("OpExecError", "Got NIC index 5, but there are only 1")


def test_disks_come_grow_and_go(backend: Backend) -> None:
    name = backend.create(disk_template="sharedfile", file_driver="loop", disks=[{"size": 16}], start=False)
    path = f"/2/instances/{name}"
    job = backend.succeed("PUT", f"{path}/modify", {"disks": [["add", -1, {"size": 16, "name": "d1"}]]})
    assert job["opresult"][0] == [["disk/1", "add:size=16,mode=rw"]]
    before, _ = serial(backend, name)
    job = backend.succeed("POST", f"{path}/disk/0/grow", {"amount": 16})
    assert logged(job)[0] == f"Growing disk 0 of instance '{name}' by 16M to 32M"
    assert serial(backend, name)[0] == before + 1
    assert backend.instance(name)["disk.sizes"] == [32, 16]
    result = backend.fail("POST", f"{path}/disk/0/grow", {"amount": 16, "absolute": True})
    text = "Requested size (16M) is smaller than current disk size (32M)"
    assert result == ["OpPrereqError", [text, "wrong_state"]]
    kind, (_, code) = backend.fail("POST", f"{path}/disk/5/grow", {"amount": 16})
    assert (kind, code) == ("OpPrereqError", "wrong_input")
    result = backend.fail("PUT", f"{path}/modify", {"disks": [["modify", 0, {"size": 5}]]})
    assert result == ["OpPrereqError", ["Disk size change not possible, use grow-disk", "wrong_input"]]
    job = backend.succeed("PUT", f"{path}/modify", {"disks": [["remove", 1, {}]]})
    assert job["opresult"][0] == [["disk/1", "remove"]]
    job = backend.succeed("PUT", f"{path}/activate-disks")
    assert [entry[:2] for entry in job["opresult"][0]] == [[backend.nodes[0], "disk/0"]]
    backend.succeed("PUT", f"{path}/deactivate-disks")


def test_rename(backend: Backend, machine: str, stopped: str) -> None:
    new_name = backend.fresh_name()
    body = {"new_name": new_name, "ip_check": False, "name_check": False}
    uuid = backend.instance(stopped)["uuid"]
    before, _ = serial(backend, stopped)
    result = backend.fail("PUT", f"/2/instances/{machine}/rename", body)
    assert result == ["OpPrereqError", [f"Instance '{machine}' is marked to be up, cannot rename", "wrong_state"]]
    result = backend.fail("PUT", f"/2/instances/{stopped}/rename", body | {"new_name": machine})
    assert result == ["OpPrereqError", [f"Instance '{machine}' is already in the cluster", "already_exists"]]
    job = backend.succeed("PUT", f"/2/instances/{stopped}/rename", body)
    assert (job["opresult"], job["summary"]) == ([new_name], ["INSTANCE_RENAME"])
    assert backend.instance(new_name)["uuid"] == uuid
    assert serial(backend, new_name)[0] > before
    assert backend.ask("GET", f"/2/instances/{stopped}").status_code == 404


def test_tags(backend: Backend, stopped: str) -> None:
    path = f"/2/instances/{stopped}/tags"
    backend.succeed("PUT", f"{path}?tag=a&tag=b:c")
    assert sorted(backend.read(path)) == ["a", "b:c"]
    backend.succeed("DELETE", f"{path}?tag=a")
    assert backend.read(path) == ["b:c"]
    assert backend.fail("DELETE", f"{path}?tag=zzz") == ["OpPrereqError", ["Tag(s) 'zzz' not found", "unknown_entity"]]
    assert backend.fail("PUT", f"{path}?tag=a%20b") == ["TagError", ["Tag contains invalid characters"]]


def test_reinstall_is_one_job_of_two_or_three_opcodes(backend: Backend) -> None:
    name = backend.create(disk_template="sharedfile", file_driver="loop", disks=[{"size": 16}])
    path = f"/2/instances/{name}/reinstall"
    job = backend.succeed("POST", path, {})
    assert job["summary"] == [f"INSTANCE_SHUTDOWN({name})", f"INSTANCE_REINSTALL({name})", f"INSTANCE_STARTUP({name})"]
    job = backend.succeed("POST", path, {"start": False})
    assert [op["OP_ID"] for op in job["ops"]] == ["OP_INSTANCE_SHUTDOWN", "OP_INSTANCE_REINSTALL"]
    job = backend.run("POST", path, {"os": "nope"})
    assert (job["status"], job["opstatus"]) == ("error", ["success", "error", "error"])
    assert job["opresult"][2] == ["OpExecError", ["Preceding opcode failed"]]
    answer = backend.ask("POST", f"{path}?reason=x", {"start": False})
    assert (answer.status_code, answer.json()["message"]) == (400, "Can&#x27;t combine query and body parameters")


# moving


def test_a_migration_moves_no_number(backend: Backend) -> None:
    name = backend.create(disk_template="sharedfile", file_driver="loop", disks=[{"size": 16}])
    before = serial(backend, name)
    job = backend.succeed("PUT", f"/2/instances/{name}/migrate", {})
    assert f"Migrating instance {name}" in logged(job)
    assert logged(job)[-1] == "* done"
    found = backend.instance(name)
    assert (found["pnode"], found["status"]) == (backend.nodes[1], "running")
    assert serial(backend, name) == before
    job = backend.succeed("PUT", f"/2/instances/{name}/failover", {"target_node": backend.nodes[0]})
    assert f"Failover instance {name}" in logged(job)
    found = backend.instance(name)
    assert (found["pnode"], found["status"]) == (backend.nodes[0], "running")
    assert serial(backend, name)[0] == before[0] + 2
    result = backend.fail("PUT", f"/2/instances/{name}/migrate", {"target_node": "nope"})
    assert result == ["OpPrereqError", ["Node 'nope' not known", "unknown_entity"]]


def test_local_disks_do_not_move(backend: Backend) -> None:
    name = backend.create(disk_template="file", file_driver="loop", disks=[{"size": 16}], start=False)
    for action, what in (("migrate", "migrations"), ("failover", "failovers")):
        result = backend.fail("PUT", f"/2/instances/{name}/{action}", {})
        assert result == ["OpPrereqError", [f"Instance's disk layout 'file' does not allow {what}", "wrong_state"]]
    result = backend.fail("POST", f"/2/instances/{name}/replace-disks", {"mode": "replace_auto"})
    assert result[0] == "OpPrereqError"


def test_info_is_a_job(backend: Backend, machine: str) -> None:
    number = backend.read(f"/2/instances/{machine}/info?static=1")
    job = backend.wait(number)
    found = job["opresult"][0][machine]
    assert (found["config_state"], found["run_state"], found["pnode"]) == ("up", None, backend.nodes[0])
    assert {"hv_actual", "be_actual", "nics", "disks", "uuid", "serial_no"} <= set(found)
