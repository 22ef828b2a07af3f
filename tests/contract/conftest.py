"""One suite, two backends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator import Simulator
from tests.contract.backends import Backend, RealBackend, SimulatedBackend

SPEED = 100.0  # how many times as fast as a real cluster the simulator's jobs run


@pytest.fixture(scope="session", params=["simulator", pytest.param("ganeti", marks=pytest.mark.ganeti)])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    if request.param == "ganeti":
        yield RealBackend(request.getfixturevalue("ganeti"))
        return
    with Simulator(nodes=2, speed=SPEED) as simulator:
        yield SimulatedBackend(simulator)


@pytest.fixture(scope="module")
def machine(backend: Backend) -> str:
    """A running machine that a module's tests share; they leave it running."""
    return backend.create()


@pytest.fixture
def stopped(backend: Backend) -> str:
    """A machine of the test's own that does not run."""
    return backend.create(start=False)
