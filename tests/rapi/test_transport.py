"""What may go wrong between client and server, and what the client makes of it."""

from __future__ import annotations

import json
import logging
import pickle
import socket
import threading
import traceback
from collections.abc import Callable
from urllib.parse import parse_qs

import pytest

from rapi import RapiClient, Trust
from rapi.errors import (
    BadCredentials,
    Garbled,
    MasterDown,
    NotAllowed,
    NotFound,
    NotSupported,
    QueueClosed,
    RapiError,
    Refused,
    TimedOut,
    Unreachable,
)
from rapi.resources.tags import Tagged
from tests.rapi.conftest import INFO, PASSWORD, UUID
from tests.rapi.edge import Edge, Identity, answer, cut_short, drip, drop, hang, raw, refusal, serve
from tools.lab.system import wait_until

Make = Callable[..., RapiClient]


# --- what is sent ----------------------------------------------------------------------------------------------------


def test_a_read_sends_credentials_and_no_body(client: RapiClient, edge: Edge) -> None:
    client.get_info()
    (request,) = edge.requests
    assert (request.method, request.target) == ("GET", "/2/info")
    assert request.credentials == f"gwm:{PASSWORD}"
    assert request.body == b""
    assert "content-type" not in request.headers


def test_a_change_sends_exactly_the_content_type_ganeti_wants_and_its_reason(client: RapiClient, edge: Edge) -> None:
    edge.script = [answer(7)]
    assert client.startup_instance("web.example.org", reason="gwm:1 & more") == 7
    (request,) = edge.requests
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body) == {}
    assert parse_qs(request.target.partition("?")[2]) == {"reason": ["gwm:1 & more"]}


def test_without_a_user_no_credentials_are_sent(edge: Edge, make_client: Make) -> None:
    make_client(edge, username="", password="").get_info()
    assert "authorization" not in edge.requests[0].headers


def test_a_password_may_hold_any_character(edge: Edge, make_client: Make) -> None:
    make_client(edge, password="пароль:ü€").get_info()
    assert edge.requests[0].credentials == "gwm:пароль:ü€"


def test_a_long_list_of_fields_goes_into_a_body(client: RapiClient, edge: Edge) -> None:
    fields = tuple(f"hv/parameter_{number}" for number in range(300))
    edge.script = [answer({"fields": [{"name": each, "kind": "text"} for each in fields], "data": []})]
    assert client.query("instance", fields).rows == []
    assert edge.requests[0].method == "PUT"
    assert json.loads(edge.requests[0].body) == {"fields": list(fields), "qfilter": None}


def test_filters_hold_whole_numbers_only(client: RapiClient, edge: Edge) -> None:
    edge.script = [answer({"fields": [{"name": "uuid", "kind": "text"}], "data": []})]
    client.query("instance", ["uuid"], ["&", [">=", "mtime", 12.0], ["=", "name", "a"]])
    assert json.loads(edge.requests[0].body)["qfilter"] == ["&", [">=", "mtime", 12], ["=", "name", "a"]]
    with pytest.raises(ValueError, match="whole"):
        client.query("instance", ["uuid"], [">=", "mtime", 12.5])
    with pytest.raises(ValueError, match="JSON"):
        client.modify_cluster({"x": float("nan")}, reason="gwm:1")
    assert len(edge.requests) == 1


@pytest.mark.parametrize("name", ["", "..", "a/b", "a b", "a%2Eb", "a?b", "ä", "a\n"])
def test_a_name_that_cannot_stand_in_a_path_is_never_sent(client: RapiClient, edge: Edge, name: str) -> None:
    for call in (client.get_instance, client.get_node, client.get_group, client.get_network):
        with pytest.raises(ValueError, match="name"):
            call(name)
    assert edge.requests == []


