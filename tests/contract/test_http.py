"""Paths, methods, authentication, bodies: what is answered before any resource does something."""

from __future__ import annotations

import hashlib
import socket
import ssl

import pytest

from tests.contract.backends import Backend

pytestmark = pytest.mark.feature("F299")

NOT_FOUND = {"code": 404, "message": "Not Found", "explain": "Nothing matches the given URI"}
UNAUTHORIZED = {"code": 401, "message": "Unauthorized", "explain": "No permission -- see authorization schemes"}
FORBIDDEN = {
    "code": 403,
    "message": "Forbidden",
    "explain": "Request forbidden -- authorization will not help",
}
INVALID = "Invalid body parameters: "


def refused_parameter(opcode: str, parameter: str) -> str:
    quote, double = "&#x27;", "&quot;"
    text = f"Parameter {quote}OP_{opcode}.{parameter}{quote} fails validation"
    return f"{INVALID}({double}{text}{double}, {quote}wrong_input{quote})"


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/2/",
        "/2//instances",
        "/2/instances/",
        "/2/jobs/abc",
        "/2/instances/a/b",
        "/2/instances/a.b/disk/x/grow",
    ],
)
def test_unknown_paths(backend: Backend, path: str) -> None:
    answer = backend.ask("GET", path)
    assert answer.status_code == 404
    assert answer.json() == NOT_FOUND


@pytest.mark.parametrize("kind", ["instances", "nodes", "groups", "networks", "filters"])
def test_unknown_objects(backend: Backend, kind: str) -> None:
    assert backend.ask("GET", f"/2/{kind}/nope").json() == NOT_FOUND


def test_escapes_in_paths_are_not_decoded(backend: Backend, machine: str) -> None:
    answer = backend.raw("GET", f"/2/instances/{machine.replace('.', '%2E', 1)}")
    assert answer is not None
    assert answer[0] == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/2/info"),
        ("PATCH", "/2/info"),
        ("OPTIONS", "/2/info"),
        ("PUT", "/2/jobs"),
        ("POST", "/2/instances/x/startup"),
    ],
)
def test_methods_that_a_path_does_not_know(backend: Backend, method: str, path: str) -> None:
    answer = backend.ask(method, path)
    assert answer.status_code == 501
    assert answer.json() == {
        "code": 501,
        "message": f"Method {method} is unsupported for path {path}",
        "explain": "Server does not support this operation",
    }


def test_head_is_unsupported_and_has_no_body(backend: Backend) -> None:
    answer = backend.ask("HEAD", "/2/info")
    assert (answer.status_code, answer.content) == (501, b"")


def test_every_answer_closes_the_connection(backend: Backend) -> None:
    for path in ("/version", "/nope"):
        headers = backend.ask("GET", path).headers
        assert headers["Connection"] == "close"
        assert headers["Content-Type"] == "application/json"
        assert headers["Server"].startswith("Ganeti ")
        assert headers["Date"].endswith(" GMT")


def test_answers_are_one_line_of_json(backend: Backend) -> None:
    assert backend.ask("GET", "/version").content == b"2\n"
    assert backend.ask("GET", "/2").content == b"null\n"


def test_certificate_has_the_announced_fingerprint(backend: Backend) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = socket.create_connection((backend.host, backend.port), timeout=120)
    with plain, context.wrap_socket(plain) as connection:
        certificate = connection.getpeercert(binary_form=True)
        assert connection.version() == "TLSv1.3"
    assert certificate is not None
    assert hashlib.sha256(certificate).hexdigest() == backend.fingerprint.replace(":", "").lower()


# who may


def test_without_credentials_everything_is_401(backend: Backend) -> None:
    for path in ("/version", "/2/info", "/nope"):
        answer = backend.ask("GET", path, auth=None)
        assert answer.status_code == 401
        assert answer.json() == UNAUTHORIZED
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="Ganeti Remote API"'


@pytest.mark.parametrize("account", [("gwm", "wrong"), ("nobody", "secret"), ("gwm", "sécret")])
def test_wrong_credentials(backend: Backend, account: tuple[str, str]) -> None:
    assert backend.ask("GET", "/version", auth=account).json() == UNAUTHORIZED


@pytest.mark.parametrize("value", ["Bearer x", "Basic !!!", "Basic Z3dt", ""])
def test_other_authorization_headers(backend: Backend, value: str) -> None:
    assert backend.ask("GET", "/version", auth=None, headers={"Authorization": value}).status_code == 401


def test_a_scheme_without_credentials(backend: Backend) -> None:
    answer = backend.ask("GET", "/version", auth=None, headers={"Authorization": "Basic"})
    assert (answer.status_code, answer.json()["message"]) == (400, "Basic authentication requires credentials")


def test_routing_comes_before_wrong_credentials(backend: Backend) -> None:
    account = ("gwm", "wrong")
    assert backend.ask("GET", "/nope", auth=account).status_code == 404
    assert backend.ask("PATCH", "/2/info", auth=account).status_code == 501


def test_a_viewer_reads_and_does_not_write(backend: Backend) -> None:
    for path in ("/version", "/2/info", "/2/jobs", "/2/query/instance?fields=name"):
        assert backend.ask("GET", path, auth=backend.viewer).status_code == 200
    assert backend.ask("PUT", "/2/query/instance", {"fields": ["name"]}, auth=backend.viewer).status_code == 200
    for method, path in (
        ("PUT", "/2/instances/x/startup"),
        ("DELETE", "/2/jobs/1"),
        ("GET", "/2/jobs/1/wait"),
        ("GET", f"/2/nodes/{backend.nodes[0]}/storage"),
    ):
        answer = backend.ask(method, path, auth=backend.viewer)
        assert (answer.status_code, answer.json()) == (403, FORBIDDEN)


