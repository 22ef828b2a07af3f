"""Pytest fixtures that give tests a real Ganeti: ``ganeti`` (two nodes) and ``ganeti_second`` (one node, same names).

A lab is brought up when the first test asks for it and removed at the end of the session. With ``GWM_LAB_KEEP=1`` it
stays, and the next session finds it running. Without root or without the packages such tests are skipped and say why;
with ``GWM_TEST_COMPLETE=1``, as in .ci/run, they fail.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.ganeti.cluster import GanetiCluster
from tools.lab.cluster import Lab, remove_abandoned_labs
from tools.lab.growth import grow
from tools.lab.prerequisites import missing_prerequisites

FIXTURES = {"ganeti", "ganeti_second"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that gets a cluster, keep them in one process, and skip them where there can be none."""
    problems = missing_prerequisites()
    complete = bool(os.environ.get("GWM_TEST_COMPLETE"))
    for item in items:
        if not FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.ganeti)
        if item.get_closest_marker("ganeti"):
            item.add_marker(pytest.mark.xdist_group("ganeti"))
            if problems and not complete:
                item.add_marker(pytest.mark.skip(reason=" ".join(problems)))


def _bring_up(name: str, node_count: int) -> Iterator[GanetiCluster]:
    problems = missing_prerequisites()
    if problems:
        pytest.fail("A real Ganeti is demanded (GWM_TEST_COMPLETE), but: " + " ".join(problems))
    keep = bool(os.environ.get("GWM_LAB_KEEP"))
    remove_abandoned_labs()
    lab = Lab(name if keep else f"{name}{os.getpid()}")
    was_ready = lab.is_ready
    description = lab.up(node_count=node_count, owner=None if keep else os.getpid())
    cluster = GanetiCluster(lab, description)
    if was_ready:
        cluster.remove_instances()
        grow(lab, 0)
    try:
        yield cluster
    finally:
        if not keep:
            lab.down()


@pytest.fixture(scope="session")
def ganeti() -> Iterator[GanetiCluster]:
    """A real cluster of two nodes. Tests that change its defaults or nodes put them back."""
    yield from _bring_up("test", 2)


@pytest.fixture(scope="session")
def ganeti_second() -> Iterator[GanetiCluster]:
    """Another real cluster, of one node that is called like the first one's."""
    yield from _bring_up("other", 1)
