"""Which databases this release works with, and which version of them it takes."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DEFAULT_DB_ALIAS, connections

#: with what Debian 12 has beside each
LEAST: dict[str, tuple[str, tuple[int, int]]] = {
    "sqlite": ("SQLite", (3, 34)),  # the index of three letters (trigram) that searches use
    "postgresql": ("PostgreSQL", (15, 0)),
    "mariadb": ("MariaDB", (10, 11)),
}
REMEDY = "Choose another: SQLite 3.34, PostgreSQL 15, MariaDB 10.11, or newer ones of these."


def describe_unfit(kind: str, version: tuple[int, ...]) -> str:
    """Why a database of this kind and version won't do; empty: it will."""
    if kind not in LEAST:
        return f"{kind} {_written(version)} is none that this release was tried with."
    name, least = LEAST[kind]
    if version >= least:
        return ""
    return f"{name} {_written(version)} is too old: {_written(least)} or newer is needed."


def kind_of(connection: Any) -> tuple[str, tuple[int, ...]]:
    """What a database is, and in which version; it is asked."""
    if connection.vendor == "sqlite":
        return "sqlite", sqlite3.sqlite_version_info
    if connection.vendor == "mysql":
        return ("mariadb" if connection.mysql_is_mariadb else "MySQL"), connection.mysql_version
    number = connection.pg_version
    return connection.vendor, (number // 10000, number % 10000)


def _written(version: Sequence[int]) -> str:
    return ".".join(str(part) for part in version)


@register(Tags.database)
def check_database(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """As a check of Django's, which `migrate` and `check --database default` make; a start asks by itself."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    unfit = describe_unfit(*kind_of(connections[DEFAULT_DB_ALIAS]))
    return [Error(unfit, hint=REMEDY, id="gwm.E001")] if unfit else []
