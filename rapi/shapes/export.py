"""Exports: copies of machines that nodes keep. Ganeti tells of each only its name and its node."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from rapi.shapes.fields import BadRecord, Name, read_fields

#: every node is asked. One that keeps none and one that does not answer have the same row: no name
EXPORT_FIELDS = ("node", "export")
MOST_EXPORTS = 1000


@dataclass(frozen=True)
class ExportInfo:
    """An export by its name, which was that of the machine, on the node that keeps it."""

    node: Annotated[str, Name("node")]
    name: Annotated[str, Name("export")]

    @classmethod
    def parse(cls, record: Any) -> ExportInfo:
        """From a record of a query. BadRecord for what no machine can be called, and for a node without one."""
        return cls(**read_fields(cls, record, "export"))


def list_exports(records: Iterable[Any]) -> list[ExportInfo]:
    """Those that can be used, in order, at most MOST_EXPORTS; whatever else lies in the directory is left out."""
    found = set()
    for record in records:
        try:
            found.add(ExportInfo.parse(record))
        except BadRecord:
            continue
    return sorted(found, key=lambda each: (each.name, each.node))[:MOST_EXPORTS]
