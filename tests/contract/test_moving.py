"""Clean-up after migrations, replacing of disks and exports: the same answers from the simulator and from Ganeti."""

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