@pytest.mark.parametrize(("of", "name"), [("cluster", "prod"), ("instance", ""), ("node", "a/b")])
def test_tags_of_what_cannot_be_named_so_are_never_sent(client: RapiClient, edge: Edge, of: Tagged, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        client.add_tags(of, name, ["x"], reason="gwm:1")
    assert edge.requests == []


def test_a_change_without_a_reason_is_never_sent(client: RapiClient, edge: Edge) -> None:
    for call in (
        lambda: client.startup_instance("a", reason=" "),
        lambda: client.reinstall_instance("a", reason=""),
        lambda: client.migrate_node("a", reason="", target_node="b"),
        lambda: client.cancel_job(1, reason=""),
        lambda: client.add_filter(reason="", predicates=[], action="PAUSE"),
    ):
        with pytest.raises(ValueError, match="reason"):
            call()
    assert edge.requests == []


def test_a_request_that_ganeti_would_drop_for_its_length_is_never_sent(client: RapiClient, edge: Edge) -> None:
    with pytest.raises(ValueError, match="long"):
        client.add_tags("instance", "a", [f"tag-{number:0100d}" for number in range(100)], reason="gwm:1")
    assert edge.requests == []


# --- what comes back -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "message", "kind", "text"),
    [
        (400, "Invalid body parameters: Wrong key &#x27;x&#x27;", Refused, "Invalid body parameters: Wrong key 'x'"),
        (401, "No permission", BadCredentials, None),
        (403, "Forbidden", NotAllowed, "The RAPI user may not do this: it needs “write” in Ganeti's users file."),
        (404, "Not Found", NotFound, "Ganeti doesn't know it."),
        (415, "Unsupported", Refused, "Unsupported"),
        (500, "Queue drained", QueueClosed, "Queue drained"),
        (503, "Job queue is full, needs archiving", QueueClosed, "Job queue is full, needs archiving"),
        (500, "(&#x27;No &quot;x&quot;&#x27;, &#x27;unknown_entity&#x27;)", NotFound, 'No "x"'),
        (501, "Method X is unsupported", NotSupported, "Method X is unsupported"),
        (502, "Failed to parse request", Refused, "Failed to parse request"),
        (503, "Instance console unavailable", Refused, "Instance console unavailable"),
    ],
)
def test_each_refusal_has_its_kind_and_ganetis_own_words(
    client: RapiClient, edge: Edge, status: int, message: str, kind: type[RapiError], text: str | None
) -> None:
    edge.script = [refusal(status, message)]
    with pytest.raises(kind) as caught:
        client.startup_instance("a", reason="gwm:1")
    assert not caught.value.may_have_run
    assert f"{edge.host}:{edge.port}" in str(caught.value)
    if isinstance(caught.value, Refused) and text is not None:
        assert (caught.value.code, caught.value.text) == (status, text)
    assert len(edge.requests) == 1


def test_a_cluster_that_wants_credentials_says_so(edge: Edge, make_client: Make) -> None:
    edge.script = [refusal(401, "Unauthorized"), refusal(401, "Unauthorized")]
    with pytest.raises(BadCredentials, match="wants"):
        make_client(edge, username="", password="").get_info()
    with pytest.raises(BadCredentials, match="rejects"):
        make_client(edge).get_info()


def test_an_error_code_is_read_from_the_message(client: RapiClient, edge: Edge) -> None:
    edge.script = [refusal(500, "(&#x27;text&#x27;, &#x27;wrong_state&#x27;)")]
    with pytest.raises(Refused) as caught:
        client.get_info()
    assert (caught.value.text, caught.value.error_code) == ("text", "wrong_state")


@pytest.mark.parametrize(
    ("status", "message", "may_have_run"),
    [
        (502, "Can&#x27;t connect to master daemon: /run/ganeti/socket", False),
        (502, "Master seems to be unreachable: x", False),
        (502, "Connection closed while reading", True),
        (504, "Timeout while talking to the master daemon: Connect timed out", False),
        (504, "Gateway Timeout", False),  # sooner than RAPI gives up reading
    ],
)
def test_a_gateway_error_tells_whether_the_change_may_have_run(
    client: RapiClient, edge: Edge, status: int, message: str, may_have_run: bool
) -> None:
    edge.script = [refusal(status, message)]
    with pytest.raises(MasterDown) as caught:
        client.startup_instance("a", reason="gwm:1")
    assert caught.value.may_have_run is may_have_run


