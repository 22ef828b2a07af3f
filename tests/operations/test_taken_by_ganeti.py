"""Every request of every operation on a machine is taken by Ganeti's own handlers and definitions of its opcodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django import forms

from operations.contract import Ask
from operations.forms import form_for, params_from
from operations.table import OPERATIONS
from tests.operations.ganetis_judge import Judge, judging
from tests.operations.test_checks import GIVEN, Check, check
from tests.operations.test_show_as import SENT, prepared

__all__ = ["check"]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.long,
    pytest.mark.alike,
    pytest.mark.program("gnt-instance", "ganeti"),
    pytest.mark.feature("G031"),
]
# What else can be said than test_checks.GIVEN says, besides each choice and each switch of the form.
FURTHER: dict[str, list[dict[str, Any]]] = {
    "vm.shutdown": [{"timeout_s": 0}],
    "vm.modify": [
        {"wanted": {"hvparams": {"boot_order": "network"}, "os": "noop", "beparams": {"vcpus": None}}},
        {"wanted": {"nics": {"0": {"remove": True}}, "nics_added": [{"mode": "routed", "ip": "192.0.2.9"}]}},
        {"wanted": {"nics": {"0": {"mac": "aa:00:00:aa:bb:02", "link": "br7"}}}},
        {"wanted": {"disks": {"0": {"name": "root", "mode": "ro"}}, "disks_added": [{"size_mib": 1024}]}},
        {"wanted": {"disks": {"0": {"remove": True}}}},
    ],
    "vm.replace-disks": [{"mode": "replace_new_secondary", "target_node": "node3.example.org"}],
    "vm.reinstall": [{"os": "noop", "osparams": "mirror=near", "start": True}],
}
CREATIONS: list[dict[str, Any]] = [
    {"os": "debootstrap+default", "disks": [{"size_mib": 1024}]},
    {"os": "debootstrap+default", "disk_template": "diskless", "nics": [{"mac": "auto"}], "beparams": {"vcpus": 2}},
    {"os": "debootstrap+default", "disks": [{"size_mib": 1024, "name": "root"}], "tags": ["web"]},
]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with judging() as found:
        yield found


def objections(judge: Judge, key: str, ask: Ask[Any, Any]) -> list[str]:
    """What Ganeti has against the calls, also when they only ask whether it would."""
    operation = OPERATIONS[key]
    asks = [ask, replace(ask, dry_run=True)] if operation.can_check else [ask]
    shown = [each for every in asks for each in operation.rehearse(every)]
    assert len(shown) >= len(asks)
    calls = [(*each.line.partition(" ")[::2], each.body) for each in shown]
    return [said for method, path, body in calls if (said := judge(method, path, body))]


def ways(check: Check, key: str, target: Any) -> Iterator[dict[str, Any]]:
    """Each choice and each switch that the form offers."""
    given = GIVEN.get(key, {})
    for name, field in form_for(OPERATIONS[key])(target=target, actor=check.admin).fields.items():
        if type(field) is forms.ChoiceField:
            choices: Any = field.choices
            yield from ({**given, name: choice} for choice, _ in choices if isinstance(choice, str))
        elif type(field) is forms.BooleanField:
            yield {**given, name: True}


@pytest.mark.parametrize("key", SENT)
def test_requests(check: Check, judge: Judge, key: str) -> None:
    ask = prepared(check, key)
    assert objections(judge, key, ask) == []
    for given in (*ways(check, key, ask.target), *FURTHER.get(key, [])):
        params = params_from(OPERATIONS[key], check.admin, ask.target, given)
        assert objections(judge, key, replace(ask, params=params)) == [], given


@pytest.mark.parametrize("spec", CREATIONS)
def test_creations(check: Check, judge: Judge, spec: dict[str, Any]) -> None:
    given = {"spec": {"name": "new1.example.org", **spec}}
    params = params_from(OPERATIONS["vm.create"], check.admin, check.scene.cluster, given)
    assert objections(judge, "vm.create", Ask(check.admin, check.scene.cluster, params)) == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/2/instances/a.example.org/migrate", '{"mode": "slowly"}'),
        ("PUT", "/2/instances/a.example.org/migrate", '{"tmeout": 1}'),
        ("PUT", "/2/instances/a.example.org/fly", "{}"),
        ("DELETE", "/2/instances/a.example.org", '{"shutdown_timeout": "long"}'),
        ("GET", "/2/info", ""),
    ],
)
def test_what_is_wrong_is_seen(judge: Judge, method: str, path: str, body: str) -> None:
    assert judge(method, path, body)
