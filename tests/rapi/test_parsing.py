"""JSON from a cluster: what is taken, and what becomes of numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapi.parsing import MAX_DEPTH, MAX_NUMBER, MAX_PARSED_BYTES, TooMuch, parse_json, parsed_bytes
from tests.fixtures.computing import cpu_seconds
from tests.fixtures.databases import some_in_fast

pytestmark = pytest.mark.feature("G046")

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_NUMBER, MAX_NUMBER) | st.floats(allow_nan=False) | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
)


@given(VALUES)
def test_ordinary_json_is_what_pythons_own_parser_makes_of_it(value: Any) -> None:
    text = json.dumps(value)
    if "Infinity" not in text:
        assert parse_json(text.encode()) == json.loads(text)


@given(st.binary() | st.text(alphabet='[]{}",:\\0123456789.eE-+ntf \0', max_size=200).map(str.encode))
def test_whatever_comes_is_a_value_or_a_value_error(raw: bytes) -> None:
    try:
        value = parse_json(raw)
    except ValueError:
        return
    assert_in_range(value)


def assert_in_range(value: Any) -> None:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            assert_in_range(each)
    elif isinstance(value, float):
        assert math.isfinite(value)
    elif isinstance(value, int):
        assert -MAX_NUMBER <= value <= MAX_NUMBER


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (str(MAX_NUMBER), MAX_NUMBER),
        (str(-MAX_NUMBER), -MAX_NUMBER),
        (str(MAX_NUMBER + 1), None),
        (str(-MAX_NUMBER - 2), None),
        ("1" * 5000, None),
        ("-" + "9" * 100_000, None),
        ("1e308", 1e308),
        ("1e309", None),
        ("-1e309", None),
        ("NaN", None),
        ("Infinity", None),
        ("-Infinity", None),
        ('"1111111111111111111111111"', "1111111111111111111111111"),
    ],
)
def test_a_number_that_no_database_takes_is_nothing(text: str, value: Any) -> None:
    assert parse_json(f'{{"a": [{text}, 7]}}'.encode()) == {"a": [value, 7]}


@pytest.mark.parametrize(
    "start, end", some_in_fast([(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]"), (b'{"]":[[', b"]]}")], 3)
)
def test_nesting_has_an_end(start: bytes, end: bytes) -> None:
    levels = start.replace(b'"]"', b"").count(b"[") + start.count(b"{")
    fitting = MAX_DEPTH // levels
    assert parse_json(start * fitting + b"0" + end * fitting)
    for count in (2 * fitting + 2, 500, 5000, 200_000):
        with pytest.raises(TooMuch):
            parse_json(start * count + b"0" + end * count)


@pytest.mark.parametrize("text", ["[" * 500, "{" * 500, "]" * 500, '\\"[[[' * 300, "\x1b[31m" * 1000, "][" * 1000])
def test_brackets_in_texts_nest_nothing(text: str) -> None:
    value = {"log": [text, {text: [text]}]}
    assert parse_json(json.dumps(value).encode()) == value


HARD_TO_JUDGE = {
    "never ends": b'"' + b'\\"' * 3_000_000,
    "brackets in texts": b'["]",' * 1_000_000 + b"[",
    "texts": b'"[' * 3_000_001,
    "open": b"[" * 3_000_000,
    "backslashes": b"\\" * 10_000_000,
    "digits": b"0" * 10_000_000,
    "pairs": b"[" * 1_000_000 + b"]" * 1_000_000,
}


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(raw, marks=[] if name == "never ends" else [pytest.mark.long], id=name)
        for name, raw in HARD_TO_JUDGE.items()
    ],
)
def test_no_answer_takes_long_to_judge(raw: bytes) -> None:
    def judge() -> None:
        with pytest.raises(ValueError, match=r".*"):
            parse_json(raw)

    assert cpu_seconds(judge) < 10


@pytest.mark.long
def test_a_cluster_of_ten_thousand_machines_has_room_to_spare() -> None:
    recorded = Path(__file__).parent / "recorded" / "query_instance_config.json"
    answer = json.loads(recorded.read_text())
    answer["data"] = [answer["data"][number % len(answer["data"])] for number in range(10_000)]
    raw = json.dumps(answer).encode()
    assert parsed_bytes(raw) < MAX_PARSED_BYTES / 1.5
    assert len(parse_json(raw)["data"]) == 10_000