@pytest.mark.parametrize("status", [502, 504, 500, 503])
def test_an_error_page_of_something_in_between_leaves_a_change_in_doubt(
    client: RapiClient, edge: Edge, status: int
) -> None:
    edge.script = [raw(b"<html>Bad Gateway</html>", status)]
    with pytest.raises(RapiError) as caught:
        client.startup_instance("a", reason="gwm:1")
    assert caught.value.may_have_run


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"\xff\xfe", b"[" * 100_000])
def test_garbage_is_garbled(client: RapiClient, edge: Edge, body: bytes) -> None:
    edge.script = [raw(body), raw(body)]
    with pytest.raises(Garbled) as read:
        client.get_info()
    with pytest.raises(Garbled) as changed:
        client.startup_instance("a", reason="gwm:1")
    assert not read.value.may_have_run
    assert changed.value.may_have_run


@pytest.mark.parametrize("value", [None, True, "soon", {}, [1], 1.5])
def test_a_change_answered_by_something_else_than_a_job_number_may_have_run(
    client: RapiClient, edge: Edge, value: object
) -> None:
    edge.script = [answer(value)]
    with pytest.raises(Garbled) as caught:
        client.startup_instance("a", reason="gwm:1")
    assert caught.value.may_have_run


def test_a_job_number_may_be_a_text(client: RapiClient, edge: Edge) -> None:
    edge.script = [answer("12")]
    assert client.startup_instance("a", reason="gwm:1") == 12


def test_a_redirect_is_not_followed(client: RapiClient, edge: Edge, identity: Identity) -> None:
    with serve(identity, answer(INFO)) as elsewhere:
        edge.script = [answer(None, 302, Location=f"https://{elsewhere.host}:{elsewhere.port}/2/info")]
        with pytest.raises(Garbled, match="redirect"):
            client.get_info()
        assert elsewhere.requests == []


def test_a_cookie_is_not_kept(client: RapiClient, edge: Edge) -> None:
    edge.script = [answer(INFO, Set_Cookie="a=b; Path=/")]
    client.get_info()
    client.get_info()
    assert "cookie" not in edge.requests[1].headers


@pytest.mark.parametrize("closes", ["close", "keep-alive"])
def test_a_large_answer_is_read_whole_however_the_server_ends_it(client: RapiClient, edge: Edge, closes: str) -> None:
    edge.script = [answer({**INFO, "padding": "x" * 3_000_000}, Connection=closes)]
    assert client.get_info().uuid == UUID


def test_an_answer_beyond_all_measure_is_not_read(edge: Edge, make_client: Make) -> None:
    edge.script = [raw(b"[" + b" " * 50_000 + b"]")]
    with pytest.raises(Garbled, match="larger"):
        make_client(edge, max_answer_bytes=10_000).get_info()


# --- cuts and silence ------------------------------------------------------------------------------------------------


def test_no_connection_is_used_twice_even_if_the_server_keeps_them(client: RapiClient, edge: Edge) -> None:
    """On one that has gone stale meanwhile, a change would be in doubt."""
    edge.keeps_connections = True
    client.get_info()
    edge.script = [drop]
    with pytest.raises(Unreachable) as caught:
        client.startup_instance("a", reason="gwm:1")
    assert caught.value.may_have_run
    assert edge.connections == len(edge.requests) == 2


@pytest.mark.feature("F081")
@pytest.mark.parametrize("behaviour", [drop, cut_short, hang, drip])
def test_a_lost_answer_leaves_a_change_in_doubt_and_it_is_not_sent_again(
    edge: Edge, make_client: Make, behaviour: Callable[..., None]
) -> None:
    edge.script = [behaviour]
    with pytest.raises(RapiError) as caught:
        make_client(edge, read_timeout_s=0.3).startup_instance("a", reason="gwm:1")
    assert caught.value.may_have_run
    wait_until(lambda: bool(edge.requests), what="its request", timeout_s=60)
    assert len(edge.requests) == 1
    assert isinstance(caught.value, TimedOut) is (behaviour in (hang, drip))


