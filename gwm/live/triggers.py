"""Triggers that write down what changes, for open pages: the one place that no writer can pass by or forget."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gwm.live.watched import TABLE, WATCHED, Topic
from operations.triggers import PREFIX as OURS
from operations.triggers import Columns, create_trigger

PREFIX = f"{OURS}touch_"
_EVENTS = ("insert", "update", "delete")


def make_triggers(vendor: str, columns_of: Columns) -> Iterator[str]:
    """One for each topic and event, of the columns that are there."""
    if not columns_of(TABLE):
        return
    for table, topics in WATCHED.items():
        columns = columns_of(table)
        for number, topic in enumerate(topics):
            for event in _EVENTS:
                yield from _statements(vendor, table, number, topic, event, columns)


def _statements(vendor: str, table: str, number: int, topic: Topic, event: str, columns: list[str]) -> list[str]:
    needed = set(re.findall(r"\{(\w+)\}", topic.name))
    counted = topic.columns_of(columns)
    if not needed <= set(columns) or not counted:
        return []
    written = _expression(topic.name, "OLD" if event == "delete" else "NEW")
    differs = "IS DISTINCT FROM" if vendor == "postgresql" else "IS NOT"
    when = " OR ".join(f'OLD."{column}" {differs} NEW."{column}"' for column in counted) if event == "update" else ""
    stamps = {
        "postgresql": "pg_current_xact_id()::text::bigint, clock_timestamp()",
        "sqlite": "0, strftime('%Y-%m-%d %H:%M:%f', 'now')",
    }
    does = f'INSERT INTO "{TABLE}" (topic, xact, at) VALUES ({written}, {stamps[vendor]})'  # noqa: S608 - made of our names
    return create_trigger(vendor, f"{PREFIX}{table}_{number}_{event}", event, table, does, when=when)


def _expression(name: str, row: str) -> str:
    """SQL for the topic of a row."""
    parts = [
        f"COALESCE(CAST({row}.\"{part[1:-1]}\" AS text), '')" if part.startswith("{") else f"'{part}'"
        for part in re.split(r"(\{\w+\})", name)
        if part
    ]
    return " || ".join(parts)
