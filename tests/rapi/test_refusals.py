"""Ganeti's refusals, and whatever comes in their place; job numbers that are none."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapi import RapiClient, resources
from rapi.errors import Garbled, NotFound, RapiError, Refused, Unreachable
from rapi.paths import MAX_JOB_NUMBER, NotSendable, check_segment, job_number
from rapi.refusals import MAX_MESSAGE, explain_refusal, read_message
from rapi.text import clean_text
from rapi.transport import Answer
from tests.fixtures.computing import cpu_seconds
from tests.fixtures.databases import some_in_fast
from tests.rapi.edge import Edge, answer, raw, refusal

pytestmark = pytest.mark.feature("G046")

STATUSES = [400, 401, 403, 404, 406, 415, 500, 501, 502, 503, 504, 599, 999, 201, 204, 101]


def refused(value: Any, status: int = 500) -> Answer:
    return Answer(status, value, is_json=True, seconds=0.1, size=1)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text() | st.sampled_from(["message", "code"]), each),
    max_leaves=6,
)


MESSAGES = st.fixed_dictionaries({"message": ANYTHING, "explain": ANYTHING})


@given(st.sampled_from(STATUSES), ANYTHING | MESSAGES, st.booleans())
def test_any_refusal_is_an_error_of_ours(status: int, value: Any, changes: bool) -> None:
    error = explain_refusal(refused(value, status), "c:5080", changes=changes)
    assert isinstance(error, RapiError)
    assert error.message == clean_text(error.message, MAX_MESSAGE, keep_lines=True)


@given(st.text(st.characters(min_codepoint=32, exclude_categories=("C", "Z"))), st.text("abc_", min_size=1))
def test_texts_and_codes_are_read_as_python_would(text: str, code: str) -> None:
    assert read_message(refused({"message": repr((text, code)).replace("&", "&amp;")})) == (text, code)
    assert read_message(refused({"message": repr((text,)).replace("&", "&amp;")})) == (text, None)


@pytest.mark.parametrize(
    "message",
    [
        "(1,1,1," * 600_000,
        "(" * 4_000_000,
        "('" + "\\'" * 2_000_000,
        "('a'," + "'b'," * 1_000_000 + ")",
        "&amp;" * 800_000,
        "({[]: 1},)",
        "('a', [",
        "('\\x', '\\u12', '\\N{nothing}')",
        "('a' 'b')",
        "('\\ud800', '\\x00')",
        "(" + "9" * 5000 + ",)",
    ],
)
@pytest.mark.parametrize("changes", some_in_fast([True, False], 2))
def test_a_hostile_refusal_is_a_refusal_at_once(client: RapiClient, edge: Edge, message: str, changes: bool) -> None:
    edge.usual = refusal(500, message)
    with pytest.raises(Refused) as caught:
        client.startup_instance("a", reason="gwm:1") if changes else client.get_info()
    assert not caught.value.may_have_run
    assert len(caught.value.text) <= MAX_MESSAGE
    caught.value.text.encode()
    assert cpu_seconds(lambda: read_message(refused({"message": message}))) < 2


def test_control_characters_of_a_refusal_reach_nobody(client: RapiClient, edge: Edge) -> None:
    edge.script = [refusal(500, "no\x1b[31m\0\u202e\nTwo lines, \ud800")]
    with pytest.raises(Refused) as caught:
        client.get_info()
    assert caught.value.text == "no�[31m��\nTwo lines, �"


@pytest.mark.parametrize("message", [None, 5, ["x"], {"a": 1}, True, 1e300, ""])
def test_a_message_that_is_no_text_is_no_message(client: RapiClient, edge: Edge, message: Any) -> None:
    edge.script = [answer({"code": 404, "message": message}, 404)]
    with pytest.raises(NotFound, match="doesn't know it"):
        client.get_info()


@pytest.mark.parametrize("status", [502, 504])
@pytest.mark.parametrize("body", [b"<html>Bad Gateway</html>", b"", b'"text"', b"[]"])
def test_a_proxys_error_is_not_taken_for_a_ganeti_node(
    client: RapiClient, edge: Edge, status: int, body: bytes
) -> None:
    edge.usual = raw(body, status)
    with pytest.raises(Unreachable, match="proxy") as caught:
        client.get_info()
    assert "master" not in caught.value.message
    with pytest.raises(Unreachable, match="proxy") as caught:
        client.startup_instance("a", reason="gwm:1")
    assert caught.value.may_have_run


def test_a_late_504_leaves_a_change_in_doubt_and_an_early_one_does_not() -> None:
    """RAPI waits 30 s for a connection to the master daemon, and 180 s for its answer; it says the same of both."""
    for seconds, may_have_run in ((35.0, False), (180.0, True)):
        late = Answer(504, {"message": "Gateway Timeout"}, is_json=True, seconds=seconds, size=1)
        assert explain_refusal(late, "here", changes=True).may_have_run is may_have_run


# --- job numbers -----------------------------------------------------------------------------------------------------

NO_NUMBERS = [-1, -5, 0, True, False, 1.0, 1.5, "", "-1", "0", "1.0", "x", "²", "٣", " 5", "9" * 30, 2**63, 10**40]
NO_NUMBERS += [None, [], [5], {}, {"id": 5}]


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
def test_what_is_no_job_number_leaves_a_change_in_doubt(client: RapiClient, edge: Edge, value: Any) -> None:
    edge.script = [answer(value)]
    with pytest.raises(Garbled, match="job number") as caught:
        client.reboot_instance("a", reason="gwm:1")
    assert caught.value.may_have_run
    edge.script = [answer([{"id": value}])]
    assert client.list_job_ids() == []


@pytest.mark.parametrize("value", [1, 5, "5", MAX_JOB_NUMBER, str(MAX_JOB_NUMBER)])
def test_job_numbers(value: Any) -> None:
    assert job_number(value) == int(value)


def changing_calls() -> dict[str, Callable[[RapiClient], Any]]:
    """Every change of the client that can be called with names alone."""
    found: dict[str, Callable[[RapiClient], Any]] = {}
    for name, method in inspect.getmembers(RapiClient, inspect.isfunction):
        parameters = list(inspect.signature(method).parameters.values())[1:]
        # a modification needs something to modify
        if name.startswith(("_", "modify_")) or not any(
            each.name == "reason" and each.default is each.empty for each in parameters
        ):
            continue
        needed = [each for each in parameters if each.default is each.empty and each.name != "reason"]
        if all(each.annotation == "str" for each in needed):
            names = {each.name: "a" for each in needed}
            found[name] = lambda client, name=name, names=names: getattr(client, name)(**names, reason="gwm:1")
    return found


CHANGES = changing_calls()
#: of each change: an eighth of what is tried otherwise, as there are many
FEW = settings().max_examples // 8


def test_most_changes_are_tried() -> None:
    assert len(CHANGES) > 12 and "reboot_instance" in CHANGES


@pytest.mark.parametrize("name", some_in_fast(CHANGES, 4))
@settings(max_examples=FEW, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(status=st.sampled_from([200, *STATUSES[:12]]), value=ANYTHING)
def test_whatever_a_change_is_answered_it_ends_in_a_job_or_an_error_of_ours(
    client: RapiClient, edge: Edge, name: str, status: int, value: Any
) -> None:
    edge.script = [raw(json.dumps(value).encode(), status)]
    try:
        result = CHANGES[name](client)
    except RapiError as error:
        assert not isinstance(error, NotSendable)
        return
    assert status == 200
    assert result is None or result


# --- names in paths --------------------------------------------------------------------------------------------------


@given(st.text(st.characters(), max_size=20) | st.from_regex(r"[\w.%/?#\-]{0,8}"))
def test_a_name_is_one_segment_of_a_path_or_is_refused(name: str) -> None:
    try:
        segment = check_segment(name)
    except NotSendable as error:
        assert not error.may_have_run
        return
    assert segment == name and segment not in {"", ".", ".."}
    assert not set(segment) & set("/?#%\\ \0\n;&")
    assert segment.isascii()


def test_no_path_is_made_of_anything_but_checked_segments() -> None:
    """Every value in a path of the client goes through a function that refuses what could be another path."""
    # the last three are words of ours: the end of a path, and kinds
    allowed = {"check_segment", "check_job_id", "rest", "resource", "of"}
    seen = 0
    for file in Path(resources.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.JoinedStr) or not ast.unparse(node).lstrip("f'\"").startswith("/2/"):
                continue
            for part in node.values:
                if not isinstance(part, ast.FormattedValue):
                    continue
                is_call = isinstance(part.value, ast.Call) and isinstance(part.value.func, ast.Name)
                name = part.value.func.id if is_call else ast.unparse(part.value)  # type: ignore[attr-defined]
                assert name in allowed, (file.name, ast.unparse(node))
                seen += 1
    assert seen > 10
