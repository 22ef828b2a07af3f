"""The command that is shown for an operation makes the opcodes that its call makes, by Ganeti's own command line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from operations.contract import Ask
from operations.forms import params_from
from operations.table import OPERATIONS
from tests.operations.ganetis_tools import Tools, at_work
from tests.operations.test_checks import GIVEN, Check, check
from tests.operations.test_show_as import SENT, prepared
from tests.operations.test_taken_by_ganeti import CREATIONS, FURTHER, ways

__all__ = ["check"]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.long,
    pytest.mark.alike,
    pytest.mark.program("gnt-instance", "ganeti"),
    pytest.mark.feature("G031"),
]
# One option cannot say that a parameter is a text with the separators of options.
ODD = {"kernel_args": "ro quiet,console=ttyS0\\,x", "serial_console": True}
MORE: list[dict[str, Any]] = [
    {"os": "debootstrap+default", "disks": [{"size_mib": 1024}, {"size_mib": 512, "mode": "ro"}], "hvparams": ODD},
    {"os": "noop", "disks": [], "disk_template": "diskless", "osparams": {"mirror": "http://a/?b=c,d"}, "nics": []},
    {"os": "noop", "disks": [{"size_mib": 1024}], "placement": {"primary": "node1.example.org"}},
    {"os": "noop", "disks": [{"size_mib": 1024}], "nics": [{"mode": "bridged", "link": "br1", "vlan": ".10"}]},
    {"os": "noop", "disks": [{"size_mib": 1024}], "options": {"start": False, "no_install": True}},
]


@pytest.fixture(scope="module")
def tools() -> Iterator[Tools]:
    with at_work() as found:
        yield found


def differences(tools: Tools, key: str, ask: Ask[Any, Any]) -> list[Any]:
    """What Ganeti has against the command, and what it makes of it that it does not make of the call."""
    found: list[Any] = []
    for shown in OPERATIONS[key].rehearse(ask):
        made = tools(*shown.line.partition(" ")[::2], shown.body, shown.command)
        assert made.against_call == "" and made.called
        found += [said for said in (made.against_command,) if said]
        assert len(made.commanded) == len(made.called) or made.against_command
        for one, other in zip(made.commanded, made.called, strict=False):
            apart = sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
            found += [(shown.command, name, one.get(name), other.get(name)) for name in apart]
    return found


@pytest.mark.parametrize("key", SENT)
def test_commands(check: Check, tools: Tools, key: str) -> None:
    ask = prepared(check, key)
    assert differences(tools, key, ask) == []
    for given in (*ways(check, key, ask.target), *FURTHER.get(key, [])):
        params = params_from(OPERATIONS[key], check.admin, ask.target, given)
        assert differences(tools, key, replace(ask, params=params)) == [], given


@pytest.mark.parametrize("key", ["cluster.add-tags", "cluster.remove-tags"])
def test_commands_on_a_cluster(check: Check, tools: Tools, key: str) -> None:
    params = params_from(OPERATIONS[key], check.admin, check.scene.cluster, GIVEN[key])
    assert differences(tools, key, Ask(check.admin, check.scene.cluster, params)) == []


@pytest.mark.parametrize("spec", [*CREATIONS, *MORE])
def test_creations(check: Check, tools: Tools, spec: dict[str, Any]) -> None:
    given = {"spec": {"name": "new1.example.org", **spec}}
    params = params_from(OPERATIONS["vm.create"], check.admin, check.scene.cluster, given)
    assert differences(tools, "vm.create", Ask(check.admin, check.scene.cluster, params)) == []


def test_what_is_wrong_is_seen(check: Check, tools: Tools) -> None:
    [shown] = OPERATIONS["vm.grow-disk"].rehearse(prepared(check, "vm.grow-disk"))
    call = (*shown.line.partition(" ")[::2], shown.body)
    assert "no such option" in tools(*call, shown.command.replace("--absolute", "--absolutely")).against_command
    other = tools(*call, shown.command.replace(" 0 ", " 1 "))
    assert other.against_command == "" and other.commanded != other.called
