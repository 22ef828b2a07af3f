"""Words inside the names, addresses, tags and operating systems of machines, found by an index: SQL and its twins.

What is searched is kept apart from the machines (`MachineText`), since their own rows are long. Triggers keep it, and
on SQLite an index of it, in step: no writer can forget it, and it is in the same transaction. On PostgreSQL the index
is one of the extension pg_trgm; without it all texts are read. Where there are no triggers (see operations.triggers)
the machines' own column is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, F, Func
from django.db.models.sql.compiler import SQLCompiler

from operations.triggers import PREFIX, Columns, create_trigger
from ui import trigrams
from ui.listed import Known, Unforeseen, begins_with_few

VMS, TEXTS = "virtualmachines_virtualmachine", "virtualmachines_machinetext"
# The index of TEXTS: on SQLite a table, of FTS5.
PARTS = "virtualmachines_machinetext_parts"
_READ = ("id", "name", "os", "search_text", "notes")


def make_triggers(vendor: str, columns_of: Columns) -> Iterator[str]:
    """For every machine that is written; and then whatever was written while there were none."""
    if not columns_of(TEXTS) or not set(_READ) <= set(columns_of(VMS)):
        return
    if vendor == "sqlite":
        yield from _make_triggers_of_parts()
    differs = "IS NOT" if vendor == "sqlite" else "IS DISTINCT FROM"
    when = " OR ".join(f"OLD.{column} {differs} NEW.{column}" for column in _READ)
    keep = f"INSERT INTO {TEXTS} (id, text) VALUES (NEW.id, {_text_of('NEW')}) {_INSTEAD}"  # noqa: S608
    forget = f"DELETE FROM {TEXTS} WHERE id = OLD.id"  # noqa: S608
    for event, does in (("insert", keep), ("update", keep), ("delete", forget)):
        name = f"{PREFIX}search_{event}"
        yield from create_trigger(vendor, name, event, VMS, does, when=when if event == "update" else "")
    yield f"DELETE FROM {TEXTS} WHERE id NOT IN (SELECT id FROM {VMS})"  # noqa: S608
    kept = f"SELECT 1 FROM {TEXTS} t WHERE t.id = v.id AND t.text = {_text_of('v')}"  # noqa: S608
    missing = f"SELECT v.id, {_text_of('v')} FROM {VMS} v WHERE NOT EXISTS ({kept})"  # noqa: S608
    yield f"INSERT INTO {TEXTS} (id, text) {missing} {_INSTEAD}"


_INSTEAD = "ON CONFLICT (id) DO UPDATE SET text = excluded.text"


def _text_of(row: str) -> str:
    """SQL: what is searched of a machine; of one whose record was not read yet what is known."""
    ganetis = f"CASE WHEN {row}.search_text = '' THEN LOWER({row}.name || ' ' || {row}.os) ELSE {row}.search_text END"
    return f"({ganetis}) || CASE WHEN {row}.notes = '' THEN '' ELSE ' ' || LOWER({row}.notes) END"


def _make_triggers_of_parts() -> Iterator[str]:
    for event, does in trigrams.make_changes(PARTS, ["text"]).items():
        yield from create_trigger("sqlite", f"{PREFIX}search_parts_{event}", event, TEXTS, does)


class Says(Unforeseen, Func):
    """Condition: a machine's text has `word` in it, in whatever case.

    A word that more than `common` machines have is no longer asked of SQLite's index, but of the machines one comes by.
    If no more than `few` have it, SQLite is asked once which these are, whatever is then counted and shown of them.
    """

    output_field = BooleanField()

    def __init__(self, word: str, common: int = 20_000, few: int = 1_000) -> None:
        super().__init__(F("pk"), F("search_text"), F("name"))
        self.word, self.common, self.few = word.lower(), common, few
        self._known: dict[str, tuple[list[int] | None, bool]] = {}  # by database; shared with all copies

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *_args: Any, **_kwargs: Any) -> Any:
        """Where nothing is kept."""
        _key, text, name = self._compile(compiler)
        has = f"(LOWER({text}) LIKE %s ESCAPE '!' OR LOWER({name}) LIKE %s ESCAPE '!')"
        pattern = trigrams.as_pattern(self.word, "!")
        return has, [pattern, pattern]

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *_args: Any, **_kwargs: Any) -> Any:
        """A join, which is planned by how common the word is and what else is asked for."""
        key, _text, _name = self._compile(compiler)
        pattern, _params = compiler.compile(Known(trigrams.as_pattern(self.word, "\\")))
        return f"EXISTS (SELECT 1 FROM {TEXTS} t WHERE t.id = {key} AND t.text LIKE {pattern})", []  # noqa: S608

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *_args: Any, **_kwargs: Any) -> Any:
        """SQLite does not know how common a word is, so it is told how to go about each; and where somebody sees few
        machines, to look at these alone."""
        key, _text, _name = self._compile(compiler)
        each = f"EXISTS (SELECT 1 FROM {TEXTS} t WHERE t.id = {key} AND INSTR(t.text, %s))"  # noqa: S608
        if begins_with_few(compiler.query.where):
            return each, [self.word]
        if not trigrams.SHORTEST <= len(self.word) <= trigrams.LONGEST:
            return f"+{key} IN (SELECT id FROM {TEXTS} WHERE INSTR(text, %s))", [self.word]  # noqa: S608
        few, is_common = self._look_up(connection)
        if few is None:
            found = f"SELECT rowid FROM {PARTS} WHERE {PARTS} MATCH %s"  # noqa: S608
            return (each, [self.word]) if is_common else (f"+{key} IN ({found})", [trigrams.as_phrase(self.word)])
        if not few:
            raise EmptyResultSet
        return f"{key} IN ({', '.join(map(str, few))})", []

    def _look_up(self, connection: BaseDatabaseWrapper) -> tuple[list[int] | None, bool]:
        """The keys of the machines that have the word, of SQLite's index; None if these are not few, and whether more
        than `common` have it. To test every machine takes many times as long, and each statement would do so."""
        known = self._known.get(connection.alias)
        if known is None:
            phrase = trigrams.as_phrase(self.word)
            found = f"SELECT rowid FROM {PARTS} WHERE {PARTS} MATCH %s LIMIT"  # noqa: S608
            number = f"SELECT COUNT(*) FROM ({found} {self.common + 1})"  # noqa: S608
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT rowid, ({number}) FROM ({found} {self.few + 1})", [phrase, phrase])  # noqa: S608
                rows = cursor.fetchall()
            is_common = bool(rows) and rows[0][1] > self.common
            few = None if is_common or len(rows) > self.few else [key for key, _number in rows]
            known = self._known[connection.alias] = (few, is_common)
        return known

    def _compile(self, compiler: SQLCompiler) -> list[str]:
        """The columns that are read; EmptyResultSet if no text can have the word."""
        if trigrams.has_no_text(self.word):
            raise EmptyResultSet
        return [compiler.compile(each)[0] for each in self.get_source_expressions()]


def make_index(connection: BaseDatabaseWrapper) -> None:
    """The index of texts, for a migration."""
    trigrams.make_index(connection, TEXTS, ["text"], PARTS, "Machines are searched")


def drop_index(connection: BaseDatabaseWrapper) -> None:
    """The way back."""
    trigrams.drop_index(connection, PARTS)
