"""A client of which only dry runs are wanted sends nothing that Ganeti would carry out, whatever is called on it.

Ganeti takes `?dry-run=1` in some places and `"dry_run": true` in others, and takes no notice of the wrong one.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from rapi import RapiClient
from rapi.errors import NotFound
from rapi.paths import NotSendable, is_dry_run
from rapi.resources.lifecycle import InstanceChanges, InstanceSpec
from rapi.trust import Trust
from simulator import Simulator

SPEC = InstanceSpec("new.example.org", "diskless", [], [{}], os="noop", hypervisor="kvm")
# What a method is given, by the names of its parameters; all else is a name.
GIVEN: dict[str, Any] = {
    "action": "REJECT",
    "amount_mib": 1024,
    "changes": InstanceChanges(beparams={"maxmem": 512}),
    "cidr": "192.0.2.0/24",
    "index": 0,
    "job_id": 1,
    "link": "br0",
    "mode": {"evacuate_node": "all", "replace_disks": "replace_auto", "connect_network": "bridged"},
    "nodes": ["node1.example.org"],
    "of": "instance",
    "predicates": [["jobid", [">", "id", 1]]],
    "role": "offline",
    "spec": SPEC,
    "specs": [SPEC],
    "storage_type": "file",
    "tags": ["web"],
}
# What a method needs besides.
MORE: dict[str, dict[str, Any]] = {
    "evacuate_node": {"iallocator": "hail"},
    "modify_cluster": {"changes": {"tags": []}},
    "modify_group": {"alloc_policy": "preferred"},
    "modify_network": {"gateway": "192.0.2.1"},
    "modify_node": {"drained": True},
    "modify_node_storage": {"allocatable": True},
}
METHODS = {
    name: signature
    for name, each in inspect.getmembers(RapiClient, inspect.isfunction)
    if not name.startswith("_") and "reason" in (signature := inspect.signature(each)).parameters
}
CHANGES = [name for name in METHODS if not name.startswith(("find_", "request_"))]
CHECKABLE = [name for name in CHANGES if "dry_run" in METHODS[name].parameters]


def call(client: RapiClient, name: str, **more: Any) -> Any:
    """Call a method with what it needs."""
    wanted = {key for key, each in METHODS[name].parameters.items() if each.default is inspect.Parameter.empty}
    given = {key: GIVEN.get(key, "vm1.example.org") for key in wanted - {"self", "reason"}}
    given = {key: each[name] if isinstance(each, dict) and key == "mode" else each for key, each in given.items()}
    return getattr(client, name)(**(given | MORE.get(name, {}) | more), reason="gwm:test")


@pytest.fixture
def careful(simulator: Simulator) -> Iterator[RapiClient]:
    """A client that may only check."""
    with RapiClient(
        [(simulator.host, simulator.port)],
        username=simulator.username,
        password=simulator.password,
        trust=Trust.pinned(simulator.fingerprint),
        only_dry_runs=True,
    ) as client:
        yield client


@pytest.mark.parametrize("name", CHECKABLE)
def test_what_can_be_checked_is_sent_as_a_check_and_taken_for_one(
    careful: RapiClient, simulator: Simulator, name: str
) -> None:
    if name == "rename_network":  # that of 3.1 alone, which the simulator is not
        with pytest.raises(NotFound):
            call(careful, name, dry_run=True)
        return
    number = call(careful, name, dry_run=True)
    assert [op["dry_run"] for op in simulator.queue.jobs[number].ops] == [True]


@pytest.mark.parametrize("name", CHANGES)
def test_nothing_else_is_sent(careful: RapiClient, simulator: Simulator, name: str) -> None:
    with pytest.raises(NotSendable, match="was not sent"):
        call(careful, name)
    assert not simulator.queue.jobs and not simulator.requests


@pytest.mark.parametrize(
    ("path", "query", "body"),
    [
        ("/2/instances/a/failover", [("dry-run", "1")], {}),
        ("/2/instances/a/rename", [("dry-run", "1")], {"new_name": "b"}),
        ("/2/instances/a/rename", [], {"dry_run": 1}),
        ("/2/instances/a/shutdown", [], {"dry_run": True}),
        ("/2/instances/a/shutdown", [("dry-run", "yes")], {}),
        ("/2/instances/a/reinstall", [("dry-run", "1")], {"dry_run": True}),
        ("/2/instances/a/activate-disks", [("dry-run", "1")], {"dry_run": True}),
        ("/2/nodes/a/powercycle", [("dry-run", "1")], {"dry_run": True}),
        ("/2/jobs/1", [("dry-run", "1")], {"dry_run": True}),
    ],
)
def test_a_wrong_spelling_is_no_check(path: str, query: list[tuple[str, str]], body: Any) -> None:
    assert not is_dry_run(path, query, body)
