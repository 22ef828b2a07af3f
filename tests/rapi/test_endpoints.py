"""Where a cluster is reached: addresses, and the master that moves."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from rapi import Endpoint, RapiClient, caller
from rapi.errors import MasterDown, RapiError, TimedOut
from tests.rapi.conftest import INFO, UUID
from tests.rapi.edge import Edge, Identity, answer, drop, refusal, serve

Make = Callable[..., RapiClient]


@pytest.mark.feature("F065")
def test_ipv6(identity: Identity, make_client: Make) -> None:
    with serve(identity, answer(INFO), address="::1") as edge:
        assert make_client(edge).get_info().uuid == UUID
        assert edge.requests[0].headers["host"] == f"[::1]:{edge.port}"


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("ganeti.example.org", ("ganeti.example.org", 5080)),
        ("ganeti.example.org:5081", ("ganeti.example.org", 5081)),
        ("::1", ("::1", 5080)),
        ("[::1]", ("::1", 5080)),
        ("[2001:db8::1]:443", ("2001:db8::1", 443)),
    ],
)
def test_endpoints_are_read_and_written(text: str, endpoint: tuple[str, int]) -> None:
    assert Endpoint.parse(text) == endpoint
    assert Endpoint.parse(str(Endpoint.parse(text))) == endpoint


@pytest.mark.parametrize("text", ["", ":1", "a:0", "a:65536", "a:b", "a/b", "user@host", "[::1", "[::1]x", "a b"])
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Endpoint.parse(text)


# --- following the master --------------------------------------------------------------------------------------------


def test_a_read_follows_the_master_and_stays_there(edge: Edge, identity: Identity, make_client: Make) -> None:
    edge.usual = refusal(502, "Can&#x27;t connect to master daemon")
    with serve(identity, answer(INFO)) as second:
        client = make_client(edge, second, cluster_uuid=UUID)
        assert client.get_info().uuid == UUID
        assert client.endpoint == (second.host, second.port)
        client.get_info()
    assert len(edge.requests) == 1
    assert [each.path for each in second.requests] == ["/2/info"] * 3


def test_a_change_that_surely_did_not_run_follows_the_master(edge: Edge, identity: Identity, make_client: Make) -> None:
    edge.usual = refusal(502, "Can&#x27;t connect to master daemon")
    with serve(identity, answer(INFO)) as second:
        second.script = [answer(INFO), answer(9)]
        assert make_client(edge, second, cluster_uuid=UUID).startup_instance("a", reason="gwm:1") == 9
        assert [each.method for each in second.requests] == ["GET", "PUT"]


@pytest.mark.parametrize("behaviour", [drop, refusal(502, "Connection closed while reading"), refusal(500, "x")])
def test_a_change_in_doubt_goes_to_nobody_else(
    edge: Edge, identity: Identity, make_client: Make, behaviour: Callable[..., None]
) -> None:
    edge.script = [behaviour]
    with serve(identity, answer(INFO)) as second, pytest.raises(RapiError):
        try:
            make_client(edge, second, cluster_uuid=UUID).startup_instance("a", reason="gwm:1")
        finally:
            assert second.requests == []


def test_the_search_for_the_master_ends_in_time(edge: Edge, make_client: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many candidates there are, and though each takes the connection and says nothing."""
    monkeypatch.setattr(caller, "CANDIDATE_TIMEOUT_S", 0.1)
    edge.usual = refusal(502, "Can&#x27;t connect to master daemon")
    with socket.create_server(("0.0.0.0", 0), backlog=200) as silent:
        port = silent.getsockname()[1]
        candidates: list[Any] = [Endpoint(f"127.0.1.{number}", port) for number in range(1, 31)]
        client = make_client(edge, *candidates, cluster_uuid=UUID, connect_timeout_s=0.2, read_timeout_s=0.2)
        with pytest.raises(MasterDown):
            client.startup_instance("a", reason="gwm:1")
    assert 1 < client.calls < len(candidates) / 2


@pytest.mark.parametrize(
    "other", [answer({**INFO, "uuid": "another"}), refusal(502, "Can't connect"), answer([]), drop]
)
def test_an_endpoint_that_is_not_this_cluster_is_not_followed(
    edge: Edge, identity: Identity, make_client: Make, other: Callable[..., None]
) -> None:
    edge.usual = refusal(504, "Gateway Timeout")
    with serve(identity, other) as second:
        client = make_client(edge, second, cluster_uuid=UUID)
        with pytest.raises(MasterDown):
            client.startup_instance("a", reason="gwm:1")
        assert {each.method for each in second.requests} == {"GET"}
        asked = len(second.requests)
        with pytest.raises(MasterDown):
            client.get_info()
        assert len(second.requests) == asked  # it has just looked in vain
        assert client.endpoint == (edge.host, edge.port)


def test_without_a_known_uuid_nobody_is_followed(edge: Edge, identity: Identity, make_client: Make) -> None:
    edge.usual = refusal(502, "Can't connect")
    with serve(identity, answer(INFO)) as second:
        with pytest.raises(MasterDown):
            make_client(edge, second).get_info()
        assert second.requests == []


def test_no_change_is_begun_after_its_time(identity: Identity, make_client: Make) -> None:
    """Who looks for a lost submission relies on when it was sent at the latest."""
    with serve(identity, answer(INFO)) as edge:
        client = make_client(edge, changes_within_s=0.0)
        assert client.get_info().uuid == UUID
        with pytest.raises(TimedOut) as caught:
            client.startup_instance("vm1.example.org", reason="a test")
        assert not caught.value.may_have_run
        assert len(edge.requests) == 1
