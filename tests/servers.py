"""Tests that need a browser, a Redis or another program are skipped with a reason where it is missing.

In a complete run (GWM_TEST_COMPLETE) they fail instead.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.browser import LACKING, find_browser
from tools.container import missing_for_containers
from tools.server import missing_for_servers
from tools.throwaway import postgresql, redis_server

_DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup", "live_server", "admin_client", "admin_user"}


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The address of a Redis that tests may fill."""
    if given := os.environ.get("GWM_TEST_REDIS_URL"):
        yield given
        return
    with redis_server() as url:
        yield url


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The address of a PostgreSQL database that tests may fill; not the one that Django's tests use."""
    if given := os.environ.get("GWM_TEST_DATABASE_URL"):
        yield given
        return
    with postgresql() as url:
        yield url


def find_program(name: str) -> str | None:
    """Where a program is, also among those of root, which a user's PATH leaves out."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


def missing_for(mark: str) -> str:
    """Return what is missing for tests with a mark, or the empty text."""
    if mark == "redis" and not (os.environ.get("GWM_TEST_REDIS_URL") or shutil.which("redis-server")):
        return "Redis is not installed (Debian: apt install redis-server)."
    if mark == "browser" and not find_browser():
        return LACKING
    if mark == "deploy":
        return missing_for_servers()
    if mark == "container":
        return missing_for_containers()
    return ""


#: what boots servers and builds images
ONLY_ASKED_FOR = ("deploy", "container")
#: what is in the path or the text of a file with tests of a mark: their gates look at no other files
SIGNS = {
    "redis": ("mark.redis",),
    "standalone": ("mark.standalone",),
    "long": ("mark.long", "some_in_fast"),
    "beside": ("mark.beside",),
    "browser": ("mark.browser", "tests/browser/"),
    "deploy": ("mark.deploy",),
    "onehost": ("mark.onehost",),
    "container": ("mark.container",),
    "ganeti": ("mark.ganeti", "tests/ganeti/", "tests/contract/"),
}


def shows(path: Path, mark: str) -> bool:
    """Whether a file may have tests with this mark."""
    text = f"{path.as_posix()}\n{path.read_text(encoding='utf-8')}"
    return any(sign in text for sign in SIGNS[mark])


def demand_signs(items: list[pytest.Item]) -> None:
    """Demand that files with these marks show it: their gates would not find them (`files_with` of tools/check.py)."""
    marked = {(item.path, mark.name) for item in items for mark in item.iter_markers() if mark.name in SIGNS}
    for path, mark in sorted(marked):
        if not shows(path, mark):
            raise pytest.UsageError(f"{path} has tests with the mark {mark} and does not show it.")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests that use the database; skip what cannot run here, or with GWM_TEST_COMPLETE let it fail by itself."""
    for item in items:
        if item.get_closest_marker("django_db") or not _DATABASE_FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("database")
    demand_signs(items)
    if os.environ.get("GWM_TEST_COMPLETE"):
        return
    for item in items:
        for mark in item.iter_markers("program"):
            name, package = mark.args
            if find_program(name) is None:
                item.add_marker(pytest.mark.skip(reason=f"{name} is not installed (Debian: apt install {package})."))
    for mark in ("redis", "browser", *ONLY_ASKED_FOR):
        is_meant = mark not in ONLY_ASKED_FOR or mark in config.option.markexpr
        reason = missing_for(mark) if is_meant else f"It takes minutes, so only where it is asked for: -m {mark}."
        for item in items:
            if reason and item.get_closest_marker(mark):
                item.add_marker(pytest.mark.skip(reason=reason))
