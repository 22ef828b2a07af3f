"""An installation with an empty database of its own, on either database."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Of a product with an empty database of its own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GWM_", "REDIS"))}
    known = {
        **inherited,
        "DATABASE_URL": "",
        "GWM_DATA_DIR": str(tmp_path),
        "GWM_SECRET_KEY": "not-a-secret-in-a-test-of-fifty-characters-or-so-1",
        "GWM_FIELD_KEYS": "field-key-of-a-test",
        "GWM_CONSOLE_KEYS": "console-key-of-a-test",
        "GWM_JOURNAL_KEYS": "journal-key-of-a-test",
        "DJANGO_SETTINGS_MODULE": "gwm.settings",
    }
    if request.param == "SQLite":
        yield known
        return
    url = request.getfixturevalue("postgresql_url")
    name = f"quotas_{secrets.token_hex(6)}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield {**known, "DATABASE_URL": urlunsplit(urlsplit(url)._replace(path=f"/{name}"))}
    finally:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
