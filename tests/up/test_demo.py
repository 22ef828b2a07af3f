"""The demo cluster that a first start shows."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.up.running import Installation, eventually

pytestmark = pytest.mark.standalone


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Installation]:
    installation = Installation(tmp_path / "data")
    yield installation
    installation.end()


def ask(installation: Installation, statement: str) -> list[Any]:
    with closing(sqlite3.connect(installation.data / "gwm.sqlite3")) as database:
        return database.execute(statement).fetchall()


@pytest.mark.feature("F286")
def test_the_first_start_shows_a_demo_cluster_and_the_second_the_same_one(fresh: Installation) -> None:
    fresh.start_ready()
    [(port, fingerprint, error)] = ask(fresh, "SELECT port, tls_fingerprint, last_error FROM clusters_cluster")
    assert len(fingerprint) >= 64
    assert error == ""
    [(machines,)] = ask(fresh, "SELECT count(*) FROM virtualmachines_virtualmachine")
    assert machines >= 30
    assert ask(fresh, "SELECT password FROM clusters_cluster")[0][0].startswith("sealed1:")

    before = fresh.await_child("simulator")
    os.kill(before, signal.SIGKILL)
    eventually(lambda: fresh.child("simulator") not in (0, before), what="another simulator")
    assert fresh.stop() == 0

    fresh.start_ready()
    assert ask(fresh, "SELECT port, tls_fingerprint FROM clusters_cluster") == [(port, fingerprint)]
    assert ask(fresh, "SELECT count(*) FROM virtualmachines_virtualmachine")[0][0] >= machines
    assert fresh.stop() == 0

    fresh.options = ("--no-demo",)
    fresh.start_ready()
    assert not fresh.child("simulator")
