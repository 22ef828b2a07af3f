"""The bench's consoles against the broker as it is: one opens, and one that does not says why."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tools.bench.console import Broker, Machine, still_answers

pytestmark = pytest.mark.standalone


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


@pytest.fixture
def machine() -> Iterator[Machine]:
    with Machine(floods=False) as machine:
        yield machine


def test_a_console_opens_and_echoes(broker: Broker, machine: Machine) -> None:
    with broker.open(machine) as console:
        assert still_answers(console)


def test_a_console_of_a_machine_that_sends_at_once_opens(broker: Broker) -> None:
    with Machine(floods=True) as machine, broker.open(machine) as console:
        assert console.recv(1)


def test_a_console_that_does_not_open_says_why(broker: Broker) -> None:
    with Machine(floods=False) as machine:
        pass
    with pytest.raises(ConnectionError, match="No console answered"):
        broker.open(machine)


def test_settings_of_the_caller_do_not_reach_the_broker(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GWM_CONSOLE_NETWORKS", "192.0.2.0/24")
    with Broker() as strict, strict.open(machine) as console:
        assert still_answers(console)
