"""SQL of the counts that are kept: what a statement that writes machines adds to them, and how all of it is added up.

Names of tables and no models, for it is asked for before there are any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from operations.triggers import PREFIX, Columns, create_trigger, create_trigger_for_all

VMS, COUNTS = "virtualmachines_virtualmachine", "virtualmachines_machinecount"
KEY = ("cluster_id", "status", "is_missing", "is_busy")
_SIZES = ("memory_mib", "disk_mib", "vcpus")
SUMS = ("machines", *_SIZES)
_READ = ("cluster_id", "status", "missing_since", "busy_entry", *_SIZES)


def make_triggers(vendor: str, columns_of: Columns) -> Iterator[str]:
    """For every statement that writes machines; and then whatever was written while there were none is counted."""
    if not columns_of(COUNTS) or not set(_READ) <= set(columns_of(VMS)):
        return
    for event in ("insert", "update", "delete"):
        name = f"{PREFIX}count_{VMS}_{event}"
        if vendor == "postgresql":
            rows = {"insert": [_part("come")], "delete": [_part("gone", "-")]}
            rows["update"] = rows["insert"] + rows["delete"]
            yield from create_trigger_for_all(name, event, VMS, _write(rows[event]))
        else:
            rows = {"insert": [_part("NEW.")], "delete": [_part("OLD.", "-")]}
            rows["update"] = rows["insert"] + rows["delete"]
            differs = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in _READ)
            when = differs if event == "update" else ""
            yield from create_trigger(vendor, name, event, VMS, _write(rows[event]), when=when)
    yield _write(MISSING)


def _write(parts: Iterable[str]) -> str:
    """SQL: keep what parts come to, where it is not nothing."""
    return f'INSERT INTO "{COUNTS}" ({", ".join((*KEY, *SUMS))}) {add_up(parts)}'


def add_up(parts: Iterable[str]) -> str:
    """SQL: the sums of parts by cluster and state that are not nothing."""
    sums = [f"SUM({column})" for column in SUMS]
    differs = " OR ".join(f"{each} <> 0" for each in sums)
    rows, key = " UNION ALL ".join(parts), ", ".join(KEY)
    return f"SELECT {key}, {', '.join(sums)} FROM ({rows}) AS parts GROUP BY {key} HAVING {differs}"  # noqa: S608


def _part(of: str, sign: str = "") -> str:
    """SQL: what the rows `of` a table, or that one (with a dot), count for, or with a minus against."""
    row, source = (of, "") if of.endswith(".") else ("", f' FROM "{of}"')
    sums = ", ".join(f"{sign}{row}{column} AS {column}" for column in _SIZES)
    return (
        f"SELECT {row}cluster_id AS cluster_id, {row}status AS status, {row}missing_since IS NOT NULL AS is_missing, "
        f"{row}busy_entry IS NOT NULL AS is_busy, {sign}1 AS machines, {sums}{source}"
    )


_KEPT = f"SELECT {', '.join((*KEY, *(f'-{column} AS {column}' for column in SUMS)))} FROM {COUNTS}"  # noqa: S608
# The parts of what is missing in what is kept: read by one statement, changes under way are in both or in neither.
MISSING = (_part(VMS), _KEPT)
