"""A simulator that is asked within the process answers as over the wire, and what is not ordinary takes the wire."""

from collections.abc import Callable

import pytest

from rapi import RapiClient, Trust
from rapi.errors import RapiError
from simulator import Simulator
from simulator.server import Server
from tests.fixtures.within import answer_within


@pytest.fixture
def accepted(monkeypatch: pytest.MonkeyPatch) -> list[Server]:
    """The servers that took a connection, once for each."""
    found: list[Server] = []
    serve = Server._serve
    monkeypatch.setattr(Server, "_serve", lambda server, plain: (found.append(server), serve(server, plain)))
    return found


def ask(simulator: Simulator, fingerprint: str = "", password: str = "") -> list[object]:
    """What a client sees that reads, and what it is told where that fails."""
    trust = Trust.pinned(fingerprint or simulator.fingerprint)
    login = {"username": simulator.username, "password": password or simulator.password}
    with RapiClient([(simulator.host, simulator.port)], **login, trust=trust) as client:
        steps: list[Callable[[], object]] = [
            lambda: client.get_info().uuid,
            lambda: client.query("instance", ["name", "status", "tags"]),
            lambda: client.get_job(999),
            lambda: isinstance(client.reboot_instance("vm1.example.org", reason="a test"), int),
        ]
        return [outcome(step) for step in steps]


def outcome(step: Callable[[], object]) -> object:
    try:
        return step()
    except RapiError as error:
        return type(error), str(error), error.may_have_run


def test_it_answers_as_over_the_wire(
    monkeypatch: pytest.MonkeyPatch, make_simulator: Callable[..., Simulator], accepted: list[Server]
) -> None:
    simulator = make_simulator(nodes=2, instances=3)
    wired, refused = ask(simulator), ask(simulator, password="wrong")
    asked = simulator.requests[:]
    assert len(accepted) == len(asked) == 8
    answer_within(monkeypatch)
    simulator.stop_listening()
    simulator.listen_again()
    simulator.forget_requests()
    assert (ask(simulator), ask(simulator, password="wrong")) == (wired, refused)
    assert simulator.requests == asked
    assert len(accepted) == 8


def test_what_is_not_ordinary_takes_the_wire(
    monkeypatch: pytest.MonkeyPatch, make_simulator: Callable[..., Simulator], accepted: list[Server]
) -> None:
    answer_within(monkeypatch)
    simulator = make_simulator(nodes=2, instances=3)
    ask(simulator)
    assert accepted == []
    ask(simulator, fingerprint="00" * 32)
    assert accepted
    accepted.clear()
    simulator.faults.refuse(500, "Queue drained")
    assert "Queue drained" in str(ask(simulator)[0])
    assert accepted
    simulator.faults.clear()
    simulator.stop_listening()
    accepted.clear()
    assert all("refused" in str(each) for each in ask(simulator))
