"""Disks as a whole, converted and made anew: what is refused, in the same words, by the simulator and by Ganeti."""

from typing import Any

import pytest

from tests.contract.backends import Backend

FILE = {"disk_template": "file", "file_driver": "loop", "disks": [{"size": 16}, {"size": 16}], "start": False}


@pytest.fixture(scope="module")
def stored(backend: Backend) -> str:
    """A machine with two disks that does not run, of which everything here is refused."""
    return backend.create(**FILE)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"disk_template": "diskless"}, "Conversion to the 'diskless' disk template is not supported"),
        ({"disk_template": "file"}, "Instance already has disk template file"),
        ({"disk_template": "plain"}, "Disk template 'plain' is not enabled for this cluster"),
        (
            {"disk_template": "sharedfile", "disks": [["remove", 0, {}]]},
            "Disk template conversion and other disk changes not supported at the same time",
        ),
        (
            {"disk_template": "drbd", "remote_node": "node2", "iallocator": "hail"},
            "Do not specify both, iallocator and node",
        ),
    ],
)
def test_conversions_that_are_refused(backend: Backend, stored: str, body: dict[str, Any], words: str) -> None:
    if "remote_node" in body:
        body = {**body, "remote_node": backend.nodes[1]}
    result = backend.fail("PUT", f"/2/instances/{stored}/modify", body)
    assert result[0] == "OpPrereqError" and words in str(result[1])


def test_what_runs_or_has_no_disks_is_not_converted(backend: Backend, machine: str) -> None:
    path = f"/2/instances/{machine}/modify"
    assert "Conversion from the 'diskless'" in str(backend.fail("PUT", path, {"disk_template": "file"}))
    name = backend.create(**{**FILE, "start": True})
    result = backend.fail("PUT", f"/2/instances/{name}/modify", {"disk_template": "sharedfile"})
    assert "cannot change disk template" in str(result)


@pytest.mark.parametrize(
    ("disks", "nodes", "words"),
    [
        ([[5, {}]], [], "Invalid disk index '5'"),
        ([[0, {}], [0, {}]], [], "Some disks have been specified more than once: 0"),
        ([[0, {"name": "root"}]], [], "Parameters for disk 0 try to change unmodifyable parameter(s): name"),
        ([[0, {}]], [1], "Can't recreate disks partially and change the nodes at the same time"),
        ([], [0, 1], "currently has 1 nodes, but 2 replacement nodes were specified"),
    ],
)
def test_recreations_that_are_refused(
    backend: Backend, stored: str, disks: list[Any], nodes: list[int], words: str
) -> None:
    body = {"disks": disks, "nodes": [backend.nodes[number] for number in nodes]}
    result = backend.fail("POST", f"/2/instances/{stored}/recreate-disks", body)
    assert result[0] == "OpPrereqError" and words in str(result[1])
