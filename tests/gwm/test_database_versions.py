"""Databases that are too old, or were never tried, are refused at the start, by name."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection

from gwm.database_versions import LEAST, check_database, describe_unfit, kind_of

pytestmark = pytest.mark.feature("F293", "F294")


@pytest.mark.django_db
def test_the_database_of_the_tests_is_fit() -> None:
    assert kind_of(connection)[0] in LEAST
    assert check_database(["default"]) == []
    assert not [found for found in run_checks(databases=["default"]) if found.id == "gwm.E001"]


@pytest.mark.parametrize(
    ("kind", "version", "words"),
    [
        ("sqlite", (3, 33, 9), "SQLite 3.33.9 is too old: 3.34 or newer is needed."),
        ("sqlite", (3, 40, 1), ""),
        ("postgresql", (14, 11), "PostgreSQL 14.11 is too old: 15.0 or newer is needed."),
        ("postgresql", (15, 0), ""),
        ("postgresql", (17, 6), ""),
        ("mariadb", (10, 6, 18), "MariaDB 10.6.18 is too old: 10.11 or newer is needed."),
        ("mariadb", (10, 11, 6), ""),
        ("mariadb", (11, 4, 3), ""),
        ("MySQL", (8, 4, 2), "MySQL 8.4.2 is none that this release was tried with."),
        ("oracle", (23, 4), "oracle 23.4 is none that this release was tried with."),
    ],
)
def test_what_is_not_fit_is_said(kind: str, version: tuple[int, ...], words: str) -> None:
    assert describe_unfit(kind, version) == words


@pytest.mark.parametrize(
    ("attributes", "found"),
    [
        ({"vendor": "mysql", "mysql_is_mariadb": True, "mysql_version": (10, 11, 6)}, ("mariadb", (10, 11, 6))),
        ({"vendor": "mysql", "mysql_is_mariadb": False, "mysql_version": (8, 4, 2)}, ("MySQL", (8, 4, 2))),
        ({"vendor": "postgresql", "pg_version": 150008}, ("postgresql", (15, 8))),
    ],
)
def test_a_database_is_known_by_what_its_server_says(attributes: dict[str, Any], found: tuple[str, Any]) -> None:
    assert kind_of(SimpleNamespace(**attributes)) == found
