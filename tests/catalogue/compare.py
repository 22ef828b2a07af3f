"""What differs between the catalogue and what a Ganeti says it has."""

from collections.abc import Mapping
from typing import Any

from clusters.catalogue import (
    BACKEND,
    NIC_DEFAULTS,
    OF_HYPERVISORS,
    OF_TEMPLATES,
    Kind,
    Parameter,
    Release,
    Table,
    of_hypervisor,
    of_template,
)

_TYPE: dict[Kind, type] = {Kind.SWITCH: bool, Kind.INTEGER: int, Kind.SIZE: int}


def differences(what: str, table: Table, reported: Mapping[str, Any], release: Release) -> list[str]:
    """Parameters that only one of them has, of another type, or with a default that the catalogue would refuse."""
    known = {name: each for name, each in table.items() if each.exists_in(release)}
    found = [f"{what}: {name} is reported, and not in the catalogue" for name in sorted(reported.keys() - known.keys())]
    found += [
        f"{what}: {name} is in the catalogue, and not reported" for name in sorted(known.keys() - reported.keys())
    ]
    for name in sorted(known.keys() & reported.keys()):
        found += [f"{what}: {name} {problem}" for problem in _problems(known[name], reported[name], release)]
    return found


def _problems(parameter: Parameter, value: Any, release: Release) -> list[str]:
    wanted = _TYPE.get(parameter.kind, str)
    if type(value) is not wanted:
        return [f"is a {parameter.kind} here, and {value!r} there"]
    problem = parameter.judge(value, release)
    return [f"has the value {value!r}, which the catalogue refuses: {problem}"] if problem else []


def differences_of_cluster(info: Mapping[str, Any], release: Release) -> list[str]:
    """The same for all that /2/info tells of parameters: hypervisors, backend, network cards, disk templates."""
    found = differences("backend", BACKEND, info["beparams"]["default"], release)
    found += differences("nic", NIC_DEFAULTS, info["nicparams"]["default"], release)
    for kind, tables, find, reported in (
        ("hypervisor", OF_HYPERVISORS, of_hypervisor, info["hvparams"]),
        ("disk template", OF_TEMPLATES, of_template, info["diskparams"]),
    ):
        found += [f"{kind} {name} is not the same on both sides" for name in sorted(tables.keys() ^ reported.keys())]
        for name in sorted(reported):
            found += differences(name, find(name), reported[name], release)
    return found
