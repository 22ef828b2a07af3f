"""An installation with a database of its own, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.commands import Commands, environment_of
from tests.races.commands import migrated_database, see_to_tables


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def url_of_its_own(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database that nobody used yet; of SQLite the product has its file."""
    if request.param == "SQLite":
        yield ""
        return
    with migrated_database(request.getfixturevalue("postgresql_url")) as url:
        yield url


@pytest.fixture
def commands(url_of_its_own: str, tmp_path: Path) -> Commands:
    """Of a product on it, which has its tables."""
    commands = Commands(environment_of(tmp_path, url_of_its_own))
    see_to_tables(commands)
    return commands
