"""Pytest fixtures that give tests a real Ganeti: ``ganeti`` (two nodes) and ``ganeti_second`` (one node, same names).

A lab is brought up when the first test asks for it and removed at the end of the session. With ``GWM_LAB_KEEP=1`` it
stays, and the next session finds it running. Without root or without the packages such tests are skipped and say why;
with ``GWM_TEST_COMPLETE=1``, as in .ci/run, they fail.

A test that leaves a lab without answer fails and says in which state it left it; the lab is brought back for the next.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator

import pytest

from tests.ganeti.cluster import GanetiCluster
from tools.lab.cluster import Lab, remove_abandoned_labs
from tools.lab.errors import LabError
from tools.lab.growth import grow
from tools.lab.prerequisites import missing_prerequisites
from tools.lab.state import bring_back, describe_state
from tools.lab.system import wait_until

PATIENCE_S = 15.0  # of a machine that is busy with other tests
_UP: list[Lab] = []

FIXTURES = {"ganeti", "ganeti_second"}


@pytest.hookimpl(tryfirst=True)
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
    _UP.append(lab)
    try:
        yield cluster
    finally:
        _UP.remove(lab)
        if not keep:
            lab.down()


def _silent(item: pytest.Item) -> list[Lab]:
    """The labs that the test may have touched and that don't answer any more."""
    if not item.get_closest_marker("ganeti"):
        return []
    return [lab for lab in _UP if not _answers(lab)]


def _answers(lab: Lab) -> bool:
    try:
        wait_until(lab.answers, what="RAPI to answer", timeout_s=PATIENCE_S)
    except LabError:
        return False
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say of a test that failed in which state the labs are that don't answer."""
    report = yield
    if report.failed and report.when != "teardown":
        report.sections += [(f"State of lab {lab.name}", describe_state(lab)) for lab in _silent(item)]
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a test that leaves a lab without answer, and bring the lab back for the next one."""
    yield
    if silent := _silent(item):
        states = "\n".join(describe_state(lab) for lab in silent)
        for lab in silent:
            bring_back(lab)
        pytest.fail(f"The test left a lab that does not answer (it does again):\n{states}", pytrace=False)


@pytest.fixture(scope="session")
def ganeti() -> Iterator[GanetiCluster]:
    """A real cluster of two nodes. Tests that change its defaults or nodes put them back."""
    yield from _bring_up("test", 2)


@pytest.fixture(scope="session")
def ganeti_second() -> Iterator[GanetiCluster]:
    """Another real cluster, of one node that is called like the first one's."""
    yield from _bring_up("other", 1)
