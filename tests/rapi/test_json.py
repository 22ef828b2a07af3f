"""Tables that are alike are looked through once: what comes out is the same as if each had been."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapi.shapes.json import BIGGEST, alike, clean_json, clean_table

_TEXTS = st.sampled_from(["", "on", "1", "a\tb", "a\nb", "\0", "\u202eon", "\ud800", "x" * 20_001])
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, 2, BIGGEST, BIGGEST + 1, -BIGGEST - 1]),
    st.sampled_from([0.0, -0.0, 1.0, 1e300, float("nan"), float("inf"), float(BIGGEST)]),
    _TEXTS,
)
_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_TEXTS, inner, max_size=2))
# few keys and few values, so that many tables are equal, or equal but for a type
_TABLES = st.lists(st.dictionaries(st.sampled_from(["a", "b", "a\n"]), _VALUES, max_size=2), max_size=8)


@given(_TABLES)
def test_what_is_alike_is_cleaned_alike(tables: list[dict[str, Any]]) -> None:
    one_by_one = [clean_json(each) for each in tables]
    with alike():
        together = [clean_table(each) for each in tables]
    assert repr(together) == repr(one_by_one)


@pytest.mark.parametrize(
    ("first", "second"), [(1, True), (True, 1.0), (0, False), ([1], [True]), ({"b": 1}, {"b": 1.0})]
)
def test_each_keeps_its_own_values(first: Any, second: Any) -> None:
    with alike():
        clean_table({"a": first})
        assert repr(clean_table({"a": second})) == repr({"a": second})


def test_one_that_is_changed_changes_no_other() -> None:
    with alike():
        first, second, third = clean_table({"a": 1}), clean_table({"a": 1}), clean_table({"a": 1})
        second["a"] = "\0"
        assert first == third == clean_table({"a": 1}) == {"a": 1}
        first["a"] = "\0"
        assert clean_table({"a": "\0"}) == {"a": "\N{REPLACEMENT CHARACTER}"}
