"""Parameters of a machine that an update finds changed, for `clusters.sync.drift`: no column of their own has them."""

from collections.abc import Mapping
from typing import Any

from rapi.shapes.fields import mapping

# By what a spec calls them, where the record has those that the machine does not take from its cluster.
_TABLES = {"beparams": "custom_beparams", "hvparams": "custom_hvparams"}
# These have columns.
_SIZES = frozenset({"maxmem", "minmem", "memory", "vcpus"})


def note_parameters(row: Mapping[str, Any], values: dict[str, Any]) -> None:
    """Add those that differ. `row` is as it stands, `values` is what an update found.

    What follows the cluster is left out: it changes with the cluster, and for all of its machines.
    """
    old, new = row["raw"], values["raw"]
    changes = {}
    for table, key in _TABLES.items():
        if key not in old or key not in new:
            continue  # an older release has not read it
        before, after = mapping(old[key]), mapping(new[key])
        for name in sorted((before.keys() | after.keys()) - _SIZES):
            if before.get(name) != after.get(name):
                changes[f"{table}.{name}"] = (before.get(name), after.get(name))
    if changes:
        values["drift"] = changes
