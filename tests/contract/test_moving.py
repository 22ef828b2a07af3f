"""Clean-up after migrations, replacing of disks and exports: the same answers from the simulator and from Ganeti."""

from typing import Any

import pytest

from tests.contract.backends import Backend
from tests.contract.test_instances import logged

FILE = {"disk_template": "file", "file_driver": "loop", "disks": [{"size": 16}]}


def test_clean_up_confirms_where_a_machine_runs(backend: Backend) -> None:
    name = backend.create(disk_template="sharedfile", file_driver="loop", disks=[{"size": 16}])
    body = {"cleanup": True, "target_node": backend.nodes[1]}
    job = backend.succeed("PUT", f"/2/instances/{name}/migrate", body)
    assert f"* instance confirmed to be running on its primary node ({backend.nodes[0]})" in logged(job)
    assert backend.instance(name)["pnode"] == backend.nodes[0]


def test_clean_up_of_what_does_not_run(backend: Backend, stopped: str) -> None:
    result = backend.fail("PUT", f"/2/instances/{stopped}/migrate", {"cleanup": True, "target_node": backend.nodes[1]})
    assert result[0] == "OpExecError" and "does not seem to be running at all" in str(result[1])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"mode": "replace_new_secondary"}, "When changing the secondary either an iallocator script must be used"),
        ({"mode": "replace_auto", "iallocator": "hail"}, "can only be used when changing the secondary node"),
        ({"mode": "replace_auto"}, "expected one secondary but found 0"),
    ],
)
def test_replacing_what_cannot_be(backend: Backend, machine: str, body: dict[str, str], words: str) -> None:
    result = backend.fail("POST", f"/2/instances/{machine}/replace-disks", body)
    assert result[0] == "OpPrereqError" and words in str(result[1])


def test_exports_need_disks_and_time(backend: Backend, stopped: str) -> None:
    target = {"destination": backend.nodes[1], "shutdown_timeout": 1}
    result = backend.fail("PUT", f"/2/instances/{stopped}/export", {**target, "dry_run": False})
    assert result == ["OpExecError", ["Export failed, errors in export finalization"]], "it has no disks"
    name = backend.create(**FILE)
    path = f"/2/instances/{name}/export"
    for more, words in (
        ({"shutdown": False, "remove_instance": True}, "Can not remove instance without shutting it down before"),
        ({"shutdown": False, "long_sleep": True}, "only makes sense when the instance can be shut down"),
        ({"shutdown": False}, "you requested a live export; aborting"),
        ({"shutdown": True}, "did not allow the instance to remain offline"),
    ):
        assert words in str(backend.fail("PUT", path, {**target, **more}))


def test_an_export_leaves_it_running_or_takes_it_away(backend: Backend) -> None:
    name = backend.create(**FILE)
    target = {"destination": backend.nodes[1], "shutdown_timeout": 1}
    job = backend.succeed("PUT", f"/2/instances/{name}/export", {**target, "long_sleep": True})
    assert job["opresult"] == [[True, [True]]] and backend.instance(name)["status"] == "running"
    backend.succeed("PUT", f"/2/instances/{name}/export", {**target, "remove_instance": True})
    assert name not in [each["id"] for each in backend.read("/2/instances")]


@pytest.fixture
def exported(backend: Backend) -> str:
    """A machine with an export on the second node."""
    disks = [{"size": 16}, {"size": 24, "name": "data"}]
    sizes = {"minmem": 48, "maxmem": 64, "vcpus": 2}
    name = backend.create(**FILE | {"disks": disks, "beparams": sizes, "tags": ["kept"], "start": False})
    backend.succeed("PUT", f"/2/instances/{name}/export", {"destination": backend.nodes[1]})
    return name


def of_export(backend: Backend, export: str, **more: Any) -> dict[str, Any]:
    """A creation of it that says nothing else."""
    body = backend.creation(backend.fresh_name(), mode="import", src_node=backend.nodes[1], src_path=export, **FILE)
    silent = {"disks": [], "nics": [], "start": False, "osparams_private": {}}
    return {name: value for name, value in body.items() if name not in ("os", "hypervisor", "beparams")} | silent | more


def test_a_check_of_a_creation_from_an_export_tells_what_it_holds(backend: Backend, exported: str) -> None:
    assert [[0, backend.nodes[1]], [0, exported]] in backend.query("export", ["node", "export"])
    job = backend.run("POST", "/2/instances?dry-run=1", of_export(backend, exported))
    assert "already in use in cluster" in str(job["opresult"]), "the card of the machine that is still there"
    (told,) = job["ops"]
    (card,) = told["nics"]
    assert card["mac"] == backend.instance(exported)["nic.macs"][0] and card["mode"] == "bridged"
    for given in ({}, {"os": "nothing-such"}, {"tags": []}):
        (told,) = backend.succeed("POST", "/2/instances?dry-run=1", of_export(backend, exported, nics=[{}], **given))[
            "ops"
        ]
        assert told["disks"] == [{"size": 16}, {"size": 24, "name": "data"}]
        assert (told["os_type"], told["hypervisor"], told["tags"]) == ("noop", "fake", ["kept"])
        sizes = {name: told["beparams"][name] for name in ("minmem", "maxmem", "vcpus")}
        assert sizes == {"minmem": 48, "maxmem": 64, "vcpus": 2}


def test_what_is_said_beside_an_export_counts(backend: Backend, exported: str) -> None:
    body = of_export(backend, exported, nics=[{}], disks=[{"size": 32}], beparams={"vcpus": 3}, no_install=True)
    body["tags"] = ["other"]
    job = backend.succeed("POST", "/2/instances", body)
    assert "No-installation mode has no effect during import" in str(logged(job))
    made = backend.instance(body["name"])
    assert made["disk.sizes"] == [32], "the second disk is left behind without a word"
    assert (made["beparams"]["vcpus"], made["beparams"]["maxmem"]) == (3, 64)
    assert (made["os"], made["tags"], made["admin_state"]) == ("noop", ["other"], "down")


def test_an_export_that_is_not_there(backend: Backend, exported: str) -> None:
    result = backend.fail("POST", "/2/instances?dry-run=1", of_export(backend, "nothing.such"))
    assert result[0] == "OpExecError" and "No export or invalid export found in dir" in str(result[1])
