"""What is searched of events, kept by triggers.

It is apart from the events (`EventText`), which are written again as they are overtaken and sealed, and in capitals,
as Django compares without regard to case. Triggers keep it, and on SQLite an index of it, in step: no writer can forget
it, and it is in the same transaction. On PostgreSQL the index is one of the extension pg_trgm; without it all texts are
read.
"""

from __future__ import annotations

from collections.abc import Iterator

from operations.triggers import PREFIX, Columns, create_trigger
from ui.trigrams import make_changes

EVENTS, TEXTS = "objectlog_event", "objectlog_eventtext"
# The index of TEXTS: on SQLite a table, of FTS5.
PARTS = f"{TEXTS}_parts"
COLUMNS = ("said", "target_name")


def make_triggers(vendor: str, columns_of: Columns) -> Iterator[str]:
    """For every event that is written; and then whatever was written while there were none."""
    if not columns_of(TEXTS):
        return
    if vendor == "sqlite":
        for event, does in make_changes(PARTS, COLUMNS).items():
            yield from create_trigger(vendor, f"{PREFIX}journal_parts_{event}", event, TEXTS, does)
    differs = "IS NOT" if vendor == "sqlite" else "IS DISTINCT FROM"
    when = " OR ".join(f"OLD.{column} {differs} NEW.{column}" for column in ("id", *COLUMNS))
    instead = "ON CONFLICT (id) DO UPDATE SET said = excluded.said, target_name = excluded.target_name"
    into = f"INSERT INTO {TEXTS} (id, said, target_name)"
    keep = f"{into} VALUES (NEW.id, UPPER(NEW.said), UPPER(NEW.target_name)) {instead}"
    forget = f"DELETE FROM {TEXTS} WHERE id = OLD.id"  # noqa: S608 - names of ours, here and below
    for event, does in (("insert", keep), ("update", keep), ("delete", forget)):
        name = f"{PREFIX}journal_{event}"
        yield from create_trigger(vendor, name, event, EVENTS, does, when=when if event == "update" else "")
    yield f"DELETE FROM {TEXTS} AS t WHERE NOT EXISTS (SELECT 1 FROM {EVENTS} e WHERE e.id = t.id)"  # noqa: S608
    missing = f"SELECT e.id, UPPER(e.said), UPPER(e.target_name) FROM {EVENTS} e"  # noqa: S608
    yield f"{into} {missing} WHERE NOT EXISTS (SELECT 1 FROM {TEXTS} t WHERE t.id = e.id)"  # noqa: S608