def test_a_read_that_was_cut_is_sent_once_more(client: RapiClient, edge: Edge) -> None:
    edge.script = [drop]
    assert client.get_info().uuid == UUID
    edge.script = [drop, drop]
    with pytest.raises(Unreachable) as caught:
        client.get_info()
    assert not caught.value.may_have_run
    assert len(edge.requests) == 4


def test_silence_is_a_time_out_not_repeated(edge: Edge, make_client: Make) -> None:
    edge.script = [hang]
    with pytest.raises(TimedOut) as caught:
        make_client(edge, read_timeout_s=0.3).get_info()
    assert not caught.value.connecting
    assert not caught.value.may_have_run
    assert "0.3 s" in caught.value.message
    wait_until(lambda: bool(edge.requests), what="its request", timeout_s=60)
    assert len(edge.requests) == 1


def test_a_server_that_does_not_shake_hands_has_surely_not_run_anything(make_client: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = Edge("127.0.0.1", silent.getsockname()[1], hang)
        with pytest.raises(TimedOut) as caught:
            make_client(target, connect_timeout_s=0.3).startup_instance("a", reason="gwm:1")
    assert caught.value.connecting
    assert not caught.value.may_have_run


def test_a_server_without_tls_is_said_to_be_one(make_client: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def speak() -> None:
            connection, _ = plain.accept()
            with connection:
                connection.recv(100)
                connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=speak, daemon=True)
        thread.start()
        with pytest.raises(Unreachable, match="TLS") as caught:
            make_client(Edge("127.0.0.1", plain.getsockname()[1], hang)).startup_instance("a", reason="gwm:1")
        thread.join()
    assert not caught.value.may_have_run


def test_nobody_there_and_no_such_name(make_client: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(Unreachable, match="refused") as caught:
        make_client(Edge("127.0.0.1", port, hang)).startup_instance("a", reason="gwm:1")
    assert not caught.value.may_have_run
    with pytest.raises(Unreachable, match="name"):
        make_client(Edge("no-such-host.invalid", 5080, hang)).get_info()


def test_three_reads_at_once(client: RapiClient, edge: Edge) -> None:
    results: list[str] = []
    threads = [threading.Thread(target=lambda: results.append(client.get_info().uuid)) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert results == [UUID] * 3
    assert client.calls == 3
    assert client.bytes_received == 3 * len(json.dumps(INFO))


# --- credentials -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("behaviour", [drop, cut_short, refusal(401, "no"), refusal(500, "x"), raw(b"x"), hang])
def test_credentials_are_in_no_error_log_or_repr(
    edge: Edge, make_client: Make, behaviour: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    edge.usual = behaviour
    client = make_client(edge, read_timeout_s=0.3)
    with pytest.raises(RapiError) as caught:
        client.startup_instance("a", reason="gwm:1")
    error = caught.value
    seen = [str(error), repr(error), repr(error.args), str(vars(error)), repr(client), repr(client._transport)]
    seen += ["".join(traceback.format_exception(error)), caplog.text]
    for text in seen:
        assert PASSWORD not in text
        assert "Z3dtO" not in text  # what "gwm:" begins with in Basic authentication
    cause: BaseException | None = error
    while cause is not None:
        assert not hasattr(cause, "request")
        cause = cause.__cause__ if cause.__suppress_context__ else cause.__context__


def test_errors_can_be_stored_and_read_in_a_log(client: RapiClient, edge: Edge) -> None:
    edge.script = [refusal(403, "Forbidden")]
    with pytest.raises(NotAllowed) as caught:
        client.get_info()
    assert caught.value.kind == "not allowed"
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), NotAllowed)  # noqa: S301 - just made


def test_trust_does_not_show_in_the_repr_of_a_client(client: RapiClient) -> None:
    assert "PEM" not in repr(client)
    assert repr(Trust.system()) != ""
