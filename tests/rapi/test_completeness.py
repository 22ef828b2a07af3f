"""Every method of the client is called on a real Ganeti, and every changing one demands a reason."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

from rapi import RapiClient
from rapi.features import Features, parse_version
from rapi.shapes import ClusterInfo

TESTS = Path(__file__).parent.parent / "ganeti"
READS = ("get_", "list_", "query", "find_", "wait_for_", "may_write", "close")


def public_methods() -> dict[str, inspect.Signature]:
    return {
        name: inspect.signature(each)
        for name, each in inspect.getmembers(RapiClient, inspect.isfunction)
        if not name.startswith("_")
    }


def test_every_method_is_called_on_a_real_ganeti() -> None:
    called: set[str] = set()
    for file in TESTS.glob("test_rapi_*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                called.add(node.func.attr)
    assert set(public_methods()) - {"close"} - called == set()


def test_every_change_demands_a_reason_by_keyword() -> None:
    for name, signature in public_methods().items():
        if name.startswith(READS):
            assert "reason" not in signature.parameters or name == "find_jobs_by_reason", name
            continue
        reason = signature.parameters["reason"]
        assert reason.kind is inspect.Parameter.KEYWORD_ONLY, name
        assert reason.default is inspect.Parameter.empty, name


def test_every_method_says_what_it_does() -> None:
    for name in public_methods():
        assert (inspect.getdoc(getattr(RapiClient, name)) or "").strip(), name


@pytest.mark.feature("F062", "F063", "F064")
@pytest.mark.parametrize(
    ("version", "has", "lacks"),
    [
        ("2.6.0", (), ("networks", "job_filters", "hotplug_if_possible", "network_rename")),
        (
            "2.16.2-1",
            ("networks", "job_filters", "hotplug_if_possible", "checks_names_by_default"),
            ("network_rename",),
        ),
        ("3.0.2", ("hotplug_if_possible", "vlan_aware_bridges"), ("network_rename", "hotplugs_by_default", "os_bulk")),
        ("3.1.0~rc2", ("network_rename", "hotplugs_by_default"), ("hotplug_if_possible", "checks_names_by_default")),
        ("3.2.0", ("os_bulk", "delete_export"), ("hotplug_if_possible",)),
    ],
)
def test_features_of_releases(version: str, has: tuple[str, ...], lacks: tuple[str, ...]) -> None:
    record = {"uuid": "u", "name": "n", "master": "m", "software_version": version, "enabled_hypervisors": ["kvm"]}
    features = Features.of(ClusterInfo.parse(record))
    assert [each for each in has if not getattr(features, each)] == []
    assert [each for each in lacks if getattr(features, each)] == []


def test_versions_are_read() -> None:
    assert parse_version("3.1.0~rc2-3") == (3, 1, 0)
    assert parse_version("2.16") == (2, 16, 0)
    assert parse_version("unknown") == (0, 0, 0)
