"""An installation with an empty database of its own, on either database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.commands import Commands, environment_of
from tests.races.commands import empty_database, migrate


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def empty_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database; of SQLite the product makes its own."""
    if request.param == "SQLite":
        yield ""
        return
    with empty_database(request.getfixturevalue("postgresql_url")) as url:
        yield url


@pytest.fixture
def commands(empty_url: str, tmp_path: Path) -> Commands:
    """Of a product on it, which has its tables."""
    commands = Commands(environment_of(tmp_path, empty_url))
    migrate(commands)
    return commands