# bodies


@pytest.mark.parametrize("content_type", ["text/plain", "application/json; charset=utf-8", None])
def test_only_plain_json_is_a_content_type(backend: Backend, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = backend.ask("PUT", "/2/instances/x/shutdown", data=b"{}", headers=headers)
    assert answer.status_code == 415
    assert answer.json()["explain"] == "Entity body in unsupported format"


def test_content_type_in_capitals(backend: Backend) -> None:
    answer = backend.ask("GET", "/version", data=b"{}", headers={"Content-Type": "Application/JSON"})
    assert answer.status_code == 200


def test_a_body_that_is_not_json(backend: Backend) -> None:
    headers = {"Content-Type": "application/json"}
    answer = backend.ask("PUT", "/2/instances/x/shutdown", data=b"{bad", headers=headers)
    assert (answer.status_code, answer.json()["message"]) == (400, "Unable to parse JSON data")
    assert answer.json()["explain"] == "Bad request syntax or unsupported method"


def test_a_body_of_another_type(backend: Backend) -> None:
    answer = backend.ask("PUT", "/2/instances/x/shutdown", [])
    expected = "Body contents: Type is &#x27;list&#x27;, but &#x27;dict&#x27; is expected"
    assert (answer.status_code, answer.json()["message"]) == (400, expected)


def test_unknown_keys_are_refused(backend: Backend) -> None:
    answer = backend.ask("PUT", "/2/instances/x/shutdown", {"tmeout": 3})
    expected = f"{INVALID}Object OpInstanceShutdown doesn&#x27;t support the parameter &#x27;tmeout&#x27;"
    assert (answer.status_code, answer.json()["message"]) == (400, expected)


@pytest.mark.parametrize(
    ("method", "path", "body", "opcode", "parameter"),
    [
        ("PUT", "/2/instances/x/shutdown", {"timeout": "x"}, "INSTANCE_SHUTDOWN", "timeout"),
        ("PUT", "/2/instances/x/shutdown", {"timeout": -1}, "INSTANCE_SHUTDOWN", "timeout"),
        ("PUT", "/2/instances/x/shutdown", {"priority": 5}, "INSTANCE_SHUTDOWN", "priority"),
        ("PUT", "/2/instances/x/shutdown", {"depends": "x"}, "INSTANCE_SHUTDOWN", "depends"),
        ("PUT", "/2/instances/x/shutdown", {"comment": 5}, "INSTANCE_SHUTDOWN", "comment"),
        ("POST", "/2/instances/x/reboot?type=bogus", {}, "INSTANCE_REBOOT", "reboot_type"),
        ("POST", "/2/instances/x/disk/0/grow", {}, "INSTANCE_GROW_DISK", "amount"),
        ("PUT", "/2/instances/x/modify", {"nics": [["modify", 0, {"bogus": "x"}]]}, "INSTANCE_SET_PARAMS", "nics"),
        ("POST", "/2/nodes/x/evacuate", {}, "NODE_EVACUATE", "mode"),
        ("POST", "/2/groups", {}, "GROUP_ADD", "group_name"),
        ("PUT", "/2/groups/x/modify", {"alloc_policy": "bogus"}, "GROUP_SET_PARAMS", "alloc_policy"),
        ("POST", "/2/networks", {"name": "x", "network": "bogus"}, "NETWORK_ADD", "network"),
    ],
)
def test_values_of_the_wrong_kind(
    backend: Backend, method: str, path: str, body: object, opcode: str, parameter: str
) -> None:
    answer = backend.ask(method, path, body)
    assert (answer.status_code, answer.json()["message"]) == (400, refused_parameter(opcode, parameter))


def test_a_reason_belongs_into_the_query(backend: Backend) -> None:
    answer = backend.ask("PUT", "/2/instances/x/shutdown", {"reason": []})
    assert (answer.status_code, answer.json()["message"]) == (
        400,
        "Can&#x27;t overwrite static parameters {&#x27;reason&#x27;}",
    )


@pytest.mark.parametrize("path", ["/2/instances/x/modify", "/2/modify"])
def test_a_missing_body_where_one_is_needed(backend: Backend, path: str) -> None:
    answer = backend.ask("PUT", path)
    assert answer.status_code == 500
    assert "NoneType" in answer.json()["message"]


def test_a_parameter_that_rapi_may_not_set(backend: Backend) -> None:
    answer = backend.ask("PUT", "/2/modify", {"compression_tools": []})
    assert (answer.status_code, answer.json()["message"]) == (
        403,
        "The parameter compression_tools cannot be set via RAPI",
    )


# query arguments and limits


def test_flags_are_numbers(backend: Backend) -> None:
    answer = backend.ask("GET", "/2/instances?bulk=yes")
    assert (answer.status_code, answer.json()["message"]) == (400, "Invalid value for the &#x27;bulk&#x27; parameter")
    assert backend.ask("GET", "/2/instances?bulk=").status_code == 200


def test_locking_is_no_more(backend: Backend) -> None:
    answer = backend.ask("GET", "/2/instances?bulk=1&lock=1")
    assert answer.status_code == 500
    assert "Sync queries are not allowed" in answer.json()["message"]


def test_long_requests_are_cut_off(backend: Backend) -> None:
    assert backend.raw("GET", "/2/instances?x=" + "x" * 9000) is None
    assert backend.raw("GET", "/version", {"X-Long": "y" * 5000}) is None
    assert backend.raw("GET", "/version?" + "a" * 8000) is not None
    assert backend.raw("GET", "/version", {"X-Long": "y" * 3500}) is not None
