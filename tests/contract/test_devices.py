"""What becomes of disks and network cards that are changed, where it is not what one would think."""

from __future__ import annotations

from tests.contract.backends import Backend

NO_TYPE = ["OpPrereqError", ["Must specify disk type on diskless instance", "wrong_input"]]


def own_parameters(backend: Backend, name: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = backend.instance(name)["custom_nicparams"]
    return found


def test_a_card_that_is_touched_keeps_the_defaults_of_that_moment(backend: Backend, stopped: str) -> None:
    path = f"/2/instances/{stopped}/modify"
    filled = {"mode": "bridged", "link": "br0", "vlan": ""}
    assert own_parameters(backend, stopped) == [{}]
    backend.succeed("PUT", path, {"nics": [["modify", 0, {"name": "lan"}]]})
    assert own_parameters(backend, stopped) == [filled]
    backend.succeed("PUT", path, {"nics": [["add", -1, {"mac": "auto"}]]})
    assert own_parameters(backend, stopped) == [filled, filled]


def test_what_has_no_disks_gets_none(backend: Backend, stopped: str) -> None:
    path = f"/2/instances/{stopped}/modify"
    assert backend.fail("PUT", path, {"disks": [["add", -1, {"size": 16}]]}) == NO_TYPE


def test_without_its_last_disk_it_is_diskless(backend: Backend) -> None:
    name = backend.create(disk_template="sharedfile", file_driver="loop", disks=[{"size": 16}], start=False)
    path = f"/2/instances/{name}/modify"
    backend.succeed("PUT", path, {"disks": [["remove", 0, {}]]})
    assert backend.instance(name)["disk_template"] == "diskless"
    assert backend.fail("PUT", path, {"disks": [["add", -1, {"size": 16}]]}) == NO_TYPE
