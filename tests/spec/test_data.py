"""A spec as data and back loses nothing, and what is no spec is named by its field."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from tests.spec.machines import HYPERVISORS, TEMPLATES, machines
from virtualmachines.spec import BadData, VMSpec, spec_as_data, spec_from_data


@given(machines(hypervisors=HYPERVISORS, templates=TEMPLATES))
def test_to_json_and_back(spec: VMSpec) -> None:
    data = json.loads(json.dumps(spec_as_data(spec, with_secrets=True)))
    assert spec_from_data(data) == spec
    kept = spec_from_data(json.loads(json.dumps(spec_as_data(spec))))
    assert kept == replace(spec, osparams_private={}, osparams_secret={})


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (None, ""),
        ([], ""),
        ({}, "name"),
        ({"name": 1}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"name": "a", "colour": "red"}, "colour"),
        ({"name": "a", "disks": {}}, "disks"),
        ({"name": "a", "disks": ["10G"]}, "disks.0"),
        ({"name": "a", "disks": [{"size_mib": True}]}, "disks.0.size_mib"),
        ({"name": "a", "disks": [{"size_mib": 1}, {"size_mib": "1"}]}, "disks.1.size_mib"),
        ({"name": "a", "disks": [{"size_mib": 1, "mode": "x"}]}, "disks.0.mode"),
        ({"name": "a", "nics": [{"ip": None}]}, "nics.0.ip"),
        ({"name": "a", "disk_template": "tape"}, "disk_template"),
        ({"name": "a", "hvparams": {"acpi": {}}}, "hvparams.acpi"),
        ({"name": "a", "options": {"start": "yes"}}, "options.start"),
        ({"name": "a", "source": {}}, "source.node"),
        ({"name": "a", "tags": "blue"}, "tags"),
    ],
)
def test_what_is_no_spec(data: Any, where: str) -> None:
    with pytest.raises(BadData) as bad:
        spec_from_data(data)
    assert bad.value.where == where
