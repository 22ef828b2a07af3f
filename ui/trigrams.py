"""Indexes of three letters in a row, by which a database finds texts with a word inside: how each of them has one."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger("ui.trigrams")

# Such an index knows nothing of fewer letters, and does not get faster by very many.
SHORTEST, LONGEST = 3, 200


def make_index(connection: BaseDatabaseWrapper, table: str, columns: Iterable[str], index: str, without: str) -> None:
    """An index of texts, for a migration: on SQLite a table of FTS5, on PostgreSQL one of the extension pg_trgm.

    If PostgreSQL does not let us have it, this is logged, with the remedy: `without` says what is slower then.
    """
    names = ", ".join(columns)
    if connection.vendor == "sqlite":
        how = f"content='{table}', content_rowid='id', columnsize=0, tokenize='trigram case_sensitive 1'"
        execute(
            connection,
            f"CREATE VIRTUAL TABLE {index} USING fts5({names}, {how})",
            f"INSERT INTO {index} ({index}) VALUES ('rebuild')",  # noqa: S608 - names of ours
        )
    elif connection.vendor == "postgresql":
        ways = ", ".join(f"{name} gin_trgm_ops" for name in columns)
        statements = (
            "CREATE EXTENSION IF NOT EXISTS pg_trgm",
            f"CREATE INDEX {index} ON {table} USING gin ({ways}) WITH (fastupdate = off)",
        )
        try:
            with transaction.atomic(using=connection.alias):
                execute(connection, *statements)
        except DatabaseError as error:
            logger.warning(
                "%s without an index, which is slower where there are very many: PostgreSQL said “%s”. To have one, as"
                " a superuser of that database: %s;",
                without,
                str(error).strip(),
                "; ".join(statements),
            )


def drop_index(connection: BaseDatabaseWrapper, index: str) -> None:
    """The way back. The extension stays: others may use it."""
    if connection.vendor == "sqlite":
        execute(connection, f"DROP TABLE IF EXISTS {index}")
    elif connection.vendor == "postgresql":
        execute(connection, f"DROP INDEX IF EXISTS {index}")


def execute(connection: BaseDatabaseWrapper, *statements: str) -> None:
    """One after the other."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def has_no_text(word: str) -> bool:
    """Whether the word has what databases and their drivers do not take, and no text in them has."""
    return "\0" in word or any("\ud800" <= letter <= "\udfff" for letter in word)


def as_pattern(word: str, mark: str) -> str:
    """LIKE: any text with the word in it."""
    return "%{}%".format("".join(f"{mark}{letter}" if letter in (mark, "%", "_") else letter for letter in word))


def as_phrase(word: str) -> str:
    """The same for FTS5."""
    return '"{}"'.format(word.replace('"', '""'))


def make_changes(index: str, columns: Iterable[str]) -> dict[str, str]:
    """What keeps an index of FTS5 in step with its table, by event of a trigger: it is told old and new texts."""
    names = ", ".join(columns)
    new, old = (", ".join(f"{row}.{name}" for name in ("id", *columns)) for row in ("NEW", "OLD"))
    add = f"INSERT INTO {index} (rowid, {names}) VALUES ({new})"  # noqa: S608 - names of ours
    remove = f"INSERT INTO {index} ({index}, rowid, {names}) VALUES ('delete', {old})"  # noqa: S608
    return {"insert": add, "update": f"{remove}; {add}", "delete": remove}
